"""Reading JSON lines: one object a line, plain or gzipped, and never a line lost in silence."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from codearena_plugin.errors import DataError

SUITE_FILES = ("CodeArena.jsonl", "CodeArena_v1.jsonl", "prompts.jsonl")  # the names a suite goes by in a directory

_GZIP_MAGIC = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"


def find_suite_file(path: str | Path) -> Path:
    """Return the file that a user's path means: itself, or the one suite file in a directory.

    Raises:
        DataError: nothing is there, or a directory holds no suite file or several; the message lists what was found.
    """
    given = Path(path).expanduser()
    if given.is_file():
        return given
    if not given.is_dir():
        msg = f"{str(path)!r} does not exist; expected a .jsonl or .jsonl.gz file, or a directory with one."
        raise DataError(msg)
    names = [name + end for name in SUITE_FILES for end in ("", ".gz")]
    found = [given / name for name in names if (given / name).is_file()]
    if len(found) == 1:
        return found[0]
    there = [file.name for file in found] or sorted(file.name for file in given.iterdir())
    listed = ", ".join(there[:10]) + (", …" if len(there) > 10 else "")
    msg = (
        f"The directory {str(path)!r} holds {len(found)} suite files (there: {listed or 'nothing'}); "
        f"expected exactly one of {', '.join(SUITE_FILES)} (or .gz). Name the file itself."
    )
    raise DataError(msg)


def read_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield every row of a file with its line number, counted from 1; blank lines are passed over.

    Whether a file is gzipped is read off its first bytes, not its name.

    Raises:
        DataError: the file cannot be read, or a line is not UTF-8, not JSON or not an object; names file and line.
    """
    number = 0
    try:
        with _open(path) as lines:
            for number, line in enumerate(lines, start=1):
                content = line.removeprefix(_BOM) if number == 1 else line
                if content.strip():
                    yield number, _parse(content, where=f"{path}:{number}")
    except (EOFError, zlib.error, gzip.BadGzipFile) as exc:
        msg = f"{path}: the gzip data is damaged after line {number}: {exc}."
        raise DataError(msg) from exc
    except OSError as exc:
        msg = f"{str(path)!r} cannot be read: {exc.strerror or exc}."
        raise DataError(msg) from exc


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file's bytes as hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _open(path: Path) -> gzip.GzipFile | io.BufferedReader:
    with path.open("rb") as plain:
        zipped = plain.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
    return gzip.GzipFile(path) if zipped else path.open("rb")


def _parse(line: bytes, *, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as exc:
        msg = f"{where}: not UTF-8: byte {line[exc.start]:#04x} at position {exc.start}; save the file as UTF-8."
        raise DataError(msg) from exc
    except (ValueError, RecursionError) as exc:
        msg = f"{where}: not JSON: {exc}; expected one object a line."
        raise DataError(msg) from exc
    if not isinstance(row, dict):
        msg = f"{where}: got {type(row).__name__}, expected a JSON object."
        raise DataError(msg)
    return row
