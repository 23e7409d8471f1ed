"""Count how an answer is written: its length, its code, its comments, its Markdown.

A judge may prefer the longer or the more decorated answer. Peers control for the length and the Markdown of the whole
text (Li et al. 2024, "Does style matter?"; Dubois et al. 2024, arXiv:2404.04475); most of a code answer is code, so
here code and prose are measured apart, and comments are looked at too. Text in, counts out; linear in the length of
the text, whatever stands in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from codearena_plugin import fences
from codearena_plugin.style.comments import comment_lines


class Style(NamedTuple):
    """What was counted in one answer; whole numbers, none negative.

    Code is what stands between fences, prose all the rest; the fences themselves are neither.

    Attributes:
        code_chars: characters of code; white space at line ends and the line ends themselves are not counted.
        prose_chars: characters of prose, likewise; Markdown's own signs are among them.
        comment_lines: lines of code on which nothing but a comment stands (``comments.comment_lines``).
        code_lines: lines of code that are not blank.
        headings: ATX headings (``# …``) in the prose; underlined ones are more often a rule under a paragraph.
        list_items: items of bulleted and numbered lists in the prose.
        bold: pairs of ``**`` or ``__`` with text directly inside, outside inline code; one lower-case word between
            underscores is a name of Python's, such as ``__init__``.
        code_blocks: fenced blocks.
    """

    code_chars: int
    prose_chars: int
    comment_lines: int
    code_lines: int
    headings: int
    list_items: int
    bold: int
    code_blocks: int


FEATURES: tuple[str, ...] = (
    "code_length",
    "prose_length",
    "comment_share",
    "headings",
    "lists",
    "bold",
    "code_blocks",
)
"""Names of what ``contrasts`` returns, in its order."""

_HEADING = re.compile(r"#{1,6}[ \t]+\S")
_ITEM = re.compile(r"(?:[-*+]|[0-9]{1,9}[.)])[ \t]+\S")
_MARKS = re.compile(r"`+|\*{2,}|_{2,}")
_LONGEST_MARK = 3  # "***" opens bold and italics; a longer one is drawn, not meant
_DUNDER = re.compile(r"(?<!\w)__[a-z][a-z0-9_]*__(?!\w)")


def measure(markdown: str) -> Style:
    r"""Return the style of an answer; a reasoning trace is to be taken off before (``reasoning.strip_reasoning``).

    >>> measure("## Use `**`\n\n- **Fast**:\n\n```python\n# square\ny = x**2\n```\n")
    Style(code_chars=16, prose_chars=22, comment_lines=1, code_lines=2, headings=1, list_items=1, bold=1, code_blocks=1)
    """
    parts = fences.split(markdown)
    code_chars = code_lines = commented = 0
    for block in parts.blocks:
        lines = [line for whole in block.code.split("\n") if (line := whole.rstrip())]
        code_chars += sum(map(len, lines))
        code_lines += len(lines)
        commented += comment_lines(lines, block.language_tag)
    prose = [line.rstrip() for line in parts.prose.split("\n")]
    headings = list_items = 0
    for line in prose:
        if _is_heading(line):
            headings += 1
        elif _is_item(line):
            list_items += 1
    return Style(
        code_chars=code_chars,
        prose_chars=sum(map(len, prose)),
        comment_lines=commented,
        code_lines=code_lines,
        headings=headings,
        list_items=list_items,
        bold=_bold(prose),
        code_blocks=len(parts.blocks),
    )


def contrasts(answer: Style, baseline: Style) -> tuple[float, ...]:
    """Return one number per name in ``FEATURES``, each in [-1, 1], positive where the answer has more of it.

    Counts: (answer - baseline) / (answer + baseline), 0 where neither has any, so that one heading more weighs less
    among many (arena-hard-auto's normalisation). The comment share is a share already: the plain difference.

    >>> few, many = Style(30, 0, 0, 3, 0, 0, 1, 1), Style(10, 9, 1, 2, 0, 0, 3, 1)
    >>> contrasts(few, many)
    (0.5, -1.0, -0.5, 0.0, 0.0, -0.5, 0.0)
    """
    return (
        _contrast(answer.code_chars, baseline.code_chars),
        _contrast(answer.prose_chars, baseline.prose_chars),
        _share(answer) - _share(baseline),
        _contrast(answer.headings, baseline.headings),
        _contrast(answer.list_items, baseline.list_items),
        _contrast(answer.bold, baseline.bold),
        _contrast(answer.code_blocks, baseline.code_blocks),
    )


def _contrast(a: int, b: int) -> float:
    return (a - b) / (a + b) if a or b else 0.0


def _share(style: Style) -> float:
    return style.comment_lines / style.code_lines if style.code_lines else 0.0


def _is_heading(line: str) -> bool:
    bare = line.lstrip(" ")
    return bare.startswith("#") and len(line) - len(bare) <= 3 and _HEADING.match(bare) is not None


def _is_item(line: str) -> bool:
    bare = line.lstrip(" \t")
    return _ITEM.match(bare) is not None and not _is_rule(bare)


def _is_rule(line: str) -> bool:
    """Return whether a line is a rule such as ``* * *``, which begins like an item."""
    return line.startswith(("-", "*")) and line.count(line[0]) >= 3 and set(line) <= {line[0], " ", "\t"}


def _bold(prose: Sequence[str]) -> int:
    return sum(_bold_pairs(text) for text in _paragraphs(prose) if "**" in text or "__" in text)


def _paragraphs(prose: Sequence[str]) -> Iterator[str]:
    """Yield the texts across whose borders no pair reaches: paragraphs, headings, items."""
    together: list[str] = []
    for line in prose:
        is_heading = _is_heading(line)
        if not line or is_heading or _is_item(line):
            yield "\n".join(together)
            together = []
        if is_heading:
            yield line
        else:
            together.append(line)
    yield "\n".join(together)


def _bold_pairs(text: str) -> int:
    """Return how many pairs of marks have text directly inside; punctuation beside them does not matter.

    CommonMark's rules on punctuation undo ``**注意：**请`` and the like; the judge reads the source, which says bold.
    """
    text = f" {_DUNDER.sub('name', text)} "
    marks = [mark.group() for mark in _MARKS.finditer(text)]
    starts = [mark.start() for mark in _MARKS.finditer(text)]
    ends_of_code = _ends_of_inline_code(marks)
    opened = _Opened()
    n = at = 0
    while at < len(marks):
        mark, sign = marks[at], marks[at][0]
        before, after = text[starts[at] - 1], text[starts[at] + len(mark)]
        if sign == "`":
            at = ends_of_code.get(at, at)
        elif len(mark) <= _LONGEST_MARK and before != "\\":
            if _may_stand(sign, inside=before, outside=after) and opened.close(sign):
                n += 1
            elif _may_stand(sign, inside=after, outside=before):
                opened.open(sign)
        at += 1
    return n


def _may_stand(sign: str, *, inside: str, outside: str) -> bool:
    """Return whether a mark may open or close there: text on its inner side, for "__" none on its outer one."""
    return not inside.isspace() and not (sign == "_" and outside.isalnum())


def _ends_of_inline_code(marks: Sequence[str]) -> dict[int, int]:
    """Return, by their places in ``marks``, which run of backticks opens inline code and which one closes it."""
    ends: dict[int, int] = {}
    next_of_length: dict[int, int] = {}
    for at in range(len(marks) - 1, -1, -1):
        if marks[at][0] == "`":
            length = len(marks[at])
            if length in next_of_length:
                ends[at] = next_of_length[length]
            next_of_length[length] = at
    return ends


class _Opened:
    """The marks that are open at one place of a text, innermost last."""

    def __init__(self) -> None:
        self._signs: list[str] = []
        self._n = {"*": 0, "_": 0}

    def open(self, sign: str) -> None:
        self._signs.append(sign)
        self._n[sign] += 1

    def close(self, sign: str) -> bool:
        """Close the innermost one of this sign; what was opened inside it and not closed is open no more."""
        if not self._n[sign]:
            return False
        while True:
            last = self._signs.pop()
            self._n[last] -= 1
            if last == sign:
                return True
