from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codearena_plugin.reasoning import strip_reasoning


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("<think>plan</think>Answer", "Answer"),
        ("<think>\nplan\n</think>\n\nAnswer\n", "Answer\n"),
        ("<think></think>\n\nAnswer", "Answer"),
        ("  <think>plan</think> Answer", "  Answer"),
        ("<think>a</think><think>b</think>Answer", "Answer"),
        ("First.\n<think>b</think>\nSecond.", "First.\nSecond."),
        ("<think>```py\nx\n``` and so on</think>Answer", "Answer"),
        ("<think>cut off in mid-th", ""),
        ("Answer\n<think>cut off", "Answer\n"),
        ("plan of a template that opened the tag\n</think>\n\nAnswer", "Answer"),
        ("</think>Answer", "Answer"),
    ],
)
def test_a_trace_is_removed_and_flagged(text: str, rest: str) -> None:
    assert strip_reasoning(text) == (rest, True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n  plain answer  \n",
        'Use `text.split("</think>")[-1]` to drop it.',
        "Use re.sub(r'<think>.*?</think>', '', text).",
        "The tag `<think>` opens a trace.",
        "Example:\n```xml\n<think>\nhm\n</think>\n```\nThat is all.",
    ],
)
def test_an_answer_that_only_talks_about_the_tags_is_left_alone(text: str) -> None:
    assert strip_reasoning(text) == (text, False)


@given(st.text())
def test_text_without_tags_is_unchanged(text: str) -> None:
    if "think>" not in text:
        assert strip_reasoning(text) == (text, False)


@given(st.text(alphabet="ab \n"), st.text(alphabet="cd \n", min_size=1))
def test_a_leading_trace_leaves_exactly_the_answer(trace: str, answer: str) -> None:
    assert strip_reasoning(f"<think>{trace}</think>{answer}") == (answer.lstrip(), True)


@pytest.mark.parametrize("piece", ["<think></think>\n", "<think>", "</think>", "```\n<think>\n", "`</think>`"])
def test_a_megabyte_of_tags_takes_no_time(piece: str) -> None:
    begin = time.process_time()
    strip_reasoning(piece * (1_000_000 // len(piece)))
    assert time.process_time() - begin < 5
