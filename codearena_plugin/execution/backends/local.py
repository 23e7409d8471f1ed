"""No sandbox: the user's own account runs the code, within limits that hostile code can pass. Only on request."""

from __future__ import annotations

import contextlib
import os
import resource
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import IO

from codearena_plugin.execution.backends.interpreter import interpreter_for
from codearena_plugin.execution.sandbox import Ending, Finished, Job, Limits, Probe, SandboxOptions, Step, search_path

NOTICE = "UNSAFE: code was run without a sandbox (--unsafe-local); do not trust what it may have done or said"
_MARK = "CODEARENA_JOB"
"""A variable by which processes that a step leaves behind are found again."""


class LocalExecutor:
    """Offers the bare machine."""

    def probe(self, options: SandboxOptions) -> Probe:
        """Return that it works only where the user asked for it."""
        line = "runs code without any isolation" + ("" if options.allow_unsafe else "; only with --unsafe-local")
        return Probe(options.allow_unsafe, line)

    def open(self, options: SandboxOptions) -> LocalSandbox:
        """Return a scratch directory and nothing around it."""
        return LocalSandbox(options)


class LocalSandbox:
    """A fresh directory for each job, resource limits for each step, and no wall between it and the user."""

    name = "unsafe-local"
    is_isolated = False
    notice = NOTICE

    def __init__(self, options: SandboxOptions) -> None:
        self._python = interpreter_for(options.python).path if options.python else sys.executable
        self._path = search_path(options)
        self._modules = Path(tempfile.mkdtemp(prefix="codearena-modules-"))
        for name, source in options.modules.items():
            (self._modules / f"{name}.py").write_text(source, encoding="utf-8")

    def __enter__(self) -> LocalSandbox:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Remove what it made."""
        shutil.rmtree(self._modules, ignore_errors=True)

    def run(self, job: Job) -> Finished:
        """Run a job in a fresh directory."""
        with tempfile.TemporaryDirectory(prefix="codearena-job-", ignore_cleanup_errors=True) as scratch:
            root = Path(scratch)
            for name, content in job.files.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_bytes(content)
            endings: list[Ending] = []
            for step in job.steps:
                endings.append(self._step(step, root))
                if not endings[-1].is_success:
                    break
            limit = max(step.limits.output_bytes for step in job.steps)
            found = {name: _read(root / name, limit) for name in job.returns}
            return Finished(tuple(endings), {name: got for name, got in found.items() if got is not None})

    def _step(self, step: Step, root: Path) -> Ending:
        argv = [self._python, *step.argv[1:]] if step.argv[0] == "python" else list(step.argv)
        mark = secrets.token_hex(8)
        env = {"PATH": self._path, "HOME": str(root), "LANG": "C.UTF-8", "PYTHONPATH": str(self._modules), _MARK: mark}
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            try:
                ran = _run(argv, {**env, **step.env}, root, step, (out, err))
            except OSError as exc:
                return Ending("lost", problem=f"{argv[0]} cannot be started: {exc.strerror or exc}")
            survivors = _kill_marked(mark)
            return _ending(ran, step.limits, (out, err), survivors)


@dataclass(frozen=True)
class _Ran:
    """How a process ended: its code as ``subprocess`` has it, the clock, and the processor's; seconds."""

    code: int
    timed_out: bool
    wall_s: float
    cpu_s: float


def _run(argv: list[str], env: dict[str, str], root: Path, step: Step, streams: tuple[IO[bytes], IO[bytes]]) -> _Ran:
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen(  # noqa: S603  running strangers' code is what was asked for
        argv,
        cwd=root,
        env=env,
        stdin=subprocess.PIPE,
        stdout=streams[0],
        stderr=streams[1],
        start_new_session=True,
        preexec_fn=lambda: _limit(step.limits),  # noqa: PLW1509
    )
    timed_out = False
    try:
        process.communicate(step.stdin, timeout=step.limits.wall_s)
    except subprocess.TimeoutExpired:
        timed_out = True
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return _Ran(process.returncode, timed_out, time.monotonic() - began, cpu_s)


def _ending(ran: _Ran, limits: Limits, streams: tuple[IO[bytes], IO[bytes]], survivors: int) -> Ending:
    outputs = [_head(stream, limits.output_bytes) for stream in streams]
    ending = Ending(
        "exited",
        stdout=outputs[0][0],
        stderr=outputs[1][0],
        cpu_s=ran.cpu_s,
        wall_s=ran.wall_s,
        survivors=survivors,
        exit_code=ran.code if ran.code >= 0 else None,
    )
    if ran.timed_out or ran.code == -signal.SIGXCPU:
        return replace(ending, how="timeout", exit_code=None)
    if any(too_long for _, too_long in outputs):
        return replace(ending, how="output", exit_code=None)
    return replace(ending, how="signalled", signal=-ran.code) if ran.code < 0 else ending


def _limit(limits: Limits) -> None:
    cpu = max(1, round(limits.cpu_s + 0.5))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (limits.file_bytes, limits.file_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _kill_marked(mark: str) -> int:
    """Kill what carries a mark in its environment, as a daemon that left the session still does; return how many."""
    wanted, killed = f"{_MARK}={mark}".encode(), 0
    proc = Path("/proc")
    if not proc.is_dir():
        return 0
    for folder in proc.iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                if wanted in (folder / "environ").read_bytes().split(b"\0"):
                    os.kill(int(folder.name), signal.SIGKILL)
                    killed += 1
    return killed


def _head(stream: IO[bytes], limit: int) -> tuple[bytes, bool]:
    stream.seek(0)
    content = stream.read(limit + 1)
    return content[:limit], len(content) > limit


def _read(path: Path, limit: int) -> bytes | None:
    if path.is_symlink() or not path.is_file() or path.stat().st_size > limit:
        return None
    return path.read_bytes()


executor = LocalExecutor()
