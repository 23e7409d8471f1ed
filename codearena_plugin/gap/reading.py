"""Read files of execution results: which of the known formats a file has is seen from what it holds."""

from __future__ import annotations

import gzip
import json
import zlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from codearena_plugin.errors import DataError
from codearena_plugin.gap.execution import Execution
from codearena_plugin.gap.formats.evalplus import is_evalplus, read_evalplus
from codearena_plugin.gap.formats.lm_eval import is_lm_eval, read_lm_eval
from codearena_plugin.gap.formats.passes import SCHEMA as PASS_SCHEMA
from codearena_plugin.gap.formats.passes import is_pass, read_pass
from codearena_plugin.gap.formats.plain import SCHEMA, is_plain, read_csv_results, read_json_results
from codearena_plugin.gap.reference import SOURCES, shipped

_IN_DIRECTORY = "execution.json"  # what `codearena passk` and both harnesses write
_FORMATS = f"{PASS_SCHEMA}, EvalPlus' eval_results.json, lm-eval's results_*.json, {SCHEMA}, or a CSV file"


def read_results(given: Sequence[str]) -> list[Execution]:
    """Return all results of files, and of the sources that the package ships, in the order given.

    Args:
        given: paths, or names in ``reference.SOURCES``; a file of such a name is meant by ``./name``, and a directory
            stands for the ``execution.json`` in it.

    Raises:
        DataError: a file cannot be read, has none of the formats, or is given twice.
    """
    found: list[Execution] = []
    seen: set[str] = set()
    for name in given:
        source, path = next((source for source in SOURCES if source == name), None), _file(name)
        key = source or str(path.resolve())
        if key in seen:
            msg = f"Execution results {name!r} are given twice."
            raise DataError(msg)
        seen.add(key)
        found += shipped(source) if source else read_file(path)
    return found


def _file(name: str) -> Path:
    path = Path(name).expanduser()
    return path / _IN_DIRECTORY if path.is_dir() else path


def read_file(path: Path) -> list[Execution]:
    """Return the results of one file.

    Raises:
        DataError: it cannot be read, or has none of the formats.
    """
    text = _text(path)
    if path.name.removesuffix(".gz").endswith(".csv"):
        return read_csv_results(path, text)
    try:
        found = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as exc:
        msg = f"{str(path)!r} is not JSON: {exc}. Expected {_FORMATS}."
        raise DataError(msg) from exc
    if is_pass(found):
        return read_pass(path, found)
    if is_plain(found):
        return read_json_results(path, found)
    if is_evalplus(found):
        return read_evalplus(path, found)
    if is_lm_eval(found):
        return read_lm_eval(path, found)
    has = f"schema {found['schema']!r}" if isinstance(found, dict) and "schema" in found else type(found).__name__
    msg = f"{str(path)!r} has no known format of execution results ({has[:80]}). Expected {_FORMATS}."
    raise DataError(msg)


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
        return (gzip.decompress(content) if path.name.endswith(".gz") else content).decode("utf-8")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as exc:
        why = exc.strerror if isinstance(exc, OSError) and exc.strerror else exc
        known = " or ".join(map(repr, SOURCES))
        msg = (
            f"Execution results {str(path)!r} cannot be read: {why}. Expected a file, a directory with "
            f"{_IN_DIRECTORY}, or the published {known}."
        )
        raise DataError(msg) from exc


def _refuse_constant(name: str) -> None:
    """Refuse NaN and Infinity, which JSON does not have."""
    msg = f"it holds {name}, expected numbers or null"
    raise ValueError(msg)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; refuse one with a key twice, of which a parser would keep the last."""
    found = dict(pairs)
    if len(found) < len(pairs):
        [(twice, _)] = Counter(name for name, _ in pairs).most_common(1)
        msg = f"the key {twice[:80]!r} occurs twice in one object"
        raise ValueError(msg)
    return found
