"""A leaderboard on a terminal: what ``codearena leaderboard`` prints; the words are in ``board.py``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console, RenderableType
from rich.text import Text

from codearena_plugin.report import board as cells
from codearena_plugin.report import published as paper
from codearena_plugin.report.facts import Cells
from codearena_plugin.report.table import cells_table, facts_table

_COLUMNS_THAT_FIT = 5
POOLED_NOTE = "score, shrunk toward the model's own mean where there are four cells or more"


def print_board(
    console: Console, board: Mapping[str, Any], *, pairs: str = "neighbours", by: str | None = None
) -> None:
    """Print a leaderboard in its plain form.

    Args:
        console: as wide as what it shows may be; made for 100 columns.
        board: of schema ``codearena-leaderboard/1``.
        pairs: "neighbours" on the board, "all" or "none".
        by: a kind of stratum to be shown as well.
    """
    for part in _parts(board, pairs, by):
        console.print(part)


def _parts(board: Mapping[str, Any], pairs: str, by: str | None) -> Iterator[RenderableType]:
    yield facts_table(cells.board_facts(board))
    yield cells_table(cells.leaderboard_cells(board), min_width=None)
    withheld = cells.withheld_facts(board)
    if withheld:
        yield Text("Without a score:")
        yield facts_table(withheld)
    yield Text(
        "Rates in %. In brackets after the rank: the ranks that paired differences cannot rule out (95 %).",
        style="dim",
    )
    found = cells.difference_cells(board, neighbours_only=pairs == "neighbours")
    if pairs != "none" and found.rows:
        yield cells_table(found, min_width=None)
    yield facts_table(cells.style_facts(board))
    style = cells.style_cells(board)
    if style.rows:
        yield cells_table(style, min_width=None)
    yield cells_table(cells.reliability_cells(board, "all"), min_width=None)
    if by is not None:
        yield from _by(board, by)


def _by(board: Mapping[str, Any], kind: str) -> Iterator[RenderableType]:
    """Yield the strata as rows and the best models as columns: names of classes are longer than a column is wide."""
    pooled = bool(board["options"]["pooled"])
    table = cells.strata_cells(board, kind, pooled=pooled)
    shown = table.rows[:_COLUMNS_THAT_FIT]
    turned = [(name, *(row[1 + place] for row in shown)) for place, name in enumerate(table.columns[1:])]
    yield cells_table(Cells((table.columns[0], *(row[0] for row in shown)), turned), min_width=None)
    what = POOLED_NOTE if pooled else "score"
    words = f"{what} [prompts scored]; in round brackets where fewer than {board['options']['min_n']}"
    left_out = len(table.rows) - len(shown)
    more = f"; {left_out} more models in codearena report" if left_out else ""
    yield Text(words + more, style="dim")
    yield (
        cells_table(cells.reliability_cells(board, kind), min_width=None) if kind in board["reliability"] else Text("")
    )


def print_published(console: Console, board: Mapping[str, Any] | None, *, by_class: bool = False) -> None:
    """Print the paper's table, with the models of a board among it, and what of the two compares."""
    entries = board["entries"] if board else ()
    if by_class:
        console.print(cells_table(paper.published_class_cells(board), min_width=28))
        console.print(facts_table(paper.published_facts(classes=True)))
    else:
        console.print(cells_table(paper.published_cells(entries), min_width=None))
        console.print(facts_table(paper.published_facts()))
    if board:
        console.print(cells_table(paper.comparability_cells(board["manifests"]), min_width=14, is_words=True))
        console.print(facts_table(paper.comparability_facts(board["manifests"])))
