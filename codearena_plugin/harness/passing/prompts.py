"""What a model is asked: a problem as a document, its conversation, and the beginning of an answer."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

from codearena_plugin.execution.evalplus.problems import Problem
from codearena_plugin.execution.evalplus.run import base_prompt, chat_messages, chat_prefill
from codearena_plugin.harness.arrow import text_for_arrow

Prefill: TypeAlias = Literal["yes", "no: turned off", "no: the chat template or API does not take one"]
PREFILL = "codearena_prefill"
CHAT_STOPS = ("\n```\n",)
"""Where an answer ends that we have begun: with the code block."""

_OFF = ("false", "0", "no")


def document_of(problem: Problem) -> dict[str, Any]:
    """Return a problem as a document of a harness; ``id`` is its name."""
    messages = chat_messages(problem)
    return {
        "id": problem.task_id,
        "question": text_for_arrow(messages[-1].content),
        "messages": [{"role": turn.role, "content": text_for_arrow(turn.content)} for turn in messages],
        "prefill": text_for_arrow(chat_prefill(problem)),
        "completed": text_for_arrow(base_prompt(problem)),
        "entry_point": problem.entry_point,
        "canonical": text_for_arrow(problem.canonical),
    }


def conversation_of(doc: Mapping[str, Any], system: str | None, *, begun: bool) -> list[dict[str, str]]:
    """Return the turns of a document, with the user's system text, and with the answer begun for the model."""
    turns = [{"role": turn["role"], "content": turn["content"]} for turn in doc["messages"]]
    before = [{"role": "system", "content": system}] if system else []
    after = [{"role": "assistant", "content": doc["prefill"]}] if begun else []
    return [*before, *turns, *after]


def prefill_for(
    doc: Mapping[str, Any], template: Callable[..., Any] | None, system: str | None, options: Mapping[str, Any]
) -> Prefill:
    """Return whether answers can be begun for the model, tried out on one document.

    A conversation that goes to a server ends there with a turn of its own, so nothing can be begun; some chat
    templates drop, close or refuse a turn that is not finished.

    Args:
        doc: any of the documents.
        template: renders turns with ``add_generation_prompt``; ``None``: the model sees plain text.
        system: the user's system text.
        options: ``codearena_prefill`` turns it off, for models that must think before they write.
    """
    if str(options.get(PREFILL, os.environ.get(PREFILL.upper(), ""))).lower() in _OFF:
        return "no: turned off"
    if template is None:
        return "yes"
    try:
        rendered = template(conversation_of(doc, system, begun=True), add_generation_prompt=False)
    except Exception:  # the boundary to strangers' templates
        logging.getLogger("lm_eval.codearena").debug("the chat template takes no begun answer", exc_info=True)
        rendered = None
    if isinstance(rendered, str) and rendered.rstrip().endswith(doc["prefill"].rstrip()):
        return "yes"
    return "no: the chat template or API does not take one"


def takes_text(template: Callable[..., Any]) -> bool:
    """Return whether a model's chat template makes text of turns; for a chat API turns stay turns."""
    try:
        return isinstance(template([{"role": "user", "content": "Hello"}], add_generation_prompt=True), str)
    except Exception:  # the boundary to strangers' templates
        return True
