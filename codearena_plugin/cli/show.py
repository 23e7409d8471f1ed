"""``codearena show``: look into a run, prompt by prompt."""

from __future__ import annotations

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
    """Show one prompt of a run: answers, what their code did, replies and verdicts; or list all prompts."""
    from codearena_plugin.report.console import open_console
    from codearena_plugin.report.transcript import print_list, print_prompt
    from codearena_plugin.runs.files import load_run

    stored = load_run(run)
    console = open_console()
    if prompt_id is None:
        print_list(console, stored, status=_known_status(status))
        return
    if status is not None:
        msg = f"--status lists prompts, and {prompt_id!r} names one. Give one of the two."
        raise ConfigError(msg)
    prompt = _prompt_at_hand(stored, prompt_id, data)
    if prompt is None and all(answer.prompt_id != prompt_id for answer in stored.answers):
        msg = f"Run {str(stored.path)!r} has no prompt {prompt_id!r}; codearena show {stored.path} lists what it has."
        raise DataError(msg)
    print_prompt(console, stored, prompt_id, prompt, full=full)


def _known_status(status: str | None) -> Status | None:
    from codearena_plugin.records import STATUSES

    if status is not None and status not in STATUSES:
        raise ConfigError(unknown_name("status", status, STATUSES))
    return status


def _prompt_at_hand(run: StoredRun, prompt_id: str, data: str | None) -> Prompt | None:
    """Return the prompt, or say why the question is not shown: a run can be read without its suite.

    Raises:
        DataError: the suite is at hand and has no such prompt; the message suggests the nearest.
    """
    from codearena_plugin.runs.rescore import suite_of

    try:
        suite = suite_of(run, data)
    except UsageError as exc:
        if data is not None:
            raise
        _say_not_shown(str(exc))
        return None
    if suite.fingerprint != run.result["manifest"]["suite"]["fingerprint"]:
        _say_not_shown("the suite found is not the one that was judged")
        return None
    return suite.prompt(prompt_id)


def _say_not_shown(why: str) -> None:
    from codearena_plugin.report.console import open_console
    from codearena_plugin.report.untrusted import one_line

    open_console(stderr=True).print(one_line(f"question and baseline are not shown: {why}", 500), soft_wrap=True)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(show)
