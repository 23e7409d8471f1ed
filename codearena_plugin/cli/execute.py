"""``codearena execute``: run the code of answers in a sandbox and keep what it does, for judges and reports."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from codearena_plugin.cli import options as opt

# the options of `judge`, in the words of this command
_DATA, _CODE = "Data and output", "Running code"
OnlyAnswered = Annotated[
    bool | None,
    typer.Option(
        "--only-answered",
        help="Take the prompts that have an answer; by default missing answers are an error.",
        rich_help_panel=_DATA,
        show_default=False,
    ),
]
Output = Annotated[
    str | None,
    typer.Option(
        "--output",
        metavar="DIR",
        help="Where evidence.jsonl is kept; by default beside the answers.",
        rich_help_panel=_DATA,
        show_default=False,
    ),
]
Known = Annotated[
    str | None,
    typer.Option(
        "--evidence",
        metavar="FILE|RUN",
        help="Evidence found earlier: what it tells of the same code and tools is not run again.",
        rich_help_panel=_CODE,
        show_default=False,
    ),
]


def execute(  # noqa: PLR0913  one parameter per option that a user can give
    ctx: typer.Context,
    answers: Annotated[Path, typer.Argument(help="JSONL, lm-eval's samples_*.jsonl, or a run directory.")],
    *,
    suite: opt.Suite = "codearena",
    codearena_data: opt.Data = None,
    codearena_baseline: opt.Baseline = None,
    codearena_max_words: opt.MaxWords = None,
    codearena_only_answered: OnlyAnswered = None,
    codearena_output: Output = None,
    model: Annotated[str | None, typer.Option(metavar="NAME", help="Choose one of several models in the file.")] = None,
    codearena_evidence: Known = None,
    codearena_sandbox: opt.Sandbox = None,
    codearena_sandbox_python: opt.SandboxPython = None,
    codearena_sandbox_url: opt.SandboxUrl = None,
    codearena_sandbox_read: opt.SandboxRead = None,
    codearena_workers: opt.Workers = None,
    unsafe_local: opt.UnsafeLocal = False,
) -> None:
    """Run the answers' code, and the baseline's, in a sandbox, and keep what it does for judges and reports.

    The same command again runs only what is missing. Rows are on disk as they are found.
    """
    from codearena_plugin.cli.executing import execute_file

    execute_file(answers, suite, opt.given(ctx), model=model)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(execute)
