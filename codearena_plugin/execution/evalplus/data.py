"""Find and read the released files of HumanEval+ and MBPP+; which file it is, its md5 says and no name or tag.

The git tag v0.1.10 of HumanEval+'s own repository holds v0.1.9: only the hash tells. Nothing of them is shipped here.
"""

from __future__ import annotations

import gc
import gzip
import hashlib
import io
import json
import logging
import os
import sys
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codearena_plugin import paths
from codearena_plugin.atomic import write_atomically
from codearena_plugin.errors import ConfigError, DataError, unknown_name
from codearena_plugin.execution.evalplus.inputs import read_inputs
from codearena_plugin.execution.evalplus.problems import BENCHMARKS, Benchmark, BenchmarkName, Problem

_log = logging.getLogger("lm_eval.codearena")
_TIMEOUT_S = 60.0
_LARGEST = 256 << 20  # bytes, unpacked; the released files have 8 and 4 MB
_HOST = "https://github.com/evalplus"


@dataclass(frozen=True, slots=True)
class Release:
    """A data set as EvalPlus released it.

    Attributes:
        stem: of its file's name, as ``HumanEvalPlus``.
        md5: of the unpacked JSONL.
        variable: of the environment, with which EvalPlus' users name a file of their own.
    """

    label: str
    stem: str
    version: str
    md5: str
    variable: str

    @property
    def file(self) -> str:
        """Name of the unpacked file, in EvalPlus' cache and in ours."""
        return f"{self.stem}-{self.version}.jsonl"

    @property
    def url(self) -> str:
        """Where EvalPlus itself downloads it from."""
        return f"{_HOST}/{self.stem.lower()}_release/releases/download/{self.version}/{self.stem}.jsonl.gz"


RELEASES: Mapping[BenchmarkName, Release] = {
    "humaneval": Release(
        "HumanEval+", "HumanEvalPlus", "v0.1.10", "fe585eb4df8c88d844eeb463ea4d0302", "HUMANEVAL_OVERRIDE_PATH"
    ),
    "mbpp": Release("MBPP+", "MbppPlus", "v0.2.0", "ee43ecabebf20deef4bb776a405ac5b1", "MBPP_OVERRIDE_PATH"),
}
_PREFIXES: Mapping[BenchmarkName, str] = {"humaneval": "HumanEval/", "mbpp": "Mbpp/"}


def load_benchmark(
    name: BenchmarkName, *, data: str | None = None, environ: Mapping[str, str] | None = None
) -> Benchmark:
    """Return a benchmark from ``data``, else the override variable, EvalPlus' cache, ours; else it is downloaded.

    Args:
        data: a ``.jsonl`` or ``.jsonl.gz`` file, or a directory that holds the released one. Only a file that the user
            names, here or in the variable, may be another than the released one; every result then says so.

    Raises:
        ConfigError: an unknown name, or no file where one was said to be.
        DataError: a file is not what it should be, or cannot be had.
    """
    if name not in RELEASES:
        raise ConfigError(unknown_name("benchmark", name, BENCHMARKS))
    environ = os.environ if environ is None else environ
    release = RELEASES[name]
    chosen = data or environ.get(release.variable)
    if chosen:
        path = _named(Path(chosen).expanduser(), release, "the data path" if data else release.variable)
        text = _unpacked(path)
    else:
        path, text = _released(release, environ)
    md5 = hashlib.md5(text, usedforsecurity=False).hexdigest()
    with _uncollected():
        problems = tuple(_problems(path, text))
    _refuse_others(name, problems, path)
    return Benchmark(
        name=name,
        label=release.label,
        problems=problems,
        md5=md5,
        source=str(path),
        version=release.version if md5 == release.md5 else "",
    )


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the collector of cycles from what is read: it has none, and would be gone over again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _refuse_others(name: BenchmarkName, problems: Sequence[Problem], path: Path) -> None:
    """Refuse the other benchmark's file: its problems would be judged by this one's rules.

    Raises:
        DataError: it is that.
    """
    for other, prefix in _PREFIXES.items():
        if other != name and problems[0].task_id.startswith(prefix):
            msg = (
                f"{str(path)!r} has problems of {RELEASES[other].label} (the first is {problems[0].task_id!r}); "
                f"expected those of {RELEASES[name].label}. A directory with the files of both serves both."
            )
            raise DataError(msg)


def _named(path: Path, release: Release, said: str) -> Path:
    """Return the file that a user named, or that lies in the directory that they named."""
    if path.is_dir():
        found = [path / name for name in (release.file, f"{release.file}.gz") if (path / name).is_file()]
        if not found:
            msg = f"{said} names the directory {str(path)!r}, which holds no {release.file} or {release.file}.gz."
            raise ConfigError(msg)
        return found[0]
    if not path.is_file():
        msg = f"{said} names {str(path)!r}, which is no file. Expected a .jsonl or .jsonl.gz in EvalPlus' format."
        raise ConfigError(msg)
    return path


def _released(release: Release, environ: Mapping[str, str]) -> tuple[Path, bytes]:
    """Return file and text of the released data set from a cache; download it into ours where there is none."""
    own = paths.home_dir() / "evalplus" / release.file
    for path in (evalplus_cache(environ) / release.file, own):
        if path.is_file():
            text = _unpacked(path)
            if hashlib.md5(text, usedforsecurity=False).hexdigest() == release.md5:
                return path, text
            _log.warning("%s is not %s %s as released (its md5 differs); it is not used", path, *_words(release))
    text = _downloaded(release, own)
    try:
        own.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(own, text.decode("utf-8"))
    except OSError as exc:
        msg = f"{str(own)!r} cannot be written ({exc.strerror or exc}). Set CODEARENA_HOME to a directory of yours."
        raise DataError(msg) from None
    return own, text


def _words(release: Release) -> tuple[str, str]:
    return release.label, release.version


def evalplus_cache(environ: Mapping[str, str]) -> Path:
    """Return where EvalPlus keeps its data on this system."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "evalplus"
    base = environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "evalplus"


def _downloaded(release: Release, own: Path) -> bytes:
    advice = f"Put the file at {own}, or name it with {release.variable}."
    try:
        with urllib.request.urlopen(release.url, timeout=_TIMEOUT_S) as answer:  # noqa: S310  https, from the table
            packed = answer.read(_LARGEST + 1)
        text = _gunzip(packed)
    except (urllib.error.URLError, OSError, EOFError, zlib.error) as exc:
        reason = str(exc) if isinstance(exc, urllib.error.HTTPError) else getattr(exc, "reason", None) or exc
        if isinstance(exc, urllib.error.HTTPError):
            exc.close()
        msg = f"{release.label} {release.version} cannot be downloaded from {release.url} ({reason}). {advice}"
        raise DataError(msg) from None
    found = hashlib.md5(text, usedforsecurity=False).hexdigest()
    if found != release.md5:
        msg = f"{release.url} gave a file with md5 {found}, expected {release.md5}; it was not kept. {advice}"
        raise DataError(msg)
    return text


def _unpacked(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        return _gunzip(content) if path.suffix == ".gz" else content
    except (OSError, EOFError, zlib.error) as exc:
        msg = f"{str(path)!r} cannot be read: {exc}."
        raise DataError(msg) from None


def _gunzip(packed: bytes) -> bytes:
    with gzip.open(io.BytesIO(packed)) as stream:
        text = stream.read(_LARGEST + 1)
    if len(text) > _LARGEST:
        msg = f"more than {_LARGEST} bytes unpacked"
        raise OSError(msg)
    return text


def _problems(path: Path, text: bytes) -> Iterator[Problem]:
    seen: set[str] = set()
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as exc:  # the second: nested without end
            msg = f"{str(path)!r}, line {number}: not JSON ({exc})."
            raise DataError(msg) from None
        problem = _problem(row, f"{str(path)!r}, line {number}")
        if problem.task_id in seen:
            msg = f"{str(path)!r}, line {number}: the problem {problem.task_id!r} a second time; expected it once."
            raise DataError(msg)
        seen.add(problem.task_id)
        yield problem
    if not seen:
        msg = f"{str(path)!r} has no problem in it."
        raise DataError(msg)


_KINDS: Mapping[str, type | tuple[type, ...]] = {
    "task_id": str,
    "prompt": str,
    "entry_point": str,
    "canonical_solution": str,
    "base_input": list,
    "plus_input": (list, dict),  # {} where there is none
    "atol": (int, float),
}


def _problem(row: Any, where: str) -> Problem:
    for key, kind in _KINDS.items():
        if not isinstance(row, dict) or not isinstance(row.get(key), kind):
            got = repr(row.get(key) if isinstance(row, dict) else row)[:80]
            msg = f"{where}: {key} is {got}; expected a problem in EvalPlus' format, with {', '.join(_KINDS)}."
            raise DataError(msg)
    task_id = row["task_id"]
    try:
        base, plus = read_inputs(task_id, row["base_input"]), read_inputs(task_id, row["plus_input"])
    except (TypeError, ValueError, IndexError) as exc:
        msg = f"{where}: the inputs of {task_id!r} are not those of the problem of that number ({exc})."
        raise DataError(msg) from None
    return Problem(
        task_id=task_id,
        prompt=row["prompt"],
        entry_point=row["entry_point"],
        canonical=row["prompt"] + row["canonical_solution"],
        base_inputs=base,
        plus_inputs=plus,
        atol=float(row["atol"]),
    )
