"""A gap on a terminal: what ``codearena gap`` prints; the words are in ``cells.py``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console, RenderableType
from rich.text import Text

from codearena_plugin.report.facts import Cells
from codearena_plugin.report.gap import cells
from codearena_plugin.report.gap.languages import language_cells, language_correlation_cells, language_note
from codearena_plugin.report.gap.tables import CORRELATION_NOTE, GAP_NOTE, PAIR_NOTE
from codearena_plugin.report.published import comparability_cells, comparability_facts
from codearena_plugin.report.table import cells_table, facts_table

_MOST_PAIRS = 5


def print_gap(console: Console, gap: Mapping[str, Any]) -> None:
    """Print a gap in its plain form, made for 100 columns."""
    for part in _parts(gap):
        console.print(part)


def _parts(gap: Mapping[str, Any]) -> Iterator[RenderableType]:
    yield facts_table(cells.gap_facts(gap))
    yield cells_table(cells.axes_cells(gap, brief=True), min_width=None)
    residuals = cells.residual_cells(gap, brief=True)
    if residuals.rows:
        yield cells_table(residuals, min_width=None)
        yield Text(GAP_NOTE, style="dim")
    pairs = cells.pair_cells(gap)
    if pairs.rows:
        yield cells_table(Cells(pairs.columns, pairs.rows[:_MOST_PAIRS]), min_width=None)
        left_out = len(pairs.rows) - _MOST_PAIRS
        yield Text(PAIR_NOTE + (f" {left_out} more in --format json." if left_out > 0 else ""), style="dim")
    correlations = cells.correlation_cells(gap, brief=True)
    if correlations.rows:
        yield cells_table(correlations, min_width=None)
        yield Text(CORRELATION_NOTE, style="dim")
    yield from _languages(gap)
    yield facts_table(cells.source_facts(gap))
    if gap["manifest"] and gap["basis"] == "published":
        yield cells_table(comparability_cells([gap["manifest"]]), min_width=14, is_words=True)
        yield facts_table(comparability_facts([gap["manifest"]]))


def _languages(gap: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Yield both axes by programming language, where they were asked for and both exist."""
    for made in (language_cells(gap, brief=True), language_correlation_cells(gap, brief=True)):
        if made.rows:
            yield cells_table(made, min_width=None)
    if gap["languages"]:
        yield Text(language_note(gap), style="dim")
