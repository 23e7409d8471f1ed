"""A benchmark of our own in EvalPlus' format: a problem for each rule, so that no test needs the released data."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from codearena_plugin.errors import CodeArenaError
from codearena_plugin.execution.choose import choose
from codearena_plugin.execution.evalplus.run import (
    Benchmark,
    Checked,
    PassOptions,
    Sample,
    check_samples,
    load_benchmark,
)
from codearena_plugin.execution.sandbox import SandboxOptions

RELEASED = Path(os.environ.get("CODEARENA_EVALPLUS", Path(__file__).parents[3] / "shared" / "data" / "evalplus"))
"""The released data, where a machine has it."""
SECRET = "expected-and-never-sent"


def _problem(task_id: str, head: str, body: str, base: list[Any], plus: list[Any], atol: float = 0) -> dict[str, Any]:
    name = head.partition("def ")[2].partition("(")[0]
    return {
        "task_id": task_id,
        "prompt": head,
        "entry_point": name,
        "canonical_solution": body,
        "base_input": base,
        "plus_input": plus,
        "atol": atol,
        "contract": "",
    }


HUMANEVAL = [
    _problem("HumanEval/0", "def total(numbers):\n", "    return sum(numbers)\n", [[[1, 2]], [[]]], [[[5]], [[-1, 1]]]),
    _problem("HumanEval/1", "def mean(a, b):\n", "    return (a + b) / 2\n", [[1, 2], [0.1, 0.2]], [[1e9, 3]]),
    _problem(
        "HumanEval/2",
        "def steps(n):\n",
        "    return [i / 2 if i % 2 == 0 else i for i in range(n)]\n",
        [[3]],
        [[9000], [20000]],
    ),
    _problem("HumanEval/32", "def find_zero(xs):\n", "    return -xs[0] / xs[1]\n", [[[1, 2]]], [[[-6, 3]]], 1e-4),
    _problem("HumanEval/4", "def secret(n):\n", f"    return {SECRET!r}\n", [[1]], [[2]]),
    _problem("HumanEval/5", "def slow(n):\n", "    return sum(range(n)) * 0 + n\n", [[1]], [[i] for i in range(40)]),
]
MBPP = [
    _problem("Mbpp/9000", "def Diff(a, b):\n", "    return list(set(a) ^ set(b))\n", [[[1, 2], [2, 3]]], [[[1], [1]]]),
    _problem(
        "Mbpp/9001",
        "def check_str(s):\n",
        "    import re\n    return re.match('[aeiou]', s)\n",
        [["abc"]],
        [["xyz"], ["o"]],
    ),
    _problem("Mbpp/9002", "def are_equivalent(a, b):\n", "    return a == b\n", [[1, 2]], [[1, 1]]),
    _problem("Mbpp/9003", "def sum_div(n):\n", "    return n + 1\n", [[5]], [[6]]),
    _problem(
        "Mbpp/9004",
        "def count(words):\n",
        "    from collections import Counter\n    return Counter(words)\n",
        [[["a", "b", "a"]]],
        [[[]]],
    ),
    _problem("Mbpp/581", "def surface_Area(b, h):\n", "    return b * b + 2 * b * h\n", [[3, 4]], [[4, 5]]),
]


def write_small(folder: Path) -> dict[str, Path]:
    """Write both data sets; the values are their paths."""
    paths = {}
    for name, rows in (("humaneval", HUMANEVAL), ("mbpp", MBPP)):
        paths[name] = folder / f"{name}.jsonl"
        paths[name].write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return paths


def small(folder: Path, name: str = "humaneval") -> Benchmark:
    """Return one of them, loaded."""
    return load_benchmark(name, data=str(write_small(folder)[name]))  # type: ignore[arg-type]


def sandbox_or_skip() -> PassOptions:
    """Return options with a sandbox that isolates, or skip: what is tested runs code that nobody vouches for."""
    try:
        name, _ = choose(SandboxOptions())
    except CodeArenaError as exc:
        pytest.skip(str(exc))
    return PassOptions(sandbox=SandboxOptions(name=name))


def released_or_skip() -> str:
    """Return where the released data lies, or skip."""
    if not (RELEASED / "HumanEvalPlus-v0.1.10.jsonl.gz").is_file():
        pytest.skip(f"no released data in {RELEASED}; CODEARENA_EVALPLUS names another place")
    return str(RELEASED)


def checked(benchmark: Benchmark, options: PassOptions, *programs: tuple[str, str]) -> tuple[Checked, ...]:
    """Return the verdicts on pairs of task id and whole program."""
    samples = [Sample(task_id, text, index, is_program=True) for index, (task_id, text) in enumerate(programs)]
    return check_samples(benchmark, samples, options)
