"""A gap on a terminal: what ``codearena gap`` prints; the words are in ``cells.py``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console, RenderableType
from rich.text import Text

from codearena_plugin.report.facts import Cells
from codearena_plugin.report.gap import cells
from codearena_plugin.report.gap.languages import language_cells, language_correlation_cells, language_note
from codearena_plugin.report.gap.tables import CORRELATION_NOTE, GAP_NOTE, axes_note, pair_note
from codearena_plugin.report.published import comparability_cells, comparability_facts
from codearena_plugin.report.table import cells_table, facts_table

_MOST_PAIRS = 5
_BETWEEN = 3  # blanks and a line between two columns
_NAMES = 28  # as long as a published model's; longer ones are broken before a column is left out


def print_gap(console: Console, gap: Mapping[str, Any]) -> None:
    """Print a gap in its plain form, made for 100 columns; on fewer, tables lose their last columns, which is said."""
    for part in _Printed(gap, console.width).parts():
        console.print(part)


class _Printed:
    """A gap as what is printed on so many columns."""

    def __init__(self, gap: Mapping[str, Any], width: int) -> None:
        self.gap = gap
        self.width = width
        self.is_cut = False

    def parts(self) -> Iterator[RenderableType]:
        """Yield facts, tables and notes in the order in which they are read."""
        gap = self.gap
        yield facts_table(cells.gap_facts(gap))
        yield self._table(cells.axes_cells(gap, brief=True), 2)
        yield Text(axes_note(gap, brief=True), style="dim")
        residuals = cells.residual_cells(gap, brief=True)
        if residuals.rows:
            yield self._table(residuals, 1)
            yield Text(GAP_NOTE, style="dim")
        pairs = cells.pair_cells(gap)
        if pairs.rows:
            yield cells_table(Cells(pairs.columns, pairs.rows[:_MOST_PAIRS]), min_width=None)
            left_out = len(pairs.rows) - _MOST_PAIRS
            yield Text(pair_note(gap) + (f" {left_out} more in --format json." if left_out > 0 else ""), style="dim")
        correlations = cells.correlation_cells(gap, brief=True)
        if correlations.rows:
            yield self._table(correlations, 1)
            yield Text(CORRELATION_NOTE, style="dim")
        yield from self._languages()
        yield facts_table(cells.source_facts(gap))
        if gap["manifest"] and gap["basis"] == "published":
            yield cells_table(comparability_cells([gap["manifest"]]), min_width=14, is_words=True)
            yield facts_table(comparability_facts([gap["manifest"]]))
        if self.is_cut:
            yield Text("Tables lack their last columns for want of room; a wider terminal shows them.", style="dim")

    def _languages(self) -> Iterator[RenderableType]:
        """Yield both axes by programming language, where they were asked for and both exist."""
        gap = self.gap
        for made, most in ((language_cells(gap, brief=True), 0), (language_correlation_cells(gap, brief=True), 1)):
            if made.rows:
                yield self._table(made, most)
        if gap["languages"]:
            yield Text(language_note(gap), style="dim")

    def _table(self, made: Cells, most: int) -> RenderableType:
        """Return a table without as many of its last columns, at ``most``, as there is no room for beside the names."""
        widths = [max(map(len, column)) + _BETWEEN for column in zip(made.columns, *made.rows, strict=True)]
        widths[0] = min(widths[0], _NAMES + _BETWEEN)
        n = len(widths)
        while sum(widths[:n]) - 1 > self.width and n > len(widths) - most:
            n -= 1
        self.is_cut |= n < len(widths)
        return cells_table(Cells(made.columns[:n], [row[:n] for row in made.rows]), min_width=None)
