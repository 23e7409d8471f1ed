"""Evidence as tables on a terminal: pieces of code by language and grade, for each side, and what was remarked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.text import Text

from codearena_plugin.evidence.found import Evidence
from codearena_plugin.evidence.record import GRADES, SIDES, BlockEvidence, Side
from codearena_plugin.report.facts import Cells, Facts
from codearena_plugin.report.table import cells_table, facts_table
from codearena_plugin.report.untrusted import one_line, visible

_MOST_REASONS = 12
_COLUMNS = {"not-runnable": "not runnable", "not-run": "not run"}
_UNKNOWN = "(no code, or unknown)"


def print_evidence(console: Console, evidence: Evidence, *, path: Path | None) -> None:
    """Print what became of the code of both sides, what could not be run here, and where that is kept."""
    console.print(facts_table(_headline(evidence)))
    for side in SIDES:
        console.print(cells_table(grades(evidence, side), min_width=None))
    facts = reasons(evidence)
    if facts:
        console.print(facts_table(facts))
    if path is not None:
        console.print(Text(f"evidence: {visible(str(path))}"), soft_wrap=True)


def grades(evidence: Evidence, side: Side) -> Cells:
    """Return how many pieces of a side's code came to which grade, by language, the most frequent first."""
    counted: dict[str, Counter[str]] = {}
    for block in _blocks(evidence, side):
        counted.setdefault(block.language or _UNKNOWN, Counter())[block.grade] += 1
    order = sorted(counted, key=lambda name: (name == _UNKNOWN, -counted[name].total(), name))
    rows = [_row(name, counted[name]) for name in order]
    total = sum(counted.values(), Counter[str]())
    names = tuple(_COLUMNS.get(grade, grade) for grade in GRADES)
    return Cells((side, "blocks", *names), [*rows, _row("all", total)])


def reasons(evidence: Evidence) -> Facts:
    """Return what was remarked, such as why code was not run to its end, and how often that was so on either side."""
    sides: dict[Side, Counter[str]] = {}
    for side in SIDES:
        blocks = _blocks(evidence, side)
        sides[side] = Counter(block.why for block in blocks if block.failed is None and block.why)
    both = sum(sides.values(), Counter[str]())
    kept = [why for why, _ in both.most_common(_MOST_REASONS)]
    facts = [
        (
            "remarks" if place == 0 else "",
            f"{both[why]} × {one_line(why, 120)} (answers {sides['answer'][why]}, baseline {sides['baseline'][why]})",
        )
        for place, why in enumerate(kept)
    ]
    rest = both.keys() - set(kept)
    if rest:
        answers, baseline = (sum(sides[side][why] for why in rest) for side in ("answer", "baseline"))
        words = f"{answers + baseline} for {len(rest)} further reasons (answers {answers}, baseline {baseline})"
        facts.append(("", words))
    return facts


def _headline(evidence: Evidence) -> Facts:
    about = evidence.describe()
    n_prompts = len({prompt_id for prompt_id, _ in evidence.rows})
    facts = [("prompts", f"{n_prompts}, both sides of each"), ("sandbox", about["sandbox"])]
    return facts + ([("notice", about["notice"])] if about["notice"] else [])


def _blocks(evidence: Evidence, side: Side) -> Iterable[BlockEvidence]:
    return [block for row in evidence.rows.values() if row.side == side for block in row.blocks]


def _row(name: str, counted: Counter[str]) -> tuple[str, ...]:
    return (one_line(name, 40), str(counted.total()), *(str(counted[grade] or "–") for grade in GRADES))
