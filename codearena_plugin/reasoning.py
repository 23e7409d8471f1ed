"""Reasoning traces: what a model thought aloud is not part of its answer."""

from __future__ import annotations

import re

_OPEN, _CLOSE = "<think>", "</think>"
# a quote beside the tag marks a mention ('text.split("</think>")'), not a trace; code answers do talk about such tags
_BARE_CLOSE = re.compile(r"(?<![\"'`*?])</think>(?![\"'`])")
_OPEN_OR_FENCE = re.compile(
    r"(?:^|(?<=</think>))[ \t]*(?:(?P<open><think>)|(?P<fence>`{3,}|~{3,})(?P<info>.*))", re.MULTILINE
)


def strip_reasoning(text: str) -> tuple[str, bool]:
    r"""Return the text without ``<think>…</think>``, and whether anything was removed.

    A trace begins at the start of a line outside a fenced block; one that is never closed (the answer was cut) reaches
    to the end. A ``</think>`` without an opening tag ends a trace that the chat template opened: all before it goes.
    Text without a trace comes back unchanged, character for character.

    >>> strip_reasoning("<think>hm</think>\n\nUse a list.")
    ('Use a list.', True)
    >>> strip_reasoning("hm</think>Use a list.")
    ('Use a list.', True)
    >>> strip_reasoning("<think>hm")
    ('', True)
    """
    headless = _BARE_CLOSE.search(text)
    at = headless.end() if headless and _OPEN not in text[: headless.start()] else 0
    kept, removed = [], at > 0
    while (begin := _trace_start(text, at)) is not None:
        removed = True
        kept.append(text[at:begin])
        close = text.find(_CLOSE, begin)
        at = len(text) if close < 0 else close + len(_CLOSE)
    if not removed:
        return text, False
    return "".join([*kept, text[at:].lstrip()]), True


def _trace_start(text: str, at: int) -> int | None:
    fence = ""
    for found in _OPEN_OR_FENCE.finditer(text, at):
        if found["open"]:
            if not fence:
                return found.start("open")
        elif not fence:
            fence = found["fence"]
        elif found["fence"].startswith(fence) and not found["info"].strip():
            fence = ""
    return None
