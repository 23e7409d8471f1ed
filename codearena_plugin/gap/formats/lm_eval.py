"""lm-eval's ``results_*.json``: pass@1 of its HumanEval and MBPP tasks, which are not EvalPlus.

Its ``code_eval`` gives all tests of a problem 3 s together and knows no tolerances; ``mbpp_plus`` asks the base asserts
only. So these numbers are named after lm-eval, and a table that holds both engines says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from codearena_plugin.errors import DataError
from codearena_plugin.gap.execution import Execution, shared_out

TASKS: Mapping[str, tuple[str, str]] = {
    "humaneval": ("humaneval", ""),
    "humaneval_instruct": ("humaneval", ""),
    "humaneval_64": ("humaneval", ""),
    "humaneval_64_instruct": ("humaneval", ""),
    "humaneval_plus": ("humaneval+", "lm-eval's test of HumanEval/32 fails every answer"),
    "mbpp": ("mbpp", "lm-eval asks the 500 problems of MBPP's test split, EvalPlus 378"),
    "mbpp_instruct": ("mbpp", "lm-eval asks the 500 problems of MBPP's test split, EvalPlus 378"),
    "mbpp_plus": ("mbpp+", "lm-eval runs the base asserts of these problems and not EvalPlus' further tests"),
    "mbpp_plus_instruct": ("mbpp+", "lm-eval runs the base asserts of these problems and not EvalPlus' further tests"),
}
"""Task of lm-eval -> the benchmark, and what is to be said about it."""

_METRICS = ("pass@1", "pass_at_1")


def is_lm_eval(found: Any) -> bool:
    """Return whether parsed JSON is meant to be a results file of lm-eval."""
    return isinstance(found, dict) and isinstance(found.get("results"), dict)


def read_lm_eval(path: Path, found: Mapping[str, Any]) -> list[Execution]:
    """Return pass@1 of every task of a results file that is one of ``TASKS``.

    Args:
        path: of the file, for messages.
        found: its content.

    Raises:
        DataError: there is no such task, or a number is not what it should be; names file, task and field.
    """
    results = found["results"]
    tasks = [task for task in results if task in TASKS]
    if not tasks:
        ours = (
            "; codearena_humaneval_plus and codearena_mbpp_plus have a file of their own, execution.json of their run"
        )
        raise _wrong(path, "all", "results", sorted(map(str, results)), f"one of {', '.join(TASKS)}{ours}")
    return [_execution(path, found, task) for task in tasks]


def _execution(path: Path, found: Mapping[str, Any], task: str) -> Execution:
    benchmark, note = TASKS[task]
    metrics = found["results"][task]
    if not isinstance(metrics, dict):
        raise _wrong(path, task, "results", metrics, "metrics by name")
    name = next((key for key in metrics if str(key).partition(",")[0] in _METRICS), None)
    share = metrics.get(name)
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        raise _wrong(path, task, name or _METRICS[0], share, "a share from 0 to 1")
    n, n_expected = _n_samples(path, found, task)
    version = found.get("lm_eval_version")
    return Execution(
        model=_model(path, found),
        benchmark=benchmark,
        estimate=float(share),
        measured=shared_out(float(share), n),
        n_expected=n_expected,
        engine=f"lm-eval {version}, task {task}" if isinstance(version, str) else f"lm-eval, task {task}",
        source=str(path),
        notes=(note,) if note else (),
    )


def _n_samples(path: Path, found: Mapping[str, Any], task: str) -> tuple[int, int]:
    match found.get("n-samples"):
        case {**tasks} if task in tasks:
            counts = tasks[task]
        case _:
            counts = None
    match counts:
        case {"original": int(original), "effective": int(effective)} if 2 <= effective <= original:
            return effective, original
    raise _wrong(path, task, "n-samples", counts, "how many problems there are, and were asked: at least 2")


def _model(path: Path, found: Mapping[str, Any]) -> str:
    """Return the model's name: of a replay the model whose answers were replayed, else what lm-eval was told."""
    config = found.get("config")
    names = [config.get("replay_model") if isinstance(config, dict) else None, found.get("model_name")]
    name = next((name for name in names if isinstance(name, str) and name.strip()), None)
    if name is None:
        raise _wrong(path, "all", "model_name", found.get("model_name"), "the model's name")
    return name


def _wrong(path: Path, task: str, field: str, got: object, expected: str) -> DataError:
    shown = repr(got)[:80]
    return DataError(f"{str(path)!r}: task {task!r}, field {field!r}: got {shown}, expected {expected}.")
