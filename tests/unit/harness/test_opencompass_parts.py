"""Split evaluations are joined by whichever ends last, into what one evaluation gives."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from judging_runs import verdicts

from codearena_plugin.harness.opencompass.suites.parts import join, unjoined
from codearena_plugin.harness.place import is_aside
from codearena_plugin.judging.ledger import read_games
from codearena_plugin.judging.settings import JudgeSettings, resolve_settings
from codearena_plugin.paths import data_dir
from codearena_plugin.prompts.answers import read_answers
from codearena_plugin.prompts.suite import Suite, answered_part, load_suite
from codearena_plugin.records import Answer
from codearena_plugin.runs.files import load_run
from codearena_plugin.runs.judge import Run, judge_answers

SETTINGS = resolve_settings({"judge": "static"}, environ={})


@pytest.fixture(scope="module")
def suite() -> Suite:
    return load_suite("codearena_mini")


@pytest.fixture(scope="module")
def answers(suite: Suite) -> tuple[Answer, ...]:
    return read_answers(data_dir("tasks") / "codearena_mini" / "data" / "answers_careful.jsonl", suite)


def judged(suite: Suite, answers: tuple[Answer, ...], place: Path, settings: JudgeSettings = SETTINGS) -> Run:
    place.mkdir(parents=True)
    part = answered_part(suite, {answer.prompt_id for answer in answers})
    return judge_answers(part, answers, settings, place)


def test_the_last_part_writes_what_one_evaluation_writes(
    suite: Suite, answers: tuple[Answer, ...], tmp_path: Path
) -> None:
    judged(suite, answers[:20], tmp_path / "mini_0")
    assert join(tmp_path / "mini_0", suite, SETTINGS) is None
    judged(suite, answers[20:], tmp_path / "mini_1")
    assert join(tmp_path / "mini_1", suite, SETTINGS) == tmp_path / "mini"
    one = judged(suite, answers, tmp_path / "one")
    assert verdicts(replace(one, games=tuple(read_games(tmp_path / "mini" / "games.jsonl")))) == verdicts(one)
    joined = json.loads((tmp_path / "mini" / "result.json").read_text())
    assert joined["metrics"] == one.result.to_json()["metrics"]
    assert joined["manifest"]["suite"] == one.result.manifest["suite"]
    results = json.loads((tmp_path / "mini.json").read_text())
    assert len(results["details"]) == 32
    assert results["coverage"] == 100


def test_what_does_not_belong_together_is_not_joined(suite: Suite, answers: tuple[Answer, ...], tmp_path: Path) -> None:
    judged(suite, answers[:20], tmp_path / "mini_0")
    judged(suite, answers[20:], tmp_path / "mini_1", replace(SETTINGS, order="answer_first"))
    assert join(tmp_path / "mini_1", suite, SETTINGS) is None
    judged(suite, answers[:20], tmp_path / "twice_0")
    judged(suite, answers[19:], tmp_path / "twice_1")
    assert join(tmp_path / "twice_1", suite, SETTINGS) is None
    judged(suite, answers[:20], tmp_path / "alone")
    assert join(tmp_path / "alone", suite, SETTINGS) is None


def test_parts_without_a_whole_are_told(suite: Suite, answers: tuple[Answer, ...], tmp_path: Path) -> None:
    model = tmp_path / "results" / "m"
    for number, part, settings in (
        (0, answers[:20], SETTINGS),
        (1, answers[20:], replace(SETTINGS, order="answer_first")),
    ):
        judged(suite, part, model / f"mini_{number}", settings)
        (model / f"mini_{number}.json").write_text("{}")
    (model / "other_0.json").write_text("{}")
    (line,) = unjoined(tmp_path)
    assert line.startswith("m/mini: NO SCORE: 2 of its parts have results, the whole has none: they differ in order")
    (model / "mini.json").write_text("{}")
    assert unjoined(tmp_path) == []


def test_another_whole_moves_aside(suite: Suite, answers: tuple[Answer, ...], tmp_path: Path) -> None:
    other = replace(SETTINGS, order="answer_first")
    judged(suite, answers, tmp_path / "mini", other)
    judged(suite, answers[:20], tmp_path / "mini_0")
    judged(suite, answers[20:], tmp_path / "mini_1")
    assert join(tmp_path / "mini_1", suite, SETTINGS) == tmp_path / "mini"
    (aside,) = (path for path in tmp_path.iterdir() if is_aside(path))
    orders = [load_run(path).result["manifest"]["judge"]["order"] for path in (aside, tmp_path / "mini")]
    assert orders == ["answer_first", SETTINGS.order]
