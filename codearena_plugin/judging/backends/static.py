"""The ``static`` back end: answers a judge request on the spot, by reading; no model, no network, it runs nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from codearena_plugin.judging.asking.request import JudgeRequest
from codearena_plugin.judging.backends.protocol import Backend, CallFailedError
from codearena_plugin.judging.static import NOTICE
from codearena_plugin.judging.static.compare import compare
from codearena_plugin.records import CallError, Reply, Usage
from codearena_plugin.syntax import parsing

MODEL = "static-1"
_TEXTS = ("question", "answer_a", "answer_b")
_GOOD = frozenset(("good_share_a", "good_share_b"))  # where the code was run


@dataclass(frozen=True, slots=True)
class _Task:
    question: str
    languages: tuple[str, ...]
    answer_a: str
    answer_b: str
    good_shares: tuple[float | None, float | None] | None


class StaticBackend:
    """The static judge behind the back end protocol."""

    @property
    def is_remote(self) -> bool:
        """Return ``False``: asking costs nothing but a few milliseconds."""
        return False

    async def ask(self, request: JudgeRequest) -> Reply:
        """Compare the two answers in the last user message, a JSON object as the ``static`` card writes it.

        Raises:
            CallFailedError: the message is no such object; asking again would not help.
        """
        task = _read(request)
        found = compare(task.question, task.languages, task.answer_a, task.answer_b, task.good_shares)
        lines = (NOTICE, *found.reasons, f"My final verdict is: [[{found.label}]]")
        served = f"{MODEL}+{parsing.parsers()}"  # another Python or pack reads code differently, and may judge so
        return Reply(text="\n".join(lines), finish_reason="stop", usage=Usage(), attempts=1, served_model=served)

    async def aclose(self) -> None:
        """Do nothing: there is nothing to release."""


def create(settings: object) -> Backend:
    """Return the back end; it has no settings."""
    del settings
    return StaticBackend()


def _read(request: JudgeRequest) -> _Task:
    contents = [message.content for message in request.messages if message.role == "user"]
    try:
        task: Any = json.loads(contents[-1]) if contents else None
    except (ValueError, RecursionError):
        task = None
    problem = _problem(task)
    if problem:
        message = (
            f"The static judge reads a JSON object in the last user message, but {problem}. "
            "Use it with the judge card 'static'."
        )
        raise CallFailedError(CallError("bad-request", message), is_retryable=False)
    shares = (task["good_share_a"], task["good_share_b"]) if task.keys() >= _GOOD else None
    return _Task(task["question"], tuple(task["languages"]), task["answer_a"], task["answer_b"], shares)


def _problem(task: Any) -> str:
    if not isinstance(task, dict):
        return "there is none"
    for key in _TEXTS:
        if not isinstance(task.get(key), str):
            return f"its {key!r} is missing or not a string"
    languages = task.get("languages")
    if not isinstance(languages, list) or not all(isinstance(name, str) for name in languages):
        return "its 'languages' is missing or not a list of strings"
    if any(not isinstance(task.get(key), int | float | None) for key in sorted(_GOOD)):
        return "a share of good code is no number"
    return ""
