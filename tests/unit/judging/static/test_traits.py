from __future__ import annotations

from dataclasses import asdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codearena_plugin.judging.static import guess, words
from codearena_plugin.judging.static.traits import Traits, read

QUESTION = "Write a Python function that merges two sorted lists into one sorted list."
GOOD = (
    "Walk both sorted lists once and always take the smaller head:\n\n"
    "```python\ndef merge(left, right):\n    return sorted(left + right)\n```\n\nIt takes linear time on sorted input."
)


def traits(answer: str, question: str = QUESTION, wanted: tuple[str, ...] = ("Python",)) -> Traits:
    return read(question, wanted, answer)


def test_a_good_answer_has_every_trait() -> None:
    found = traits(GOOD)
    assert (found.has_code, found.right_language, found.parses, found.complete, found.unrefused) == (1, 1, 1, 1, 1)
    assert found.same_language == 1
    assert found.concise == 1


def test_an_empty_answer_has_none() -> None:
    found = traits(" \n ")
    assert (found.has_code, found.complete, found.unrefused, found.concise, found.explained) == (0, 0, 0, 0, 0)
    assert (found.parses, found.right_language, found.same_language) == (None, None, None)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("```python\nx = 1\n```", 1.0),
        ("```\nx = 1\n```", 1.0),
        ("def f():\n    return 1\n\nimport os\nfor (;;) {", 0.7),
        ("Use `sorted(a + b)`.", 0.5),
        ("Sort them.", 0.0),
    ],
)
def test_code_counts_most_where_it_is_fenced(answer: str, expected: float) -> None:
    assert traits(answer).has_code == expected


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("What is the difference between a list and a tuple?", ("Python",)),
        ("Why is the sky blue?", ()),
        ("请帮我梳理一下设计思路,不需要写代码", ()),
        ("Explain recursion. No code, please.", ("Python",)),
    ],
)
def test_code_is_not_missed_where_nobody_asks_for_it(question: str, wanted: tuple[str, ...]) -> None:
    assert traits("Some words.", question, wanted).has_code is None


@pytest.mark.parametrize(
    ("fence", "wanted", "expected"),
    [
        ("python\nx = 1", ("Python",), 1.0),
        ("py\nx = 1", ("Python 3", "python"), 1.0),
        ("cpp\nint x;", ("C",), 0.75),
        ("ruby\nx = 1", ("Python",), 0.0),
        ("\n#include <stdio.h>\nint main(void) {}", ("C",), 1.0),
        ("gams\nx", ("GAMS",), 1.0),
        ("\n1 2 3", ("Python",), None),
        ("text\nout", ("Python",), None),
        ("python\nx = 1", ("general",), None),
        ("js\nconst r = /a/;", ("Regex",), None),
    ],
)
def test_the_language_is_read_off_the_tag_or_the_code(
    fence: str, wanted: tuple[str, ...], expected: float | None
) -> None:
    assert traits(f"```{fence}\n```", wanted=wanted).right_language == expected


def test_one_block_in_the_right_language_is_enough() -> None:
    assert traits("```bash\npip install x\n```\n```python\nimport x\n```").right_language == 1


def test_the_share_of_code_that_parses_is_by_length() -> None:
    assert traits("```python\nx = 1\n```\n```python\nx = (\n```").parses == 0.5


@pytest.mark.parametrize(
    "stub",
    [
        "# TODO: merge them",
        "# your code here",
        "// rest of the code",
        "...",
        "# ...",
        "# 其余代码省略",
        "raise NotImplementedError",
    ],
)
def test_a_stub_makes_code_incomplete(stub: str) -> None:
    assert traits(f"```python\ndef merge(a, b):\n    {stub}\n```").complete == 0.8


def test_a_stub_that_the_question_brought_along_is_no_fault() -> None:
    question = f"{QUESTION}\n```python\n# TODO: speed\n```"
    assert traits("```python\n# TODO: speed\nx = 1\n```", question).complete == 1


def test_the_dots_of_an_interactive_session_are_no_stub() -> None:
    assert traits("```python\n>>> for i in a:\n...     i\n...\n1\n```").complete == 1


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("```python\ndef merge(a, b):\n    result = ", 0.6),
        ("The idea is to walk both of the lists at the same time and to always take the smaller of the", 0.8),
        ("- a list item of quite some length does not have to end with a full stop at all, does it", 1.0),
    ],
)
def test_an_answer_that_is_cut_is_incomplete(answer: str, expected: float) -> None:
    assert traits(answer).complete == pytest.approx(expected)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("I'm sorry, but I can't help with that.", 0.0),
        ("I’m sorry, but I can’t assist with that request.", 0.0),
        ("抱歉,我无法提供这段代码。", 0.0),
        ("As an AI language model I cannot run it, but:\n```python\nx = 1\n```", 0.7),
        ("Sorry for the delay! Here it is.", 1.0),
        ("You cannot do this in one pass.", 1.0),
    ],
)
def test_a_refusal_is_one_that_both_refuses_and_excuses_itself(answer: str, expected: float) -> None:
    assert traits(answer).unrefused == expected


def test_the_topic_is_taken_up_in_english_and_chinese() -> None:
    on, off = traits(GOOD).on_topic, traits("Bake the bread at 200 degrees.").on_topic
    assert on is not None
    assert off == 0
    assert on > 0.5
    question = "请用冒泡排序对整数数组升序排列"
    assert traits("冒泡排序每次比较数组中相邻的整数。", question).on_topic == pytest.approx(0.48, abs=0.01)
    assert traits("今天天气很好。", question).on_topic == 0


@pytest.mark.parametrize(
    ("question", "answer", "expected"),
    [
        ("请用 Python 写一个函数,合并两个有序列表", "下面的函数合并两个列表。", 1.0),
        ("请用 Python 写一个函数,合并两个有序列表", "This function merges the two lists in linear time.", 0.0),
        (QUESTION, "下面的函数合并两个列表。", 0.0),
        ("Translate this comment to English: 排序两个有序的列表", "Sort the two ordered lists here.", None),
        (QUESTION, "```python\nx = 1\n```", None),
    ],
)
def test_the_answer_speaks_the_language_of_the_question(question: str, answer: str, expected: float | None) -> None:
    assert traits(answer, question).same_language == expected


def test_padding_costs_conciseness() -> None:
    filler = traits(f"Certainly! Great question! {GOOD}\nI hope this helps! Let me know if you have questions.").concise
    repeated = traits(GOOD + "\nThis sentence says the same thing again." * 40).concise
    droning = traits("word " * 3_000).concise
    assert filler == pytest.approx(0.7)
    assert repeated is not None
    assert repeated < 0.3
    assert droning is not None
    assert droning < 0.1


def test_explanation_counts_unless_code_alone_is_asked_for() -> None:
    assert traits("```python\nx = 1\n```").explained == 0
    assert traits("```python\nx = 1\n```", f"{QUESTION} Only code, no explanation.").explained is None
    assert traits("```python\nx = 1\n```", "写一个函数,只要代码").explained is None


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("import os\ndef f(x):\n    pass", "Python"),
        ("package main\n\nfunc main() {\n\tx := 1\n}", "Go"),
        ("fn main() {\n    let mut x = 1;\n}", "Rust"),
        ("SELECT a FROM b", "SQL"),
        ('{\n  "a": 1\n}', "JSON"),
        ("#!/bin/bash\nls", "Bash"),
        ("<?php\necho 1;", "PHP"),
        ("hello world", None),
        ("", None),
    ],
)
def test_an_untagged_block_is_guessed_by_telling_marks(code: str, name: str | None) -> None:
    assert guess.guess(code) == name


@settings(max_examples=150, deadline=None)
@given(st.text(), st.lists(st.text(max_size=12), max_size=3), st.text())
def test_reading_never_raises_and_stays_between_0_and_1(question: str, wanted: list[str], answer: str) -> None:
    for value in asdict(read(question, wanted, answer)).values():
        assert value is None or 0.0 <= value <= 1.0


def test_terms_are_bounded() -> None:
    assert len(words.terms("".join(f"name{i} " for i in range(1_000)), at_most=60)) == 60
