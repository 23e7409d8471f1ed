from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from foreign_verdicts import v2, write_lines

from codearena_plugin.errors import DataError
from codearena_plugin.interchange.arena_hard import import_arena_hard
from codearena_plugin.interchange.reading import ImportOptions, answers_for, read_answers_of_models

ASKED, TOLD = {"role": "user", "content": "?"}, {"role": "assistant", "content": "text"}


@pytest.mark.parametrize(
    "row",
    [
        {"id": "p", "model": "m", "response": "text"},
        {"uid": "p", "model": "m", "messages": [ASKED, {**TOLD, "content": {"thought": "hm", "answer": "text"}}]},
        {"uid": "p", "model": "m", "messages": [ASKED, TOLD]},
        {"question_id": "p", "answer_id": "a", "model_id": "m", "choices": [{"turns": [{"content": "text"}]}]},
    ],
)
def test_answers_of_all_known_kinds_are_read(tmp_path: Path, row: dict[str, Any]) -> None:
    found = read_answers_of_models(write_lines(tmp_path / "x.jsonl", [row]))
    assert {model: {key: answer.text for key, answer in texts.items()} for model, texts in found.items()} == {
        "m": {"p": "text"}
    }


def test_where_no_line_names_the_model_the_file_does(tmp_path: Path) -> None:
    for name in ("answers_one", "two"):
        write_lines(tmp_path / f"{name}.jsonl", [{"id": "p", "response": name}])
    assert sorted(read_answers_of_models(tmp_path)) == ["one", "two"]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"id": "p"}, "field 'response': got None"),
        ({"id": "p", "response": 3}, "field 'response': got 3"),
        ({"uid": "p", "messages": []}, "field 'response'"),
        ({"uid": "p", "messages": [{"role": "assistant", "content": {"answer": None}}]}, "content.answer': got None"),
        ({"uid": "p", "messages": [{"role": "user", "content": "?"}]}, "field 'response'"),
        ({"uid": "p", "choices": [{"turns": [{"content": ["x"]}]}]}, "turns[0].content'"),
        ({"response": "x"}, "the id of a prompt"),
        ({"id": "p", "response": "x", "model": 3}, "field 'model'"),
    ],
)
def test_an_answer_that_cannot_be_read_is_named(tmp_path: Path, row: dict[str, Any], said: str) -> None:
    file = write_lines(tmp_path / "x.jsonl", [{"id": "first", "response": ""}, row])
    with pytest.raises(DataError, match=r"x\.jsonl:2: .*" + re.escape(said)):
        read_answers_of_models(file)


def test_two_answers_to_one_prompt_are_refused(tmp_path: Path) -> None:
    file = write_lines(tmp_path / "x.jsonl", [{"id": "p", "response": "a"}, {"id": "p", "response": "b"}])
    with pytest.raises(DataError, match=r"x\.jsonl:2: 'x' has answered 'p' before"):
        read_answers_of_models(file)


def test_some_answers_of_a_model_without_the_others_are_an_error(tmp_path: Path) -> None:
    found = read_answers_of_models(write_lines(tmp_path / "m.jsonl", [{"id": "p", "response": "a"}]))
    with pytest.raises(DataError, match="'m' has no answer to 1 of 2 prompts: 'q'"):
        answers_for(found, "m", ["p", "q"], "m.jsonl")


def test_answers_of_other_models_alone_are_an_error(tmp_path: Path) -> None:
    answers = write_lines(tmp_path / "answers" / "other.jsonl", [{"id": "p", "response": "a"}])
    verdicts = write_lines(tmp_path / "v.jsonl", [v2("p", "A>B", "B>A")])
    with pytest.raises(DataError, match=r"answers of 'other', and none of the models that were judged: 'm'"):
        import_arena_hard([verdicts], ImportOptions(answers=answers))
