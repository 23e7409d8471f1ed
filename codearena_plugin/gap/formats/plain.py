"""pass@1 of any engine as a plain table: CSV, or JSON of schema ``codearena-execution/1``.

CSV, one row a model and benchmark; the unit is in the header, as ``pass@1`` (shares) or ``pass@1 %``:

    model,benchmark,pass@1 %,n,engine
    my-model,humaneval+,78.7,164,EvalPlus 0.3.1

JSON: ``{"schema": "codearena-execution/1", "unit": …, "results": [{"model": …, "benchmark": …, "pass@1": …, "n": …,
"engine": …}]}``, unit ``share`` or ``percent``.

A column ``language`` may follow, in JSON a field. Where it is not empty the row is for the problems of that programming
language alone, as MultiPL-E and HumanEval-X give them; without it the row is for the whole benchmark:

    model,benchmark,language,pass@1 %,n,engine
    my-model,multipl_e,Java,74.7,158,MultiPL-E

Two more may follow: ``of``, how many problems the whole benchmark, or its part in that language, has, where not all of
them were asked; and ``notice``, what everything that shows the number must say.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from codearena_plugin.errors import DataError
from codearena_plugin.gap.execution import LANGUAGES, Execution, is_benchmark_name, shared_out, title_of
from codearena_plugin.languages import NO_LANGUAGE, canonical_language

SCHEMA = "codearena-execution/1"
SHARE, PERCENT = "pass@1", "pass@1 %"
_UNITS = {"share": 1.0, "percent": 100.0}
_FEWEST, _MOST = 2, 1_000_000
_LONGEST_LANGUAGE, _LONGEST_NOTICE = 40, 300
_COLUMNS = ("model", "benchmark", "n", "engine")


def is_plain(found: Any) -> bool:
    """Return whether parsed JSON is meant to be such a table."""
    return isinstance(found, dict) and found.get("schema") == SCHEMA


def read_csv_results(path: Path, text: str) -> list[Execution]:
    """Return the rows of a CSV file.

    Raises:
        DataError: a column is missing, or a cell is not what it should be; names file, line and column.
    """
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        rows = [(f"line {reader.line_num}", row) for row in reader]
    except csv.Error as exc:
        msg = f"{str(path)!r}, line {reader.line_num}: this is not CSV ({exc})."
        raise DataError(msg) from exc
    header = [name for name in reader.fieldnames or [] if name]
    units = [name for name in (SHARE, PERCENT) if name in header]
    lacking = [name for name in _COLUMNS if name not in header]
    if len(units) != 1 or lacking or len(set(header)) != len(header):
        expected = f"{', '.join(_COLUMNS)} and either {SHARE!r} (shares) or {PERCENT!r}, each once"
        raise _wrong(path, "the header", "all", ",".join(header), expected)
    for where, row in rows:
        if None in row or None in row.values():
            raise _wrong(path, where, "all", row.get(None, "too few cells"), f"{len(header)} cells")
    named = [(where, {**row, "pass@1": row[units[0]]}) for where, row in rows]
    return _rows(path, named, 100.0 if units == [PERCENT] else 1.0)


def read_json_results(path: Path, found: Mapping[str, Any]) -> list[Execution]:
    """Return the rows of a JSON file of our schema.

    Raises:
        DataError: a field is not what it should be; names file, row and field.
    """
    unit, results = found.get("unit"), found.get("results")
    if unit not in _UNITS:
        raise _wrong(path, "all", "unit", unit, " or ".join(_UNITS))
    if not results and isinstance(found.get("withheld"), str):
        msg = f"{str(path)!r} holds no score: {' '.join(found['withheld'].split())[:300]}"
        raise DataError(msg)
    if not isinstance(results, list):
        raise _wrong(path, "all", "results", results, "a list of rows")
    rows = []
    for number, row in enumerate(results, 1):
        if not isinstance(row, dict):
            raise _wrong(path, f"row {number}", "all", row, "an object with model, benchmark, pass@1, n and engine")
        rows.append((f"row {number}", row))
    return _rows(path, rows, _UNITS[unit])


def _rows(path: Path, rows: Iterable[tuple[str, Mapping[str, Any]]], whole: float) -> list[Execution]:
    found: dict[tuple[str, str, str], Execution] = {}
    for where, row in rows:
        one = _row(path, where, row, whole)
        key = (one.model, one.benchmark, one.language)
        if key in found:
            known = f"{one.benchmark} in {one.language}" if one.language else one.benchmark
            raise _wrong(path, where, "model", one.model, f"a model without {known} so far")
        found[key] = one
    if not found:
        raise _wrong(path, "all", "all", "no row", "at least one model")
    highest = max(one.estimate for one in found.values())
    if whole == 100.0 and 0 < highest <= 0.01:  # shares by mistake, or very weak models: the same digits
        advice = f"per cent; shares stand under {SHARE!r}, and so must per cent as small as these"
        raise _wrong(path, "all", PERCENT, "no number above 1", advice)
    return list(found.values())


def _row(path: Path, where: str, row: Mapping[str, Any], whole: float) -> Execution:
    texts = {name: row.get(name) for name in ("model", "benchmark", "engine")}
    for name, text in texts.items():
        if not isinstance(text, str) or not text.strip():
            raise _wrong(path, where, name, text, "a text that is not empty")
    model, benchmark, engine = (str(text).strip() for text in texts.values())
    if not is_benchmark_name(benchmark):
        raise _wrong(
            path, where, "benchmark", benchmark, "a name such as humaneval+, lower-case, at most 40 characters"
        )
    n = _number(path, where, "n", row.get("n"))
    if n != int(n) or not _FEWEST <= n <= _MOST:
        raise _wrong(path, where, "n", row.get("n"), f"a whole number of problems, at least {_FEWEST}")
    share = _number(path, where, "pass@1", row.get("pass@1")) / whole
    if not 0 <= share <= 1:
        advice = f"; per cent stand under {PERCENT!r} (JSON: unit percent)" if whole == 1.0 else ""
        raise _wrong(path, where, "pass@1", row.get("pass@1"), f"0 to {whole:g}{advice}")
    language = _language(path, where, benchmark, row.get("language"))
    whole_n = row.get("of")
    of = n if whole_n is None or whole_n == "" else _number(path, where, "of", whole_n)
    if of != int(of) or not n <= of <= _MOST:
        raise _wrong(path, where, "of", whole_n, "a whole number of problems, at least n")
    notice = row.get("notice")
    notices = (" ".join(notice.split())[:_LONGEST_NOTICE],) if isinstance(notice, str) and notice.strip() else ()
    return Execution(
        model,
        benchmark,
        share,
        shared_out(share, int(n)),
        int(of),
        engine,
        str(path),
        notices=notices,
        language=language,
    )


def _language(path: Path, where: str, benchmark: str, given: Any) -> str:
    """Return the canonical name of a row's programming language; empty for a row of a whole benchmark."""
    if given is None or given == "":
        return ""
    written = " ".join(given.split()) if isinstance(given, str) else ""
    if written.lower() in NO_LANGUAGE or len(written) > _LONGEST_LANGUAGE:
        raise _wrong(path, where, "language", given, "a programming language, or nothing for the whole benchmark")
    language = canonical_language(written) or written
    own = LANGUAGES.get(benchmark, language)
    if own != language:
        expected = f"{own}, which is all that {title_of(benchmark)} asks for; its translations have names of their own"
        raise _wrong(path, where, "language", given, expected)
    return "" if benchmark in LANGUAGES else language


def _number(path: Path, where: str, name: str, value: Any) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise _wrong(path, where, name, value, "a number")
    return number


def _wrong(path: Path, where: str, field: str, got: object, expected: str) -> DataError:
    shown = repr(got)[:80]
    return DataError(f"{str(path)!r}, {where}: field {field!r}: got {shown}, expected {expected}.")
