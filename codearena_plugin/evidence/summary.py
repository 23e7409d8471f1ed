"""The evidence of one side in words, for the judge: bounded, the same words for both sides, quotations behind a bar."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from codearena_plugin.evidence.record import BlockEvidence, SideRow
from codearena_plugin.judging.protocol.evidence import SideEvidence

LONGEST = 1200
"""Characters for either side."""
CAVEAT = "A clean run does not show that code is correct. What is not runnable here, or not run, counts for nobody."
_LONGEST_WHY = 120
_ROOM_FOR_REST = 120
_NAMES = {
    "program": "program",
    "function": "definitions",
    "snippet": "fragment",
    "page": "page",
    "patch": "patch",
    "config": "settings",
    "shell": "commands",
    "text": "text",
}
_DID = {
    "rendered": "it was rendered by a browser",
    "ran": "it ran and ended by itself",
    "compiled": "it compiles",
    "parsed": "it parses",
}
_FAILED = {
    "rendered": "its rendering failed",
    "ran": "it failed when it was run",
    "compiled": "it does not compile",
    "parsed": "it does not parse",
}
_VALUE_OF_FAILURE = {"rendered": 0.5, "ran": 0.5, "compiled": 0.25, "parsed": 0.0}
"""What is left of a piece that failed, for ``good_share``: by our judgement, not fitted to anybody's preferences."""


def side_evidence(row: SideRow) -> SideEvidence:
    """Return what a judge is shown of one side."""
    return SideEvidence(summary(row), good_share(row))


def summary(row: SideRow) -> str:
    """Return the evidence of one side as text of at most ``LONGEST`` characters."""
    shown = [block for block in row.blocks if block.kind != "text"]
    if not shown:
        return f"There is no code block that could be tried.\n{CAVEAT}"
    room = LONGEST - len(CAVEAT) - len(row.notice) - _ROOM_FOR_REST - 4
    heads = [_head(number, block) for number, block in enumerate(shown, 1)]
    kept = _that_fit(heads, room)
    n_quoting = sum(bool(block.excerpt) for block in shown[:kept])
    each = (room - sum(len(head) + 2 for head in heads[:kept])) // max(1, n_quoting)
    lines: list[str] = []
    for head, block in zip(heads[:kept], shown, strict=False):
        quoted = _quoted(block.excerpt, each) if block.excerpt else ""
        lines.append(f"{head}:\n{quoted}" if quoted else f"{head}.")
    if shown[kept:] or row.left_out:
        lines.append(_rest(shown[kept:], row.left_out)[:_ROOM_FOR_REST])
    return "\n".join([*lines, *filter(None, [row.notice]), CAVEAT])[:LONGEST]


def good_share(row: SideRow) -> float | None:
    """Return the share of the code, by lines, that did all that could be tried; ``None`` where nothing is known.

    A piece that failed keeps a part: half where it came to run, a quarter where it parses and does not compile.
    """
    good = known = 0.0
    for block in row.blocks:
        if block.reached is None and block.failed is None:
            continue
        known += block.n_lines
        good += block.n_lines * (1.0 if block.failed is None else _VALUE_OF_FAILURE[block.failed])
    return good / known if known else None


def count_grades(rows: Iterable[SideRow]) -> dict[str, int]:
    """Return how many pieces have which grade, over rows, by grade."""
    return dict(Counter(block.grade for row in rows for block in row.blocks))


def _head(number: int, block: BlockEvidence) -> str:
    is_page = block.reached == "rendered"
    quotes = "; the browser, which had no network, noted" if is_page else "; what it printed begins with"
    printed = quotes if block.excerpt and block.failed is None else ""
    return f"Block {number} ({name_of(block)}): {said(block)}{printed}"


def name_of(block: BlockEvidence) -> str:
    """Return in words what a block is."""
    language = f"{block.language} " if block.language else ""
    lines = f"{block.n_lines} line{'' if block.n_lines == 1 else 's'}"
    made_of = f", joined from {block.n_blocks} blocks" if block.n_blocks > 1 else ""
    return f"{language}{_NAMES[block.kind]}, {lines}{made_of}"


def said(block: BlockEvidence) -> str:
    """Return in words what became of a block."""
    why = f" ({_cut(block.why, _LONGEST_WHY)})" if block.why else ""
    if block.failed == "rendered" and block.reached == "rendered":
        return "it was rendered by a browser, but a script of it threw an error"
    if block.failed is not None:
        before = f"{_DID[block.reached]}, but " if block.reached is not None else ""
        return f"{before}{_FAILED[block.failed]}"
    if block.reached in {"ran", "rendered"}:
        return f"{_DID[block.reached]}{why}"
    if block.reached is not None:
        return f"{_DID[block.reached]}; not run further{why}" if why else _DID[block.reached]
    return f"not runnable here{why}" if block.tried else f"not run{why}"


def _that_fit(heads: list[str], room: int) -> int:
    for place, head in enumerate(heads):
        room -= len(head) + 2
        if room < 0:
            return place
    return len(heads)


def _quoted(excerpt: str, room: int) -> str:
    lines: list[str] = []
    for line in excerpt.split("\n"):
        room -= 3
        if room < 12:
            break
        lines.append(f"| {_cut(line, room)}")
        room -= len(lines[-1]) - 2
    return "\n".join(lines)


def _rest(blocks: list[BlockEvidence], left_out: int) -> str:
    counted = Counter(block.grade for block in blocks)
    words = [f"{n} {grade}" for grade, n in sorted(counted.items())]
    if left_out:
        words.append(f"{left_out} not looked at")
    return f"Further blocks: {', '.join(words)}."


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
