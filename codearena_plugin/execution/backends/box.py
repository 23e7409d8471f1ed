"""The host's side of a box: start it, give it jobs, replace it when it breaks."""

from __future__ import annotations

import contextlib
import os
import platform
import queue
import signal
import socket
import subprocess
import threading
import weakref
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, cast

from codearena_plugin.errors import ConfigError
from codearena_plugin.execution.backends.seccomp import ARCHITECTURES, Shares, seccomp_filter
from codearena_plugin.execution.sandbox import Ending, Finished, How, Job, Limits, Profile, SandboxOptions, search_path
from codearena_plugin.execution.zygote import framing

ZYGOTE = Path(framing.__file__).parent
ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
}
"""What every step has; where it may write is added by the zygote."""
PROFILES: tuple[Profile, ...] = ("strict", "browser")
OPENING_S = 20.0
GRACE_S = 30.0
"""Beyond the wall limits of its steps, a job may take so long before the box is given up."""
# The zygote's package under its own name, although the box has no codearena_plugin.
_BOOT = """
import os, sys, types
sys.path[:] = [p for p in sys.path if p]
name = ""
for part, path in (("codearena_plugin", []), ("execution", []), ("zygote", [sys.argv[1]])):
    name = name + "." + part if name else part
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = path
from codearena_plugin.execution.zygote.main import main
run = main(int(sys.argv[2]))
run() if run else os._exit(0)
"""


class BoxError(Exception):
    """A box could not be opened, or broke; says why in one line."""


@dataclass(frozen=True)
class Started:
    """A process that has just been started: it or its child is the zygote.

    Attributes:
        channel: to the zygote.
        errors: what the process says before the zygote answers.
        is_sealed: killing the process kills all that is in the box; else the zygote does that, and needs the time.
        after: called when all has ended.
    """

    process: subprocess.Popen[bytes]
    channel: socket.socket
    errors: int
    hello: dict[str, Any]
    is_sealed: bool = True
    after: Callable[[], None] = field(default=lambda: None)


@dataclass(frozen=True)
class Shape:
    """What a box is made with, and cannot change: the size of its scratch directory, in bytes, and its profile."""

    size: int = 4 * Limits().file_bytes
    profile: Profile = "strict"


Launch = Callable[[SandboxOptions, Shape], Started]


def boot_argv(python: str, flags: Sequence[str], zygote: str, descriptor: int) -> list[str]:
    """Return the command that becomes the zygote."""
    return [python, *flags, "-c", _BOOT, zygote, str(descriptor)]


def hello(
    options: SandboxOptions, flags: Sequence[str], profile: Profile = "strict", shares: Shares = "nothing"
) -> dict[str, Any]:
    """Return the part of the first message that every back end needs.

    Args:
        flags: with which Python is started.
        shares: what its steps share with the host.

    Raises:
        BoxError: no filter can be made for this machine.
    """
    machine = platform.machine()
    if machine not in ARCHITECTURES:
        msg = f"system calls of {machine!r} are not known; only of {' and '.join(ARCHITECTURES)}"
        raise BoxError(msg)
    return {
        "env": {**ENVIRONMENT, "PATH": search_path(options)},
        "modules": dict(options.modules),
        "python_flags": [flag for flag in flags if flag != "-S"],  # a fresh interpreter may look for packages
        "seccomp": seccomp_filter(profile, machine, shares).hex(),
        "is_filter_inherited": shares != "user",  # what steps may not do with files, the zygote must
        "ruleset": None,
        "users": None,
        "before": 0,
        "counts_user": False,
    }


def spawn(argv: Sequence[str], *, pass_fds: Sequence[int]) -> tuple[subprocess.Popen[bytes], int]:
    """Start a process with nothing of ours but the descriptors that are named; return it and its standard error.

    A process that is to die with its parent dies when the *thread* that started it ends: one thread starts them all.
    """
    reading, writing = os.pipe()
    try:
        process = _starter().call(
            lambda: subprocess.Popen(  # noqa: S603
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=writing,
                env={"PYTHONHASHSEED": "0", "LANG": "C.UTF-8"},
                cwd="/",
                pass_fds=pass_fds,
                start_new_session=True,
            )
        )
    except OSError as exc:
        os.close(reading)
        msg = f"{argv[0]} cannot be started: {exc.strerror}"
        raise BoxError(msg) from exc
    finally:
        os.close(writing)
    return process, reading


class _Starter:
    def __init__(self) -> None:
        self.pid = os.getpid()
        self._asked: queue.SimpleQueue[tuple[Callable[[], Any], queue.SimpleQueue[Any]]] = queue.SimpleQueue()
        threading.Thread(target=self._serve, name="codearena-sandbox-starter", daemon=True).start()

    def call(self, action: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
        answer: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._asked.put((action, answer))
        got = answer.get()
        if isinstance(got, BaseException):
            raise got
        return cast("subprocess.Popen[bytes]", got)

    def _serve(self) -> None:
        while True:
            action, answer = self._asked.get()
            try:
                answer.put(action())
            except BaseException as exc:
                answer.put(exc)
            del action, answer


_channels: weakref.WeakSet[socket.socket] = weakref.WeakSet()


def _after_fork() -> None:
    """In a fork of ours: a box must see that its host is gone although a fork of the host lives on."""
    global _lock  # noqa: PLW0603  another thread may have held it
    _lock = threading.Lock()
    for channel in list(_channels):
        with contextlib.suppress(OSError):
            os.close(channel.detach())


os.register_at_fork(after_in_child=_after_fork)
_lock = threading.Lock()
_starters: list[_Starter] = []


def _starter() -> _Starter:
    with _lock:
        if not _starters or _starters[-1].pid != os.getpid():  # threads do not survive a fork
            _starters[:] = [_Starter()]
        return _starters[-1]


class Box:
    """An open box. It is used until it breaks; then it is closed."""

    def __init__(self, started: Started) -> None:
        self._started = started
        self._pid = os.getpid()
        _channels.add(started.channel)
        try:
            answer = self.ask(started.hello, [], OPENING_S, 1 << 16)[0]
        except BoxError as exc:
            said = self._said()
            self.close(kill=True)
            raise BoxError(said or str(exc)) from exc
        except BaseException:
            self.close(kill=True)
            raise
        self.python: str = answer.get("python", "")
        if answer.get("problem"):
            self.close(kill=True)
            raise BoxError(str(answer["problem"]))

    @property
    def is_ours(self) -> bool:
        """Whether this process opened it; a fork has only a copy of this object."""
        return self._pid == os.getpid()

    def ask(
        self, header: dict[str, Any], blobs: Sequence[bytes], seconds: float, most: int
    ) -> tuple[dict[str, Any], memoryview]:
        """Send a message and return the answer to it.

        Raises:
            BoxError: it does not come, or makes no sense.
        """
        channel = self._started.channel
        try:
            channel.settimeout(seconds)
            framing.send(channel, header, blobs)
            answer = framing.receive(channel, most=most)
        except TimeoutError as exc:
            msg = f"the sandbox did not answer within {seconds:.0f} s"
            raise BoxError(msg) from exc
        except (OSError, framing.FramingError) as exc:
            msg = f"the sandbox broke: {exc}"
            raise BoxError(msg) from exc
        if answer is None:
            msg = "the sandbox ended unexpectedly"
            raise BoxError(msg)
        return answer

    def close(self, *, kill: bool = False) -> None:
        """End it and all in it; in a fork of the process that opened it, let go of it."""
        started = self._started
        if not self.is_ours:
            return
        with contextlib.suppress(OSError):
            started.channel.shutdown(socket.SHUT_RDWR)  # heard by the zygote whoever else may hold our end
        started.channel.close()
        if kill and started.is_sealed:
            with contextlib.suppress(ProcessLookupError):
                started.process.kill()
        try:
            started.process.wait(OPENING_S)
        except subprocess.TimeoutExpired:
            started.process.kill()
            started.process.wait()
        with contextlib.suppress(OSError):
            os.close(started.errors)
        started.after()

    def _said(self) -> str:
        """Return the last line that the process wrote before it died."""
        self._started.process.send_signal(signal.SIGKILL)
        self._started.process.wait()
        os.set_blocking(self._started.errors, False)
        with contextlib.suppress(BlockingIOError):
            lines = os.read(self._started.errors, 1 << 16).decode("utf-8", "replace").strip().splitlines()
            return lines[-1] if lines else ""
        return ""


class BoxSandbox:
    """A sandbox that is a box; a broken or dirty box is replaced by a fresh one before the next job."""

    is_isolated = True
    notice = ""

    def __init__(
        self, name: str, launch: Launch, options: SandboxOptions, *, profiles: Sequence[Profile] = PROFILES
    ) -> None:
        self.name = name
        self._profiles = profiles
        self._launch = launch
        self._options = options
        self._shape = Shape()
        self._box: Box | None = self._open()

    def __enter__(self) -> BoxSandbox:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End it, and everything in it."""
        box, self._box = self._box, None
        if box:
            box.close()

    def run(self, job: Job) -> Finished:
        """Run a job; a box that breaks on the way gives "lost"."""
        if job.profile not in self._profiles:
            problem = f"the sandbox {self.name} has no profile {job.profile!r}; bubblewrap has"
            return Finished((Ending("lost", problem=problem),))
        shape = Shape(4 * max(step.limits.file_bytes for step in job.steps), job.profile)
        if self._box and not self._box.is_ours:
            self._box = None
        if self._box and shape != self._shape:
            self.close()
        self._shape = shape
        try:
            if self._box is None:
                self._box = self._open()
            return self._run(self._box, job)
        except (BoxError, ConfigError) as exc:
            self._give_up()
            return Finished((Ending("lost", problem=str(exc)),))
        except BaseException:
            self._give_up()
            raise

    def _open(self) -> Box:
        return Box(self._launch(self._options, self._shape))

    def _give_up(self) -> None:
        box, self._box = self._box, None
        if box:
            box.close(kill=True)

    def _run(self, box: Box, job: Job) -> Finished:
        most = max(step.limits.output_bytes for step in job.steps)
        header = {
            "files": [(name, len(content)) for name, content in job.files.items()],
            "returns": job.returns,
            "returns_most": most,
            "steps": [
                {
                    "argv": step.argv,
                    "stdin": len(step.stdin),
                    "env": dict(step.env),
                    "limits": asdict(step.limits),
                }
                for step in job.steps
            ],
        }
        blobs = [*job.files.values(), *(step.stdin for step in job.steps)]
        seconds = sum(step.limits.wall_s for step in job.steps) + GRACE_S
        bytes_most = most * (2 * len(job.steps) + len(job.returns))
        answer, body = box.ask(header, blobs, seconds, bytes_most)
        finished = _finished(answer, body)
        if not answer["clean"]:
            self._give_up()
        return finished


def _finished(answer: dict[str, Any], body: memoryview) -> Finished:
    sizes = [ending[stream] for ending in answer["endings"] for stream in ("stdout", "stderr")]
    try:
        blobs = framing.split(body, sizes + [size for _, size in answer["files"]])
    except framing.FramingError as exc:
        raise BoxError(str(exc)) from exc
    endings = tuple(
        Ending(
            how=cast("How", ending["how"]),
            exit_code=ending.get("exit_code"),
            signal=ending.get("signal"),
            stdout=bytes(blobs[2 * at]),
            stderr=bytes(blobs[2 * at + 1]),
            cpu_s=ending.get("cpu_s", 0.0),
            wall_s=ending.get("wall_s", 0.0),
            peak_bytes=ending.get("peak_bytes", 0),
            survivors=ending.get("survivors", 0),
            problem=ending["problem"],
        )
        for at, ending in enumerate(answer["endings"])
    )
    files = {name: bytes(blob) for (name, _), blob in zip(answer["files"], blobs[len(sizes) :], strict=True)}
    return Finished(endings, files)
