"""All tables of a gap, named, with notes on how they are read: what files and pages are made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from codearena_plugin.report.gap.cells import (
    axes_cells,
    correlation_cells,
    pair_cells,
    residual_cells,
    source_cells,
    whole_cells,
)
from codearena_plugin.report.gap.languages import language_cells, language_correlation_cells, language_note
from codearena_plugin.report.tables.named import Table

GAP_NOTE = (
    "Expected: what other models with this pass@1 score, with the interval that one more of them would fall into 95 "
    "times in 100. Gap: score less expected score, in points; its interval is the noise of this model's own numbers "
    "and of the line. Places up: place on tests less place by preference."
)
_TWO_INTERVALS = (
    "First interval: had other models been compared; second, under prompts: the same models on other prompts and "
    "problems."
)
CORRELATION_NOTE = "Over the models of the line. " + _TWO_INTERVALS
PAIR_NOTE = "Base and plus tests at most one point apart, preference apart by more than resampled prompts explain."


def tables_of_gap(gap: Mapping[str, Any]) -> list[Table]:
    """Return all tables that have a row, in the order in which they are read."""
    tables = [
        Table("gap", "Both axes, model by model", axes_cells(gap), long=whole_cells(gap)),
        Table("gap_residuals", "Gap to the expected score", residual_cells(gap), GAP_NOTE),
        Table("gap_pairs", "Equal on tests, apart in preference", pair_cells(gap), PAIR_NOTE),
        Table(
            "gap_correlations",
            "Rank correlation of preference with execution",
            correlation_cells(gap),
            CORRELATION_NOTE,
        ),
        Table(
            "gap_languages",
            "Preference and execution by programming language",
            language_cells(gap),
            language_note(gap),
            words=(0, 1, 2),
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
