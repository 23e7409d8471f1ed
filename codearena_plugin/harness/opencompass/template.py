"""The prompt as OpenCompass passes it to a model: the conversation as it is, nothing in it a template.

OpenCompass' own template replaces ``{column}`` in the text for every column of the row, one after the other, so that a
question about f-strings comes out with answers in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opencompass.openicl.icl_prompt_template import PromptTemplate
from opencompass.utils.prompt import PromptList

_ROLES = {"user": "HUMAN", "assistant": "BOT", "system": "SYSTEM"}


class ColumnTemplate(PromptTemplate):  # type: ignore[misc]
    """Gives one column of a row to the model; say which, and in what form."""

    column: str

    def __init__(self) -> None:
        super().__init__(template=f"{{{self.column}}}")

    def given(self, value: Any) -> Any:
        """Return the value of the column as the model takes it."""
        raise NotImplementedError

    def generate_item(self, entry: Mapping[str, Any], *_: Any, **__: Any) -> Any:
        """Return what a row asks."""
        return self.given(entry[self.column])

    generate_ice_item = generate_item
    generate_label_prompt_item = generate_item


class ConversationTemplate(ColumnTemplate):
    """Gives the turns of a row's ``messages`` to the model's own template."""

    column = "messages"

    def given(self, value: Sequence[Mapping[str, str]]) -> PromptList:
        """Return the conversation."""
        return conversation(value)


def conversation(messages: Sequence[Mapping[str, str]]) -> PromptList:
    """Return turns (``role``, ``content``) in OpenCompass' form, for models that wrap them in their ``meta_template``.

    A model without a role for the system speaks it as the user.
    """
    turns = [_turn(message) for message in messages]
    system = [turn for turn in turns if turn["role"] == "SYSTEM"]
    rest = [turn for turn in turns if turn["role"] != "SYSTEM"]
    return PromptList([*_section("begin", system), *_section("round", rest)])


def _section(name: str, turns: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    if not turns:
        return []
    return [{"section": name, "pos": "begin"}, *turns, {"section": name, "pos": "end"}]


def _turn(message: Mapping[str, str]) -> dict[str, str]:
    turn = {"role": _ROLES[message["role"]], "prompt": message["content"]}
    return turn | {"fallback_role": "HUMAN"} if turn["role"] == "SYSTEM" else turn
