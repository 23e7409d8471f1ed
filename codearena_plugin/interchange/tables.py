"""Rows of ``codearena-verdicts/1`` as tables: a Parquet file, or a data set that ``datasets.load_from_disk`` reads."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from codearena_plugin.errors import DataError, MissingExtraError
from codearena_plugin.interchange.export import COLUMNS, REPLIES, ColumnType

_DATASET_FILES = ("dataset_info.json", "state.json")
_DTYPES: Mapping[ColumnType, str] = {"text": "string", "flag": "bool", "whole": "int64", "number": "float64"}


def write_parquet(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows as one Parquet file, all or nothing.

    Raises:
        MissingExtraError: ``datasets`` is not installed.
        DataError: the file cannot be written.
    """
    with _table(rows) as table, _whole(path) as partial:
        table.to_parquet(str(partial))


def write_dataset(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows as a directory of Hugging Face ``datasets``, all or nothing.

    Raises:
        MissingExtraError: ``datasets`` is not installed.
        DataError: the directory cannot be written.
    """
    with _table(rows) as table, _whole(path) as partial:
        table.save_to_disk(str(partial))


def is_dataset(path: Path) -> bool:
    """Return whether a directory is one that ``write_dataset`` may replace."""
    return path.is_dir() and all((path / name).is_file() for name in _DATASET_FILES)


@contextlib.contextmanager
def _table(rows: Sequence[Mapping[str, Any]]) -> Iterator[Any]:
    """Give the rows as a ``datasets.Dataset``, with its progress bars off."""
    try:
        import datasets
    except ImportError as exc:
        feature = "Export as a table"
        raise MissingExtraError(feature, "datasets") from exc
    columns = {**COLUMNS, REPLIES: "texts"} if rows and REPLIES in rows[0] else COLUMNS
    texts = datasets.Sequence(datasets.Value("string"))
    features = {name: texts if kind == "texts" else datasets.Value(_DTYPES[kind]) for name, kind in columns.items()}
    plain = {name: [_for_arrow(row[name]) for row in rows] for name in columns}
    had_bars = datasets.is_progress_bar_enabled()
    datasets.disable_progress_bars()
    try:
        yield datasets.Dataset.from_dict(plain, features=datasets.Features(features))
    finally:
        if had_bars:
            datasets.enable_progress_bars()


def _for_arrow(value: Any) -> Any:
    """Return a value that Arrow's UTF-8 columns can hold: lone surrogates become U+FFFD."""
    if isinstance(value, list):
        return [_for_arrow(item) for item in value]
    if isinstance(value, str) and not value.isascii():
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


@contextlib.contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """Give a path to write to, and put what was written in its place once it is whole."""
    mark = f"{path.name}.{os.getpid()}-{secrets.token_hex(4)}"
    partial, old = path.with_name(f"{mark}.partial"), path.with_name(f"{mark}.old")
    try:
        yield partial
        _put(partial, path, old)
    except OSError as exc:
        msg = f"{str(path)!r} cannot be written: {exc.strerror or exc}."
        raise DataError(msg) from exc
    finally:
        if partial.is_dir():
            shutil.rmtree(partial)
        partial.unlink(missing_ok=True)


def _put(partial: Path, path: Path, old: Path) -> None:
    """Put a file or a directory in its place; a directory, which nothing replaces in one step, by way of ``old``."""
    if not path.is_dir():
        partial.replace(path)
        return
    path.rename(old)
    try:
        partial.rename(path)
    except OSError:
        old.rename(path)
        raise
    shutil.rmtree(old)
