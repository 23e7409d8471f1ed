"""What the break-out suite sets up on the host, and how one attack is described.

Everything that a payload may reach for is here, made by the test, world-readable and world-writable on purpose (file
permissions must not be what saves us), and removed at the end: listeners on loopback, secrets in a file, in an
environment and in a command line, canary paths, and a bait process that can be signalled. Payloads never address
anything outside this machine, and bound their own size and time.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import secrets
import selectors
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from codearena_plugin.execution.sandbox import Finished, Limits

MIB = 1 << 20
ROOT = Path(__file__).parents[2]
LIMITS = Limits(
    cpu_s=5.0, wall_s=10.0, memory_bytes=256 * MIB, processes=32, output_bytes=256 * 1024, file_bytes=4 * MIB
)

BAIT = """\
import os, signal, sys, time
signal.signal(signal.SIGURG, lambda *_: open(sys.argv[1], "a").write("signalled"))
print("ready", flush=True)
time.sleep(600)
"""

PRELUDE = """\
import ctypes, errno, json, os, signal, socket, struct, sys, time
S = json.load(open("scene.json"))
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl(15, S["marker"].encode(), 0, 0, 0)  # PR_SET_NAME: how the host finds what is left of us

def got(*what):
    print("GOT", *what, flush=True)

def attempt(what, function, *arguments):
    try:
        result = function(*arguments)
    except (OSError, ValueError, PermissionError) as exc:
        print("refused:", what, exc, flush=True)
        return None
    got(what)
    return result

def call(name, number, *arguments):
    "A system call by its number; returns (result, error number)."
    ctypes.set_errno(0)
    arguments = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = libc.syscall(ctypes.c_long(number), *arguments)
    return result, ctypes.get_errno()

"""


@dataclass(frozen=True, slots=True)
class Observed:
    """What the host saw while an attack ran, and after it."""

    finished: Finished
    took_s: float
    heard: tuple[str, ...] = ()
    signalled: bool = False
    bait_changed: str = ""
    written: tuple[str, ...] = ()
    left: tuple[int, ...] = ()
    most_processes: int = 0
    most_rss: int = 0
    uids: frozenset[int] = frozenset()

    @property
    def text(self) -> str:
        """What the payload said."""
        return b"\n".join(ending.stdout for ending in self.finished.endings).decode("utf-8", "replace")


Judge = Callable[["Scene", Observed], str]
"""Returns what is open, or nothing where the sandbox held."""


def only(*endings: str) -> Judge:
    """Hold if the last step ended in one of these ways."""
    return lambda _scene, seen: (
        "" if seen.finished.last.how in endings else f"ended as {seen.finished.last.how}, not {' or '.join(endings)}"
    )


def exited(code: int) -> Judge:
    """Hold if the last step is said to have ended as it did, with this status."""

    def judge(_scene: Scene, seen: Observed) -> str:
        last = seen.finished.last
        return "" if (last.how, last.exit_code) == ("exited", code) else f"ended as {last.how} {last.exit_code}"

    return judge


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack, as data.

    Attributes:
        name: short, unique.
        tries: what it tries, in a few words, for the table.
        payload: its source. Python gets ``PRELUDE`` before it, "bare" Python does not; C is compiled in the sandbox;
            "shell" runs by bash. It prints ``GOT what`` for everything that it got; the secrets of the scene must not
            be in its output.
        judge: what must hold beside the rules for all attacks (``attacks.judged``).
        returns: files that are asked back.
        is_watched: whether the host looks at the attack's processes while it runs.
        during: called in a thread of the host while the attack runs.
        known: executor -> what it is known not to hold, and why; shown in the table.
    """

    name: str
    tries: str
    payload: str
    language: Literal["python", "bare", "c", "shell"] = "python"
    judge: Judge | None = None
    limits: Limits = LIMITS
    returns: tuple[str, ...] = ()
    is_watched: bool = False
    during: Callable[[Scene], None] | None = None
    known: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Scene:
    """The host's side. A context manager; everything that it makes is gone at its end.

    Attributes:
        marker: at most 15 characters; the name that the payload's processes take.
        token: the secret in files; ``env_token`` and ``line_token`` are those of the bait's environment and command
            line, ``own_token`` that of this very process.
        canaries: name -> path that must not come into being.
        heard: names of the listeners that something reached.
    """

    marker: str = field(default_factory=lambda: "atk" + secrets.token_hex(5))
    token: str = field(default_factory=lambda: "file" + secrets.token_hex(8))
    env_token: str = field(default_factory=lambda: "env" + secrets.token_hex(8))
    line_token: str = field(default_factory=lambda: "line" + secrets.token_hex(8))
    own_token: str = field(default_factory=lambda: "own" + secrets.token_hex(8))
    heard: list[str] = field(default_factory=list)
    canaries: dict[str, Path] = field(default_factory=dict)

    def __enter__(self) -> Scene:
        self._stack = contextlib.ExitStack()
        os.environ["CODEARENA_CANARY"] = self.own_token
        self._stack.callback(os.environ.pop, "CODEARENA_CANARY", None)
        self.tmp = Path(tempfile.mkdtemp(prefix=f"{self.marker}-"))
        self.tmp.chmod(0o777)
        self._stack.callback(shutil.rmtree, self.tmp, ignore_errors=True)
        self.home = Path.home() / f".{self.marker}"
        self.secret, self.home_secret, self.signalled = (self.tmp / "secret", self.home / "secret", self.tmp / "sig")
        self.home.mkdir(mode=0o755)
        self._stack.callback(shutil.rmtree, self.home, ignore_errors=True)
        self._stack.callback(self._remove_canaries)
        for path in (self.secret, self.home_secret):
            path.write_text(self.token)
            path.chmod(0o666)
        self._about_before = self._about()
        places = {
            "tmp": Path("/tmp"),
            "scene": self.tmp,
            "cwd": Path.cwd(),
            "repository": ROOT,
            "home": Path.home(),
            "shm": Path("/dev/shm"),
            "var-tmp": Path("/var/tmp"),
            "usr": Path("/usr/local"),
            "etc": Path("/etc"),
            "run": Path("/run"),
            "root": Path("/"),
            "mqueue": Path("/dev/mqueue"),
            "interpreter": Path(sys.prefix),
        }
        self.canaries = {name: folder / f"canary-{self.marker}" for name, folder in places.items()}
        self._listen()
        self._bait()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._stack.close()

    def written(self) -> list[str]:
        """Return what came into being on the host that bears the marker or a canary's name, or was changed."""
        found = [str(path) for path in self.canaries.values() if path.exists()]
        for folder in ("/tmp", "/dev/shm", "/var/tmp", "/run", "/dev", sys.prefix, "/usr/lib/python3/dist-packages"):
            entries = Path(folder).iterdir() if Path(folder).is_dir() else ()
            found += [str(path) for path in entries if self.marker in path.name]
        found = [path for path in found if path not in {str(self.tmp), str(self.home)}]
        changed = [f"{path} ({what})" for path, what in self._about().items() if what != self._about_before[path]]
        return sorted({*found, *changed})

    def _about(self) -> dict[str, str]:
        """Return all that can be changed of the secrets and their folders: content, mode, owner, time, attributes."""
        found = {}
        for path in (self.secret, self.home_secret, self.tmp, self.home):
            try:
                status = path.stat()
                content = path.read_text() if path.is_file() else ""
                about = (content == self.token, oct(status.st_mode), status.st_uid, os.listxattr(path))
                found[str(path)] = f"{about} {status.st_mtime if content else status.st_mtime < 2}"
            except OSError as exc:
                found[str(path)] = str(exc)
        return found

    def _remove_canaries(self) -> None:
        for name in self.written():
            path = Path(name)
            with contextlib.suppress(OSError):
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()

    def _listen(self) -> None:
        self.ports: dict[str, int] = {}
        self.abstract = f"\0{self.marker}"
        selector = selectors.DefaultSelector()
        for name, family, kind, address in (
            ("tcp4", socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
            ("tcp6", socket.AF_INET6, socket.SOCK_STREAM, ("::1", 0)),
            ("udp4", socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
            ("udp6", socket.AF_INET6, socket.SOCK_DGRAM, ("::1", 0)),
            ("unix", socket.AF_UNIX, socket.SOCK_STREAM, str(self.tmp / "socket")),
            ("unix-dgram", socket.AF_UNIX, socket.SOCK_DGRAM, str(self.tmp / "dgram")),
            ("abstract", socket.AF_UNIX, socket.SOCK_STREAM, self.abstract),
        ):
            listener = socket.socket(family, kind)
            self._stack.callback(listener.close)
            try:
                listener.bind(address)
            except OSError:
                continue  # no IPv6 on this machine
            if family == socket.AF_UNIX and isinstance(address, str) and not address.startswith("\0"):
                Path(address).chmod(0o777)
            if kind == socket.SOCK_STREAM:
                listener.listen(8)
            listener.setblocking(False)
            if family != socket.AF_UNIX:
                self.ports[name] = listener.getsockname()[1]
            selector.register(listener, selectors.EVENT_READ, name)
        stop = threading.Event()

        def wait() -> None:
            while not stop.is_set():
                for key, _ in selector.select(timeout=0.05):
                    listener = key.fileobj
                    assert isinstance(listener, socket.socket)
                    self.heard.append(key.data)
                    with contextlib.suppress(OSError):
                        if listener.type == socket.SOCK_STREAM:
                            listener.accept()[0].close()
                        else:
                            listener.recv(4096)

        thread = threading.Thread(target=wait, daemon=True)
        thread.start()
        self._stack.callback(thread.join, 2)
        self._stack.callback(stop.set)

    def _bait(self) -> None:
        self.signalled.touch()
        self.signalled.chmod(0o666)
        nobody = {"user": 65534, "group": 65534} if os.geteuid() == 0 else {}  # the account that boxes often take
        self.bait = subprocess.Popen(
            [
                shutil.which("python3", path="/usr/bin") or sys.executable,
                "-c",
                BAIT,
                str(self.signalled),
                self.line_token,
            ],
            env={"CODEARENA_CANARY": self.env_token},
            stdout=subprocess.PIPE,
            cwd="/",
            **nobody,  # type: ignore[call-overload]
        )

        def end() -> None:
            self.bait.kill()
            self.bait.communicate()

        self._stack.callback(end)
        assert self.bait.stdout is not None
        assert self.bait.stdout.readline() == b"ready\n"

    def bait_state(self) -> str:
        """Return what somebody of the same account could change of the bait."""
        pid = self.bait.pid
        files = [
            Path(f"/proc/{pid}/{name}") for name in ("limits", "oom_score_adj", "comm", "cgroup", "coredump_filter")
        ]
        text = [path.read_text() for path in files if path.exists()]
        return f"{os.getpriority(os.PRIO_PROCESS, pid)} {os.sched_getaffinity(pid)} {os.sched_getscheduler(pid)} {text}"

    @property
    def data(self) -> dict[str, Any]:
        """What the payload is told: all of it, an attacker may know what he likes."""
        return {
            "marker": self.marker,
            "ports": self.ports,
            "abstract": self.abstract,
            "unix": [str(self.tmp / "socket"), str(self.tmp / "dgram")],
            "secret": str(self.secret),
            "home_secret": str(self.home_secret),
            "canaries": {name: str(path) for name, path in self.canaries.items()},
            "pid": os.getpid(),
            "bait": self.bait.pid,
            "pid_namespace": str(Path("/proc/self/ns/pid").readlink()),
            "python": sys.executable,
            "repository": str(ROOT),
        }

    @property
    def json(self) -> bytes:
        """``scene.json`` of the payload's scratch directory."""
        return json.dumps(self.data).encode()


def marked(marker: str) -> list[int]:
    """Return the processes of this machine that bear the marker, in whatever namespace they are."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            if (entry / "comm").read_text().strip() == marker:
                found.append(int(entry.name))
    return found


class Watch:
    """Looks at an attack's processes from the host, every few hundredths of a second, while it runs."""

    def __init__(self, marker: str) -> None:
        self.marker = marker
        self.most_processes = self.most_rss = 0
        self.uids: set[int] = set()
        self._stop = threading.Event()

    def __enter__(self) -> Watch:
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(2)

    def _look(self) -> None:
        page = os.sysconf("SC_PAGE_SIZE")
        while not self._stop.is_set():
            rss, count = 0, 0
            for pid in marked(self.marker):
                with contextlib.suppress(OSError, ValueError, StopIteration):
                    status = Path(f"/proc/{pid}/status").read_text()
                    if "\nState:\tZ" in status:
                        continue
                    count += 1
                    shared = int(Path(f"/proc/{pid}/statm").read_text().split()[2])
                    rss += (int(Path(f"/proc/{pid}/statm").read_text().split()[1]) - shared) * page
                    line = next(line for line in status.splitlines() if line.startswith("Uid:"))
                    self.uids.update(int(uid) for uid in line.split()[1:])
            self.most_rss = max(self.most_rss, rss)
            self.most_processes = max(self.most_processes, count)
            time.sleep(0.02)


def sysv_segments() -> Mapping[str, int]:
    """Return how many System V objects and POSIX queues the host holds."""
    counts = {name: len(Path(f"/proc/sysvipc/{name}").read_text().splitlines()) - 1 for name in ("shm", "sem", "msg")}
    queues = ctypes.CDLL(None, use_errno=True)
    counts["queue"] = int(queues.mq_open(b"/canary-codearena", os.O_RDONLY) >= 0)
    return counts
