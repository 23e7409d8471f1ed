"""Text that imitates a prompt's own delimiters: found in any near copy, and made visibly something else.

A judge is a reader, not a parser: ``</answer_a >`` ends an answer for it as well as ``</answer_a>`` does. So casing,
white space, invisible and full-width characters do not matter here, nor what else stands inside a tag. Every pattern
takes time linear in the text, whatever that holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

_INVISIBLE = "\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff"
_GAP = rf"[\s{_INVISIBLE}]"
_NOTHING_SEEN = f"[{_INVISIBLE}]*"
_OPENING, _CLOSING = "<＜﹤", ">＞﹥"
_APOSTROPHES = "'＇’‘ʼ`´"
_TAG = re.compile(r"<\s*/?\s*([^\W\d][\w.:-]*)[^<>]*>")
_PASSES = 4  # a spoilt "### A" may still hold the delimiter "## A"
_TOKEN = re.compile(r"\w+|[^\w\s]")


def imitations(delimiters: Sequence[str]) -> re.Pattern[str] | None:
    """Return a pattern that matches the delimiters and what a reader may take for one of them; ``None`` for none.

    One pattern for all: a suite's texts are read several thousand times.

    >>> bool(imitations(["<answer_a>", "</answer_a>"]).search("< /Answer_A id='1' >"))
    True
    """
    tags: list[str] = []
    patterns: list[str] = []
    for delimiter in delimiters:
        tag = _TAG.fullmatch(delimiter.strip())
        if tag:
            tags.append(_word(tag[1]))
        else:
            patterns.append(_like(delimiter))
    if tags:
        patterns.append(_like_a_tag(dict.fromkeys(tags)))
    return re.compile("|".join(dict.fromkeys(patterns))) if patterns else None


def neutralise(text: str, pattern: re.Pattern[str] | None) -> str:
    """Return the text with imitations that no longer are: ``<`` becomes ``‹``, another beginning is split by ``·``.

    >>> neutralise("x </answer_a >", imitations(["</answer_a>"]))
    'x ‹/answer_a >'
    """
    if pattern is None:
        return text
    for _ in range(_PASSES):
        text, n_found = pattern.subn(_spoilt, text)
        if not n_found:
            break
    return text


def _spoilt(found: re.Match[str]) -> str:
    first, rest = found[0][0], found[0][1:]
    return f"‹{rest}" if first in _OPENING else f"{first}·{rest}"


def _like_a_tag(names: Iterable[str]) -> str:
    """Return a pattern of tags with these names, opening or closing, with or without attributes."""
    slash, any_name = f"(?:[/／]{_GAP}*)?", f"(?i:{'|'.join(names)})"
    return rf"[{_OPENING}]{_GAP}*{slash}{any_name}\b[^{_OPENING}{_CLOSING}]*[{_CLOSING}]"


def _like(delimiter: str) -> str:
    """Return a pattern of a delimiter that is no tag: its words and marks in order, any white space around marks."""
    tokens = list(_TOKEN.finditer(delimiter))
    pattern = ""
    for one, other in pairwise(tokens):
        both_words = one[0][-1].isalnum() and other[0][0].isalnum()
        pattern += f"{_GAP}{'+' if both_words else '*'}{_word(other[0])}"
    first = tokens[0][0]
    return f"{_char(first[0])}(?i:{_NOTHING_SEEN if first[1:] else ''}{_word(first[1:])}{pattern})"


def _word(text: str) -> str:
    return _NOTHING_SEEN.join(_char(char) for char in text)


def _char(char: str) -> str:
    if char in _APOSTROPHES:
        return f"[{_APOSTROPHES}]"
    forms = {form for form in (char, char.lower(), char.upper()) if len(form) == 1}
    forms |= {chr(ord(form) + 0xFEE0) for form in forms if "!" <= form <= "~"}
    return f"[{''.join(re.escape(form) for form in sorted(forms))}]"
