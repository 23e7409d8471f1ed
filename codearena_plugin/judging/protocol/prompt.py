"""Build what the judge is shown, with hostile text in it.

Templates are cut at their placeholders once and joined with the texts: nothing in a candidate's text is ever a
template. Text that carries a verdict label is neutralised by a space in it, text that imitates the prompt's own
delimiters, however nearly, by another first character (``delimiters``): a reader sees it, and neither reader nor parser
takes it for the real thing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from codearena_plugin.judging.protocol.card import JudgeCard, PromptTexts
from codearena_plugin.judging.protocol.delimiters import neutralise
from codearena_plugin.judging.protocol.evidence import SideEvidence
from codearena_plugin.records import Message

_LABEL_OPENING = re.compile(r"\[(?=\[\s*[AB]\s*[<>=]{1,2}\s*[AB]\s*\]\])")
_UNSENDABLE = re.compile("[\x00\ud800-\udfff]")  # NUL and lone surrogates: judge servers refuse them


def build_messages(  # noqa: PLR0913, PLR0917  everything that a judge is shown, by name
    card: JudgeCard,
    texts: PromptTexts,
    question: Sequence[Message],
    answer_a: str,
    answer_b: str,
    languages: Sequence[str] = (),
    evidence: tuple[SideEvidence, SideEvidence] | None = None,
) -> tuple[Message, ...]:
    """Return the first request's messages for one game: the card's system prompt, then the filled user prompt.

    Args:
        evidence: of A and of B; left out where the card shows none.
    """
    asked = question[:1] if card.prompt.question == "first" else question
    values = {
        "question": clean(render_question(asked), card),
        "answer_a": clean(answer_a, card),
        "answer_b": clean(answer_b, card),
    }
    shown = dict(zip("ab", evidence, strict=True)) if evidence and card.prompt.evidence != "none" else {}
    values |= {f"evidence_{name}": clean(side.text, card) for name, side in shown.items()}
    if card.prompt.format == "json":
        good = {f"good_share_{name}": side.good_share for name, side in shown.items()}
        user = json.dumps({**values, **good, "languages": list(languages)}, ensure_ascii=False)
    else:
        user = fill(texts.user, {mark: values[part] for part, mark in card.prompt.marks.items()})
    system = (Message("system", texts.system),) if texts.system else ()
    return (*system, Message("user", user))


def continue_messages(texts: PromptTexts, messages: Sequence[Message], reply: str) -> tuple[Message, ...]:
    """Return the messages that ask a judge to finish a reply which named no label.

    An empty reply cannot stand as a turn (servers refuse it): the question is put again, with the request at its end.
    """
    if reply.strip():
        said = Message("assistant", _UNSENDABLE.sub("\ufffd", reply))
        return (*messages, said, Message("user", texts.continuation))
    *before, last = messages
    return (*before, Message(last.role, f"{last.content}\n\n{texts.continuation}"))


def render_question(messages: Sequence[Message]) -> str:
    """Return the conversation as one text: a lone user turn as it is, several turns under their role's name."""
    if len(messages) == 1:
        return messages[0].content
    return "\n\n".join(f"[{message.role}]\n{message.content}" for message in messages)


def clean(text: str, card: JudgeCard) -> str:
    """Return candidate text that can be sent and cannot pass for the prompt's own delimiters or a verdict."""
    text = _UNSENDABLE.sub("\ufffd", text)
    text = _LABEL_OPENING.sub("[ ", text)
    return neutralise(text, card.delimiter_pattern)


def fill(template: str, values: Mapping[str, str]) -> str:
    """Return the template with each placeholder replaced, in one pass: values are never searched.

    >>> fill("Q: {q} A: {a}", {"{q}": "what is {a}?", "{a}": "{q}"})
    'Q: what is {a}? A: {q}'
    """
    cut = re.compile("|".join(re.escape(placeholder) for placeholder in values))
    return cut.sub(lambda found: values[found[0]], template)
