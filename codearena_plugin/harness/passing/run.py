"""A benchmark that was asked and checked, as it lies in a directory.

``samples.jsonl`` (written before anything is run): what was generated, as EvalPlus reads samples;
``eval_results.json``: the verdicts, as EvalPlus writes them; ``execution.json``: pass@k with everything that it rests
on, which ``codearena gap --execution`` reads.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import logging
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import codearena_plugin
from codearena_plugin.atomic import write_atomically
from codearena_plugin.errors import DataError
from codearena_plugin.execution.evalplus.problems import Checked, PassResult, Sample
from codearena_plugin.execution.evalplus.run import basis_of, summarise, write_eval_results
from codearena_plugin.harness.passing.checking import Chosen, Generated
from codearena_plugin.records import Interval
from codearena_plugin.runs.files import made, stamp
from codearena_plugin.scoring.pass_at_k import pass_at_k

if TYPE_CHECKING:
    from codearena_plugin.gap.execution import Execution

EXECUTION, EVAL_RESULTS, SAMPLES = "execution.json", "eval_results.json", "samples.jsonl"
SCHEMA = "codearena-pass/1"


@dataclass(frozen=True)
class PassRun:
    """A finished run of a benchmark.

    Attributes:
        withheld: why there is no score; ``None`` if there is one.
    """

    path: Path
    model: str
    result: PassResult
    checked: tuple[Checked, ...]
    withheld: str | None

    @property
    def coverage(self) -> float:
        """Share of the samples that were run, in [0, 1]; problems that nobody asked (``--limit``) are not in it."""
        asked = self.result.n_samples + self.result.n_not_run
        return self.result.n_samples / asked if asked else 0.0


def free_place(directory: Path, chosen: Chosen, samples: Sequence[Sample], log: logging.Logger) -> Path:
    """Return the directory, made and locked, if no other run is in it; else a fresh one beside it, and say so.

    A run of these very samples by the same engine, in the same sandbox and on the same data is done again in its place;
    so is one that gave no score. The lock is on the directory itself and ends with ``keep``, or with this process.

    Raises:
        DataError: no directory can be made.
    """
    place, why = made(directory), ""
    if not _lock(place):
        why = "is being written to by another process"
    elif not _is_free(place, chosen, samples):
        why = "holds another run"
        _unlock(place)
    if why:
        place = made(directory.with_name(f"{directory.name}-{stamp()}"))
        _lock(place)
        log.warning("%r %s. This run goes to %s.", str(directory), why, place)
    return place


def _is_free(directory: Path, chosen: Chosen, samples: Sequence[Sample]) -> bool:
    try:
        found = json.loads((directory / EXECUTION).read_text(encoding="utf-8"))
        if found["samples_sha256"] != _sha256((one.task_id, one.index, one.text) for one in samples):
            return False
        engine, sandbox, _ = basis_of(chosen.benchmark, chosen.options)
        ours = (engine, sandbox, chosen.benchmark.md5)
        return bool(found["withheld"]) or (found["engine"], found["sandbox"], found["md5"]) == ours
    except FileNotFoundError:
        return True
    except (OSError, ValueError, KeyError, TypeError):  # it is not ours, so not ours to write over
        return False


_locked: dict[Path, int] = {}
"""Directories that this process writes a run to, and the descriptors that lock them."""


def _lock(directory: Path) -> bool:
    """Keep other processes' runs out of a directory; return whether none of them was there first."""
    path = directory.resolve()
    if path in _locked:
        return True
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            os.close(descriptor)
            return not isinstance(exc, BlockingIOError)  # a file system without locks has no such protection
        _locked[path] = descriptor
    return True


def _unlock(directory: Path) -> None:
    descriptor = _locked.pop(directory.resolve(), None)
    if descriptor is not None:
        os.close(descriptor)


def keep_samples(directory: Path, model: str, texts: Sequence[Generated], samples: Sequence[Sample]) -> None:
    """Write what was generated: the program that will be run, and the model's own words.

    Raises:
        DataError: it cannot be written.
    """
    rows = (
        {"task_id": one.task_id, "solution": sample.text, "id": one.task_id, "model": model, "response": one.text}
        for one, sample in zip(texts, samples, strict=True)
    )
    _write(directory / SAMPLES, "".join(f"{json.dumps(row)}\n" for row in rows))


def summed_up(directory: Path, model: str, chosen: Chosen, checked: Sequence[Checked]) -> PassRun:
    """Sum verdicts up.

    Args:
        directory: of the run; exists.
        model: as the harness names it.
        chosen: the benchmark and its options.
        checked: every sample, of all processes.
    """
    order = {problem.task_id: place for place, problem in enumerate(chosen.benchmark.problems)}
    checked = sorted(checked, key=lambda one: (order[one.task_id], one.index))
    result = summarise(chosen.benchmark, checked, chosen.options)
    return PassRun(directory, model, result, tuple(checked), _withheld(result, checked))


def keep(run: PassRun, chosen: Chosen, about: Mapping[str, Any]) -> None:
    """Write a run down; its directory is locked no more.

    Args:
        about: how the samples were generated.

    Raises:
        DataError: a file cannot be written.
    """
    ran = [one for one in run.checked if not _is_lacking(one)]
    if ran:
        try:
            said = {"engine": engine_of(run.result), "notices": list(run.result.notices)}
            write_eval_results(run.path / EVAL_RESULTS, chosen.benchmark, ran, about=said)
        except OSError as exc:
            raise _unwritten(run.path / EVAL_RESULTS, exc) from exc
    _write(run.path / EXECUTION, json.dumps(_to_json(run, chosen, about), indent=1, allow_nan=False) + "\n")
    _unlock(run.path)


def finish(
    directory: Path, model: str, chosen: Chosen, checked: Sequence[Checked], about: Mapping[str, Any]
) -> PassRun:
    """Sum verdicts up and write them down.

    Raises:
        DataError: a file cannot be written.
    """
    run = summed_up(directory, model, chosen, checked)
    keep(run, chosen, about)
    return run


def _is_lacking(one: Checked) -> bool:
    return "not-run" in {one.base, one.plus}


def _withheld(result: PassResult, checked: Sequence[Checked]) -> str | None:
    """Return why there is no score: pass@1 of the samples that happened to be run would be another benchmark's."""
    if result.n_samples and not result.n_not_run:
        return None
    reasons = dict.fromkeys(one.why.rstrip(".") for one in checked if _is_lacking(one) and one.why)
    asked = result.n_samples + result.n_not_run
    why = "; ".join(list(reasons)[:3]) or "no reason is known"
    return f"{result.n_not_run} of {asked} samples were not run: {why}"


def _to_json(run: PassRun, chosen: Chosen, about: Mapping[str, Any]) -> dict[str, Any]:
    """Return the run as plain data; a share that is withheld is absent."""
    result = run.result
    shown = {kind: {} if run.withheld else _plain(found) for kind, found in _kinds(result)}
    return {
        "schema": SCHEMA,
        "model": run.model,
        **asdict(result),
        **shown,
        "coverage": run.coverage,
        "withheld": run.withheld,
        "data": chosen.benchmark.source,
        "harness": dict(about),
        "samples_sha256": _sha256((one.task_id, one.index, one.solution) for one in run.checked),
        "package": {"name": "codearena-plugin", "version": codearena_plugin.__version__},
    }


def _kinds(result: PassResult) -> tuple[tuple[str, Mapping[int, Interval]], ...]:
    return ("base", result.base), ("plus", result.plus)


def _plain(pass_at: Mapping[int, Interval]) -> dict[str, Any]:
    return {str(k): asdict(interval) for k, interval in pass_at.items()}


def _by_benchmark(result: PassResult) -> list[tuple[str, Mapping[int, Interval]]]:
    pairs = [(result.benchmark, result.base), (f"{result.benchmark}+", result.plus)]
    return [(name, found) for name, found in pairs if 1 in found]


def engine_of(result: PassResult) -> str:
    """Return what ran the code, on which data and in which sandbox: no number stands without it."""
    data = f"{result.label} {result.version}" if result.version else f"{result.label} of md5 {result.md5[:12]}"
    return f"{result.engine}, {data}, sandbox {result.sandbox}"


def executions_of(run: PassRun, model: str) -> list[Execution]:
    """Return a run as results for the gap, problem by problem; none if the score is withheld.

    Args:
        run: as ``finish`` made it.
        model: the name of the judged run of the same model.
    """
    from codearena_plugin.gap.execution import Execution
    from codearena_plugin.scoring.association.noise import Measured

    if run.withheld:
        return []
    by_problem: dict[str, list[Checked]] = defaultdict(list)
    for one in run.checked:
        by_problem[one.task_id].append(one)
    return [
        Execution(
            model=model,
            benchmark=benchmark,
            estimate=pass_at[1].estimate,
            measured=Measured(_shares(by_problem, is_plus=benchmark.endswith("+")), tuple(by_problem)),
            n_expected=run.result.n_expected,
            engine=engine_of(run.result),
            source=str(run.path / EXECUTION),
            notices=run.result.notices,
            pass_at={k: interval for k, interval in pass_at.items() if k > 1},
        )
        for benchmark, pass_at in _by_benchmark(run.result)
    ]


def _shares(by_problem: Mapping[str, Sequence[Checked]], *, is_plus: bool) -> tuple[float, ...]:
    return tuple(pass_at_k(len(rows), n_passed(rows, is_plus=is_plus), 1) for rows in by_problem.values())


def n_passed(checked: Sequence[Checked], *, is_plus: bool) -> int:
    """Return how many samples passed the base tests, or these and the plus tests."""
    return sum(one.passes_plus if is_plus else one.base == "pass" for one in checked)


def lines_of(run: PassRun) -> Iterator[tuple[int, str]]:
    """Yield what is to be said of a run, with its level of logging."""
    result = run.result
    for notice in result.notices:
        yield logging.WARNING, notice
    if run.withheld:
        yield logging.ERROR, f"NO SCORE for {result.label}: {run.withheld}. The samples are in {run.path / SAMPLES}."
        return
    kinds = (("base tests", result.base), ("base and plus tests", result.plus))
    shares = ", ".join(f"{kind} {100 * found[1].estimate:.1f} %" for kind, found in kinds if 1 in found)
    of = f"{result.n_problems} of {result.n_expected} problems"
    yield logging.INFO, f"{result.label}, pass@1: {shares}; {of}; {engine_of(result)}. Run: {run.path}"


def _sha256(samples: Iterator[tuple[str, int, str]]) -> str:
    canonical = json.dumps(sorted(samples), separators=(",", ":"))
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def _write(path: Path, text: str) -> None:
    try:
        write_atomically(path, text)
    except OSError as exc:
        raise _unwritten(path, exc) from exc


def _unwritten(path: Path, exc: OSError) -> DataError:
    return DataError(
        f"{str(path)!r} cannot be written: {exc.strerror or exc}. Free the disk or choose codearena_output."
    )
