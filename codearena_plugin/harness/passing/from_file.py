"""Samples that lie in a file, checked without a harness: what ``codearena passk`` does."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from codearena_plugin.errors import DataError
from codearena_plugin.execution.evalplus.problems import Benchmark, Sample
from codearena_plugin.execution.evalplus.results import read_samples
from codearena_plugin.execution.evalplus.run import check_samples
from codearena_plugin.harness.passing.checking import Chosen, chosen, preflight
from codearena_plugin.harness.passing.run import PassRun, free_place, keep, summed_up

_log = logging.getLogger("lm_eval.codearena")


@dataclass(frozen=True, slots=True)
class FileRun:
    """The samples of a file, checked and not yet written down.

    Attributes:
        n_foreign: samples of problems that the benchmark does not have; they were left out.
    """

    run: PassRun
    n_foreign: int
    chosen: Chosen
    about: Mapping[str, Any]

    def keep(self) -> None:
        """Write it down. What it gave is better shown before: a full disk must not take the numbers with it.

        Raises:
            DataError: it cannot be written.
        """
        keep(self.run, self.chosen, self.about)


def check_file(
    path: Path,
    name: str,
    options: Mapping[str, Any],
    *,
    model: str | None = None,
    observe: Callable[[int, int], None],
) -> FileRun:
    """Run the samples of a file.

    Args:
        path: JSONL as ``read_samples`` takes it.
        name: of the benchmark.
        options: ``codearena_…`` keys; results go to ``codearena_output``, else beside the file.
        model: whose samples they are; default: the name of the file.
        observe: is told how many samples are done, and of how many.

    Raises:
        UsageError: a wrong option or file, no sandbox, or no directory for the results.
        IncompleteRunError: the sandbox has no Python that works, or EvalPlus ended without results.
    """
    its = chosen(name, options, "passk")
    its = replace(its, options=preflight(its.options))
    found = read_samples(path)
    samples = _of(its.benchmark, found, path)
    stem = path.name.removesuffix(".gz").removesuffix(".jsonl")
    place = free_place(its.output or path.with_name(f"{stem}-pass"), its, samples, _log)
    checked = check_samples(its.benchmark, samples, its.options, observe=lambda done: observe(done, len(samples)))
    run = summed_up(place, model or stem, its, checked)
    return FileRun(run, len(found) - len(samples), its, {"name": "codearena passk", "samples": str(path)})


def _of(benchmark: Benchmark, samples: Sequence[Sample], path: Path) -> list[Sample]:
    """Return the samples of the benchmark's problems, as programs.

    Raises:
        DataError: there are none.
    """
    prompts = {problem.task_id: problem.prompt for problem in benchmark.problems}
    if all(sample.task_id not in prompts for sample in samples):
        msg = f"{str(path)!r}: no sample is of {benchmark.label}; the first is of {samples[0].task_id!r}."
        raise DataError(msg)
    return [
        one if one.is_program else replace(one, text=prompts[one.task_id] + one.text, is_program=True)
        for one in samples
        if one.task_id in prompts
    ]
