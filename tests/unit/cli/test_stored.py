from __future__ import annotations

import json

import pytest

from codearena_plugin import paths
from codearena_plugin.judging import settings
from codearena_plugin.judging.protocol import card
from codearena_plugin.runs.files import load_run
from codearena_plugin.runs.rescore import suite_of

MINI = paths.data_dir("tasks") / "codearena_mini" / "data"


def test_a_rescored_run_has_the_same_numbers_and_makes_no_call(codearena, static_run, tmp_path):
    run = static_run("careful")
    done = codearena("rescore", run, "--output", tmp_path / "again")
    assert done.code == 0
    before, after = (json.loads((place / "result.json").read_text()) for place in (run, tmp_path / "again"))
    assert after["metrics"] == before["metrics"]
    assert after["strata"] == before["strata"]
    assert after["spending"] is None
    assert "stored replies were read again" in done.out
    assert (tmp_path / "again" / "games.jsonl").read_text() == (run / "games.jsonl").read_text()


def test_rescore_without_output_writes_nothing(codearena, static_run):
    run = static_run("careful")
    before = {path: path.read_bytes() for path in run.iterdir()}
    assert codearena("rescore", run, "--mode", "reference").code == 0
    assert {path: path.read_bytes() for path in run.iterdir()} == before


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--mode", "loose", "judge_mode='loose' cannot be used: expected default or reference."),
        ("--min-coverage", "2", "judge_min_coverage='2' cannot be used: expected a share from 0 to 1."),
    ],
)
def test_rescore_refuses_a_value_in_the_usual_words(codearena, static_run, option, value, said):
    done = codearena("rescore", static_run("careful"), option, value)
    assert done.code == 2
    assert said in done.err


def test_rescore_reads_its_options_without_a_judge(codearena, static_run, monkeypatch):
    run = static_run("careful")
    monkeypatch.setattr(card, "load_card", lambda _name: pytest.fail("a judge card was loaded"))
    monkeypatch.setattr(settings, "load_card", lambda _name: pytest.fail("a judge card was loaded"))
    assert codearena("rescore", run, "--min-coverage", "0.5").code == 0


def test_rescore_refuses_to_write_over_the_run_itself(codearena, static_run):
    run = static_run("careful")
    done = codearena("rescore", run, "--output", run)
    assert done.code == 2
    assert "is the run itself" in done.err


def test_rescore_refuses_other_data_than_the_run_was_made_with(codearena, tmp_path):
    prompts = [json.loads(line) for line in (MINI / "prompts.jsonl").read_text().splitlines()]
    mine = tmp_path / "mine.jsonl"
    mine.write_text("".join(json.dumps(row) + "\n" for row in prompts))
    run = tmp_path / "run"
    options = ("--data", mine, "--judge", "static", "--output", run)
    assert codearena("judge", MINI / "answers_hasty.jsonl", *options).code == 0
    assert codearena("rescore", run).code == 0, "the data is found where the run found it"
    moved = tmp_path / "moved.jsonl"
    mine.rename(moved)
    assert codearena("rescore", run, "--data", moved).code == 0
    prompts[0]["messages"][0]["content"] += " Really?"
    moved.write_text("".join(json.dumps(row) + "\n" for row in prompts))
    done = codearena("rescore", run, "--data", moved)
    assert done.code == 2
    assert "fingerprint" in done.err


def test_the_suite_of_a_run_is_what_it_asked_and_not_more(static_run):
    run = load_run(static_run("careful", "--max-words", "60"))
    left_out = run.result["manifest"]["suite"]["left_out"]
    suite = suite_of(run)
    assert left_out
    assert len(suite.prompts) == 32 - len(left_out)
    assert suite.fingerprint == run.result["manifest"]["suite"]["fingerprint"]


def test_a_directory_with_another_run_is_not_written_over(codearena, static_run):
    run = static_run("careful")
    before = (run / "result.json").read_bytes()
    done = codearena("judge", MINI / "answers_hasty.jsonl", "--suite", "codearena_mini", "--output", run)
    assert done.code == 2
    assert "model 'careful', now 'hasty'" in done.err
    assert (run / "result.json").read_bytes() == before


def test_the_same_command_may_write_to_the_same_directory(static_run):
    assert static_run("careful") == static_run("careful")


def test_a_finished_run_can_be_judged_again_by_its_directory(codearena, static_run, tmp_path):
    run = static_run("careful")
    done = codearena("judge", run, "--suite", "codearena_mini", "--output", tmp_path / "again")
    assert done.code == 0
    assert "careful, compared with mini-baseline" in done.out


@pytest.mark.parametrize("command", ["rescore", "show", "compare"])
def test_what_is_no_run_is_said_to_be_none(codearena, tmp_path, command):
    (tmp_path / "empty").mkdir()
    done = codearena(command, tmp_path / "empty", *([tmp_path / "empty"] if command == "compare" else []))
    assert done.code == 2
    assert "is no finished run" in done.err
    assert done.err.count("\n") == 1
