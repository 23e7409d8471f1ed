"""``codearena doctor``: is everything in place, and what needs the user's hand. The checks are in ``checks.py``."""

from __future__ import annotations

from typing import Annotated

import typer

from codearena_plugin.cli import options as opt
from codearena_plugin.errors import UsageError


def doctor(  # noqa: PLR0913  one parameter per option that a user can give
    ctx: typer.Context,
    *,
    ping: Annotated[bool, typer.Option("--ping", help="Ask the judge one trivial question.")] = False,
    judge: opt.Judge = None,
    judge_model: opt.JudgeModel = None,
    judge_base_url: opt.JudgeUrl = None,
    judge_backend: opt.JudgeBackend = None,
    judge_prompt: opt.JudgePrompt = None,
    judge_max_tokens: opt.MaxTokens = None,
    judge_reasoning: opt.Reasoning = None,
    judge_store: opt.Store = None,
    judge_timeout_s: opt.Timeout = None,
    codearena_sandbox: opt.Sandbox = None,
    codearena_sandbox_python: opt.SandboxPython = None,
    codearena_sandbox_url: opt.SandboxUrl = None,
    codearena_sandbox_read: opt.SandboxRead = None,
    settings: opt.Set = None,
) -> None:
    """Check the installation. Exit code 2 if something needs your hand."""
    from rich import box
    from rich.table import Table

    from codearena_plugin.cli.check import PROBLEM
    from codearena_plugin.cli.checks import all_checks
    from codearena_plugin.report.console import open_console
    from codearena_plugin.report.untrusted import one_line

    checks = all_checks(opt.given(ctx), ping=ping)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("check", "", "found"):
        table.add_column(name, overflow="fold")
    for check in checks:
        table.add_row(
            check.name, check.state, one_line(check.found, 400), style="bold" if check.state == PROBLEM else None
        )
    open_console().print(table)
    problems = [check.name for check in checks if check.state == PROBLEM]
    if problems:
        msg = f"{len(problems)} of {len(checks)} checks need your hand: {', '.join(problems)}."
        raise UsageError(msg)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)
