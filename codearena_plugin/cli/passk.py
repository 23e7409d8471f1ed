"""``codearena passk``: do samples of HumanEval+ or MBPP+ pass their tests, in a sandbox."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codearena_plugin.cli import options as opt
from codearena_plugin.errors import IncompleteRunError

if TYPE_CHECKING:
    from codearena_plugin.harness.passing.run import PassRun

Name = Annotated[str, typer.Option("--benchmark", metavar="humaneval|mbpp", help="HumanEval+ or MBPP+.")]
Engine = Annotated[
    str | None,
    typer.Option("--engine", metavar="NAME", help="builtin, or evalplus: the package itself, without a sandbox."),
]
Python = Annotated[
    str | None, typer.Option("--evalplus-python", metavar="PATH", help="Interpreter that has EvalPlus, for its engine.")
]
Data = Annotated[
    str | None, typer.Option("--data", metavar="PATH", help="The benchmark's .jsonl or .jsonl.gz, or its directory.")
]
Output = Annotated[
    str | None, typer.Option("--output", metavar="DIR", help="Where results go; default: beside the samples.")
]


def passk(  # noqa: PLR0913  one parameter an option
    ctx: typer.Context,
    samples: Annotated[
        Path, typer.Argument(metavar="SAMPLES", help="JSONL: task_id, and solution or completion; repeats for n > 1.")
    ],
    *,
    benchmark: Name,
    codearena_engine: Engine = None,
    codearena_evalplus_python: Python = None,
    codearena_evalplus_data: Data = None,
    codearena_output: Output = None,
    model: Annotated[str | None, typer.Option(metavar="NAME", help="Whose samples; default: the file's name.")] = None,
    codearena_sandbox: opt.Sandbox = None,
    codearena_sandbox_python: opt.SandboxPython = None,
    codearena_sandbox_url: opt.SandboxUrl = None,
    codearena_sandbox_read: opt.SandboxRead = None,
    codearena_workers: opt.Workers = None,
    unsafe_local: opt.UnsafeLocal = False,
) -> None:
    """Run samples against the base and plus tests, and give pass@k with intervals clustered by problem."""
    from codearena_plugin.harness.passing.from_file import check_file
    from codearena_plugin.report.progress import running_progress
    from codearena_plugin.report.untrusted import visible

    with running_progress(say=_say) as observe:
        found = check_file(samples, benchmark, opt.given(ctx), model=model, observe=observe)
    _print(found.run, found.n_foreign)
    found.keep()
    typer.echo(f"results: {visible(str(found.run.path))}")
    if found.run.withheld:
        msg = f"NO SCORE: {found.run.withheld}."
        raise IncompleteRunError(msg)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _print(run: PassRun, n_foreign: int) -> None:
    from codearena_plugin.report.console import open_console
    from codearena_plugin.report.facts import Cells, percent
    from codearena_plugin.report.table import cells_table, facts_table

    result = run.result
    console = open_console()
    data = f"{result.label} {result.version}" if result.version else f"{result.label}, md5 {result.md5}"
    facts = [("notice", notice) for notice in result.notices]
    facts += [("model", run.model), ("benchmark", data), ("engine", f"{result.engine}, sandbox {result.sandbox}")]
    facts += [("problems", f"{result.n_problems} of {result.n_expected}"), ("samples", _samples(run, n_foreign))]
    console.print(facts_table(facts))
    if not run.withheld:
        cells = [
            (f"pass@{k}, {name} tests", percent(one.estimate), f"{percent(one.low)} – {percent(one.high)}", str(one.n))
            for name, found in (("base", result.base), ("base and plus", result.plus))
            for k, one in found.items()
        ]
        console.print(cells_table(Cells(("", "%", "95 %", "problems"), cells)))


def _samples(run: PassRun, n_foreign: int) -> str:
    result = run.result
    text = f"{result.n_samples} run"
    late = sum("timeout" in (one.base, one.plus) for one in run.checked)
    if late:
        text += f", {late} of them out of time"
    if result.n_not_run:
        text += f"; {result.n_not_run} NOT RUN, in no number"
    if n_foreign:
        text += f"; {n_foreign} of problems that this benchmark does not have, left out"
    return text


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(passk)
