"""All tables of a gap, named, with notes on how they are read: what files and pages are made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from codearena_plugin.gap.execution import title_of
from codearena_plugin.report.gap.cells import (
    axes_cells,
    correlation_cells,
    long_correlation_cells,
    long_pair_cells,
    pair_cells,
    residual_cells,
    source_cells,
    whole_cells,
)
from codearena_plugin.report.gap.languages import (
    language_cells,
    language_correlation_cells,
    language_note,
    long_language_cells,
)
from codearena_plugin.report.tables.named import Table

GAP_NOTE = (
    "Farthest from the line first. Expected: what other models with this pass@1 score, with the interval that one more "
    "of them would fall into 95 times in 100. Gap: score less expected score, in points; its interval is the noise of "
    "this model's own numbers and of the line. Places up: place on tests less place by preference."
)
_TWO_INTERVALS = (
    "Other models: its 95 % interval, had other such models been compared. Other prompts: the same, had these models "
    "been measured on as many other prompts and problems."
)
CORRELATION_NOTE = "Over the models of the line. " + _TWO_INTERVALS


def axes_note(gap: Mapping[str, Any], *, brief: bool = False) -> str:
    """Return how the table of both axes is read; ``brief`` is that of a terminal."""
    counts = "; n: prompts, then problems" if brief else ""
    return f"In per cent{counts}. The second interval is that of {title_of(gap['axis'])}."


def pair_note(gap: Mapping[str, Any]) -> str:
    """Return which pairs are in the table, out of how many, and how many would be by chance."""
    n = gap["n_equal"]
    counted = f"{n} pair is" if n == 1 else f"{n} pairs are"
    return (
        f"{counted} at most one point apart on base and plus tests. Here are those that are apart in preference, in "
        f"points, by more than the luck of prompts; {0.05 * n:.1f} would be by chance."
    )


def tables_of_gap(gap: Mapping[str, Any]) -> list[Table]:
    """Return all tables that have a row, in the order in which they are read."""
    tables = [
        Table("gap", "Both axes, model by model", axes_cells(gap), axes_note(gap), long=whole_cells(gap)),
        Table("gap_residuals", "Gap to the expected score", residual_cells(gap), GAP_NOTE),
        Table(
            "gap_pairs",
            "Equal on tests, apart in preference",
            pair_cells(gap),
            pair_note(gap),
            long=long_pair_cells(gap),
        ),
        Table(
            "gap_correlations",
            "Rank correlation of preference with execution",
            correlation_cells(gap),
            CORRELATION_NOTE,
            long=long_correlation_cells(gap),
        ),
        Table(
            "gap_languages",
            "Preference and execution by programming language",
            language_cells(gap),
            language_note(gap),
            words=(0, 1, 2),
            long=long_language_cells(gap),
        ),
        Table(
            "gap_language_correlations",
            "Rank correlation by programming language",
            language_correlation_cells(gap),
            "Over your models with both sides. " + _TWO_INTERVALS,
        ),
        Table("gap_sources", "Where execution numbers come from", source_cells(gap), words=(0, 1, 2)),
    ]
    return [table for table in tables if table.cells.rows]
