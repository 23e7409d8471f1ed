"""Options, samples, pass@k and the file of verdicts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from evalplus_small import small

from codearena_plugin.errors import ConfigError, DataError
from codearena_plugin.execution.evalplus.package import NOTICE, check_package, version_of
from codearena_plugin.execution.evalplus.problems import Checked, PassOptions
from codearena_plugin.execution.evalplus.results import read_samples, summarise, write_eval_results
from codearena_plugin.execution.evalplus.run import Sample, check_samples, resolve_pass_options
from codearena_plugin.execution.sandbox import SandboxOptions
from codearena_plugin.gap.reading import read_file

UNSAFE = PassOptions(sandbox=SandboxOptions(name="unsafe-local", allow_unsafe=True))
CHECKED = (
    Checked("HumanEval/0", 0, "a", "pass", "pass"),
    Checked("HumanEval/0", 1, "b", "pass", "fail", plus_failed=(({1}, 2j),), why="x"),
    Checked("HumanEval/1", 0, "c", "timeout", "pass"),
    Checked("HumanEval/1", 1, "d", "fail", "fail"),
    Checked("HumanEval/2", 0, "e", "not-run", "not-run", why="y"),
)


def test_options_come_from_the_command_line_or_the_environment() -> None:
    found = resolve_pass_options(
        {"codearena_workers": 3}, environ={"CODEARENA_ENGINE": "evalplus", "CODEARENA_SANDBOX": "unsafe-local"}
    )
    assert (found.engine, found.workers, found.sandbox.allow_unsafe) == ("evalplus", 3, True)
    assert resolve_pass_options({}, environ={}) == PassOptions()
    without_engine = {"codearena_evalplus_python": "/usr/bin/python3"}
    for wrong in (
        {"codearena_engine": "bultin"},
        {"codearena_workers": "0"},
        {"codearena_workers": "x"},
        without_engine,
    ):
        with pytest.raises(ConfigError):
            resolve_pass_options(wrong, environ={})


def test_pass_at_k_counts_what_was_run_and_says_what_it_rests_on(tmp_path: Path) -> None:
    result = summarise(small(tmp_path), CHECKED, UNSAFE)
    assert (result.n_problems, result.n_samples, result.n_not_run, result.n_expected) == (2, 4, 1, 6)
    assert result.base[1].estimate == 0.5
    assert result.plus[1].estimate == 0.25
    assert result.plus[1].n == 2
    assert (result.engine, result.sandbox) == ("codearena builtin 1", "unsafe-local")
    assert "UNSAFE" in result.notices[0]
    assert "not the released file" in result.notices[1]
    assert result.coverage == pytest.approx(2 / 6)
    nothing = summarise(small(tmp_path), [], UNSAFE)
    assert (nothing.base, nothing.plus, nothing.n_problems) == ({}, {}, 0)


def test_samples_that_fail_for_want_of_numpy_are_told(tmp_path: Path) -> None:
    lacking = Checked("HumanEval/0", 0, "import numpy as np\n", "fail", "fail", why="raised ModuleNotFoundError")
    other = Checked("HumanEval/1", 0, "import nunpy\n", "fail", "fail", why="raised ModuleNotFoundError")
    said = summarise(small(tmp_path), [lacking, other], UNSAFE).notices
    assert any(notice.startswith("1 of the samples that failed import numpy") for notice in said)
    assert not any("numpy" in notice for notice in summarise(small(tmp_path), CHECKED, UNSAFE).notices)


def test_the_file_of_verdicts_is_evalplus_own_and_the_gap_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "m_eval_results.json"
    write_eval_results(path, small(tmp_path), CHECKED)
    found = json.loads(path.read_text())
    assert set(found) == {"date", "hash", "eval", "pass_at_k"}
    assert [row["plus_status"] for row in found["eval"]["HumanEval/0"]] == ["pass", "fail"]
    assert found["eval"]["HumanEval/0"][1]["plus_fail_tests"] == [[[1], "2j"]]
    assert "HumanEval/2" not in found["eval"]
    assert found["pass_at_k"] == {"base": {"pass@1": 0.5}, "plus": {"pass@1": 0.25}}
    base, plus = read_file(path)
    assert (base.model, base.estimate, plus.estimate) == ("m", 0.5, 0.25)
    assert (base.engine.split(",")[0], base.notices) == ("EvalPlus", ())


def test_the_file_of_our_verdicts_says_whose_they_are_and_keeps_its_notices(tmp_path: Path) -> None:
    path = tmp_path / "m_eval_results.json"
    about = {"engine": "codearena builtin 1, sandbox unsafe-local", "notices": ["UNSAFE: …"]}
    write_eval_results(path, small(tmp_path), CHECKED, about=about)
    assert [(one.engine, list(one.notices)) for one in read_file(path)] == [(about["engine"], about["notices"])] * 2
    for wrong in ("x", {"engine": "", "notices": []}, {"engine": "x", "notices": "UNSAFE"}):
        path.write_text(json.dumps({**json.loads(path.read_text()), "codearena": wrong}))
        with pytest.raises(DataError, match=r"codearena\."):
            read_file(path)


def test_samples_are_read_with_repeats_and_wrong_rows_are_named(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    rows = [{"task_id": "a", "solution": "1"}, {"task_id": "b", "completion": "2"}, {"task_id": "a", "solution": "3"}]
    path.write_text("".join(f"{json.dumps(row)}\n\n" for row in rows))
    assert read_samples(path) == [Sample("a", "1", 0, True), Sample("b", "2", 0, False), Sample("a", "3", 1, True)]
    for line, said in (
        ("{", "line 1: not JSON"),
        ("[" * 100_000, "line 1: not JSON"),
        ('{"solution": "x"}', "task_id is None; expected a row with task_id as 'HumanEval/0'"),
        ('{"task_id": 0, "solution": "x"}', "task_id is 0; expected a row with task_id as 'HumanEval/0'"),
        ('{"task_id": "a", "solution": 3}', "solution is 3"),
        ('{"task_id": "a"}', "completion is None"),
        ("", "no sample in it"),
    ):
        path.write_text(line)
        with pytest.raises(DataError, match=said):
            read_samples(path)
    with pytest.raises(DataError, match=r"cannot be read: No such file or directory\.$"):
        read_samples(tmp_path / "absent")


def test_a_byte_order_mark_is_no_part_of_the_first_sample(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"task_id": "a", "solution": "1"}\r\n{"task_id": "b", "solution": "2"}\r\n')
    assert read_samples(path) == [Sample("a", "1", 0, True), Sample("b", "2", 0, True)]


def test_a_sample_of_an_unknown_problem_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'HumanEval/999'"):
        check_samples(small(tmp_path), [Sample("HumanEval/999", "")], UNSAFE)
    assert check_samples(small(tmp_path), [], UNSAFE) == ()


def test_evalplus_itself_needs_consent_and_an_interpreter_that_has_it(tmp_path: Path) -> None:
    benchmark, sample = small(tmp_path), Sample("HumanEval/0", "x", is_program=True)
    with pytest.raises(ConfigError, match="without a sandbox"):
        check_package(benchmark, [(sample, "x")], PassOptions("evalplus"))
    with pytest.raises(ConfigError, match="which cannot be run"):
        version_of(str(tmp_path / "no-python"))
    assert NOTICE.startswith("UNSAFE")
