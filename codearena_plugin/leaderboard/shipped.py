"""Reference tables that ship with the package: read strictly, so that a damaged file is named and never half used."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TypeAlias

from codearena_plugin.errors import DataError

ADVICE = "It is a file of this package: install codearena-plugin again."

Cells: TypeAlias = dict[str, str]


def read_csv(path: Path, columns: tuple[str, ...]) -> dict[str, Cells]:
    """Return model -> column -> cell, in file order.

    Raises:
        DataError: the file cannot be read, has other columns, or a row that is not one of a new model.
    """
    header, *lines = [*csv.reader(read_text(path).splitlines())] or [[]]
    if tuple(header) != columns:
        raise wrong(path, "1 (the header)", "all", ",".join(header), ",".join(columns))
    found: dict[str, Cells] = {}
    for cells in lines:
        if len(cells) != len(columns) or not cells[0] or cells[0] in found:
            name = cells[0] if cells else ""
            raise wrong(path, name, "all", ",".join(cells), f"{len(columns)} cells of a new model")
        found[cells[0]] = dict(zip(columns, cells, strict=True))
    return found


def read_text(path: Path) -> str:
    """Return the text of a file.

    Raises:
        DataError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        msg = f"{str(path)!r} cannot be read: {exc}. {ADVICE}"
        raise DataError(msg) from exc


def wrong(path: Path, row: str, column: str, got: object, expected: str) -> DataError:
    """Return the error for a cell that is not what it should be."""
    return DataError(f"{str(path)!r}: row {row!r}, column {column!r}: got {got!r}, expected {expected}. {ADVICE}")
