from __future__ import annotations

import json
import shutil

import pytest


def _change(run, **judge):
    path = run / "result.json"
    result = json.loads(path.read_text())
    result["manifest"]["judge"].update(judge)
    path.write_text(json.dumps(result))


def test_two_runs_show_scores_and_their_paired_difference(codearena, static_run):
    done = codearena("compare", static_run("careful"), static_run("hasty"))
    assert done.code == 0
    assert "careful − hasty" in done.out
    assert "DEMO" in done.out
    assert "smoke test" in done.out
    assert max(map(len, done.out.splitlines())) <= 100


def test_runs_of_one_model_are_told_apart_by_their_directories(codearena, static_run, tmp_path):
    run = static_run("careful")
    shutil.copytree(run, tmp_path / "second")
    shutil.copytree(run, tmp_path / "third" / "second")
    done = codearena("compare", run, tmp_path / "second")
    assert "careful [run-careful] − careful [second]" in " ".join(done.out.split())
    done = codearena("compare", tmp_path / "second", tmp_path / "third" / "second")
    assert done.code == 0
    assert "third/second" in done.out.replace("\n", "")


def test_three_runs_give_three_pairs_with_corrected_p_values(codearena, static_run, tmp_path):
    careful, hasty = static_run("careful"), static_run("hasty")
    shutil.copytree(hasty, tmp_path / "again")
    done = codearena("compare", careful, hasty, tmp_path / "again")
    assert done.code == 0
    assert done.out.count("−") == 3


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("comparable_as", "static@2", "and 'static@2'"),
        ("prompt_sha256", "e" * 64, "and 'sha256 eeeeeeeeeeee'"),
        ("model", "other", "judge model 'static-1' and 'other'"),
        ("order", "answer_first", "order 'both' and 'answer_first'"),
        ("mode", "reference", "mode 'default' and 'reference'"),
    ],
)
def test_runs_that_mean_different_things_are_refused_and_it_says_what_differs(
    codearena, static_run, field, value, said
):
    careful, hasty = static_run("careful"), static_run("hasty")
    _change(hasty, **{field: value})
    done = codearena("compare", careful, hasty)
    assert done.code == 2
    assert said in done.err
    assert done.out == ""


def test_other_sampling_is_noted_and_not_refused(codearena, static_run):
    careful, hasty = static_run("careful"), static_run("hasty")
    _change(hasty, sampling={"temperature": 1.0})
    done = codearena("compare", careful, hasty)
    assert done.code == 0
    assert "Note: the judge's sampling differs" in done.out


def test_a_run_without_a_score_is_refused_with_its_reason(codearena, static_run):
    careful, hasty = static_run("careful"), static_run("hasty")
    result = json.loads((hasty / "result.json").read_text())
    result["withheld"] = "only 3 of 32 prompts were scored"
    (hasty / "result.json").write_text(json.dumps(result))
    done = codearena("compare", careful, hasty)
    assert done.code == 2
    assert "only 3 of 32" in done.err


def test_one_run_or_the_same_run_twice_is_no_comparison(codearena, static_run):
    run = static_run("careful")
    assert "expected two or more" in codearena("compare", run).err
    assert "given twice" in codearena("compare", run, run / "result.json").err
