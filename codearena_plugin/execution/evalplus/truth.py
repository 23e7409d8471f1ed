"""What the reference solutions return, and how long they take: run in the sandbox like any other program, once.

Kept on disk for each problem, by the md5 of the data, the sandbox's Python, this host (times of another host say
nothing here) and the driver. A value is kept as the driver stated it: at most 16 KB, a digest where it is larger.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import platform
import secrets
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codearena_plugin import paths
from codearena_plugin.errors import IncompleteRunError
from codearena_plugin.execution.choose import open_sandbox
from codearena_plugin.execution.evalplus.problems import Benchmark, Problem
from codearena_plugin.execution.evalplus.rules import shape_of
from codearena_plugin.execution.evalplus.wire import (
    Frame,
    Part,
    UnreadableError,
    driver_job,
    driver_options,
    driver_source,
    frames,
    job_input,
    pack,
    read_value,
    split_parts,
)
from codearena_plugin.execution.pool import run_jobs
from codearena_plugin.execution.sandbox import MIB, Finished, Job, SandboxOptions, Step

_log = logging.getLogger("lm_eval.codearena")
_CALL_S, _TOTAL_S = 300.0, 900.0
_OUTPUT_BYTES = 256 * MIB
_DIGEST = 16


@dataclass(frozen=True, slots=True)
class Side:
    """The reference solution on the base or on the plus inputs.

    Attributes:
        packed: the inputs, as the driver takes them.
        expected: what it returned, as frames of the driver.
        cpu_s: processor seconds of each call, shape (n_tests,).
    """

    packed: bytes
    expected: bytes
    cpu_s: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Truth:
    """What the answers to a problem are compared with; ``broken`` says why there is nothing, else empty."""

    base: Side
    plus: Side
    broken: str = ""


def truths(
    benchmark: Benchmark, problems: Sequence[Problem], options: SandboxOptions, workers: int | None
) -> list[Truth]:
    """Return the truth of each of ``problems``, from disk or by running the reference solution.

    Raises:
        ConfigError: no sandbox can be had.
        IncompleteRunError: the sandbox has no Python that works.
    """
    folder = _folder(benchmark, options)
    found = {problem.task_id: _read(folder, problem) for problem in problems}
    missing = [problem for problem in problems if found[problem.task_id] is None]
    unwritten = ""
    if missing:
        _log.info("running the reference solutions of %d problems of %s, once", len(missing), benchmark.label)
        jobs = [_job(benchmark, problem) for problem in missing]
        for index, finished in run_jobs(driver_options(options), jobs, workers=workers):
            truth = _truth(missing[index], finished)
            found[missing[index].task_id] = truth
            if not truth.broken and not unwritten:
                unwritten = _write(folder, missing[index], truth)
    if unwritten:
        _log.warning("%s; the reference solutions will be run again next time", unwritten)
    return [known for problem in problems if (known := found[problem.task_id]) is not None]


def _job(benchmark: Benchmark, problem: Problem) -> Job:
    shape = shape_of(benchmark.name, problem.entry_point)
    parts = [
        Part(pack(list(inputs)), 0, len(inputs), _CALL_S, {}, _TOTAL_S)
        for inputs in (problem.base_inputs, problem.plus_inputs)
    ]
    stdin = job_input(problem.canonical, problem.entry_point, shape, parts, wants_times=True)
    return driver_job(stdin, cpu_s=2 * _TOTAL_S, output_bytes=_OUTPUT_BYTES)


def _truth(problem: Problem, finished: Finished) -> Truth:
    sides: list[Side] = []
    broken = ""
    sets = (problem.base_inputs, problem.plus_inputs)
    for inputs, (stream, end) in zip(sets, split_parts(finished.last.stdout, 2), strict=True):
        stated = [frame for frame in frames(stream) if frame.kind != "T"]
        times = [frame for frame in frames(stream) if frame.kind == "T"]
        if not broken:
            broken = _broken(finished, stated, end, len(inputs))
        cpu_s: tuple[float, ...] = tuple(read_value(times[0].body)) if times and not broken else ()
        expected = stream[: len(stream) - 5 - len(times[0].body)] if times else b""
        sides.append(Side(pack(list(inputs)), expected, cpu_s))
    return Truth(sides[0], sides[1], broken)


def _broken(finished: Finished, stated: Sequence[Frame], end: Frame | None, n_tests: int) -> str:
    """Return why a reference solution gave nothing to compare with; empty if it did."""
    if finished.last.how == "lost":
        return f"the sandbox failed: {finished.last.problem}"
    if end is None or end.kind != "e" or len(stated) != n_tests:
        how = {"x": "raised {}", "X": "raised {} when it was loaded", "t": "ran out of time"}
        ended = how.get(end.kind, "ended early").format(end.text) if end else f"ended early ({finished.last.how})"
        return f"the reference solution {ended} here"
    opaque = next((frame for frame in stated if frame.kind == "o"), None)
    return f"the reference solution returns a {opaque.text}, which equals no builtin value" if opaque else ""


def _folder(benchmark: Benchmark, options: SandboxOptions) -> Path:
    driver = hashlib.sha256(driver_source().encode()).hexdigest()[:8]
    host = hashlib.sha256(f"{platform.node()} {platform.machine()}".encode()).hexdigest()[:8]
    name = f"{benchmark.md5[:12]}-{opened(options).python}-{host}-{driver}"
    return paths.home_dir() / "evalplus" / "truth" / name


@dataclass(frozen=True, slots=True)
class Opened:
    """What a sandbox said of itself when it was opened.

    Attributes:
        python: version of its Python, as ``cpython-3.11.7``.
    """

    name: str
    notice: str
    python: str


_opened: dict[tuple[object, ...], Opened] = {}


def opened(options: SandboxOptions) -> Opened:
    """Return what the sandbox is that samples run in; asked once in a process.

    Raises:
        ConfigError: no sandbox can be had.
        IncompleteRunError: it has no Python that works.
    """
    key = (options.name, options.python, options.url, options.read_only, options.allow_unsafe)
    if key not in _opened:
        code = "import sys; print('-'.join([sys.implementation.name, '.'.join(map(str, sys.version_info[:3]))]))"
        sandbox = open_sandbox(options)
        try:
            ending = sandbox.run(Job((Step(("python", "-c", code)),))).last
        finally:
            sandbox.close()
        version = ending.stdout.decode("ascii", "replace").strip()
        if not ending.is_success or not version.replace("-", "").replace(".", "").isalnum():
            said = ending.problem or ending.stderr.decode("utf-8", "replace").strip()[-200:]
            msg = f"The sandbox {sandbox.name!r} has no Python that works ({ending.how}: {said}), so no code was run."
            raise IncompleteRunError(msg)
        _opened[key] = Opened(sandbox.name, sandbox.notice, version)
    return _opened[key]


def _path(folder: Path, problem: Problem) -> Path:
    shown = "".join(c if c.isalnum() else "_" for c in problem.task_id)[:40]
    return folder / f"{shown}-{hashlib.sha256(problem.task_id.encode()).hexdigest()[:8]}"


def _read(folder: Path, problem: Problem) -> Truth | None:
    """Return what was kept of a problem; ``None`` if nothing was, or it is not whole: one changed byte is a verdict."""
    try:
        kept = _path(folder, problem).read_bytes()
        if _digest(kept[_DIGEST:]) != kept[:_DIGEST]:
            return None
        base, plus = read_value(kept[_DIGEST:])
        return Truth(_side(problem.base_inputs, *base), _side(problem.plus_inputs, *plus))
    except (OSError, TypeError, ValueError):  # UnreadableError is a ValueError; the others: another version wrote it
        return None


def _side(inputs: Sequence[Any], expected: bytes, times: bytes) -> Side:
    cpu_s = array("d", times)
    if len(cpu_s) != len(inputs):
        raise UnreadableError
    return Side(pack(list(inputs)), expected, tuple(cpu_s))


def _digest(kept: bytes) -> bytes:
    return hashlib.blake2b(kept, digest_size=_DIGEST).digest()


def _write(folder: Path, problem: Problem, truth: Truth) -> str:
    """Keep what a problem's reference solution gave; return why that cannot be, empty if it could."""
    path = _path(folder, problem)
    partial = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(4)}.partial")
    sides = tuple((side.expected, array("d", side.cpu_s).tobytes()) for side in (truth.base, truth.plus))
    kept = pack(sides)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(_digest(kept) + kept)
        partial.replace(path)
    except OSError as exc:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        return f"{str(folder)!r} cannot be written ({exc.strerror or exc})"
    return ""
