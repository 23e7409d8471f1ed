"""Read a verdict from what a judge said.

Default reading: reasoning traces are taken out, and the last complete label of the last reply binds, so that a label
quoted from a candidate earlier in the text cannot. Only a reply that was finished is read: where the server gives
another reason for its end, or none and text follows the label, the verdict may have been still to come. What cannot be
read is typed, never guessed.

Reference reading: as the published script reads (Qwen2.5-Coder ``judge_models.py``): all text of all replies together
must hold exactly one distinct bracketed value. It exists to compare with published numbers.
"""

from __future__ import annotations

import re
from collections import Counter
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

# Why a reply ended, in the words of OpenAI, vLLM, Anthropic, Gemini, Mistral, TGI and their proxies, in lower case.
_FINISHED = {"stop", "stop_sequence", "eos", "eos_token", "end_turn", "completed", "done"}
_CUT = {
    "length",
    "max_tokens",
    "max_length",
    "max_new_tokens",
    "max_output_tokens",
    "model_length",
    "model_context_window_exceeded",
}
_FILTERED = {"content_filter", "content_filtered", "safety", "refusal", "recitation", "prohibited_content", "blocklist"}

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
    if _is_filtered(replies[-1]):  # it would say the same again; a judge's own "I can't" may be a turn of phrase
        return False
    return not _LABEL.search(_visible(replies[-1].text))


def _failed(error: CallError) -> Verdict:
    return Verdict(_STATUS_OF_ERROR.get(error.kind, "transport-error"), reason=f"{error.kind}: {error.message}")


def _read_default(reply: Reply) -> Verdict:
    return _unfinished(reply) or _read_text(_visible(reply.text), is_known_whole=bool(_ended(reply)))


def _unfinished(reply: Reply) -> Verdict | None:
    """Return the verdict that the end of a reply makes, whatever it says; ``None`` where it may be read."""
    if _is_filtered(reply):
        return Verdict("refused", reason=reply.refusal or "stopped by the server's content filter")
    ended = _ended(reply)
    if ended in _CUT:
        return Verdict("truncated", reason="the reply was cut at the token limit")
    if ended and ended not in _FINISHED:
        return Verdict("unparsable", reason=f"finish reason {reply.finish_reason!r}")
    return None


def _read_text(visible: str, *, is_known_whole: bool) -> Verdict:
    closing = _closing_labels(visible)
    if len(closing) > 1:
        return Verdict("conflicting", reason=f"the closing statement names {', '.join(sorted(closing))}")
    if closing and not is_known_whole and not _LABEL.search(_last_line(visible)):
        return Verdict(
            "unparsable", reason="no label in the last line, and the server does not say why the reply ended"
        )
    if closing:
        return Verdict("scored", label=closing.pop())
    if _REFUSAL.match(visible):
        return Verdict("refused", reason="the judge declined")
    return Verdict("unparsable", reason="empty reply" if not visible.strip() else "no label in the reply")


def _is_filtered(reply: Reply) -> bool:
    return bool(reply.refusal) or _ended(reply) in _FILTERED


def _ended(reply: Reply) -> str:
    """Return why a reply ended, in lower case; empty where nobody said."""
    return (reply.finish_reason or "").lower()


def _visible(text: str) -> str:
    """Return what a judge said after its last trace: stricter than for answers, a label thought aloud must not bind."""
    return strip_reasoning(text.rpartition("</think>")[2])[0]


def _closing_labels(text: str) -> set[Label]:
    """Return the labels of the closing statement: one for a decision, several where it names several.

    The closing statement is the last line that holds a label. Where that line ends a block of neighbouring lines
    (empty ones aside) that together list three or more labels, and says none of them again, it is the list of choices
    repeated, and the whole block counts. So it does where the list was repeated twice.
    """
    lines = text.splitlines()
    last = next((i for i in range(len(lines) - 1, -1, -1) if _LABEL.search(lines[i])), None)
    if last is None:
        return set()
    closing = set(_LABEL.findall(lines[last]))
    if len(closing) == 1:
        before: Counter[str] = Counter()
        for line in reversed(lines[:last]):
            found = _LABEL.findall(line)
            if not found and line.strip():
                break
            before.update(found)
        block = before + Counter(closing)
        says_nothing_new = closing.isdisjoint(before) or len(set(block.values())) == 1
        if len(block) >= _MENU_SIZE and says_nothing_new:
            closing = set(block)
    return cast("set[Label]", closing)


def _last_line(text: str) -> str:
    return next((line for line in reversed(text.splitlines()) if line.strip()), "")


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
