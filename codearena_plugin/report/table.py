"""A result as tables on a terminal; what they say is in ``facts.py``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from codearena_plugin.report import facts
from codearena_plugin.report.untrusted import one_line, visible


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
    for kind in tables:
        if result["strata"].get(kind):
            yield cells_table(facts.stratum(kind, result["strata"][kind]))
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
) -> Table:
    """Return a table whose first column is text and whose others are numbers; ``bold`` is the name of a row.

    With ``is_words`` the others hold words, which are broken where they do not fit; numbers never are.
    """
    first, *others = cells.columns
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(first, overflow="fold", min_width=min_width)
    for name in others:
        table.add_column(name, justify="left" if is_words else "right", no_wrap=not is_words)
    for row in cells.rows:
        table.add_row(*row, style="bold" if row[0] == bold else None)
    return table
