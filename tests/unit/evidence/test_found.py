"""Which evidence is used: whole, of the very texts, and found in one place with the same tools."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from evidence_runs import a_block, evidence_of, needs_sandbox
from unit_runs import a_suite, write_run

from codearena_plugin.errors import ConfigError
from codearena_plugin.evidence import place
from codearena_plugin.evidence.collect import SideText, collect
from codearena_plugin.evidence.files import evidence_path, read_evidence, write_evidence
from codearena_plugin.evidence.found import Wanted, check_wanted, evidence_for, find_evidence
from codearena_plugin.evidence.place import place_of
from codearena_plugin.execution.sandbox import SandboxOptions
from codearena_plugin.harness.lm_eval.suites.evidence import as_rows, from_rows
from codearena_plugin.judging.protocol.card import load_card


def test_rows_of_two_places_are_not_used_together(tmp_path: Path) -> None:
    suite = a_suite(2)
    answers = write_run(tmp_path, "m", "wl", suite=suite).answers
    texts = {answer.prompt_id: answer for answer in answers}
    rows = list(evidence_of(suite, answers, {}).rows.values())
    for folder, places in (("one", "aaaa"), ("two", "aaab"), ("other", "bbbb")):
        (tmp_path / folder).mkdir()
        there = [replace(row, place=name) for row, name in zip(rows, places, strict=True)]
        write_evidence(evidence_path(tmp_path / folder), there)
    assert find_evidence(suite, texts, [tmp_path / "two"]) is None
    assert find_evidence(suite, texts, [tmp_path / "two", tmp_path / "one"]) is not None  # that is whole by itself
    with pytest.raises(ConfigError, match="with the same tools for both"):
        evidence_for(load_card("static")[0], suite, texts, Wanted(tmp_path / "two"))
    mixed = find_evidence(suite, texts, [tmp_path / "other", tmp_path / "one"])
    assert mixed is not None
    assert mixed.describe()["place"] == "b"


def test_what_was_found_with_other_tools_is_run_again(tmp_path: Path) -> None:
    needs_sandbox()
    path = tmp_path / "evidence.jsonl"
    texts = [SideText("p", "baseline", "```python\nimport time\nprint(time.time())\n```")]
    first = collect(texts, {}, path, SandboxOptions())
    old = {key: replace(row, place="other") for key, row in first.items()}
    again = collect(texts, old, tmp_path / "new.jsonl", SandboxOptions())
    (row,) = again.values()
    assert row.place == first[texts[0].key].place != ""
    assert row.blocks != first[texts[0].key].blocks


def test_a_place_is_what_is_installed_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text("")
    options = SandboxOptions(python=str(python))
    before = place_of("bubblewrap", options)
    assert before == place_of("bubblewrap", options) != place_of("landlock", options)
    (tmp_path / "lib/python3.11/site-packages/numpy-2.0.dist-info").mkdir(parents=True)
    with_numpy = place_of("bubblewrap", options)
    assert with_numpy != before
    monkeypatch.setattr(place.shutil, "which", lambda name, path: None)
    assert place_of("bubblewrap", options) != with_numpy


def test_evidence_for_a_judge_that_is_shown_none_is_refused_before_anything_is_generated(tmp_path: Path) -> None:
    plain, shown = load_card("codearena")[0], load_card("codearena-evidence")[0]
    check_wanted(plain, Wanted(beside=(tmp_path,)))
    with pytest.raises(ConfigError, match="leave codearena_evidence out"):
        check_wanted(plain, Wanted(tmp_path))
    with pytest.raises(ConfigError, match="leave codearena_execute out"):
        check_wanted(plain, Wanted(will_run=True))
    with pytest.raises(ConfigError, match="is not there"):
        check_wanted(shown, Wanted(tmp_path / "none"))


def test_a_rank_that_could_run_nothing_takes_no_other_rank_s_evidence_away() -> None:
    suite = a_suite(2)
    from codearena_plugin.records import Answer

    answers = tuple(Answer(prompt.id, "m", "x") for prompt in suite.prompts)
    evidence = evidence_of(suite, answers, {("p0", "answer"): "good"})
    found = from_rows(suite, as_rows(evidence, "p0"))
    assert found is not None
    assert list(found.shown()) == ["p0"]
    assert from_rows(suite, []) is None


def test_a_file_of_rows_is_found_by_text_whatever_else_is_in_it(tmp_path: Path) -> None:
    suite = a_suite(1)
    answers = write_run(tmp_path, "m", "w", suite=suite).answers
    whole = evidence_of(suite, answers, {("p0", "answer"): "good"})
    path = evidence_path(tmp_path)
    other = replace(whole.rows["p0", "answer"], sha256="0" * 64, blocks=(a_block(),))
    write_evidence(path, [*whole.rows.values(), other])
    assert len(read_evidence(path)) == 3
    found = find_evidence(suite, {answers[0].prompt_id: answers[0]}, [tmp_path])
    assert found is not None
    assert found.rows == whole.rows
