"""A result as tables on a terminal; what they say is in ``facts.py``."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from codearena_plugin.report import facts
from codearena_plugin.report.untrusted import one_line, visible

_NAMES = 18
"""A column of names is broken no narrower than this, unless a table says otherwise."""
_EDGES = 2


def print_result(console: Console, result: Mapping[str, Any], *, path: Path | None, tables: Sequence[str]) -> None:
    """Print a result: who, how, the rates, what failed, the parts, what it took, where it lies."""
    for part in _parts(result, tables):
        console.print(part)
    if path is not None:
        console.print(Text(f"run: {visible(str(path))}"), soft_wrap=True)  # in one piece, to be copied


def _parts(result: Mapping[str, Any], tables: Sequence[str]) -> Iterator[RenderableType]:
    yield facts_table(facts.headline(result["manifest"]))
    yield cells_table(facts.rates(result), bold="score")
    yield facts_table(facts.counts(result))
    yield from map(cells_table, facts.strata_shown(result, tables))
    yield facts_table(facts.spending(result))


def facts_table(rows: facts.Facts) -> Table:
    """Return facts with their names in a column before them."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in rows:
        grid.add_row(name, Text(one_line(value, 500)))
    return grid


def cells_table(
    cells: facts.Cells, *, min_width: int | None = 18, bold: str | None = None, is_words: bool = False
) -> RenderableType:
    """Return a table whose first column is text and whose others are numbers; ``bold`` is the name of a row.

    With ``is_words`` the others hold words, which are broken where they do not fit; numbers never are: where the
    terminal is too narrow headings are broken, then names, and at last the table is wider than the terminal.
    """
    return (
        _built(cells, cells.columns, min_width, bold, is_words=True) if is_words else _Numbers(cells, min_width, bold)
    )


def _built(
    cells: facts.Cells, headings: Sequence[str], min_width: int | None, bold: str | None, *, is_words: bool = False
) -> Table:
    first, *others = headings
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(first, overflow="fold", min_width=min_width)
    for name in others:
        table.add_column(name, justify="left" if is_words else "right", no_wrap=not is_words)
    for row in cells.rows:
        table.add_row(*row, style="bold" if row[0] == bold else None)
    return table


class _Numbers:
    """A table that is made when it is known how wide it may be."""

    def __init__(self, cells: facts.Cells, min_width: int | None, bold: str | None) -> None:
        self._cells = cells
        self._min_width = min_width
        self._bold = bold

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        columns = list(zip(*self._cells.rows, strict=True)) or [()] * len(self._cells.columns)
        first, *others = self._cells.columns
        table, least = self._fitted((first, *others), columns, between=3)
        if least > options.max_width:
            broken = (
                _broken(heading, max(map(len, column), default=0))
                for heading, column in zip(others, columns[1:], strict=True)
            )
            table, least = self._fitted((first, *broken), columns, between=2)
        yield from console.render(table, options.update_width(max(options.max_width, least)))

    def _fitted(
        self, headings: Sequence[str], columns: Sequence[Sequence[str]], *, between: Literal[2, 3]
    ) -> tuple[Table, int]:
        """Return a table, and the width in which none of its numbers and headings is cut, and names are broken."""
        table = _built(self._cells, headings, self._min_width, self._bold)
        table.collapse_padding = between == 2
        lines = [[*heading.splitlines(), *column] for heading, column in zip(headings, columns, strict=True)]
        names, *numbers = (max(map(len, found), default=0) for found in lines)
        names = max(min(names, self._min_width or _NAMES), self._min_width or 0)
        return table, names + sum(numbers) + between * len(numbers) + _EDGES


def _broken(heading: str, width: int) -> str:
    """Return a heading in lines no wider than its column's numbers, or than its longest word."""
    longest = max(map(len, re.findall(r"[^\s-]+-?", heading)), default=1)
    return "\n".join(textwrap.wrap(heading, max(width, longest)))
