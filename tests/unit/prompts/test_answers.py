from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codearena_plugin.errors import DataError
from codearena_plugin.prompts.answers import read_answers
from codearena_plugin.prompts.card import answer_set, load_task_card
from codearena_plugin.prompts.suite import Suite, SuiteOptions, load_suite

ARENA_HARD = Path(__file__).parents[3].parent / "shared" / "data" / "arena_hard_code"
Write = Callable[..., Path]


@pytest.fixture
def suite(make_row: Callable[..., dict[str, Any]], write_rows: Write) -> Suite:
    path = write_rows([make_row(number) for number in (1, 2, 3)], "suite.jsonl")
    return load_suite("codearena", SuiteOptions(data=str(path)))


def answers(*texts: str, **fields: Any) -> list[dict[str, Any]]:
    return [{"id": f"p{at}", "response": text, **fields} for at, text in enumerate(texts, start=1)]


def sample(number: int, text: str, *, filter_name: str = "none", **fields: Any) -> dict[str, Any]:
    return {
        "doc_id": number,
        "doc": {"id": f"p{number}"},
        "resps": [[text]],
        "filtered_resps": [f"filtered {text}"],
        "filter": filter_name,
    } | fields


def test_answers_come_back_in_the_order_of_the_suite(suite: Suite, write_rows: Write) -> None:
    rows = answers("a", "b", "c", model="m", finish_reason="stop")
    found = read_answers(write_rows(reversed(rows)), suite)
    assert [(answer.prompt_id, answer.text) for answer in found] == [("p1", "a"), ("p2", "b"), ("p3", "c")]
    assert {(answer.model, answer.finish_reason) for answer in found} == {("m", "stop")}


@pytest.mark.parametrize("text_field", ["response", "answer", "output", "text", "completion"])
@pytest.mark.parametrize("id_field", ["id", "prompt_id", "question_id", "uid"])
def test_the_usual_field_names_are_known(suite: Suite, write_rows: Write, id_field: str, text_field: str) -> None:
    rows = [{id_field: f"p{number}", text_field: "x"} for number in (1, 2, 3)]
    assert [answer.text for answer in read_answers(write_rows(rows), suite)] == ["x"] * 3


@pytest.mark.parametrize(
    ("name", "model"),
    [("answers_gpt-3.5-turbo.jsonl", "gpt-3.5-turbo"), ("samples_x.jsonl", "x"), ("my model.jsonl", "my model")],
)
def test_a_file_without_model_names_is_called_by_its_own_name(
    suite: Suite, write_rows: Write, name: str, model: str
) -> None:
    assert read_answers(write_rows(answers("a", "b", "c"), name), suite)[0].model == model
    assert read_answers(write_rows(answers("a", "b", "c"), name), suite, model="other")[0].model == "other"


def test_the_samples_of_lm_eval_are_read_raw_and_of_one_filter(suite: Suite, write_rows: Write) -> None:
    rows = [sample(n, f"t{n}", filter_name=name) for name in ("first", "second") for n in (3, 1, 2)]
    found = read_answers(write_rows(rows, "samples_codearena_2026.jsonl"), suite)
    assert [answer.text for answer in found] == ["t1", "t2", "t3"]
    assert found[0].model == "codearena_2026"


def test_lm_evals_folder_names_the_model_of_its_samples(suite: Suite, write_rows: Write) -> None:
    path = write_rows([sample(n, "x") for n in (1, 2, 3)], "org__model/samples_codearena_2026.jsonl")
    (path.parent / "results_2026.json").write_text("{}", encoding="utf-8")
    assert read_answers(path, suite)[0].model == "org__model"


def test_samples_without_raw_responses_give_the_filtered_ones(suite: Suite, write_rows: Write) -> None:
    rows = [sample(n, "x") for n in (1, 2, 3)]
    for row in rows:
        del row["resps"]
    assert read_answers(write_rows(rows), suite)[0].text == "filtered x"


def test_an_empty_answer_is_an_answer(suite: Suite, write_rows: Write) -> None:
    assert read_answers(write_rows(answers("", "b", "c")), suite)[0].text == ""


def test_nasty_text_passes_through_unharmed(suite: Suite, write_rows: Write) -> None:
    nasty = "\x00 \ud800 \r\n \u202e " + "x" * 1_000_000
    assert read_answers(write_rows(answers(nasty, "b", "c")), suite)[0].text == nasty


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (answers("a", "b"), "1 of 3 prompts have no answer: 'p3'"),
        (answers("a", "b", "c", "d"), "1 ids are not in the suite 'codearena': 'p4'; its ids look like 'p1'"),
        (answers("a", "b", "c") * 2, "3 prompts are answered more than once: 'p1', 'p2', 'p3'"),
        ([], "no line"),
        ([*answers("a", "b"), {"id": "p3", "response": None}], ":3: field 'response': got None"),
        ([*answers("a", "b"), {"id": "p3", "response": ["c"]}], ":3: field 'response': got ['c'] (list)"),
        (
            [*answers("a", "b"), {"id": "p3", "reply": "c"}],
            "one of the fields response, answer, output, text, completion",
        ),
        ([*answers("a", "b"), {"response": "c"}], ":3: field 'id': got None"),
        (answers("a", "b", "c", model=3), ":1: field 'model': got 3"),
        ([*answers("a", "b"), sample(3, "c")], "two kinds of line"),
        ([sample(1, "a", resps=[[None]])], ":1: field 'resps[0][0]': got None"),
        ([sample(1, "a", resps=[], filtered_resps=[])], ":1: field 'resps': got []"),
        ([sample(1, "a", doc="p1")], ":1: field 'doc': got 'p1'"),
    ],
)
def test_a_faulty_answers_file_is_an_error_that_names_the_fault(
    suite: Suite, write_rows: Write, rows: list[Any], says: str
) -> None:
    path = write_rows(rows, "answers.jsonl")
    with pytest.raises(DataError) as caught:
        read_answers(path, suite)
    assert str(caught.value).startswith(str(path))
    assert says in str(caught.value)


def test_many_faults_are_counted_and_the_first_few_named(suite: Suite, write_rows: Write) -> None:
    rows = answers(*"abcdefghijkl")
    with pytest.raises(DataError, match=r"9 ids are not in the suite .*: 'p4', 'p5', 'p6', 'p7', 'p8' and 4 more"):
        read_answers(write_rows(rows), suite)


def test_missing_answers_can_be_allowed(suite: Suite, write_rows: Write) -> None:
    found = read_answers(write_rows(answers("a", "b")), suite, allow_missing=True)
    assert [answer.prompt_id for answer in found] == ["p1", "p2"]


def test_a_file_of_several_models_needs_a_choice(suite: Suite, write_rows: Write) -> None:
    path = write_rows([*answers("a", "b", "c", model="m1"), *answers("d", "e", "f", model="m2")])
    with pytest.raises(DataError, match="answers of 2 models: 'm1', 'm2'"):
        read_answers(path, suite)
    assert [answer.text for answer in read_answers(path, suite, model="m2")] == ["d", "e", "f"]
    with pytest.raises(DataError, match="Unknown model 'm3'"):
        read_answers(path, suite, model="m3")


def test_answers_to_prompts_that_were_left_out_are_passed_over(suite: Suite, write_rows: Write) -> None:
    rows = [json.loads(line) for line in Path(suite.source.split(" (")[0]).read_text(encoding="utf-8").splitlines()]
    rows[1]["messages"][0]["content"] = "word " * 50
    path = write_rows(rows, "long.jsonl")
    short = load_suite("codearena", SuiteOptions(data=str(path), max_words=20))
    assert short.left_out == ("p2",)
    found = read_answers(write_rows(answers("a", "b", "c"), "answers.jsonl"), short)
    assert [answer.text for answer in found] == ["a", "c"]


def test_both_answer_sets_of_the_mini_suite_are_complete() -> None:
    suite, card = load_suite("codearena_mini"), load_task_card("codearena_mini")
    assert set(card.answer_sets) == {"careful", "hasty"}
    for name in card.answer_sets:
        found = read_answers(answer_set(card, name), suite)
        assert len(found) == len(suite.prompts)
        assert {answer.model for answer in found} == {name}


@pytest.mark.parametrize("model", ["gpt-3.5-turbo-0125", "gpt-4-0613"])
def test_the_real_answers_of_arena_hard_fit_their_suite(model: str) -> None:
    if not ARENA_HARD.exists():
        pytest.skip(f"{ARENA_HARD} is not here")
    suite = load_suite("codearena", SuiteOptions(data=str(ARENA_HARD)))
    found = read_answers(ARENA_HARD / f"answers_{model}.jsonl.gz", suite)
    assert len(found) == 266
    assert {answer.model for answer in found} == {model}


def test_the_baseline_can_be_read_as_a_third_models_answers(write_rows: Write) -> None:
    if not ARENA_HARD.exists():
        pytest.skip(f"{ARENA_HARD} is not here")
    suite = load_suite("codearena", SuiteOptions(data=str(ARENA_HARD)))
    rows = [{"id": prompt.id, "text": prompt.baselines[suite.baseline]} for prompt in suite.prompts]
    random.Random(0).shuffle(rows)
    found = read_answers(write_rows(rows, "answers_gpt-4-0314.jsonl"), suite)
    assert [answer.text for answer in found] == [prompt.baselines["gpt-4-0314"] for prompt in suite.prompts]
    assert found[0].model == "gpt-4-0314"
