"""Write the tables of a leaderboard into a directory: one file a format, and for CSV one file a table."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from codearena_plugin.atomic import write_atomically
from codearena_plugin.errors import DataError
from codearena_plugin.report.board import board_facts
from codearena_plugin.report.gap.cells import gap_facts
from codearena_plugin.report.tables.named import Table
from codearena_plugin.report.tables.text import comma_separated, latex, markdown

FORMATS = ("markdown", "csv", "json", "latex")


def write_tables(
    directory: Path,
    board: Mapping[str, Any],
    tables: Sequence[Table],
    formats: Collection[str],
    *,
    gap: Mapping[str, Any] | None = None,
) -> list[Path]:
    """Write the chosen formats and return the files: tables.md, tables.tex, leaderboard.json, and NAME.csv per table.

    Args:
        directory: made if it is not there.
        board: of schema ``codearena-leaderboard/1``.
        tables: of the board and, if there is one, of the gap.
        formats: some of ``FORMATS``.
        gap: of schema ``codearena-gap/1``; gap.json.

    Raises:
        DataError: a file cannot be written.
    """
    texts: dict[str, str] = {}
    if "markdown" in formats:
        facts = board_facts(board) + (gap_facts(gap) if gap else [])
        texts["tables.md"] = markdown("Leaderboard of code models", facts, tables) + "\n"
    if "latex" in formats:
        texts["tables.tex"] = latex(tables)
    if "json" in formats:
        texts["leaderboard.json"] = json.dumps(board, indent=1, ensure_ascii=True) + "\n"
        texts |= {"gap.json": json.dumps(gap, indent=1, ensure_ascii=True) + "\n"} if gap else {}
    if "csv" in formats:
        texts |= {f"{table.name}.csv": comma_separated(table.long or table.cells) for table in tables}
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            write_atomically(directory / name, text)
    except OSError as exc:
        msg = f"The tables cannot be written to {str(directory)!r}: {exc.strerror or exc}. Choose another directory."
        raise DataError(msg) from exc
    return [directory / name for name in texts]
