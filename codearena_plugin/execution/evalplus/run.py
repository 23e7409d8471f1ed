"""The way in: a benchmark, samples of it, and their verdicts. Everything that other rooms need of this one is here."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from codearena_plugin.errors import ConfigError, DataError, unknown_name
from codearena_plugin.execution.choose import resolve_sandbox
from codearena_plugin.execution.evalplus.data import load_benchmark
from codearena_plugin.execution.evalplus.engine import check_builtin
from codearena_plugin.execution.evalplus.package import check_package
from codearena_plugin.execution.evalplus.problems import (
    ENGINES,
    Benchmark,
    Checked,
    PassOptions,
    PassResult,
    Problem,
    Sample,
)
from codearena_plugin.execution.evalplus.results import basis_of, summarise, write_eval_results
from codearena_plugin.execution.evalplus.text import (
    BASE_STOPS,
    base_prompt,
    base_stops,
    chat_messages,
    chat_prefill,
    solution_of,
)

__all__ = [
    "BASE_STOPS",
    "Benchmark",
    "Checked",
    "PassOptions",
    "PassResult",
    "Problem",
    "Sample",
    "base_prompt",
    "base_stops",
    "basis_of",
    "chat_messages",
    "chat_prefill",
    "check_samples",
    "load_benchmark",
    "resolve_pass_options",
    "solution_of",
    "summarise",
    "write_eval_results",
]


def resolve_pass_options(options: Mapping[str, Any], *, environ: Mapping[str, str] | None = None) -> PassOptions:
    """Return the options from ``codearena_engine``, ``…_evalplus_python``, ``…_workers`` and the keys of the sandbox.

    Each may stand in the environment too, in capitals.

    Raises:
        ConfigError: an unknown engine or sandbox, an interpreter for the other engine, or no number of workers.
    """
    environ = os.environ if environ is None else environ

    def chosen(name: str) -> str | None:
        value = options.get(f"codearena_{name}") or environ.get(f"CODEARENA_{name.upper()}")
        return None if value in (None, "") else str(value)

    name = chosen("engine") or ENGINES[0]
    engine = next((known for known in ENGINES if known == name), None)
    if engine is None:
        raise ConfigError(unknown_name("engine", name, ENGINES))
    if engine == "builtin" and options.get("codearena_evalplus_python"):
        msg = (
            f"codearena_evalplus_python={options['codearena_evalplus_python']!r} is for the engine 'evalplus', and the "
            "engine is 'builtin'. Add codearena_engine=evalplus, or leave it out."
        )
        raise ConfigError(msg)
    workers = chosen("workers")
    if workers is not None and (not workers.isdecimal() or int(workers) < 1):
        msg = f"codearena_workers is {workers!r}; expected a whole number of at least 1."
        raise ConfigError(msg)
    return PassOptions(
        engine=engine,
        evalplus_python=chosen("evalplus_python"),
        sandbox=resolve_sandbox(options, environ=environ),
        workers=None if workers is None else int(workers),
    )


def check_samples(
    benchmark: Benchmark,
    samples: Sequence[Sample],
    options: PassOptions,
    *,
    observe: Callable[[int], None] | None = None,
) -> tuple[Checked, ...]:
    """Return the verdicts, in the order of the samples.

    Args:
        observe: is told how many samples are done; of the engine "evalplus" only at the end.

    Raises:
        DataError: a sample of a problem that the benchmark does not have.
        ConfigError: no sandbox, or no EvalPlus, can be had.
        IncompleteRunError: the sandbox has no Python that works, or EvalPlus ended without results.
    """
    prompts = {problem.task_id: problem.prompt for problem in benchmark.problems}
    unknown = next((sample.task_id for sample in samples if sample.task_id not in prompts), None)
    if unknown is not None:
        msg = f"A sample is of the problem {unknown!r}, which {benchmark.label} ({benchmark.source}) does not have."
        raise DataError(msg)
    programs = [
        (sample, sample.text if sample.is_program else prompts[sample.task_id] + sample.text) for sample in samples
    ]
    if not programs:
        return ()
    if options.engine == "builtin":
        return check_builtin(benchmark, programs, options.sandbox, workers=options.workers, observe=observe)
    checked = check_package(benchmark, programs, options)
    if observe:
        observe(len(checked))
    return checked
