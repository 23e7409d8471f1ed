"""EvalPlus' ``eval_results.json``: every sample of every problem, with its verdict on the base and on the plus tests.

The format is that of EvalPlus 0.2 to 0.3.1 and of its later development: ``{"date", "hash", "eval": {task id: [{
"base_status", "plus_status", …}]}}``. A problem is passed on the plus tests if it is passed on both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from codearena_plugin.errors import DataError
from codearena_plugin.gap.execution import CONFIDENCE, Execution
from codearena_plugin.scoring.association.noise import Measured
from codearena_plugin.scoring.pass_at_k import pass_at_k, pass_at_k_interval

DATA_SETS: Mapping[str, tuple[str, int]] = {
    "fe585eb4df8c88d844eeb463ea4d0302": ("HumanEval+ v0.1.10", 164),
    "84f4b93a1270b492e4c54d5212da7a5b": ("HumanEval+ v0.1.9", 164),
    "ee43ecabebf20deef4bb776a405ac5b1": ("MBPP+ v0.2.0", 378),
    "ebe95df0d5220f00cedd6f4bddea35e4": ("MBPP+ v0.1.0", 399),
}
"""md5 that EvalPlus writes as ``hash`` -> the data set, and how many problems it has."""

_PREFIXES = {"HumanEval": "humaneval", "Mbpp": "mbpp"}
_FEWEST = {"humaneval": 164, "mbpp": 378}  # problems, in any version
_STATUSES = ("pass", "fail", "timeout")
_MORE_K = (10, 100)
_ENDINGS = (".gz", ".json", "_eval_results", ".eval_results")
_FAULTY = "HumanEval/32"
_FAULT = f"{_FAULTY} failed, which EvalPlus 0.3.1 says of every answer to it"


def is_evalplus(found: Any) -> bool:
    """Return whether parsed JSON is meant to be an ``eval_results.json``."""
    return isinstance(found, dict) and "eval" in found


def model_of(path: Path) -> str:
    """Return the name that a file gives its model; the file itself has none.

    >>> model_of(Path("humaneval/Qwen--Qwen2.5-Coder-7B-Instruct_vllm_temp_0.0_eval_results.json.gz"))
    'Qwen--Qwen2.5-Coder-7B-Instruct_vllm_temp_0.0'
    """
    name = path.name
    for ending in _ENDINGS:
        name = name.removesuffix(ending)
    return name


def read_evalplus(path: Path, found: Mapping[str, Any]) -> list[Execution]:
    """Return pass@1 on the base tests, and on the plus tests where they were run.

    Args:
        path: of the file, for messages and the model's name.
        found: its content.

    Raises:
        DataError: it is not what EvalPlus writes; names file, problem and field.
    """
    tasks = found["eval"]
    if not isinstance(tasks, dict) or not tasks:
        raise _wrong(path, "all", "eval", tasks, "verdicts by problem")
    prefixes = {str(task).partition("/")[0] for task in tasks}
    if len(prefixes) > 1 or not prefixes <= set(_PREFIXES):
        raise _wrong(path, "all", "eval", sorted(prefixes), f"problems of {' or of '.join(_PREFIXES)}")
    base = _PREFIXES[prefixes.pop()]
    named, n_expected = DATA_SETS.get(str(found.get("hash")), (None, None))
    if n_expected is None and len(tasks) < _FEWEST[base]:
        n_expected = _FEWEST[base]  # whichever version it is, this is a part of it
    known = named or f"a data set of unknown version, hash {str(found.get('hash'))[:12]!r}"
    own, notices = _own(path, found.get("codearena"))
    samples = {task: _samples(path, task, rows) for task, rows in tasks.items()}
    has_plus = _has_plus(path, samples)
    outcomes = {base: {task: [one[0] for one in rows] for task, rows in samples.items()}}
    if has_plus:
        outcomes[f"{base}+"] = {task: [one[0] and bool(one[1]) for one in rows] for task, rows in samples.items()}
    return [
        Execution(
            model=model_of(path),
            benchmark=benchmark,
            estimate=pass_at_k_interval(*_counts(by_task), 1).estimate,
            measured=Measured(tuple(pass_at_k(len(rows), sum(rows), 1) for rows in by_task.values()), tuple(by_task)),
            n_expected=n_expected,
            engine=own or f"EvalPlus, {known}",
            source=str(path),
            notes=tuple(_notes(by_task, is_own=bool(own))) if benchmark == base else (),
            notices=notices,
            pass_at={
                k: pass_at_k_interval(*_counts(by_task), k, confidence=CONFIDENCE)
                for k in _MORE_K
                if all(len(rows) >= k for rows in by_task.values())
            },
        )
        for benchmark, by_task in outcomes.items()
    ]


def _own(path: Path, said: Any) -> tuple[str, tuple[str, ...]]:
    """Return the engine and the notices of a file that is ours; an empty engine of one that EvalPlus wrote."""
    if said is None:
        return "", ()
    engine, notices = (said.get("engine"), said.get("notices")) if isinstance(said, dict) else (None, None)
    if not isinstance(engine, str) or not engine.strip():
        raise _wrong(path, "all", "codearena.engine", engine, "the name of an engine")
    if not isinstance(notices, list) or not all(isinstance(notice, str) for notice in notices):
        raise _wrong(path, "all", "codearena.notices", notices, "a list of sentences")
    return engine, tuple(notices)


def _notes(by_task: Mapping[str, Sequence[bool]], *, is_own: bool) -> Iterator[str]:
    counts = sorted({len(rows) for rows in by_task.values()})
    if counts != [1]:
        yield f"{counts[0]} samples a problem" if len(counts) == 1 else f"{counts[0]} to {counts[-1]} samples a problem"
    if not is_own and _FAULTY in by_task and not any(by_task[_FAULTY]):
        yield _FAULT


def _counts(by_task: Mapping[str, Sequence[bool]]) -> tuple[list[int], list[int]]:
    return [sum(rows) for rows in by_task.values()], [len(rows) for rows in by_task.values()]


def _samples(path: Path, task: str, rows: Any) -> list[tuple[bool, bool | None]]:
    """Return base and plus verdict of the samples of one problem; plus is ``None`` where it was not run."""
    if not isinstance(rows, list) or not rows:
        raise _wrong(path, task, "eval", rows, "a list of at least one sample")
    verdicts = []
    for row in rows:
        if not isinstance(row, dict):
            raise _wrong(path, task, "eval", row, "a sample with base_status and plus_status")
        base, plus = row.get("base_status"), row.get("plus_status")
        if base not in _STATUSES:
            raise _wrong(path, task, "base_status", base, ", ".join(_STATUSES))
        if plus is not None and plus not in _STATUSES:
            raise _wrong(path, task, "plus_status", plus, f"{', '.join(_STATUSES)} or null")
        verdicts.append((base == "pass", None if plus is None else plus == "pass"))
    return verdicts


def _has_plus(path: Path, samples: Mapping[str, Sequence[tuple[bool, bool | None]]]) -> bool:
    """Return whether the plus tests were run; refuse a file in which they were for some samples only."""
    lacking = next((task for task, rows in samples.items() if any(plus is None for _, plus in rows)), None)
    if lacking is None:
        return True
    if all(plus is None for rows in samples.values() for _, plus in rows):
        return False
    raise _wrong(path, lacking, "plus_status", None, "a verdict, as other samples have")


def _wrong(path: Path, task: str, field: str, got: object, expected: str) -> DataError:
    shown = repr(got)[:80]
    return DataError(f"{str(path)!r}: problem {task!r}, field {field!r}: got {shown}, expected {expected}.")
