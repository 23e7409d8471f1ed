from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from judging_runs import a_suite, answers_to

from codearena_plugin.errors import DataError
from codearena_plugin.records import Answer, Game, Verdict
from codearena_plugin.runs.files import answers_sha256, load_run, made, new_run_dir, save_answers, save_result
from codearena_plugin.runs.judge import sealed
from codearena_plugin.runs.rescore import reread, rescore
from codearena_plugin.runs.result import make_result

SUITE = a_suite(2)
GAMES = tuple(
    Game(prompt.id, order, (), (), Verdict("scored", label))
    for prompt in SUITE.prompts
    for order, label in (("baseline_first", "B>A"), ("answer_first", "A>B"))
)  # type: ignore[arg-type]
MANIFEST = {
    "model": "m",
    "suite": {"name": "small", "source": "here", "fingerprint": SUITE.fingerprint},
    "judge": {"mode": "default", "min_coverage": 0.95, "order": "both"},
}


def save(folder: Path, answers: Sequence[Answer] = answers_to(SUITE)) -> Path:
    save_answers(folder, answers)
    manifest = sealed({**MANIFEST, "answers": {"sha256": answers_sha256(answers)}}, GAMES, folder)
    result = make_result(SUITE, GAMES, manifest, policy="both", mode="default", min_coverage=0.95)
    save_result(folder, GAMES, result)
    return folder


def test_a_run_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    run = load_run(save(tmp_path))
    assert (run.games, run.answers, run.model) == (GAMES, answers_to(SUITE), "m")
    assert run.result["metrics"]["win_rate"]["estimate"] == 1.0
    assert load_run(tmp_path / "result.json") == run
    assert sorted(path.name for path in tmp_path.iterdir()) == ["answers.jsonl", "games.jsonl", "result.json"]


def test_the_result_is_strict_json(tmp_path: Path) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    json.loads((save(tmp_path) / "result.json").read_text(encoding="ascii"), parse_constant=refuse)


@pytest.mark.parametrize("text", ["", "\x00", "\ud800 lone", "a\r\nb\rc\u2028d\x85e\x0c", "👍" * 9, "x" * 1_000_000])
def test_any_answer_survives(tmp_path: Path, text: str) -> None:
    answers = [Answer("p000", "m", text, None)]
    save(tmp_path, answers)
    assert load_run(tmp_path).answers == tuple(answers)
    assert answers_sha256(answers) != answers_sha256([Answer("p000", "m", text + " ")])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("result.json", None),
        ("result.json", b"{"),
        ("result.json", b"\xff\xfe"),
        ("result.json", b"[]"),
        ("result.json", b'{"schema": "codearena-result/99"}'),
        ("games.jsonl", None),
        ("games.jsonl", b"{}\n"),
        ("answers.jsonl", None),
        ("answers.jsonl", b"{}\n"),
        ("answers.jsonl", b"\xff"),
    ],
)
def test_a_damaged_run_names_the_file(tmp_path: Path, name: str, content: bytes | None) -> None:
    save(tmp_path)
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as caught:
        load_run(tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="codearena_output"):
        made(tmp_path / "file" / "run")
    for place in (tmp_path / "file", Path("/proc")):
        with pytest.raises(DataError, match="cannot be written"):
            save_answers(place, answers_to(SUITE))


@pytest.mark.parametrize("model", ["org/name", "../../etc", "", "..", "a b\n", "模" * 300, "x" * 300, "C:\\m"])
def test_a_models_name_makes_one_folder_under_its_suite(tmp_path: Path, model: str) -> None:
    first, second = (new_run_dir("small", model, root=tmp_path) for _ in range(2))
    assert first != second
    assert first.resolve().parent == tmp_path / "small"


def test_a_game_that_was_never_asked_keeps_its_reason_when_read_again() -> None:
    game = Game("p", "baseline_first", (), (), Verdict("skipped", reason="too long"))
    assert reread([game], "default") == reread([game], "reference") == (game,)


def test_a_run_is_not_rescored_with_other_data(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Give the same data and baseline"):
        rescore(load_run(save(tmp_path)), a_suite(3))
