"""Evidence as the page shows it: visible text, chips of ours, pictures that are pictures."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from evidence_runs import GRADES, a_block, a_row, evidence_of
from unit_runs import a_suite, write_run

from codearena_plugin.evidence.files import evidence_path, write_evidence
from codearena_plugin.report.evidence.parts import RunEvidence, SeenEvidence, evidence_parts, largest_picture
from codearena_plugin.report.page.gather import gather
from codearena_plugin.report.page.texts import chunk

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0" * 60).decode()


def kept() -> tuple[list[str], Callable[[str], int]]:
    texts: list[str] = []

    def keep(text: str) -> int:
        texts.append(text)
        return len(texts) - 1

    return texts, keep


def test_a_block_is_a_chip_words_an_excerpt_and_a_picture() -> None:
    texts, keep = kept()
    row = a_row(a_block(kind="page", language="HTML", reached="rendered", excerpt="not loaded: x", screenshot=PNG))
    found = evidence_parts(SeenEvidence(row, None, was_shown=True), keep)
    (block,), nothing = found["sides"]
    assert nothing == []
    assert (block["grade"], block["sign"]) == ("rendered", "w")
    assert [texts[block["excerpt"]], texts[block["shot"]]] == ["not loaded: x", PNG]
    assert found["note"] == "run by bubblewrap, shown to the judge"


@pytest.mark.parametrize(
    "picture",
    [
        "javascript:alert(1)",
        PNG[:-4] + '"><script>',
        base64.b64encode(b"<svg onload=alert(1)>").decode(),
        PNG + "A" * 70_000,
        "",
    ],
)
def test_what_is_no_small_png_is_not_shown(picture: str) -> None:
    texts, keep = kept()
    row = a_row(a_block(reached="rendered", screenshot=picture))
    found = evidence_parts(SeenEvidence(None, row, was_shown=False), keep)
    assert "shot" not in found["sides"][1][0]
    assert texts == []


def test_names_and_reasons_are_made_visible() -> None:
    _, keep = kept()
    row = a_row(a_block(why="a\nb\x00"))
    found = evidence_parts(SeenEvidence(row, None, was_shown=False), keep)
    assert found["sides"][0][0]["said"] == "not runnable here (a b␀)"


def test_a_verdict_shows_the_evidence_of_its_own_texts_only(tmp_path: Path) -> None:
    suite = a_suite(2)
    run = write_run(tmp_path, "m", "wl", suite=suite)
    evidence = evidence_of(suite, run.answers, {("p0", "answer"): "good", ("p1", "baseline"): "failed"})
    evidence.save(run.path)
    found = RunEvidence(run)
    seen = found.of(run.answers[0], suite.prompts[0].baselines["base"])
    assert seen is not None
    assert seen.answer is not None
    assert seen.answer.blocks[0].reached == GRADES["good"]["reached"]
    assert found.of(run.answers[0], "another text").baseline is None  # type: ignore[union-attr]
    assert not seen.was_shown


def test_a_run_without_evidence_has_the_chunks_it_always_had(tmp_path: Path) -> None:
    suite = a_suite(2)
    run = write_run(tmp_path, "m", "wl", suite=suite)
    plain = chunk(gather([run], ["m"]).texts_of("p0"))
    assert "evidence" not in plain
    evidence_of(suite, run.answers, {("p0", "answer"): "failed"}).save(run.path)
    shown = chunk(gather([run], ["m"]).texts_of("p0"))
    assert set(shown) == {*plain, "evidence"}
    assert json.dumps(shown["evidence"])


def test_only_what_lay_there_when_it_was_judged_was_shown(tmp_path: Path) -> None:
    suite = a_suite(2)
    run = write_run(tmp_path, "m", "wl", suite=suite)
    evidence = evidence_of(suite, run.answers, {("p0", "answer"): "good"})
    run.result["manifest"]["evidence"] = evidence.describe()
    evidence.save(run.path)
    baseline = suite.prompts[0].baselines["base"]
    seen = RunEvidence(run).of(run.answers[0], baseline)
    assert seen is not None
    assert seen.note == "run by bubblewrap, shown to the judge"
    evidence_of(suite, run.answers, {("p0", "answer"): "failed"}).save(run.path)
    later = RunEvidence(run).of(run.answers[0], baseline)
    assert later is not None
    assert later.note == "run by bubblewrap, not shown to the judge"


def test_pictures_that_a_page_has_no_room_for_are_left_out_the_largest_first(tmp_path: Path) -> None:
    suite = a_suite(2)
    run = write_run(tmp_path, "m", "wl", suite=suite)
    sizes = {"p0": 900, "p1": 90}
    rows = [
        a_row(
            a_block(kind="page", screenshot=picture(sizes[answer.prompt_id])),
            text=answer.text,
            prompt_id=answer.prompt_id,
        )
        for answer in run.answers
    ]
    write_evidence(evidence_path(run.path), rows)
    found = RunEvidence(run)
    assert largest_picture([found, found]) == 64 * 1024  # equal pictures are kept once
    limit = largest_picture([found], room=1000)
    assert limit < len(picture(900))
    shown = []
    for answer in run.answers:
        seen = found.of(answer, None, most_picture=limit)
        assert seen is not None
        shown.append(evidence_parts(seen, lambda _: 0)["sides"][0][0])
    assert ["shot" in block for block in shown] == [False, True]
    assert "left out for the size of this page" in shown[0]["said"]


def picture(n: int) -> str:
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0" * n).decode()
