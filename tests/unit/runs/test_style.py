"""A run directory says how its answers are written, without their texts and without the suite."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from judge_server import JudgeServer
from judging_runs import BASELINE, a_suite, answers_to, judged

from codearena_plugin.errors import DataError
from codearena_plugin.prompts.suite import Suite, fingerprint
from codearena_plugin.records import Answer
from codearena_plugin.runs import rescore
from codearena_plugin.runs.files import StoredRun, answers_sha256, load_run, save_answers
from codearena_plugin.runs.style import STYLE, save_style, style_of
from codearena_plugin.style import FEATURES, Style, contrasts, measure

TEXTS = {
    "p000": "# Title\n\n- **bold**\n\n```python\n# why\nx = 1\n```",
    "p001": "<think>```python\nlong\n```</think>short",
    "p002": "",
}


def a_run(folder: Path, suite: Suite, answers: tuple[Answer, ...]) -> StoredRun:
    """Return a run as ``load_run`` would, with what the style needs to know of its manifest."""
    save_answers(folder, answers)
    manifest: dict[str, Any] = {
        "answers": {"sha256": answers_sha256(answers), "n": len(answers)},
        "suite": {
            "name": suite.name,
            "baseline": suite.baseline,
            "fingerprint": suite.fingerprint,
            "file": None,
            "taxonomy": "built-in",
            "left_out": [],
        },
    }
    return StoredRun(folder, {"manifest": manifest}, (), answers)


@pytest.fixture
def run(tmp_path: Path) -> StoredRun:
    suite = a_suite(3)
    found = a_run(tmp_path, suite, answers_to(suite, TEXTS))
    save_style(tmp_path, suite, found.answers)
    return found


def without_suite(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> Suite:
        msg = "the suite cannot be loaded."
        raise DataError(msg)

    monkeypatch.setattr(rescore, "load_suite", refuse)


def with_suite(monkeypatch: pytest.MonkeyPatch, suite: Suite) -> list[Any]:
    asked = []

    def load(_name: str, options: Any) -> Suite:
        asked.append(options.data)
        return suite

    monkeypatch.setattr(rescore, "load_suite", load)
    return asked


def test_the_kept_counts_are_those_of_the_texts_that_the_judge_saw(
    run: StoredRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_suite(monkeypatch)
    baselines = [measure(prompt.baselines[BASELINE]) for prompt in a_suite(3).prompts]
    seen = [measure(TEXTS["p000"]), measure("short"), measure("")]
    found = style_of(run)
    assert found == {f"p00{i}": contrasts(seen[i], baselines[i]) for i in range(3)}
    assert len(found["p000"]) == len(FEATURES)
    assert found["p002"][FEATURES.index("prose_length")] == -1.0


def test_the_file_holds_counts_and_no_text(run: StoredRun) -> None:
    stored = json.loads((run.path / STYLE).read_text(encoding="ascii"))
    assert stored["schema"] == "codearena-style/1"
    assert stored["baseline"] == BASELINE
    assert stored["counts"] == list(Style._fields)
    assert stored["prompts"]["p000"]["answer"] == list(measure(TEXTS["p000"]))
    assert "Title" not in (run.path / STYLE).read_text()


@pytest.mark.parametrize("text", ["", "\x00", "\ud800 **lone**", "a\r\nb\rc\u2028d\x85e", "```" * 9, "x" * 1_000_000])
def test_the_style_of_any_answer_survives(tmp_path: Path, text: str) -> None:
    suite = a_suite(1)
    found = a_run(tmp_path, suite, answers_to(suite, {"p000": text}))
    save_style(tmp_path, suite, found.answers)
    assert style_of(found)["p000"] == contrasts(measure(text), measure(suite.prompts[0].baselines[BASELINE]))


def test_a_run_from_before_is_measured_from_its_answers_and_its_suite(
    run: StoredRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = style_of(run)
    (run.path / STYLE).unlink()
    asked = with_suite(monkeypatch, a_suite(3))
    assert style_of(run, data="suite.jsonl") == kept
    assert asked == ["suite.jsonl"]
    assert not (run.path / STYLE).exists(), "who reads a run does not write into it"


def test_without_the_file_and_without_the_suite_there_is_no_style(
    run: StoredRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    (run.path / STYLE).unlink()
    without_suite(monkeypatch)
    with pytest.raises(DataError, match=r"has no style\.json.*the suite cannot be loaded"):
        style_of(run)


def test_answers_that_were_never_imported_are_not_taken_for_empty_ones(
    run: StoredRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    (run.path / STYLE).unlink()
    with_suite(monkeypatch, a_suite(3))
    run.result["manifest"]["answers"]["absent"] = True
    with pytest.raises(DataError, match="imported without the answers"):
        style_of(run)


def test_another_suite_does_not_stand_in(run: StoredRun, monkeypatch: pytest.MonkeyPatch) -> None:
    (run.path / STYLE).unlink()
    with_suite(monkeypatch, a_suite(3, lines=5))
    with pytest.raises(DataError, match="Give the data that it was made with"):
        style_of(run)


def test_the_counts_of_other_answers_are_refused(run: StoredRun) -> None:
    save_style(run.path, a_suite(3), answers_to(a_suite(3)))
    with pytest.raises(DataError, match=r"style\.json' is not of this run: answers_sha256.*Delete it"):
        style_of(run)


def test_the_counts_of_another_baseline_are_refused(run: StoredRun) -> None:
    save_style(run.path, a_suite(3, lines=5), run.answers)
    with pytest.raises(DataError, match="is not of this run: suite_fingerprint"):
        style_of(run)


GOOD = [5, 5, 1, 2, 0, 0, 0, 1]


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "codearena-style/2"},
        {"counts": ["code_chars"]},
        {"prompts": {}},
        {"prompts": []},
        {"prompts": {"p000": {"answer": GOOD}}},
        *({"prompts": {"p000": {"answer": bad, "baseline": GOOD}}} for bad in ([1], "12345678", GOOD[:7], [*GOOD, 0])),
        *(
            {"prompts": {"p000": {"answer": [bad, *GOOD[1:]], "baseline": GOOD}}}
            for bad in (-1, 0.5, None, "1", True, float("nan"))
        ),
        {"prompts": {"p000": {"answer": [5, 5, 3, 2, 0, 0, 0, 1], "baseline": GOOD}}},
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_refused_in_one_line(run: StoredRun, change: dict[str, Any]) -> None:
    stored = json.loads((run.path / STYLE).read_text())
    (run.path / STYLE).write_text(json.dumps(stored | change))
    with pytest.raises(DataError, match=r"style\.json.*Delete it") as caught:
        style_of(run)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"null"])
def test_a_damaged_file_is_named(run: StoredRun, content: bytes) -> None:
    (run.path / STYLE).write_bytes(content)
    with pytest.raises(DataError, match=r"style\.json' cannot be read as the style of a run"):
        style_of(run)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="cannot be written"):
        save_style(tmp_path / "file", a_suite(1), answers_to(a_suite(1)))


def test_a_judged_run_keeps_its_style_and_so_does_a_second_judging_of_other_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_suite(monkeypatch)
    with JudgeServer() as server:
        first = judged(server, tmp_path, suite=a_suite(3))
        before = style_of(load_run(first.path))
        again = judged(server, tmp_path, suite=a_suite(3), texts=TEXTS)
    assert again.path == first.path
    after = style_of(load_run(first.path))
    assert set(before) == set(after) == {"p000", "p001", "p002"}
    assert before["p000"] != after["p000"]


def test_a_part_of_a_suite_is_tied_to_that_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_suite(monkeypatch)
    whole = a_suite(4)
    part = dataclasses.replace(whole, prompts=whole.prompts[:2], fingerprint=fingerprint(whole.prompts[:2], BASELINE))
    with JudgeServer() as server:
        run = judged(server, tmp_path, suite=part)
    assert set(style_of(load_run(run.path))) == {"p000", "p001"}
