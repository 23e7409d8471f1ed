"""``evidence.jsonl``: rows that are on disk as soon as they are found, and are found again after a kill.

One file may hold the rows of several models, for a row is found by the text that it was made of.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

from codearena_plugin.atomic import write_atomically
from codearena_plugin.errors import DataError
from codearena_plugin.evidence.record import SCHEMA, Key, SideRow, row_from_json, row_to_json

EVIDENCE = "evidence.jsonl"


def evidence_path(place: Path) -> Path:
    """Return where evidence lies that belongs to a run directory, to a file of answers, or that is itself named."""
    place = place.expanduser()
    if place.is_dir():
        return place / EVIDENCE
    return place if place.name.endswith(EVIDENCE) else place.parent / EVIDENCE


def read_evidence(path: Path) -> dict[Key, SideRow]:
    """Return the rows of a file, the last one of each key; none where there is no file.

    Rows of other rules are passed over. A last line without its end is what a killed process left of it.

    Raises:
        DataError: it cannot be read, or a whole line is no row (names file and line).
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as exc:
        msg = f"Evidence {str(path)!r} cannot be read: {exc.strerror or exc}."
        raise DataError(msg) from exc
    rows: dict[Key, SideRow] = {}
    for number, line in enumerate(content.split(b"\n")[:-1], 1):
        try:
            row = row_from_json(json.loads(line))
            if row is not None:
                rows[row.key] = row
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
            msg = f"{path}:{number}: not a line of {SCHEMA} ({type(exc).__name__}: {exc})."
            raise DataError(msg) from exc
    return rows


def write_evidence(path: Path, rows: Iterable[SideRow]) -> None:
    """Write rows in order, in place of what was there.

    Raises:
        DataError: they cannot be written.
    """
    try:
        write_atomically(path, (_line(row) for row in rows), encoding="ascii")
    except OSError as exc:
        raise _unwritable(path, exc) from exc


def copy_evidence(source: Path, directory: Path) -> None:
    """Write the rows of one run directory into another; nothing where there are none.

    Raises:
        DataError: they cannot be read or written.
    """
    rows = read_evidence(evidence_path(source))
    if rows:
        write_evidence(evidence_path(directory), rows.values())


class Appender:
    """Adds rows to a file, each on disk before the next; a context manager.

    Raises:
        DataError: the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("ab+")
            self._lock()
            self._drop_half_a_line()
        except OSError as exc:
            raise _unwritable(path, exc) from exc

    def __enter__(self) -> Appender:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._file.close()

    def add(self, *rows: SideRow) -> None:
        """Write rows and wait until they are on disk."""
        try:
            self._file.write("".join(map(_line, rows)).encode("ascii"))
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as exc:
            raise _unwritable(self._path, exc) from exc

    def _lock(self) -> None:
        """Keep another process from taking a line that is being written for one that was left half."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            self._file.close()
            msg = f"Another process writes to {str(self._path)!r}. Wait for it, or choose another --output."
            raise DataError(msg) from exc
        except OSError:  # a file system without locks
            pass

    def _drop_half_a_line(self) -> None:
        self._file.seek(0)
        content = self._file.read()
        self._file.truncate(content.rfind(b"\n") + 1)


def rows_sha256(rows: Iterable[SideRow]) -> str:
    """Return the sha256 of rows as a file holds them, in order."""
    return hashlib.sha256("".join(map(_line, rows)).encode("ascii")).hexdigest()


def _line(row: SideRow) -> str:
    return json.dumps(row_to_json(row)) + "\n"


def _unwritable(path: Path, exc: OSError) -> DataError:
    return DataError(
        f"Evidence cannot be written to {str(path)!r}: {exc.strerror or exc}. Choose another directory with --output."
    )
