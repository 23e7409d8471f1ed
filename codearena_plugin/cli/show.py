"""``codearena show``: look into a run, prompt by prompt."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codearena_plugin.cli import options as opt
from codearena_plugin.errors import ConfigError, DataError, UsageError, unknown_name

if TYPE_CHECKING:
    from codearena_plugin.records import Prompt, Status
    from codearena_plugin.runs.files import StoredRun


def show(
    run: Annotated[Path, typer.Argument(help="Run directory, or its result.json.")],
    prompt_id: Annotated[str | None, typer.Argument(help="One prompt; without it, a list of all.")] = None,
    status: Annotated[
        str | None, typer.Option(metavar="STATUS", help="List only prompts with a game of this status: unparsable, …")
    ] = None,
    data: opt.Data = None,
    full: Annotated[bool, typer.Option("--full", help="Print long texts to their end.")] = False,
) -> None:
    """Show one prompt of a run, both answers, replies and verdicts; or list all prompts."""
    from codearena_plugin.report.console import open_console
    from codearena_plugin.report.transcript import print_list, print_prompt
    from codearena_plugin.runs.files import load_run

    stored = load_run(run)
    console = open_console()
    if prompt_id is None:
        print_list(console, stored, status=_known_status(status))
        return
    _refuse_unknown(stored, prompt_id)
    if status is not None:
        msg = f"--status lists prompts, and {prompt_id!r} names one. Give one of the two."
        raise ConfigError(msg)
    print_prompt(console, stored, prompt_id, _prompt_at_hand(stored, prompt_id, data), full=full)


def _known_status(status: str | None) -> Status | None:
    from codearena_plugin.records import STATUSES

    if status is not None and status not in STATUSES:
        raise ConfigError(unknown_name("status", status, STATUSES))
    return status


def _refuse_unknown(run: StoredRun, prompt_id: str) -> None:
    ids = [answer.prompt_id for answer in run.answers]
    if prompt_id not in ids:
        near = difflib.get_close_matches(prompt_id, ids, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"the first of {len(ids)} is {ids[0]!r}."
        msg = f"Run {str(run.path)!r} has no prompt {prompt_id!r}; {hint}"
        raise DataError(msg)


def _prompt_at_hand(run: StoredRun, prompt_id: str, data: str | None) -> Prompt | None:
    """Return the prompt, or say why the question is not shown: a run can be read without its suite."""
    from codearena_plugin.runs.rescore import suite_of

    try:
        suite = suite_of(run, data)
    except UsageError as exc:
        if data is not None:
            raise
        typer.echo(f"question and baseline are not shown: {exc}", err=True)
        return None
    if suite.fingerprint != run.result["manifest"]["suite"]["fingerprint"]:
        typer.echo("question and baseline are not shown: the suite found is not the one that was judged", err=True)
        return None
    return suite.by_id[prompt_id]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(show)
