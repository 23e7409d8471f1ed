"""pass@k of a benchmark; samples and verdicts in the file formats of EvalPlus."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from codearena_plugin.atomic import write_atomically
from codearena_plugin.errors import CodeArenaError, DataError
from codearena_plugin.execution.choose import AUTO
from codearena_plugin.execution.evalplus.package import NOTICE, faults_of, version_of
from codearena_plugin.execution.evalplus.problems import Benchmark, Checked, PassOptions, PassResult, Sample
from codearena_plugin.execution.evalplus.truth import opened
from codearena_plugin.records import Interval

BUILTIN = "codearena builtin 1"
"""Engine and its version: raise it when a verdict may change."""
_K = (1, 10, 100)
_LACKS = "raised ModuleNotFoundError"
_NUMPY = re.compile(r"^\s*(?:import|from)\s+numpy\b", re.MULTILINE)


def summarise(benchmark: Benchmark, checked: Sequence[Checked], options: PassOptions) -> PassResult:
    """Return pass@k of what was checked, with what it rests on. Samples that were not run are in no number.

    Raises:
        ConfigError: the engine is EvalPlus and there is none.
    """
    by_problem = _by_problem(checked)
    n_samples = sum(map(len, by_problem.values()))
    engine, sandbox, notices = basis_of(benchmark, options)
    if options.engine == "builtin":
        notices = (*notices, _without_numpy(checked))
    return PassResult(
        benchmark=benchmark.name,
        label=benchmark.label,
        version=benchmark.version,
        md5=benchmark.md5,
        base=_pass_at(by_problem, is_plus=False),
        plus=_pass_at(by_problem, is_plus=True),
        n_problems=len(by_problem),
        n_samples=n_samples,
        n_not_run=len(checked) - n_samples,
        n_expected=len(benchmark.problems),
        engine=engine,
        sandbox=sandbox,
        notices=tuple(notice for notice in (*notices, benchmark.notice) if notice),
    )


def basis_of(benchmark: Benchmark, options: PassOptions) -> tuple[str, str, tuple[str, ...]]:
    """Return what verdicts rest on: engine with version, sandbox, and what must be said of them.

    Raises:
        ConfigError: the engine is EvalPlus and there is none.
    """
    if options.engine == "evalplus":
        version = version_of(options.evalplus_python)
        return f"EvalPlus {version}", "none", (NOTICE, *faults_of(version, benchmark))
    try:
        sandbox = opened(options.sandbox)  # known since the first sample was run
    except CodeArenaError as exc:  # nothing was run then, which the counts say
        return BUILTIN, "none" if options.sandbox.name == AUTO else options.sandbox.name, (str(exc),)
    return BUILTIN, sandbox.name, (sandbox.notice,)


def _without_numpy(checked: Sequence[Checked]) -> str:
    """Return what must be said where programs failed for want of numpy, which every Python with EvalPlus has."""
    n = sum(_LACKS in one.why and bool(_NUMPY.search(one.solution)) for one in checked)
    if not n:
        return ""
    return (
        f"{n} of the samples that failed import numpy, which the sandbox's Python does not have and EvalPlus' has: "
        "codearena_sandbox_python names one that has it"
    )


def _by_problem(checked: Sequence[Checked]) -> dict[str, list[Checked]]:
    found: dict[str, list[Checked]] = defaultdict(list)
    for one in checked:
        if "not-run" not in {one.base, one.plus}:
            found[one.task_id].append(one)
    return found


def _pass_at(by_problem: Mapping[str, Sequence[Checked]], *, is_plus: bool) -> dict[int, Interval]:
    from codearena_plugin.scoring.pass_at_k import pass_at_k_interval

    passed = [sum(one.passes_plus if is_plus else one.base == "pass" for one in rows) for rows in by_problem.values()]
    samples = [len(rows) for rows in by_problem.values()]
    fewest = min(samples, default=0)
    return {k: pass_at_k_interval(passed, samples, k) for k in _K if k <= fewest}


def read_samples(path: Path) -> list[Sample]:
    """Return the samples of a JSONL file, packed or not: ``task_id``, and ``solution`` or ``completion``, in each row.

    A problem may have several rows. The prompt is put before a completion.

    Raises:
        DataError: a row is not that; names file, line and field.
    """
    opened = gzip.open if path.suffix == ".gz" else open
    at: dict[str, int] = defaultdict(int)
    samples = []
    try:
        with opened(path, "rt", encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    task_id, text, is_program = _sample(line, f"{str(path)!r}, line {number}")
                    samples.append(Sample(task_id, text, at[task_id], is_program))
                    at[task_id] += 1
    except (OSError, UnicodeDecodeError, EOFError, zlib.error) as exc:
        msg = f"{str(path)!r} cannot be read: {getattr(exc, 'strerror', None) or exc}."
        raise DataError(msg) from None
    if not samples:
        msg = f"{str(path)!r} has no sample in it. Expected JSONL with task_id, and solution or completion."
        raise DataError(msg)
    return samples


def _sample(line: str, where: str) -> tuple[str, str, bool]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as exc:  # the second: nested without end
        msg = f"{where}: not JSON ({exc})."
        raise DataError(msg) from None
    if not isinstance(row, dict) or not isinstance(row.get("task_id"), str):
        got = repr(row.get("task_id") if isinstance(row, dict) else row)[:60]
        msg = f"{where}: task_id is {got}; expected a row with task_id as 'HumanEval/0', and solution or completion."
        raise DataError(msg)
    field = "solution" if "solution" in row else "completion"
    if not isinstance(row.get(field), str):
        msg = f"{where}: {field} is {repr(row.get(field))[:60]}; expected the text of a program or of its completion."
        raise DataError(msg)
    return row["task_id"], row[field], field == "solution"


def write_eval_results(
    path: Path, benchmark: Benchmark, checked: Sequence[Checked], *, about: Mapping[str, Any] | None = None
) -> None:
    """Write verdicts as EvalPlus does, readable by 0.3.1 and its later development; samples not run are left out.

    Args:
        about: ``engine`` and ``notices``, under a key of ours that EvalPlus passes over: without it the file says of
            our verdicts that they are EvalPlus'.

    Raises:
        OSError: it cannot be written.
    """
    by_problem = _by_problem(checked)
    found: dict[str, Any] = {
        "date": datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
        "hash": benchmark.md5,
        "eval": {task_id: [_row(one) for one in rows] for task_id, rows in by_problem.items()},
        "pass_at_k": {
            name: {f"pass@{k}": interval.estimate for k, interval in _pass_at(by_problem, is_plus=is_plus).items()}
            for name, is_plus in (("base", False), ("plus", True))
        },
    }
    if about is not None:
        found["codearena"] = dict(about)
    write_atomically(path, _pieces(found))


def _pieces(found: Mapping[str, Any]) -> Iterator[str]:
    yield from json.JSONEncoder(default=_plain).iterencode(found)
    yield "\n"


def _row(one: Checked) -> dict[str, Any]:
    return {
        "task_id": one.task_id,
        "solution": one.solution,
        "base_status": one.base,
        "plus_status": one.plus,
        "base_fail_tests": list(one.base_failed),
        "plus_fail_tests": list(one.plus_failed),
    }


def _plain(value: Any) -> Any:
    """Return an input that JSON lacks as EvalPlus writes it: a set as a list, a complex number as a string."""
    return list(value) if isinstance(value, (set, frozenset)) else str(value)
