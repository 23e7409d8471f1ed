"""Take the fenced code blocks out of a Markdown answer.

CommonMark's rules, with one tolerance: a fence may be indented by any amount, as it is inside a list.
Linear in the length of the text; no regular expression looks at it.
"""

from __future__ import annotations

from dataclasses import dataclass

_SHORTEST_FENCE = 3
_LONGEST_TAG = 40


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block.

    Attributes:
        language_tag: first word of the info string in lower case, ``""`` where there is none.
        code: the lines between the fences, without the indentation of the opening fence.
        is_closed: the closing fence was there.
    """

    language_tag: str
    code: str
    is_closed: bool


@dataclass(frozen=True, slots=True)
class Parts:
    """A Markdown text, taken apart: what stands outside its fences, and its blocks in order."""

    prose: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class _Fence:
    marker: str
    length: int
    indent: int
    info: str

    def is_closed_by(self, line: str) -> bool:
        other = _fence(line)
        return other is not None and other.marker == self.marker and other.length >= self.length and not other.info


def split(markdown: str) -> Parts:
    r"""Return the text outside the fences and the blocks.

    >>> split("Run it:\n```python\nprint(1)\n```\nDone.")
    Parts(prose='Run it:\nDone.', blocks=(Block(language_tag='python', code='print(1)', is_closed=True),))
    """
    prose: list[str] = []
    found: list[Block] = []
    fence: _Fence | None = None
    inside: list[str] = []
    for line in markdown.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if fence is None:
            fence = _fence(line)
            if fence is None:
                prose.append(line)
        elif fence.is_closed_by(line):
            found.append(Block(tag(fence.info), "\n".join(inside), is_closed=True))
            fence, inside = None, []
        else:
            inside.append(_without_indent(line, fence.indent))
    if fence is not None and (fence.info or any(line.strip() for line in inside)):  # else: one stray closing fence
        found.append(Block(tag(fence.info), "\n".join(inside), is_closed=False))
    return Parts("\n".join(prose), tuple(found))


def tag(info: str) -> str:
    """Return the language tag of an info string.

    >>> [tag(info) for info in ("Python", "{.r echo=FALSE}", "js:src/a.js {1,3}", "c++ title=x", "")]
    ['python', 'r', 'js', 'c++', '']
    """
    words = info[:_LONGEST_TAG].strip().lstrip("{. ").lower().split(maxsplit=1)
    if not words:
        return ""
    for stop in ":,{}=;":
        words[0] = words[0].partition(stop)[0]
    return words[0]


def _fence(line: str) -> _Fence | None:
    bare = line.lstrip(" \t")
    marker = bare[:1]
    if marker not in ("`", "~"):
        return None
    info = bare.lstrip(marker)
    length = len(bare) - len(info)
    if length < _SHORTEST_FENCE or (marker == "`" and "`" in info):  # the latter is inline code: ```like this```
        return None
    return _Fence(marker, length, len(line) - len(bare), info.strip())


def _without_indent(line: str, indent: int) -> str:
    head = line[:indent]
    return head.lstrip(" \t") + line[indent:]
