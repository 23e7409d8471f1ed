"""Namespaces, by bubblewrap: no network, no file but what is shown, no process but its own, no way to a new namespace.

As root, bubblewrap makes the mounts without a user namespace and the zygote becomes a user that nobody else is;
as anybody else, bubblewrap makes a user namespace and the code runs as that same user within it; as the root of a
user namespace with no other user, it does the same, under another number.
"""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import socket
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from codearena_plugin.errors import ConfigError
from codearena_plugin.execution.backends.box import (
    ZYGOTE,
    BoxError,
    BoxSandbox,
    Shape,
    Started,
    boot_argv,
    hello,
    spawn,
)
from codearena_plugin.execution.backends.canary import canary
from codearena_plugin.execution.backends.interpreter import Interpreter, interpreter_for
from codearena_plugin.execution.backends.toolfiles import tool_files
from codearena_plugin.execution.backends.users import unused_users
from codearena_plugin.execution.sandbox import Probe, SandboxOptions

NAME = "bubblewrap"
SCRATCH = "/box"
_INSIDE = "/run/codearena-zygote"
_DEVICES = {
    **{name: name for name in ("null", "full", "random", "urandom")},
    "zero": "full",  # reads as zeros, too, and cannot be mapped as memory that is nobody's
}
"""Name in the box -> device of the host."""
_NOT_ROOT = 1000
"""Who a root becomes that has no other user to become."""
_LINKS = {
    "/dev/fd": "/proc/self/fd",
    "/dev/stdin": "/proc/self/fd/0",
    "/dev/stdout": "/proc/self/fd/1",
    "/dev/stderr": "/proc/self/fd/2",
    # One place that can be written to, so that one size bounds them all and one sweep empties them.
    "/tmp": f"{SCRATCH}/tmp",  # noqa: S108
    "/var/tmp": f"{SCRATCH}/tmp",  # noqa: S108
    "/dev/shm": f"{SCRATCH}/tmp",  # noqa: S108
}


class BubblewrapExecutor:
    """Offers boxes made by bubblewrap."""

    def __init__(self) -> None:
        self._probed: dict[object, Probe] = {}

    def probe(self, options: SandboxOptions) -> Probe:
        """Open a box and run a canary in it; asked again, it remembers."""
        key = (options.python, options.read_only)
        if key not in self._probed:
            try:
                self._probed[key] = canary(lambda: BoxSandbox(NAME, _launch, options), version())
            except (BoxError, ConfigError) as exc:
                self._probed[key] = Probe(False, explain(str(exc)))
        return self._probed[key]

    def open(self, options: SandboxOptions) -> BoxSandbox:
        """Return a fresh box."""
        try:
            return BoxSandbox(NAME, _launch, options)
        except BoxError as exc:
            msg = f"bubblewrap does not work here: {explain(str(exc))}."
            raise ConfigError(msg) from exc


def version() -> str:
    """Return what bubblewrap calls itself."""
    try:
        asked = subprocess.run(["bwrap", "--version"], capture_output=True, text=True, check=False)  # noqa: S607
    except OSError:
        return "bubblewrap"
    return asked.stdout.strip()


def explain(problem: str) -> str:
    """Return a reason together with what to do."""
    if "No permissions to create" in problem or "Operation not permitted" in problem or "setting up uid map" in problem:
        return (
            f"{problem}: user namespaces are forbidden here (in Docker: --security-opt seccomp=unconfined "
            "--security-opt systempaths=unconfined, and as root --cap-add SYS_ADMIN; on Ubuntu 24.04: an AppArmor "
            "profile for bwrap)"
        )
    if "Unknown option" in problem:
        return f"{problem}: {version()} is too old, 0.8.0 is known to work"
    return problem


def _launch(options: SandboxOptions, shape: Shape) -> Started:
    program = shutil.which("bwrap")
    if program is None:
        msg = "bwrap is not installed (Debian: apt-get install bubblewrap)"
        raise BoxError(msg)
    python = interpreter_for(options.python)
    message = hello(options, python.flags, shape.profile) | {"scratch": SCRATCH}
    try:
        users = unused_users() if os.geteuid() == 0 else None
    except OSError as exc:
        raise BoxError(str(exc)) from exc
    message["users"] = users
    if users is None and _kernel() < (5, 14):
        message["before"] = 4096  # processes were counted by user then, wherever they ran
    user, group = (users[1], users[1]) if users else (os.getuid() or _NOT_ROOT, os.getgid() or _NOT_ROOT)
    ours, its = socket.socketpair()
    with contextlib.ExitStack() as given:
        given.enter_context(its)
        passwd = given.enter_context(_text(f"box:x:{user}:{group}:box:{SCRATCH}/work:/bin/sh\n"))
        groups = given.enter_context(_text(f"box:x:{group}:\n"))
        argv = [
            program,
            *_namespaces(() if users else ("--unshare-user", "--uid", str(user), "--gid", str(group))),
            *_mounts(python, options.read_only, shape.size),
            *("--perms", "0444", "--file", str(passwd), "/etc/passwd"),
            *("--perms", "0444", "--file", str(groups), "/etc/group"),
            *("--remount-ro", "/", "--chdir", "/", "--"),
            *boot_argv(python.path, python.flags, _INSIDE, its.fileno()),
        ]
        try:
            process, errors = spawn(argv, pass_fds=(its.fileno(), passwd, groups))
        except BaseException:
            ours.close()
            raise
    return Started(process, ours, errors, message)


def _kernel() -> tuple[int, ...]:
    return tuple(int(part) for part in platform.release().split("-")[0].split(".")[:2])


def _namespaces(of_users: Iterable[str]) -> list[str]:
    shared = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    always = ["--hostname", "box", "--die-with-parent", "--as-pid-1", "--new-session"]
    return [*of_users, *shared, *always]


def _mounts(python: Interpreter, more: Iterable[str], size: int) -> list[str]:
    shown = [*python.readable, *more]
    argv = _directories([*tool_files(), *shown])
    argv += ["--ro-bind", "/usr", "/usr"]
    for name in ("/bin", "/lib", "/lib32", "/lib64", "/libx32", "/sbin"):
        if Path(name).is_symlink():
            argv += ["--symlink", str(Path(name).readlink()), name]
        elif Path(name).is_dir():
            argv += ["--ro-bind", name, name]
    for path in (*tool_files(), *python.readable):
        argv += ["--ro-bind", path, path]
    for folder in python.hidden:
        argv += ["--tmpfs", folder]
    for path in more:  # may lie in what is hidden
        argv += ["--ro-bind", path, path]
    for folder in python.hidden:
        argv += ["--remount-ro", folder]
    return [*argv, "--ro-bind", str(ZYGOTE), _INSIDE, "--proc", "/proc", *_writable(size, shown)]


def _directories(shown: Iterable[str]) -> list[str]:
    """Make what is above a mount; bubblewrap would make it as private as it is above the source."""
    above = {str(path) for folder in shown for path in Path(folder).parents} - {"/", "/usr"}
    argv = []
    for folder in sorted({*above, "/dev", "/etc", "/run", "/var"}):
        argv += ["--perms", "0755", "--dir", folder]
    return argv


def _writable(size: int, shown: Iterable[str]) -> list[str]:
    argv = ["--size", str(size), "--tmpfs", SCRATCH]
    for name, device in _DEVICES.items():
        argv += ["--dev-bind", f"/dev/{device}", f"/dev/{name}"]
    for link, target in _LINKS.items():
        if not any(path.startswith(f"{link}/") for path in shown):  # else a directory stands there, with that in it
            argv += ["--symlink", target, link]
    return argv


@contextlib.contextmanager
def _text(content: str) -> Iterator[int]:
    reading, writing = os.pipe()
    os.write(writing, content.encode())
    os.close(writing)
    try:
        yield reading
    finally:
        os.close(reading)


executor = BubblewrapExecutor()
