"""Read a verdict from what a judge said.

Default reading: reasoning traces are taken out, and the last complete label of the last reply binds, so that a label
quoted from a candidate earlier in the text cannot. What cannot be read is typed, never guessed.

Reference reading: as the published script reads (Qwen2.5-Coder ``judge_models.py``): all text of all replies together
must hold exactly one distinct bracketed value. It exists to compare with published numbers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import cast

from codearena_plugin.reasoning import strip_reasoning
from codearena_plugin.records import CallError, Label, ReadingMode, Reply, Status, Verdict

_LABEL = re.compile(r"\[\[\s*(A>>B|A>B|A=B|B>A|B>>A)\s*\]\]")
_REFERENCE_LABEL = re.compile(r"\[\[([AB<>=]+)\]\]")
_REFUSAL = re.compile(
    r"\A\W*(?:i['’]?m sorry|i am sorry|sorry,|i (?:can(?:no|['’])t|am unable to|won['’]t)|as an ai\b|"
    r"抱歉|很抱歉|对不起)",
    re.IGNORECASE,
)
_MENU_SIZE = 3  # so many different labels on neighbouring lines are the list of choices, not a decision

_STATUS_OF_ERROR: dict[str, Status] = {"context-length": "skipped", "not-asked": "skipped"}


def read_verdict(replies: Sequence[Reply], *, mode: ReadingMode = "default") -> Verdict:
    """Return the verdict of one game from its replies, first try first.

    A game whose last call failed has that failure as its verdict in either mode: scoring decides what it is worth.
    """
    if not replies:
        return Verdict("skipped", reason="nothing was asked")
    error = replies[-1].error
    if error is not None:
        return _failed(error)
    return _read_reference(replies) if mode == "reference" else _read_default(replies[-1])


def wants_continuation(replies: Sequence[Reply], *, mode: ReadingMode = "default") -> bool:
    """Return whether the judge should be asked to finish: it answered, and named no label at all."""
    if not replies or replies[-1].error is not None:
        return False
    if mode == "reference":
        return not _REFERENCE_LABEL.search("\n".join(reply.text for reply in replies))
    verdict = _read_default(replies[-1])
    if verdict.status == "refused":  # a filter would say the same again; a judge's "I can't" may be a turn of phrase
        return not _is_filtered(replies[-1])
    return verdict.status == "unparsable" or (
        verdict.status == "truncated" and not _LABEL.search(_visible(replies[-1].text))
    )


def _failed(error: CallError) -> Verdict:
    return Verdict(_STATUS_OF_ERROR.get(error.kind, "transport-error"), reason=f"{error.kind}: {error.message}")


def _read_default(reply: Reply) -> Verdict:
    if _is_filtered(reply):
        return Verdict("refused", reason=reply.refusal or "stopped by the server's content filter")
    if reply.finish_reason == "length":
        return Verdict("truncated", reason="the reply was cut at the token limit")
    visible = _visible(reply.text)
    closing = _closing_labels(visible)
    if len(closing) == 1:
        return Verdict("scored", label=closing.pop())
    if closing:
        return Verdict("conflicting", reason=f"the closing statement names {', '.join(sorted(closing))}")
    if _REFUSAL.match(visible):
        return Verdict("refused", reason="the judge declined")
    return Verdict("unparsable", reason="empty reply" if not visible.strip() else "no label in the reply")


def _is_filtered(reply: Reply) -> bool:
    return bool(reply.refusal) or reply.finish_reason == "content_filter"


def _visible(text: str) -> str:
    """Return what a judge said after its last trace: stricter than for answers, a label thought aloud must not bind."""
    return strip_reasoning(text.rpartition("</think>")[2])[0]


def _closing_labels(text: str) -> set[Label]:
    """Return the labels of the closing statement: one for a decision, several where it names several.

    The closing statement is the last line that holds a label. Where that line ends a block of neighbouring lines
    that together list three or more labels, it is the list of choices repeated, and the whole block counts.
    """
    lines = text.splitlines()
    last = next((i for i in range(len(lines) - 1, -1, -1) if _LABEL.search(lines[i])), None)
    if last is None:
        return set()
    closing = set(_LABEL.findall(lines[last]))
    if len(closing) == 1:
        block = set(closing)
        for line in reversed(lines[:last]):
            found = _LABEL.findall(line)
            if not found:
                break
            block.update(found)
        if len(block) >= _MENU_SIZE:
            closing = block
    return cast("set[Label]", closing)


def _read_reference(replies: Sequence[Reply]) -> Verdict:
    values = set(_REFERENCE_LABEL.findall("\n".join(reply.text for reply in replies)))
    if not values:
        return Verdict("unparsable", reason="reference: no bracketed value")
    if len(values) > 1:
        return Verdict("conflicting", reason=f"reference: {len(values)} different bracketed values")
    (value,) = values
    if not _LABEL.fullmatch(f"[[{value}]]"):
        return Verdict("unparsable", reason=f"reference: {value!r} is none of the five labels")
    return Verdict("scored", label=cast("Label", value))
