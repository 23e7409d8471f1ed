"""The paper's table as cells, alone or with a user's models set among it, and what may be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from codearena_plugin.leaderboard.published import SOURCE, comparability, footnotes, marks, published
from codearena_plugin.leaderboard.table3 import Counts, PublishedRow, Scope
from codearena_plugin.prompts.taxonomy import MAIN_CLASSES
from codearena_plugin.report.board import SHORT
from codearena_plugin.report.facts import Cells, Facts, interval_cells, share
from codearena_plugin.report.untrusted import one_line

YOURS = "▶ "
GENERATION = "How answers were made is no part of a run: the paper generated greedily, up to 16,384 tokens."


def published_cells(entries: Sequence[Mapping[str, Any]] = ()) -> Cells:
    """Return the corrected table by score, with the entries of a board that have a score set among it."""
    rows = [(row.total.score.estimate, _row(row)) for row in published()]
    rows += [(entry["score"]["estimate"], _own(entry)) for entry in entries if entry["score"]]
    rows.sort(key=lambda item: -item[0])
    return Cells(("model", "score", "95 % interval", "win", "tie", "scored", "note"), [cells for _, cells in rows])


def _row(row: PublishedRow) -> tuple[str, ...]:
    total = row.total
    estimates = (f"{100 * rate.estimate:.1f}" for rate in (total.win_rate, total.tie_rate))
    score = total.score
    interval = f"{100 * score.low:.1f} – {100 * score.high:.1f}"
    return row.model, f"{100 * score.estimate:.1f}", interval, *estimates, str(total.n), ", ".join(marks(row))


def _own(entry: Mapping[str, Any]) -> tuple[str, ...]:
    score, interval, _ = interval_cells(entry["score"])
    rates = (interval_cells(entry[rate])[0] for rate in ("win_rate", "tie_rate"))
    n = "–" if entry["n_prompts"] is None else share(entry["n_scored"], entry["n_prompts"])
    return YOURS + one_line(entry["name"]), score, interval, *rates, n, "yours"


def published_class_cells(board: Mapping[str, Any] | None = None) -> Cells:
    """Return the corrected table by class, win/tie in per cent: 45, 132 or 130, 89, 59, 38, 7 and 22 prompts.

    Models of a board come first, with their scores by class: the paper gives no scores there.
    """
    rows: list[tuple[str, ...]] = [
        (YOURS + one_line(name), *(_own_class(cells.get(main_class)) for main_class in MAIN_CLASSES), "score [n]")
        for name, cells in (board["strata"]["class"]["cells"].items() if board else ())
    ]
    rows += [
        (row.model, *(_rounded(row.by_class[name]) for name in MAIN_CLASSES), ", ".join(marks(row, "classes")))
        for row in published()
    ]
    return Cells(("win/tie by class", *(SHORT[name] for name in MAIN_CLASSES), "note"), rows)


def _own_class(cell: Mapping[str, Any] | None) -> str:
    return f"{100 * cell['score']['estimate']:.0f} [{cell['n_scored']}]" if cell and cell["score"] else "–"


def _rounded(counts: Counts) -> str:
    return f"{100 * counts.wins / counts.n:.0f}/{100 * counts.ties / counts.n:.0f}"


def published_facts(*, classes: bool = False) -> Facts:
    """Return the source of the table and what its marks mean."""
    scope: Scope = "classes" if classes else "overall"
    used = {mark for row in published() for mark in marks(row, scope)}
    names = [("classes", "; ".join(f"{short} = {name}" for name, short in SHORT.items()))] if classes else []
    return [("source", SOURCE), *names, *((f"note {mark}", text) for mark, text in footnotes(used).items())]


def comparability_cells(manifests: Sequence[Mapping[str, Any]]) -> Cells:
    """Return, condition by condition, whether the scores of runs mean what the published ones mean."""
    rows = [
        (
            one.what,
            one_line(one.published, 60),
            one_line(one.yours, 60),
            "as published" if one.comparable else "DIFFERS",
        )
        for one in comparability(manifests)
    ]
    return Cells(("comparable?", "published", "yours", ""), rows)


def comparability_facts(manifests: Sequence[Mapping[str, Any]]) -> Facts:
    """Return the verdict in one line, and what would have to change."""
    found = comparability(manifests)
    differs = [one.what for one in found if not one.comparable]
    verdict = (
        f"NO: {', '.join(differs)} not as published; read no order between yours and theirs"
        if differs
        else "as far as a run can tell; see the remarks"
    )
    remarks = [(f"  {one.what}", one_line(one.remark, 300)) for one in found if one.remark]
    return [("comparable", verdict), *remarks, ("  generation", GENERATION)]
