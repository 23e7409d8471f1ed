"""OpenCompass' predictions are answers: whole or in parts, of our data sets or of others with the same questions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codearena_plugin.errors import DataError
from codearena_plugin.prompts.answers import read_answers
from codearena_plugin.prompts.predictions import read_predictions, refuse_other_prompts, stored_entries
from codearena_plugin.prompts.suite import Suite, SuiteOptions, load_suite

QUESTION = "Write function number {} in Python."


@pytest.fixture
def suite(make_row: Callable[..., dict[str, Any]], write_rows: Callable[..., Path]) -> Suite:
    path = write_rows([make_row(number) for number in (1, 2, 3)], "suite.jsonl")
    return load_suite("codearena", SuiteOptions(data=str(path)))


def entry(number: int, text: str | None, **fields: Any) -> dict[str, Any]:
    prompt = [{"role": "HUMAN", "prompt": QUESTION.format(number) + "\n"}]
    return {"origin_prompt": prompt, "prediction": text, "gold": f"p{number}"} | fields


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def written(*entries: dict[str, Any], name: str = "codearena.json") -> Path:
        path = tmp_path / "predictions" / "the-model" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({str(place): entry for place, entry in enumerate(entries)}, indent=4))
        return path

    return written


def test_a_file_gives_answers_by_id_and_the_folder_is_the_model(suite: Suite, write: Callable[..., Path]) -> None:
    file = write(entry(3, "c"), entry(1, "a"), entry(2, None))
    expected = [("p1", "the-model", "a"), ("p2", "the-model", ""), ("p3", "the-model", "c")]
    for path in (file, file.parent):
        assert [(answer.prompt_id, answer.model, answer.text) for answer in read_answers(path, suite)] == expected


def test_parts_are_joined_under_the_name_of_the_whole(suite: Suite, write: Callable[..., Path]) -> None:
    write(entry(1, "a"), entry(2, "b"), name="codearena_0.json")
    part = write(entry(3, "c"), name="codearena_1.json")
    for path in (part.parent, part.with_name("codearena.json")):
        assert [answer.text for answer in read_answers(path, suite)] == ["a", "b", "c"]
    assert [answer.text for answer in read_answers(part, suite, allow_missing=True)] == ["c"]


def test_without_our_id_the_question_says_whose_answer_it_is(suite: Suite, write: Callable[..., Path]) -> None:
    as_text = entry(2, "b", gold=None, origin_prompt=QUESTION.format(2))
    in_chat_form = entry(3, "c", gold={}, origin_prompt=[{"role": "user", "content": QUESTION.format(3)}])
    file = write(entry(1, "a", gold="somebody's"), as_text, in_chat_form)
    assert [answer.text for answer in read_answers(file, suite)] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            '{"0": {"prediction": "x", "gold": "q", "origin_prompt": "What?"}}',
            "entry '0' answers no prompt of the suite",
        ),
        ("[1]", "holds no predictions"),
        ('{"score": 1.0}', "holds no predictions"),
        ("{", "cannot be read as OpenCompass' predictions"),
        ('{"0": {"prediction": ["x", "y"], "gold": "p1"}}', "expected text"),
    ],
)
def test_what_is_no_prediction_is_named(suite: Suite, tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "codearena.json"
    file.write_text(content)
    with pytest.raises(DataError, match=message):
        read_answers(file, suite, allow_missing=True)


def test_a_directory_without_them_says_what_was_looked_for(suite: Suite, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"codearena\.json' does not exist, nor 'codearena_0\.json'"):
        read_answers(tmp_path, suite)


def test_another_text_under_the_same_id_is_refused(suite: Suite, write: Callable[..., Path]) -> None:
    longer = [{"role": "HUMAN", "prompt": f"Be brief.\r\n{QUESTION.format(1)} \n"}]
    assert read_predictions(write(entry(1, "a", origin_prompt=longer)), suite)
    assert read_predictions(write(entry(1, "a", origin_prompt=None)), suite)
    other = [{"role": "HUMAN", "prompt": "Something else?"}]
    with pytest.raises(DataError, match="'p1' was asked with another text"):
        read_predictions(write(entry(1, "a", origin_prompt=other)), suite)


def test_what_evaluators_judge_is_of_their_prompts(suite: Suite, write: Callable[..., Path]) -> None:
    write(entry(1, "a"), name="codearena_0.json")
    part = write(entry(2, "b"), entry(3, "c"), name="codearena_1.json")
    stored = stored_entries(part.with_name("codearena.json"))
    golds, asked = ([one.get(name) for one in stored] for name in ("gold", "origin_prompt"))
    refuse_other_prompts(golds, asked, ["p1", "p2", "p3"], suite.by_id)
    with pytest.raises(DataError, match="not of these prompts"):
        refuse_other_prompts(golds, asked, ["p3", "p2", "p1"], suite.by_id)
    with pytest.raises(DataError, match="asked with another text"):
        refuse_other_prompts(golds, asked[::-1], ["p1", "p2", "p3"], suite.by_id)
