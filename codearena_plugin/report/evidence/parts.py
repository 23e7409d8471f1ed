"""What the code of both answers did, as an opened verdict shows it: a chip for the grade, words, an excerpt, a picture.

Everything here may be quoted from a stranger's program. It leaves as visible text, and enters the page by textContent;
a picture leaves only if it is what we keep, a PNG in base64.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from codearena_plugin.evidence.files import evidence_path, read_evidence, rows_sha256
from codearena_plugin.evidence.record import BlockEvidence, SideRow, text_sha256
from codearena_plugin.evidence.summary import name_of, said
from codearena_plugin.reasoning import strip_reasoning
from codearena_plugin.records import Answer
from codearena_plugin.report.untrusted import one_line
from codearena_plugin.runs.files import StoredRun

_MOST_PICTURE = 64 * 1024
_MOST_PICTURES = 32 * 1024 * 1024
_PNG_IN_BASE64 = re.compile(r"iVBORw0KGgo[A-Za-z0-9+/]+={0,2}")
_SIGNS = {"rendered": "w", "ran": "w", "compiled": "w", "parsed": "t", "failed": "l"}
_WORDS = {"not-runnable": "not runnable here", "not-run": "not run"}


@dataclass(frozen=True)
class SeenEvidence:
    """The rows of both sides of a prompt; ``None`` for a side without one.

    Attributes:
        was_shown: to the judge.
        most_picture: characters of base64; a larger picture is left out.
    """

    answer: SideRow | None
    baseline: SideRow | None
    was_shown: bool
    most_picture: int = _MOST_PICTURE

    @property
    def note(self) -> str:
        """Who ran the code, and whether the judge knew; one visible line."""
        rows = [row for row in (self.answer, self.baseline) if row]
        notices = list(dict.fromkeys(row.notice for row in rows if row.notice))
        where = ", ".join(dict.fromkeys(row.sandbox for row in rows))
        shown = "shown to the judge" if self.was_shown else "not shown to the judge"
        return one_line("; ".join([f"run by {where}, {shown}", *notices]), 300)


class RunEvidence:
    """The evidence that lies in a run's directory."""

    def __init__(self, run: StoredRun) -> None:
        self._rows = read_evidence(evidence_path(run.path))
        about = run.result["manifest"].get("evidence", {})
        self._was_shown = bool(about) and about.get("sha256") == rows_sha256(self._rows.values())  # else found since
        shown = ((row.prompt_id, _picture(block)) for row in self._rows.values() for block in row.blocks)
        self.pictures = frozenset((prompt_id, picture) for prompt_id, picture in shown if picture is not None)

    def of(self, answer: Answer, baseline: str | None, *, most_picture: int = _MOST_PICTURE) -> SeenEvidence | None:
        """Return what is known of a prompt's two sides; ``None`` for nothing. Rows of other texts are not shown."""
        if not self._rows or answer.is_absent:
            return None
        text = strip_reasoning(answer.text)[0]
        ours = self._rows.get((answer.prompt_id, "answer", text_sha256(text)))
        theirs = None
        if baseline is not None:
            theirs = self._rows.get((answer.prompt_id, "baseline", text_sha256(baseline)))
        return SeenEvidence(ours, theirs, self._was_shown, most_picture) if ours or theirs else None


def largest_picture(runs: Iterable[RunEvidence], *, room: int = _MOST_PICTURES) -> int:
    """Return how large a picture may be, in characters, so that those of all runs fit into one page.

    A page holds equal pictures of a prompt once.
    """
    pictures = frozenset[tuple[str, str]]().union(*(run.pictures for run in runs))
    for length in sorted(len(picture) for _, picture in pictures):
        room -= length
        if room < 0:
            return length - 1
    return _MOST_PICTURE


def evidence_parts(seen: SeenEvidence, keep: Callable[[str], int]) -> dict[str, Any]:
    """Return what the page shows of a prompt's evidence as plain data; ``keep`` gives a text its number."""
    return {
        "note": seen.note,
        "sides": [
            [_block(block, keep, seen.most_picture) for block in row.blocks] if row else []
            for row in (seen.answer, seen.baseline)
        ],
    }


def grade_in_words(block: BlockEvidence) -> str:
    """Return the one word, or the few, that a reader sees first."""
    return _WORDS.get(block.grade, block.grade)


def _block(block: BlockEvidence, keep: Callable[[str], int], most_picture: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": one_line(name_of(block), 120),
        "sign": _SIGNS.get(block.grade, ""),
        "grade": grade_in_words(block),
        "said": one_line(said(block), 300),
    }
    if block.excerpt:
        found["excerpt"] = keep(block.excerpt)
    picture = _picture(block)
    if picture is not None and len(picture) > most_picture:
        found["said"] += "; its picture was left out for the size of this page"
    elif picture is not None:
        found["shot"] = keep(picture)
    return found


def _picture(block: BlockEvidence) -> str | None:
    picture = block.screenshot
    if picture is None or len(picture) > _MOST_PICTURE or not _PNG_IN_BASE64.fullmatch(picture):
        return None
    return picture
