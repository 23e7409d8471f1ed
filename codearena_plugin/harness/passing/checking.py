"""What a user chose, the programs in what a model wrote, and their verdicts."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeVar

from codearena_plugin.errors import CodeArenaError, ConfigError, unknown_name
from codearena_plugin.execution.choose import choose
from codearena_plugin.execution.evalplus.package import version_of
from codearena_plugin.execution.evalplus.problems import (
    BENCHMARKS,
    Benchmark,
    BenchmarkName,
    Checked,
    PassOptions,
    Sample,
)
from codearena_plugin.execution.evalplus.run import (
    check_samples,
    load_benchmark,
    resolve_pass_options,
    solution_of,
)
from codearena_plugin.execution.pool import default_workers
from codearena_plugin.runs.options import resolve_options

Style: TypeAlias = Literal["chat", "base"]
STYLES: tuple[Style, ...] = ("chat", "base")
DATA = "codearena_evalplus_data"
_Name = TypeVar("_Name", bound=str)


@dataclass(frozen=True)
class Chosen:
    """A benchmark, and how samples of it are to be checked."""

    benchmark: Benchmark
    options: PassOptions
    output: Path | None


@dataclass(frozen=True, slots=True)
class Generated:
    """One text of the model under test; ``index`` is 0, 1, … where there are several to a problem."""

    task_id: str
    text: str
    index: int = 0


def chosen(name: str, options: Mapping[str, Any], task: str) -> Chosen:
    """Return a benchmark and its options, from ``codearena_…`` keys, else the environment.

    Args:
        name: "humaneval" or "mbpp".
        options: as in lm-eval's ``--metadata``; keys of other tasks that share the command line are passed over.
        task: that asks.

    Raises:
        ConfigError: an unknown option, or a value that cannot be used. DataError: the data cannot be had.
    """
    output = resolve_options(options, task).output  # refuses misspelt keys, too
    data = options.get(DATA) or os.environ.get(DATA.upper()) or None
    benchmark = load_benchmark(known_benchmark(name), data=None if data is None else str(data))
    return Chosen(benchmark, resolve_pass_options(options), output)


def known_benchmark(name: str) -> BenchmarkName:
    """Return a benchmark's name, checked.

    Raises:
        ConfigError: it is none.
    """
    return _known("benchmark", name, BENCHMARKS)


def known_style(name: str) -> Style:
    """Return a style's name, checked.

    Raises:
        ConfigError: it is none.
    """
    return _known("style", name, STYLES)


def _known(kind: str, name: str, names: tuple[_Name, ...]) -> _Name:
    found = next((known for known in names if known == name), None)
    if found is None:
        raise ConfigError(unknown_name(kind, name, names))
    return found


def preflight(options: PassOptions) -> PassOptions:
    """Look for the sandbox, or for EvalPlus, before the first token is generated.

    Returns:
        The options with the sandbox that was found: one that stops working later must not give way to another.

    Raises:
        ConfigError: there is none; says why, and what to do.
    """
    if options.engine == "builtin":
        name, _ = choose(options.sandbox)
        return replace(options, sandbox=replace(options.sandbox, name=name))
    version_of(options.evalplus_python)
    if not options.sandbox.allow_unsafe:
        msg = (
            "codearena_engine=evalplus runs code without a sandbox, as you. Agree with "
            "codearena_sandbox=unsafe-local, which then marks the results, "
            "or leave the engine out."
        )
        raise ConfigError(msg)
    return options


def shared_between(options: PassOptions, n_processes: int) -> PassOptions:
    """Return the options of one of several processes, which share the cores of this machine."""
    if n_processes == 1:
        return options
    workers = options.workers or default_workers()
    return replace(options, workers=max(1, workers // n_processes))


def programs_in(benchmark: Benchmark, texts: Sequence[Generated], style: Style) -> tuple[Sample, ...]:
    """Return the program in each text."""
    problems = {problem.task_id: problem for problem in benchmark.problems}
    return tuple(
        Sample(one.task_id, solution_of(problems[one.task_id], one.text, style=style), one.index, is_program=True)
        for one in texts
    )


def check(
    benchmark: Benchmark, samples: Sequence[Sample], options: PassOptions, *, say: Callable[[str], None]
) -> tuple[Checked, ...]:
    """Return the verdicts on samples, in their order; where no sandbox can be had, none of them was run.

    Args:
        say: is told a few times how far it is.
    """
    try:
        return check_samples(benchmark, samples, options, observe=_steps(benchmark.label, len(samples), say))
    except CodeArenaError as exc:  # what was generated must not be lost with it
        return tuple(Checked(one.task_id, one.index, one.text, "not-run", "not-run", why=str(exc)) for one in samples)


def _steps(label: str, n: int, say: Callable[[str], None]) -> Callable[[int], None]:
    """Return an observer that speaks at each quarter of the way."""
    ahead = [math.ceil(n * part / 4) for part in range(1, 5)]

    def observe(done: int) -> None:
        while ahead and done >= ahead[0]:
            ahead.pop(0)
            if not ahead or done < ahead[0]:
                say(f"{label}: {done} of {n} samples checked")

    return observe
