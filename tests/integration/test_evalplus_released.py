"""The released data: reference solutions, real completions with published verdicts, and mutants beside EvalPlus itself.

They need ``../shared/data/evalplus`` (or ``CODEARENA_EVALPLUS``) and skip without it. A part of the problems is taken,
so that they take a minute; ``tests/bench/bench_evalplus.py`` takes all. EvalPlus itself is asked where an interpreter
that has it is named by ``CODEARENA_EVALPLUS_PYTHON`` or lies in ``.venv-evalplus``.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from evalplus_mutants import mutants
from evalplus_small import RELEASED, checked, released_or_skip, sandbox_or_skip

from codearena_plugin.execution.evalplus.run import (
    Benchmark,
    Checked,
    PassOptions,
    Sample,
    check_samples,
    load_benchmark,
)
from codearena_plugin.execution.sandbox import SandboxOptions

ROOT = Path(__file__).parents[2]
QWEN = "qwen2.5-coder-7b-base"
# Of MBPP+ v0.1.0, whose tests and rules were others; of v0.2.0, EvalPlus 0.3.1 itself says what we say, or was late.
OTHER_THAN_PUBLISHED = {"Mbpp/2", "Mbpp/111", "Mbpp/160", "Mbpp/232", "Mbpp/392", "Mbpp/579"}


@pytest.fixture(autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEARENA_HOME", str(tmp_path_factory.getbasetemp() / "evalplus-home"))  # truths are shared


def part(name: str, step: int) -> Benchmark:
    """Return every ``step``-th problem of a benchmark."""
    whole = load_benchmark(name, data=released_or_skip())  # type: ignore[arg-type]
    return replace(whole, problems=whole.problems[::step])


def published(name: str, benchmark: Benchmark) -> tuple[list[Sample], dict[str, tuple[str, str]]]:
    """Return the completions of a model, and EvalPlus' published verdicts on them."""
    names = {problem.task_id for problem in benchmark.problems}
    with gzip.open(RELEASED / QWEN / f"{name}_generated.jsonl.gz", "rt") as file:
        rows = [json.loads(line) for line in file]
    with gzip.open(RELEASED / QWEN / f"{name}_generated_eval_results.json.gz", "rt") as file:
        found = json.load(file)["eval"]
    samples = [Sample(row["task_id"], row["completion"]) for row in rows if row["task_id"] in names]
    return samples, {task: (rows[0]["base_status"], rows[0]["plus_status"]) for task, rows in found.items()}


def passes(checked: Sequence[Checked]) -> dict[str, tuple[bool, bool]]:
    return {one.task_id: (one.base == "pass", one.plus == "pass") for one in checked}


@pytest.mark.parametrize(("name", "step"), [("humaneval", 4), ("mbpp", 9)])
def test_reference_solutions_pass(name: str, step: int) -> None:
    options, benchmark = sandbox_or_skip(), part(name, step)
    found = checked(benchmark, options, *((problem.task_id, problem.canonical) for problem in benchmark.problems))
    assert [(one.task_id, one.why) for one in found if not one.passes_plus] == []


@pytest.mark.parametrize(("name", "step"), [("humaneval", 4), ("mbpp", 9)])
def test_completions_of_a_model_get_the_published_verdicts(name: str, step: int) -> None:
    options, benchmark = sandbox_or_skip(), part(name, step)
    samples, wanted = published(name, benchmark)
    found = passes(check_samples(benchmark, samples, options))
    differ = {task for task, verdict in found.items() if verdict != tuple(one == "pass" for one in wanted[task])}
    assert differ <= OTHER_THAN_PUBLISHED
    assert len(found) == len(benchmark.problems)


def evalplus_or_skip() -> PassOptions:
    python = os.environ.get("CODEARENA_EVALPLUS_PYTHON") or str(ROOT / ".venv-evalplus" / "bin" / "python")
    if not Path(python).is_file():
        pytest.skip(f"no EvalPlus: {python} is absent; CODEARENA_EVALPLUS_PYTHON names an interpreter that has it")
    return PassOptions("evalplus", python, SandboxOptions(name="unsafe-local", allow_unsafe=True), workers=2)


@pytest.mark.parametrize(("name", "step"), [("humaneval", 12), ("mbpp", 60)])
def test_mutants_get_the_verdicts_of_evalplus_itself(name: str, step: int) -> None:
    """Small changes of trusted programs, so that EvalPlus may run them without a sandbox."""
    theirs, ours, benchmark = evalplus_or_skip(), sandbox_or_skip(), part(name, step)
    samples = [
        Sample(problem.task_id, text, index, is_program=True)
        for problem in benchmark.problems
        for index, text in enumerate(mutants(problem.canonical, 4, seed=problem.task_id))
    ]
    one, other = (check_samples(benchmark, samples, options) for options in (ours, theirs))
    differ = {
        (mine.task_id, mine.index)
        for mine, its in zip(one, other, strict=True)
        if (mine.base == "pass", mine.plus == "pass") != (its.base == "pass", its.plus == "pass")
    }
    assert {task for task, _ in differ} <= {"HumanEval/32"}
    assert sum(mine.passes_plus for mine in one) < len(one) / 2
