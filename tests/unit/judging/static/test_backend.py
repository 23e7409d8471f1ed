from __future__ import annotations

import asyncio
import json

import pytest

from codearena_plugin.judging.asking.request import JudgeRequest
from codearena_plugin.judging.backends.protocol import CallFailedError
from codearena_plugin.judging.backends.static import create
from codearena_plugin.judging.static import NOTICE
from codearena_plugin.records import Message, Reply
from codearena_plugin.syntax import parsing

TASK = {"question": "Add two numbers", "languages": ["Python"], "answer_a": "```python\na + b\n```", "answer_b": ""}


def ask(*messages: Message) -> Reply:
    return asyncio.run(create(None).ask(JudgeRequest("static@1-A", "static", messages, {})))


def user(content: object) -> Message:
    return Message("user", content if isinstance(content, str) else json.dumps(content))


def test_the_reply_opens_with_the_notice_and_closes_with_the_verdict() -> None:
    reply = ask(Message("system", "x"), user(TASK))
    first, *_, last = reply.text.splitlines()
    assert (first, last) == (NOTICE, "My final verdict is: [[A>>B]]")
    assert (reply.finish_reason, reply.attempts, reply.error) == ("stop", 1, None)
    assert reply.text.count("[[") == 1


@pytest.mark.parametrize("parsers", ["python-3.10", "python-3.13+tree-sitter-0.13"])
def test_the_reply_says_what_read_the_code_because_verdicts_depend_on_it(
    parsers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parsing, "parsers", lambda: parsers)
    assert ask(user(TASK)).served_model == f"static-1+{parsers}"


def test_the_last_user_message_is_the_one_that_is_read() -> None:
    swapped = TASK | {"answer_a": TASK["answer_b"], "answer_b": TASK["answer_a"]}
    reply = ask(user(TASK), Message("assistant", "hm"), user(swapped), Message("assistant", "{}"))
    assert reply.text.endswith("[[B>>A]]")


def test_the_same_request_gets_the_same_reply() -> None:
    assert ask(user(TASK)) == ask(user(TASK))


def test_it_is_not_remote_and_closes_without_ado() -> None:
    backend = create({"anything": 1})
    assert backend.is_remote is False
    asyncio.run(backend.aclose())


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("Say OK.", "there is none"),
        ("", "there is none"),
        ("[1]", "there is none"),
        ("[" * 100_000, "there is none"),
        ({"question": "q"}, "'answer_a' is missing"),
        (TASK | {"answer_b": None}, "'answer_b' is missing or not a string"),
        (TASK | {"languages": "Python"}, "'languages' is missing or not a list"),
        (TASK | {"languages": [1]}, "'languages' is missing or not a list"),
    ],
)
def test_a_message_of_another_shape_is_a_bad_request_that_is_not_tried_again(content: object, problem: str) -> None:
    with pytest.raises(CallFailedError) as caught:
        ask(user(content))
    assert caught.value.error.kind == "bad-request"
    assert not caught.value.is_retryable
    assert problem in caught.value.error.message
    assert "judge card 'static'" in caught.value.error.message


def test_no_user_message_at_all_is_a_bad_request_too() -> None:
    with pytest.raises(CallFailedError, match="bad-request"):
        ask(Message("system", json.dumps(TASK)))


def test_lone_surrogates_in_an_answer_are_judged() -> None:
    assert "verdict" in ask(user(TASK | {"answer_b": "\ud800 \0"})).text
