"""``codearena passk``: do samples of HumanEval+ or MBPP+ pass their tests, in a sandbox."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from codearena_plugin.cli import options as opt
from codearena_plugin.errors import DataError, IncompleteRunError

if TYPE_CHECKING:
    from codearena_plugin.execution.evalplus.problems import Benchmark, Sample
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
    from codearena_plugin.execution.evalplus.results import read_samples
    from codearena_plugin.execution.evalplus.run import check_samples
    from codearena_plugin.harness.passing.checking import chosen, preflight
    from codearena_plugin.harness.passing.run import finish
    from codearena_plugin.report.progress import running_progress

    options = _options(ctx)
    found = chosen(benchmark, options, "passk")
    found = replace(found, options=preflight(found.options))
    rows, n_foreign = _known(found.benchmark, read_samples(samples), samples)
    directory = _directory(samples, options, rows)
    with running_progress(say=_say) as observe:
        checked = check_samples(found.benchmark, rows, found.options, observe=lambda done: observe(done, len(rows)))
    run = finish(
        directory, model or _stem(samples), found, checked, {"name": "codearena passk", "samples": str(samples)}
    )
    _print(run, n_foreign)
    if run.withheld:
        msg = f"NO SCORE: {run.withheld}."
        raise IncompleteRunError(msg)


def _options(ctx: typer.Context) -> dict[str, Any]:
    options = opt.given(ctx)
    if ctx.params.get("unsafe_local"):
        options["codearena_sandbox"] = "unsafe-local"
    return options


def _known(benchmark: Benchmark, samples: Sequence[Sample], path: Path) -> tuple[list[Sample], int]:
    """Return the samples of the benchmark's problems as programs, and how many others there are.

    Raises:
        DataError: all are others.
    """
    names = {problem.task_id for problem in benchmark.problems}
    rows = [sample for sample in samples if sample.task_id in names]
    if not rows:
        msg = f"{str(path)!r}: no sample is of {benchmark.label}; the first is of {samples[0].task_id!r}."
        raise DataError(msg)
    prompts = {problem.task_id: problem.prompt for problem in benchmark.problems}
    programs = [
        row if row.is_program else replace(row, text=prompts[row.task_id] + row.text, is_program=True) for row in rows
    ]
    return programs, len(samples) - len(rows)


def _stem(path: Path) -> str:
    return path.name.removesuffix(".gz").removesuffix(".jsonl")


def _directory(samples: Path, options: Mapping[str, Any], rows: Sequence[Sample]) -> Path:
    from codearena_plugin.harness.passing.run import free_place
    from codearena_plugin.runs.files import made

    chosen = options.get("codearena_output")
    import logging

    place = Path(chosen).expanduser() if chosen else samples.with_name(f"{_stem(samples)}-pass")
    return made(free_place(place, rows, logging.getLogger("lm_eval.codearena")))


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _print(run: PassRun, n_foreign: int) -> None:
    from rich.text import Text

    from codearena_plugin.report.console import open_console
    from codearena_plugin.report.facts import Cells, percent
    from codearena_plugin.report.table import cells_table, facts_table
    from codearena_plugin.report.untrusted import visible

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
    console.print(Text(f"results: {visible(str(run.path))}"), soft_wrap=True)


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
