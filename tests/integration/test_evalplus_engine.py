"""The builtin engine on a benchmark of our own: EvalPlus' rules, what large values need, time limits, its cache."""

from __future__ import annotations

from pathlib import Path

import pytest
from evalplus_small import SECRET, checked, sandbox_or_skip, small

from codearena_plugin.execution.evalplus import engine, truth
from codearena_plugin.execution.evalplus.run import Benchmark, PassOptions, Sample, check_samples, summarise

RIGHT = {
    "HumanEval/0": "def total(numbers):\n    return sum(numbers)\n",
    "HumanEval/1": "def mean(a, b):\n    return a / 2 + b / 2\n",
    "HumanEval/2": "def steps(n):\n    return [i // 2 if i % 2 == 0 else i for i in range(n)]\n",
    "HumanEval/32": "def find_zero(xs):\n    return -xs[0] / xs[1] + 1e-6\n",
    "Mbpp/9000": "def Diff(a, b):\n    return (x for x in set(b) ^ set(a))\n",
    "Mbpp/9001": "def check_str(s):\n    return s[0] in 'aeiou'\n",
    "Mbpp/9002": "def are_equivalent(a, b):\n    return 'whatever'\n",
    "Mbpp/9003": "def sum_div(n):\n    return 0\n",
    "Mbpp/9004": "def count(words):\n    return {w: words.count(w) for w in reversed(words)}\n",
    "Mbpp/581": "def surface_Area(b, h):\n    return round(b * b + 2 * b * ((b / 2) ** 2 + h * h) ** 0.5)\n",
}
WRONG = {
    "HumanEval/0": "def total(numbers):\n    return 3\n",
    "HumanEval/1": "def mean(a, b):\n    return a\n",
    "HumanEval/2": "def steps(n):\n    return [i / 2 if i % 2 == 0 and i != 8000 else i for i in range(n)]\n",
    "HumanEval/32": "def find_zero(xs):\n    return 7\n",
    "Mbpp/9000": "def Diff(a, b):\n    return a\n",
    "Mbpp/9001": "def check_str(s):\n    return 1\n",
    "Mbpp/9002": "def are_equivalent(a, b):\n    return 1 / 0\n",
    "Mbpp/9003": "def sum_div(n):\n    return 1\n",
    "Mbpp/9004": "def count(words):\n    return list(words)\n",
    "Mbpp/581": "def surface_Area(b, h):\n    return 1\n",
}


@pytest.fixture
def options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PassOptions:
    monkeypatch.setenv("CODEARENA_HOME", str(tmp_path / "home"))
    return sandbox_or_skip()


@pytest.mark.parametrize("name", ["humaneval", "mbpp"])
def test_reference_solutions_pass_their_own_tests(name: str, tmp_path: Path, options: PassOptions) -> None:
    benchmark = small(tmp_path, name)
    found = checked(benchmark, options, *((problem.task_id, problem.canonical) for problem in benchmark.problems))
    assert [(one.base, one.plus, one.why) for one in found] == [("pass", "pass", "")] * len(benchmark.problems)


@pytest.mark.parametrize(("name", "prefix"), [("humaneval", "HumanEval"), ("mbpp", "Mbpp")])
def test_each_rule_lets_what_is_right_pass_and_stops_what_is_wrong(
    name: str, prefix: str, tmp_path: Path, options: PassOptions
) -> None:
    benchmark = small(tmp_path, name)
    right = [pair for pair in RIGHT.items() if pair[0].startswith(prefix)]
    wrong = [pair for pair in WRONG.items() if pair[0].startswith(prefix)]
    found = checked(benchmark, options, *right, *wrong)
    assert [one.task_id for one in found if not one.passes_plus] == [task_id for task_id, _ in wrong]
    assert all(one.why for one in found if not one.passes_plus)


def test_equal_numbers_of_other_types_pass_in_values_too_large_to_be_sent(tmp_path: Path, options: PassOptions) -> None:
    """The digests of 1.0 and of 1 differ; so does the one wrong item of ``WRONG``, far behind those that are sent."""
    right, wrong = checked(
        small(tmp_path), options, ("HumanEval/2", RIGHT["HumanEval/2"]), ("HumanEval/2", WRONG["HumanEval/2"])
    )
    assert (right.base, right.plus) == ("pass", "pass")
    assert (wrong.base, wrong.plus, wrong.plus_failed) == ("pass", "fail", ([9000],))


def test_a_completion_is_put_behind_its_prompt(tmp_path: Path, options: PassOptions) -> None:
    [found] = check_samples(small(tmp_path), [Sample("HumanEval/0", "    return sum(numbers)\n")], options)
    assert found.passes_plus
    assert found.solution.startswith("def total")


def test_recursion_may_go_as_deep_as_under_evalplus(tmp_path: Path, options: PassOptions) -> None:
    """A cache's wrapper is written in C: each level takes the processor's stack, of which 8 MB are the usual limit."""
    deep = (
        "import sys\nfrom functools import lru_cache\nsys.setrecursionlimit(10**6)\n"
        "@lru_cache(maxsize=None)\ndef depth(n):\n    return n and 1 + depth(n - 1)\n"
        "def slow(n):\n    return n + depth(60000) - 60000\n"
    )
    [found] = checked(small(tmp_path), options, ("HumanEval/5", deep))
    assert found.passes_plus, found.why


def test_an_expected_value_never_enters_the_sandbox(
    tmp_path: Path, options: PassOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    benchmark = small(tmp_path)
    checked(benchmark, options, ("HumanEval/4", "def secret(n):\n    return 1\n"))  # the truth is on disk now
    sent: list[bytes] = []
    run = engine.run_jobs

    def record(options: object, jobs: object, **more: object) -> object:
        listed = list(jobs)  # type: ignore[call-overload]
        sent.extend(step.stdin for job in listed for step in job.steps)
        return run(options, listed, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(engine, "run_jobs", record)
    [found] = checked(benchmark, options, ("HumanEval/4", "def secret(n):\n    return 'x'\n"))
    assert found.base == "fail"
    assert sent
    assert not any(SECRET.encode() in data for data in sent)


def test_whoever_needs_longer_than_the_first_limit_is_run_again_alone(
    tmp_path: Path, options: PassOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "FIRST_S", 0.3)
    loop = (
        "import time\ndef slow(n):\n"
        "    end = time.process_time() + {}\n    while time.process_time() < end: pass\n    return n\n"
    )
    once = "import time\ndone = []\n" + loop.format("(0 if done else 1.2)").replace(
        "    return n", "    done.append(1)\n    return n"
    )
    patient, endless = checked(small(tmp_path), options, ("HumanEval/5", once), ("HumanEval/5", loop.format(1000)))
    assert (patient.base, patient.plus) == ("pass", "pass")
    assert (endless.base, endless.why) == ("timeout", "ran out of time")


def test_reference_values_are_kept_and_used_again(
    tmp_path: Path, options: PassOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    benchmark = small(tmp_path)
    checked(benchmark, options, ("HumanEval/0", RIGHT["HumanEval/0"]))
    monkeypatch.setattr(truth, "run_jobs", None)  # a second run of a reference solution would call it
    [found] = checked(benchmark, options, ("HumanEval/0", RIGHT["HumanEval/0"]))
    assert found.passes_plus


def test_a_problem_whose_reference_solution_does_not_run_is_not_run_and_in_no_number(
    tmp_path: Path, options: PassOptions
) -> None:
    healthy = small(tmp_path)
    [first, *others] = healthy.problems
    broken = Benchmark(
        healthy.name,
        healthy.label,
        (type(first)(first.task_id, "", "total", "import no_such_module\n", ([1],), ([1],)), *others),
        "another",
        healthy.source,
    )
    found = checked(broken, options, ("HumanEval/0", RIGHT["HumanEval/0"]), ("HumanEval/1", RIGHT["HumanEval/1"]))
    assert [(one.base, one.plus) for one in found] == [("not-run", "not-run"), ("pass", "pass")]
    assert "raised ModuleNotFoundError" in found[0].why
    result = summarise(broken, found, options)
    assert (result.n_problems, result.n_samples, result.n_not_run, result.plus[1].n) == (1, 1, 1, 1)
    assert "not the released file" in result.notices[0]
    assert (result.engine, result.sandbox) == ("codearena builtin 1", options.sandbox.name)


def test_programs_may_import_our_numpy_and_nothing_else_of_our_packages(tmp_path: Path, options: PassOptions) -> None:
    if options.sandbox.name not in {"auto", "bubblewrap"}:
        pytest.skip("numpy is shown to bubblewrap's boxes")
    sums = "import numpy.linalg as la\nimport numpy as np\ndef total(numbers):\n    return int(np.sum(numbers))\n"
    ours = "import pydantic\ndef total(numbers):\n    return sum(numbers)\n"
    with_numpy, with_ours = checked(small(tmp_path), options, ("HumanEval/0", sums), ("HumanEval/0", ours))
    assert (with_numpy.base, with_numpy.plus, with_numpy.why) == ("pass", "pass", "")
    assert with_ours.base == "fail"
    assert "ModuleNotFoundError" in with_ours.why
