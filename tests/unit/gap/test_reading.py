"""Execution results from files: what is read, and that nothing wrong is read as a number."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from codearena_plugin.errors import DataError
from codearena_plugin.gap.execution import Execution
from codearena_plugin.gap.reading import read_file, read_results

ROOT = Path(__file__).parents[3]
REAL = ROOT.parent / "shared" / "data" / "evalplus" / "qwen2.5-coder-7b-base"
needs_shared = pytest.mark.skipif(not REAL.exists(), reason=f"{REAL} is absent")
HASH = "fe585eb4df8c88d844eeb463ea4d0302"


def write(folder: Path, name: str, content: Any) -> Path:
    path = folder / name
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode("utf-8", "surrogatepass"))
    return path


def sample(base: str, plus: str | None = None) -> dict[str, Any]:
    return {"task_id": "x", "solution": "", "base_status": base, "plus_status": plus, "base_fail_tests": []}


def evalplus(**tasks: list[dict[str, Any]]) -> dict[str, Any]:
    return {"date": "2025-01-01", "hash": HASH, "eval": {f"HumanEval/{n[1:]}": rows for n, rows in tasks.items()}}


def lm_eval(task: str = "humaneval", metric: str = "pass@1,create_test", value: Any = 0.5, **more: Any) -> dict:
    found = {
        "results": {task: {"alias": task, metric: value, "pass@1_stderr,create_test": 0.03}},
        "n-samples": {task: {"original": 164, "effective": 164}},
        "model_name": "org/my-model",
        "lm_eval_version": "0.4.13",
        "config": {"model": "hf"},
    }
    return {**found, **more}


ROW = {"model": "m", "benchmark": "humaneval+", "pass@1": 0.5, "n": 164, "engine": "EvalPlus 0.3.1"}


def plain(*rows: dict[str, Any], unit: str = "share") -> dict[str, Any]:
    return {"schema": "codearena-execution/1", "unit": unit, "results": list(rows)}


def only(found: list[Execution], benchmark: str) -> Execution:
    [one] = [one for one in found if one.benchmark == benchmark]
    return one


# EvalPlus


@needs_shared
def test_a_real_result_of_evalplus_gives_the_published_numbers() -> None:
    found = read_file(REAL / "humaneval_generated_eval_results.json.gz")
    base, plus = only(found, "humaneval"), only(found, "humaneval+")
    assert (round(100 * base.estimate, 1), round(100 * plus.estimate, 1)) == (61.6, 53.0)
    assert (plus.n, plus.n_expected, plus.model) == (164, 164, "humaneval_generated")
    assert plus.engine == "EvalPlus, HumanEval+ v0.1.9"
    assert plus.interval is not None
    assert plus.interval.low < 0.53 < plus.interval.high
    mbpp = only(read_file(REAL / "mbpp_generated_eval_results.json.gz"), "mbpp+")
    assert (mbpp.n, mbpp.n_expected, mbpp.engine) == (399, 399, "EvalPlus, MBPP+ v0.1.0")


def test_a_problem_counts_as_passed_on_plus_if_it_is_on_both(tmp_path: Path) -> None:
    content = evalplus(
        t0=[sample("pass", "pass")], t1=[sample("fail", "pass")], t2=[sample("pass", "timeout")],
        t3=[sample("timeout", "fail")],
    )  # fmt: skip
    found = read_file(write(tmp_path, "org--m_vllm_temp_0.0.eval_results.json", content))
    assert only(found, "humaneval").estimate == 0.5
    assert only(found, "humaneval+").estimate == 0.25
    assert {one.model for one in found} == {"org--m_vllm_temp_0.0"}
    assert (found[0].n, found[0].n_expected) == (4, 164)


def test_several_samples_a_problem_are_one_cluster_and_give_pass_at_k(tmp_path: Path) -> None:
    rows = [sample("pass", "pass")] * 3 + [sample("fail", "fail")] * 9
    content = evalplus(t0=rows, t1=rows[::-1], t2=[sample("pass", "fail")] * 12)
    base, plus = read_file(write(tmp_path, "m_eval_results.json", content))
    assert base.estimate == pytest.approx((0.25 + 0.25 + 1) / 3)
    assert plus.estimate == pytest.approx((0.25 + 0.25 + 0) / 3)
    assert base.n == 3
    assert set(base.pass_at) == {10}
    assert base.pass_at[10].estimate == 1.0
    assert "12 samples a problem" in base.notes


def test_results_of_the_base_tests_alone_have_no_plus(tmp_path: Path) -> None:
    found = read_file(write(tmp_path, "m.json", evalplus(t0=[sample("pass")], t1=[sample("fail")])))
    assert [one.benchmark for one in found] == ["humaneval"]


def test_a_data_set_of_another_version_is_said_to_be_unknown_and_the_fault_of_0_3_1_is_named(tmp_path: Path) -> None:
    content = {**evalplus(t32=[sample("fail", "fail")], t1=[sample("pass", "pass")]), "hash": "0123456789abcdef"}
    base, _ = read_file(write(tmp_path, "m.json", content))
    assert base.engine == "EvalPlus, a data set of unknown version, hash '0123456789ab'"
    assert (base.n_expected, base.is_partial) == (164, True), "no version has fewer"
    assert base.notes == ("HumanEval/32 failed, which EvalPlus 0.3.1 says of every answer to it",)


# lm-eval


def test_lm_eval_results_say_that_they_are_lm_evals(tmp_path: Path) -> None:
    content = lm_eval("mbpp_plus_instruct", "pass_at_1,extract_code", 0.75)
    [one] = read_file(write(tmp_path, "results_2026.json", content))
    assert (one.model, one.benchmark, one.estimate, one.n) == ("org/my-model", "mbpp+", 0.75, 164)
    assert one.engine == "lm-eval 0.4.13, task mbpp_plus_instruct"
    assert "not EvalPlus' further tests" in one.notes[0]


def test_a_limited_run_and_a_replay_are_known_as_such(tmp_path: Path) -> None:
    content = lm_eval(
        **{"n-samples": {"humaneval": {"original": 164, "effective": 20}}, "config": {"replay_model": "careful"}}
    )
    [one] = read_file(write(tmp_path, "r.json", content))
    assert (one.n, one.n_expected, one.model) == (20, 164, "careful")


def test_a_mean_over_samples_that_is_no_whole_count_keeps_its_value_and_the_widest_spread(tmp_path: Path) -> None:
    [one] = read_file(write(tmp_path, "r.json", lm_eval(value=0.5034)))
    assert one.measured is not None
    assert sum(one.measured.values) / 164 == pytest.approx(0.5034)
    assert sum(value not in {0, 1} for value in one.measured.values) == 1


# plain tables


def test_csv_and_json_say_the_same(tmp_path: Path) -> None:
    table = "model,benchmark,pass@1 %,n,engine\nm,humaneval+,50.0,164,EvalPlus 0.3.1\n"
    [a] = read_file(write(tmp_path, "a.csv", table))
    [b] = read_file(write(tmp_path, "b.json", plain(ROW)))
    [c] = read_file(write(tmp_path, "c.json.gz", plain({**ROW, "pass@1": 50}, unit="percent")))
    assert {(x.model, x.benchmark, x.estimate, x.n, x.engine) for x in (a, b, c)} == {
        ("m", "humaneval+", 0.5, 164, "EvalPlus 0.3.1")
    }


def test_a_model_that_passes_nothing_is_no_mistake_of_unit(tmp_path: Path) -> None:
    table = "model,benchmark,pass@1 %,n,engine\nm,humaneval+,0.0,164,EvalPlus 0.3.1\n"
    [one] = read_file(write(tmp_path, "a.csv", table))
    assert (one.estimate, one.n) == (0.0, 164)


def test_a_spreadsheet_s_byte_order_mark_and_further_columns_do_no_harm(tmp_path: Path) -> None:
    table = "\ufeffengine,n,model,benchmark,pass@1,remark\nx,10,m,mine,0.5,hello\n"
    [one] = read_file(write(tmp_path, "a.csv", table))
    assert (one.benchmark, one.n) == ("mine", 10)


def test_rows_by_language_are_parts_and_known_languages_have_one_name(tmp_path: Path) -> None:
    table = (
        "model,benchmark,language,pass@1 %,n,engine\nm,multipl_e,,60.0,320,x\nm,multipl_e,cpp,61.5,161,x\n"
        "m,multipl_e,JS,50.0,161,x\nm,multipl_e,Befunge,1.0,20,x\nm,humaneval+,python,50.0,164,x\n"
    )
    found = read_file(write(tmp_path, "a.csv", table))
    assert [one.language for one in found] == ["", "C++", "JavaScript", "Befunge", ""], "HumanEval+ is Python alone"
    again = [{**ROW, "benchmark": "multipl_e", "language": language} for language in ("c++", None, "")[:2]]
    assert [one.language for one in read_file(write(tmp_path, "b.json", plain(*again)))] == ["C++", ""]


def test_a_table_may_say_that_not_all_was_asked_and_what_must_be_said(tmp_path: Path) -> None:
    table = "model,benchmark,pass@1,n,of,engine,notice\na,mbpp+,0.5,20,378,x,no  sandbox\nb,mbpp+,0.5,378,,x,\n"
    a, b = read_file(write(tmp_path, "a.csv", table))
    assert (a.n, a.n_expected, a.is_partial, a.notices) == (20, 378, True, ("no sandbox",))
    assert (b.n, b.n_expected, b.is_partial, b.notices) == (378, 378, False, ())


@pytest.mark.parametrize(
    ("name", "content", "named"),
    [
        ("a.csv", "model,benchmark,pass@1,n,engine\nm,mbpp,71.5,378,x\n", ("line 2", "pass@1", "71.5", "'pass@1 %'")),
        ("a.csv", "model,benchmark,pass@1 %,n,engine\nm,mbpp,0.715,378,x\n", ("pass@1 %", "shares stand under")),
        ("a.csv", "model,benchmark,pass@1,n,engine\nm,mbpp,nan,378,x\n", ("line 2", "'nan'", "a number")),
        ("a.csv", "model,benchmark,pass@1,n,engine\nm,mbpp,inf,378,x\n", ("'inf'", "a number")),
        ("a.csv", "model,benchmark,pass@1,n,engine\nm,mbpp,,378,x\n", ("line 2", "pass@1", "a number")),
        ("a.csv", "model,benchmark,pass@1,n,engine\nm,mbpp,0.5,1,x\n", ("'n'", "at least 2")),
        ("a.csv", "model,benchmark,pass@1,n,engine\nm,mbpp,0.5,37.5,x\n", ("'n'", "whole number")),
        ("a.csv", "model,benchmark,pass@1,n,engine\nm,mbpp,0.5,378,\n", ("'engine'", "not empty")),
        ("a.csv", "model,benchmark,pass@1,n,engine\nm,MBPP +,0.5,378,x\n", ("'benchmark'", "lower-case")),
        ("a.csv", "model,benchmark,pass@1,n,engine\nm,mbpp,0.5\n", ("line 2", "5 cells")),
        ("a.csv", "model,benchmark,pass@1,n,engine\nm,mbpp,0.5,9,x\nm,mbpp,0.6,9,x\n", ("line 3", "without mbpp")),
        ("a.csv", "model,benchmark,pass@1,n\nm,mbpp,0.5,9\n", ("the header", "engine")),
        ("a.csv", "model,benchmark,pass@1,pass@1 %,n,engine\n", ("the header", "either")),
        ("a.csv", "model,benchmark,pass@1,n,engine\n", ("no row",)),
        ("a.csv", "", ("the header",)),
        ("a.csv", 'model,benchmark,pass@1,n,engine\n"m,mbpp', ("not CSV",)),
        ("a.json", plain({**ROW, "of": 163}), ("'of'", "at least n")),
        ("a.json", plain({**ROW, "of": []}), ("'of'", "a number")),
        ("a.json", {**plain(), "withheld": "5 of 164 samples\nwere not run"}, ("no score: 5 of 164 samples were",)),
        ("a.json", plain({**ROW, "language": "Java"}), ("'language'", "'Java'", "Python", "HumanEval+")),
        ("a.json", plain({**ROW, "language": "general"}), ("'language'", "a programming language")),
        ("a.json", plain({**ROW, "language": 5}), ("'language'", "a programming language")),
        ("a.json", plain({**ROW, "language": "x" * 41}), ("'language'", "a programming language")),
        ("a.json", plain(*({**ROW, "benchmark": "m", "language": x} for x in ("js", "node"))), ("m in JavaScript so",)),
        ("a.json", plain({**ROW, "pass@1": 50}), ("row 1", "unit percent")),
        ("a.json", plain({**ROW, "pass@1": True}), ("row 1", "a number")),
        ("a.json", plain({**ROW, "model": None}), ("row 1", "'model'")),
        ("a.json", plain(ROW, unit="%"), ("'unit'", "share or percent")),
        ("a.json", plain(*[ROW, ROW]), ("row 2", "without humaneval+")),
        ("a.json", {**plain(), "results": {}}, ("a list of rows",)),
        ("a.json", {**plain(), "results": ["m"]}, ("row 1", "an object")),
        ("a.json", '{"schema": "codearena-execution/1", "unit": NaN}', ("not JSON", "NaN")),
        ("a.json", '{"eval": {"HumanEval/0": [], "HumanEval/0": []}}', ("'HumanEval/0' occurs twice",)),
        ("a.json", {"schema": "codearena-execution/2"}, ("codearena-execution/2", "codearena-pass/1")),
        ("a.json", [1], ("no known format", "list")),
        ("a.json", "{", ("not JSON",)),
        ("a.json", "[" * 100_000, ("not JSON",)),
        ("a.json", {"eval": {}}, ("'eval'", "verdicts by problem")),
        ("a.json", {"eval": {"HumanEval/0": [sample("pass")], "Mbpp/2": [sample("pass")]}}, ("HumanEval or of Mbpp",)),
        ("a.json", {"eval": {"Other/0": [sample("pass")]}}, ("Other",)),
        ("a.json", evalplus(t0=[]), ("HumanEval/0", "at least one sample")),
        ("a.json", evalplus(t0=["pass"]), ("HumanEval/0", "a sample")),  # type: ignore[list-item]
        ("a.json", evalplus(t0=[sample("passed")]), ("HumanEval/0", "base_status", "'passed'")),
        ("a.json", evalplus(t0=[sample("pass", "ok")]), ("HumanEval/0", "plus_status", "'ok'")),
        ("a.json", evalplus(t0=[sample("pass", "pass")], t1=[sample("pass")]), ("HumanEval/1", "plus_status")),
        ("a.json", lm_eval("codearena", "score,none"), ("'codearena'", "humaneval_plus")),
        ("a.json", lm_eval(value=50.0), ("humaneval", "50.0", "a share")),
        ("a.json", lm_eval(value="N/A"), ("humaneval", "a share")),
        ("a.json", lm_eval(metric="acc,none"), ("humaneval", "pass@1", "None")),
        ("a.json", lm_eval(**{"n-samples": {}}), ("n-samples",)),
        ("a.json", lm_eval(model_name=" "), ("model_name",)),
        ("a.json", b"\xff\xfe".decode("latin-1") * 2, ("not JSON",)),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_with_file_place_and_field(tmp_path: Path, name: str, content: Any, named) -> None:
    path = write(tmp_path, name, content)
    with pytest.raises(DataError) as caught:
        read_file(path)
    said = str(caught.value)
    assert str(path) in said
    assert all(part in said for part in named), said
    assert "\n" not in said
    assert len(said) < 700


@pytest.mark.parametrize("content", [None, b"\x1f\x8b broken", b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "results.json.gz"
    if content is not None:
        path.write_bytes(content if content.startswith(b"\x1f") else gzip.compress(content))
    with pytest.raises(DataError, match=r"cannot be read: .*'paper' or 'evalplus'"):
        read_file(path)


def test_shipped_numbers_are_named_and_nothing_is_read_twice(tmp_path: Path) -> None:
    path = write(tmp_path, "a.json", plain(ROW))
    found = read_results(["evalplus", str(path)])
    assert found[0].is_reference
    assert not found[-1].is_reference
    with pytest.raises(DataError, match="given twice"):
        read_results([str(path), str(tmp_path / "." / "a.json")])
