"""``codearena execute``: run the code of answers in a sandbox and keep what it does, for judges and reports."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from codearena_plugin.cli import options as opt


def execute(  # noqa: PLR0913  one parameter per option that a user can give
    ctx: typer.Context,
    answers: Annotated[Path, typer.Argument(help="JSONL, lm-eval's samples_*.jsonl, or a run directory.")],
    *,
    suite: opt.Suite = "codearena",
    codearena_data: opt.Data = None,
    codearena_baseline: opt.Baseline = None,
    codearena_max_words: opt.MaxWords = None,
    codearena_only_answered: opt.OnlyAnswered = None,
    codearena_output: opt.Output = None,
    model: Annotated[str | None, typer.Option(metavar="NAME", help="Choose one of several models in the file.")] = None,
    codearena_evidence: opt.Evidence = None,
    codearena_sandbox: opt.Sandbox = None,
    codearena_sandbox_python: opt.SandboxPython = None,
    codearena_sandbox_url: opt.SandboxUrl = None,
    codearena_sandbox_read: opt.SandboxRead = None,
    codearena_workers: opt.Workers = None,
    unsafe_local: opt.UnsafeLocal = False,
) -> None:
    """Run the answers' code, and the baseline's, in a sandbox. The same command again runs only what is missing."""
    from codearena_plugin.cli.executing import execute_file

    execute_file(answers, suite, opt.given(ctx), model=model)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(execute)
