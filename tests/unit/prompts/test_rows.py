from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codearena_plugin.errors import DataError
from codearena_plugin.prompts.rows import MAX_LITERAL_CHARS, guess_language, parse_row
from codearena_plugin.records import Category, Message

USER = [{"role": "user", "content": "Hi"}]
NASTY = "NUL \x00, lone \ud800, mixed\r\nends\rhere\n, \u202eright to left\u202c, {braces} %s"


def parsed(**fields: Any) -> Any:
    return parse_row({"id": "p", "messages": USER, **fields}, where="F:7")


def test_a_full_row_becomes_a_prompt() -> None:
    prompt = parse_row(
        {
            "id": "60670a8d",
            "messages": [{"role": "system", "content": "Be brief."}, *USER],
            "meta": {"parsed": {"task_type": ["nonsense", "web development"]}},
            "difficulty": "Hard",
            "programming_language": ["JavaScript", "html/css"],
            "gpt-4-turbo-2024-04-09_response": "A",
            "gpt-4o-2024-05-13_response": "B",
            "baseline": "C",
            "something": {"else": 1},
        },
        where="F:1",
    )
    assert prompt.id == "60670a8d"
    assert prompt.messages == (Message("system", "Be brief."), Message("user", "Hi"))
    assert prompt.languages == ("JavaScript", "HTML", "CSS")
    assert prompt.category == Category("Specialized Computing Areas", "Web, Mobile Development")
    assert prompt.difficulty == "hard"
    assert dict(prompt.baselines) == {"gpt-4-turbo-2024-04-09": "A", "gpt-4o-2024-05-13": "B", "baseline": "C"}


def test_the_barest_row_is_enough() -> None:
    prompt = parse_row({"messages": USER}, where="F:1")
    assert (prompt.languages, prompt.category, prompt.difficulty, dict(prompt.baselines)) == ((), None, None, {})


@pytest.mark.parametrize(
    "messages",
    [
        USER,
        json.dumps(USER),
        repr(USER),
        "  " + repr(USER) + "\n",
        [{"role": "user", "content": [{"type": "text", "text": "H"}, {"type": "text", "text": "i"}]}],
        [{"role": "user", "content": "Hi", "name": "x"}],
    ],
)
def test_messages_are_read_as_a_list_or_as_a_string_holding_one(messages: Any) -> None:
    assert parsed(messages=messages).messages == (Message("user", "Hi"),)


@pytest.mark.parametrize(
    ("messages", "field"),
    [
        (None, "messages"),
        ([], "messages"),
        ("Write a sort", "messages"),
        ("[{'role': 'user', 'content': open('x')}]", "messages"),
        ("[" * 5000, "messages"),
        ('"Hi"', "messages"),
        ({"role": "user", "content": "Hi"}, "messages"),
        ([{"role": "assistant", "content": "Hi"}], "messages"),
        (["Hi"], "messages[0]"),
        ([{"role": "robot", "content": "Hi"}], "messages[0].role"),
        ([{"content": "Hi"}], "messages[0].role"),
        ([{"role": ["user"], "content": "Hi"}], "messages[0].role"),
        ([*USER, {"role": "user", "content": None}], "messages[1].content"),
        ([{"role": "user", "content": [{"type": "image_url"}]}], "messages[0].content[0]"),
    ],
)
def test_bad_messages_are_an_error_that_names_the_place(messages: Any, field: str) -> None:
    with pytest.raises(DataError) as caught:
        parsed(messages=messages)
    assert str(caught.value).startswith(f"F:7: field {field!r}: got ")
    assert ", expected " in str(caught.value)
    assert len(str(caught.value)) < 300


def test_a_huge_python_literal_is_refused_and_huge_json_is_read() -> None:
    long = [{"role": "user", "content": "x" * MAX_LITERAL_CHARS}]
    with pytest.raises(DataError, match="messages"):
        parsed(messages=repr(long))
    assert parsed(messages=json.dumps(long)).messages[0].content == long[0]["content"]


def test_a_regular_expression_in_a_python_literal_warns_nobody() -> None:
    assert parsed(messages=r"[{'role': 'user', 'content': '\d+'}]").messages[0].content == r"\d+"


@pytest.mark.parametrize("wrap", [lambda rows: rows, json.dumps, repr])
def test_nasty_text_passes_through_unharmed(wrap: Any) -> None:
    prompt = parsed(messages=wrap([{"role": "user", "content": NASTY}]), m_response=NASTY)
    assert prompt.messages[0].content == NASTY
    assert prompt.baselines["m"] == NASTY


@given(st.text(alphabet=st.characters()))
def test_any_text_passes_through_unharmed(text: str) -> None:
    messages = [{"role": "user", "content": text}]
    for given_as in (messages, json.dumps(messages), repr(messages)):
        assert parsed(messages=given_as).messages[0].content == text


def test_a_missing_id_is_the_md5_of_the_messages() -> None:
    expected = hashlib.md5(b'[["user", "Hi"]]').hexdigest()
    assert parsed(id=None).id == expected
    assert parse_row({"messages": [{"role": "user", "content": "\ud800"}]}, where="F:1").id != expected


def test_a_whole_number_is_an_id() -> None:
    assert parsed(id=0).id == "0"


@pytest.mark.parametrize("given", ["", "  ", True, 1.5, ["x"]])
def test_a_bad_id_is_an_error(given: Any) -> None:
    with pytest.raises(DataError, match="F:7: field 'id': got "):
        parsed(id=given)


@pytest.mark.parametrize(
    ("given", "read"),
    [("easy", "easy"), ("Middle", "medium"), ("MEDIUM", "medium"), (" hard ", "hard"), (None, None), ("", None)],
)
def test_difficulty_is_read_in_any_casing(given: str | None, read: str | None) -> None:
    assert parsed(difficulty=given).difficulty == read


@pytest.mark.parametrize("given", ["impossible", 3, ["easy"]])
def test_an_unknown_difficulty_is_an_error(given: Any) -> None:
    with pytest.raises(DataError, match=r"F:7: field 'difficulty': got .* expected one of easy, medium, middle, hard"):
        parsed(difficulty=given)


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (None, ()),
        ("js", ("JavaScript",)),
        (["js", "ts"], ("JavaScript", "TypeScript")),
        ("['JavaScript']", ("JavaScript",)),
        ("general", ()),
        ([], ()),
    ],
)
def test_languages_are_read_as_a_list_or_as_text(given: Any, read: tuple[str, ...]) -> None:
    assert parsed(programming_language=given).languages == read


@pytest.mark.parametrize("given", [3, [3], {"a": 1}, "[3]"])
def test_languages_of_another_kind_are_an_error(given: Any) -> None:
    with pytest.raises(DataError, match="F:7: field 'programming_language': got "):
        parsed(programming_language=given)


@pytest.mark.parametrize(
    "fields",
    [
        {"meta": {"parsed": {"task_type": ["sql"]}}},
        {"meta": {"parsed": {"task_type": "sql"}}},
        {"meta": json.dumps({"parsed": {"task_type": ["sql"]}})},
        {"meta": repr({"parsed": {"task_type": ["sql"]}})},
        {"meta": {"parsed": json.dumps({"task_type": ["sql"]})}},
        {"meta": {"task_type": "sql"}},
        {"task_type": ["sql"]},
        {"task_type": "sql"},
        {"sub_class": "Database Management"},
        {"main_class": "Databases and Data Handling", "sub_class": "database management", "task_type": "game"},
    ],
)
def test_the_class_is_found_wherever_the_row_says_it(fields: dict[str, Any]) -> None:
    assert parsed(**fields).category == Category("Databases and Data Handling", "Database Management")


@pytest.mark.parametrize(
    "fields",
    [
        {"meta": None},
        {"meta": ""},
        {"meta": {}},
        {"meta": {"parsed": None}},
        {"meta": {"parsed": {"task_type": None}}},
        {"task_type": ["never heard of qwertz"]},
        {"main_class": "Nonsense", "sub_class": "Nonsense"},
        {"main_class": "Databases and Data Handling"},
    ],
)
def test_a_class_that_nobody_knows_leaves_the_prompt_unclassified(fields: dict[str, Any]) -> None:
    assert parsed(**fields).category is None


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"meta": 3}, "meta"),
        ({"meta": "{broken"}, "meta"),
        ({"meta": {"parsed": [1]}}, "meta.parsed"),
        ({"meta": {"parsed": {"task_type": 3}}}, "meta.parsed.task_type"),
        ({"task_type": [None]}, "task_type"),
        ({"sub_class": 3}, "sub_class"),
        ({"m_response": 3}, "m_response"),
        ({"baseline": ["x"]}, "baseline"),
        ({"natural_language": "ja"}, "natural_language"),
    ],
)
def test_a_field_of_the_wrong_kind_is_an_error_that_names_it(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(DataError, match=rf"^F:7: field '{field}': got "):
        parsed(**fields)


def test_a_users_mapping_overrules_what_the_row_states() -> None:
    theirs = Category("Databases and Data Handling", "Theirs")
    row = {"messages": USER, "task_type": "sql", "sub_class": "Security"}
    assert parse_row(row, where="F:1", mapping={"sql": theirs}).category == theirs
    stated = parse_row(row, where="F:1", mapping={}).category
    assert stated is not None
    assert stated.sub_class == "Security"
    assert parse_row({"messages": USER, "task_type": "sql"}, where="F:1", mapping={}).category is None


def test_a_null_baseline_is_a_missing_one() -> None:
    assert dict(parsed(a_response=None, b_response="").baselines) == {"b": ""}


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Write a function that reverses a list.", "en"),
        ("用 Python 写一个函数,把列表倒过来。", "zh"),
        ("写个排序", "zh"),
        ("请解释下面的代码:\n```python\n" + "def f(x):\n    return x\n" * 50 + "```", "zh"),
        ("Explain this code in detail, please:\n```python\nprint('你好世界你好世界')\n```", "en"),
        ("How do I print 你好世界 in the console of Windows with a C program compiled by gcc?", "en"),
        ("```python\nprint(1)\n```", "en"),
        ("```python\n# 打印这一行文字\n```", "zh"),
        ("", "en"),
        ("123 + 456", "en"),
    ],
)
def test_the_natural_language_is_read_off_the_script(text: str, language: str) -> None:
    assert guess_language((Message("user", text),)) == language
    assert parsed(messages=[{"role": "user", "content": text}]).natural_language == language


def test_a_stated_natural_language_wins() -> None:
    assert parsed(natural_language="Chinese").natural_language == "zh"
    assert parsed(natural_language="EN", messages=[{"role": "user", "content": "写个排序"}]).natural_language == "en"
