"""Our own results of a benchmark, schema ``codearena-pass/1``: pass@k with its engine, its sandbox and its coverage.

One benchmark of one model a file: ``{"schema", "model", "benchmark": "humaneval" | "mbpp", "label", "version", "md5",
"base": {"1": {"estimate", "n", …}, …}, "plus": {…}, "n_expected", "n_not_run", "engine", "sandbox", "notices"}``; where
a score is withheld, "base" and "plus" are empty and "withheld" says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from codearena_plugin.errors import DataError
from codearena_plugin.gap.execution import Execution, shared_out

SCHEMA = "codearena-pass/1"
_BENCHMARKS = ("humaneval", "mbpp")
_TEXTS = ("model", "benchmark", "engine", "sandbox")
_FEWEST, _MOST = 2, 1_000_000


def is_pass(found: Any) -> bool:
    """Return whether parsed JSON is meant to be such a file."""
    return isinstance(found, dict) and found.get("schema") == SCHEMA


def read_pass(path: Path, found: Mapping[str, Any]) -> list[Execution]:
    """Return pass@1 on the base tests, and on the plus tests where they were run.

    Raises:
        DataError: a field is not what it should be, or nothing was run; names file and field.
    """
    texts = {name: found.get(name) for name in _TEXTS}
    for name, text in texts.items():
        if not isinstance(text, str) or not text.strip():
            raise _wrong(path, name, text, "a text that is not empty")
    if texts["benchmark"] not in _BENCHMARKS:
        raise _wrong(path, "benchmark", texts["benchmark"], " or ".join(_BENCHMARKS))
    n_expected, n_not_run = (_whole(path, name, found.get(name)) for name in ("n_expected", "n_not_run"))
    notices = found.get("notices")
    if not isinstance(notices, list) or not all(isinstance(notice, str) for notice in notices):
        raise _wrong(path, "notices", notices, "a list of sentences")
    engine = f"{texts['engine']}, {_data(found)}, sandbox {texts['sandbox']}"
    rows = []
    for tests, benchmark in (("base", texts["benchmark"]), ("plus", f"{texts['benchmark']}+")):
        if (one := _pass_at_1(path, tests, found.get(tests))) is None:
            continue
        share, n = one
        if n > n_expected:
            raise _wrong(path, tests, n, f"at most {n_expected} problems, as n_expected says")
        rows.append(
            Execution(
                model=str(texts["model"]),
                benchmark=str(benchmark),
                estimate=share,
                measured=shared_out(share, n),
                n_expected=n_expected,
                engine=engine,
                source=str(path),
                notes=(f"{n_not_run} samples were not run and are in no number",) if n_not_run else (),
                notices=tuple(notices),
            )
        )
    if not rows and isinstance(found.get("withheld"), str):
        msg = f"{str(path)!r} holds no score: {' '.join(found['withheld'].split())[:300]}"
        raise DataError(msg)
    if not rows:
        raise _wrong(path, "base", found.get("base"), "pass@1: no sample of this file was run")
    return rows


def _data(found: Mapping[str, Any]) -> str:
    """Return which data the tests were: a released version, or by its md5."""
    label, version = str(found.get("label") or ""), str(found.get("version") or "")
    return f"{label} {version}".strip() if version else f"{label} of md5 {str(found.get('md5'))[:12]}".strip()


def _pass_at_1(path: Path, tests: str, by_k: Any) -> tuple[float, int] | None:
    """Return pass@1 and its number of problems; ``None`` where these tests were not run."""
    if by_k in (None, {}):
        return None
    one = by_k.get("1") if isinstance(by_k, dict) else by_k
    if not isinstance(one, dict):
        raise _wrong(path, tests, one, "intervals by k, with k = 1")
    share, n = one.get("estimate"), _whole(path, f"{tests}.n", one.get("n"))
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        raise _wrong(path, f"{tests}.estimate", share, "a share from 0 to 1")
    if n < _FEWEST:
        raise _wrong(path, f"{tests}.n", n, f"at least {_FEWEST} problems")
    return float(share), n


def _whole(path: Path, field: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST:
        raise _wrong(path, field, value, "a whole number")
    return value


def _wrong(path: Path, field: str, got: object, expected: str) -> DataError:
    return DataError(f"{str(path)!r}: field {field!r}: got {repr(got)[:80]}, expected {expected}.")
