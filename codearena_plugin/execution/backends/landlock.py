"""Landlock and seccomp, for where namespaces are forbidden: the same zygote, with no root directory of its own.

What it holds less well than bubblewrap, because there are no namespaces: the processes of a box are killed as
descendants of the zygote and, as root, as a user that nobody else is; without root their number is watched, since the
kernel counts all of the user's; the size of the scratch directory is watched and not limited by a file system; and
the network is shut by the system call filter alone.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

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
from codearena_plugin.execution.backends.users import end_all_of, unused_users
from codearena_plugin.execution.sandbox import Probe, SandboxOptions

NAME = "landlock"
_SCOPES = 6
"""The ABI (Linux 6.12) that keeps signals and abstract sockets in."""
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_RIGHTS = ((1, (1 << 13) - 1), (2, 1 << 13), (3, 1 << 14), (5, 1 << 15))
"""ABI -> the rights over files that it brought: all up to making links, then refer, truncate, and ioctl of devices."""
_NETWORK, _SCOPED = 0b11, 0b11
_DEVICES = {
    **dict.fromkeys(("null", "full", "random", "urandom"), _READ_FILE | _WRITE_FILE),
    "zero": _READ_FILE,  # opened for writing, it can be mapped as memory that is nobody's
}
_CREATE_RULESET, _VERSION = 444, 1


class LandlockExecutor:
    """Offers boxes made by Landlock."""

    def __init__(self) -> None:
        self._probed: dict[object, Probe] = {}

    def probe(self, options: SandboxOptions) -> Probe:
        """Open a box and run a canary in it; asked again, it remembers."""
        key = (options.python, options.read_only)
        if key not in self._probed:
            try:
                self._probed[key] = canary(lambda: _open(options), f"Landlock ABI {landlock_abi()}")
            except (BoxError, ConfigError) as exc:
                self._probed[key] = Probe(False, _explain(str(exc), options))
        return self._probed[key]

    def open(self, options: SandboxOptions) -> BoxSandbox:
        """Return a fresh box."""
        try:
            return _open(options)
        except BoxError as exc:
            msg = f"Landlock does not work here: {_explain(str(exc), options)}."
            raise ConfigError(msg) from exc


def _open(options: SandboxOptions) -> BoxSandbox:
    # A browser needs sockets, and without a network namespace those would reach the host's network and services.
    return BoxSandbox(NAME, _launch, options, profiles=("strict",))


def landlock_abi() -> int:
    """Return the version of this kernel's Landlock; 0 where there is none."""
    if not sys.platform.startswith("linux"):
        return 0
    return max(0, int(ctypes.CDLL(None).syscall(_CREATE_RULESET, None, 0, _VERSION)))


def rules(abi: int, python: Interpreter, more: Iterable[str], scratch: str) -> dict[str, Any]:
    """Return what a ruleset governs and what it allows.

    Args:
        abi: what this kernel knows; a right that it does not know cannot be asked for.
    """
    governed = sum(rights for since, rights in _RIGHTS if abi >= since)
    readable = ["/usr", "/bin", "/lib", "/lib32", "/lib64", "/libx32", "/sbin", *tool_files(), *python.readable, *more]
    allowed = [(path, _READ if os.path.isdir(path) else _READ & ~_READ_DIR) for path in readable]  # noqa: PTH112
    allowed += [(f"/dev/{name}", rights) for name, rights in _DEVICES.items()]
    allowed.append((scratch, governed))
    return {
        "files": governed,
        "network": _NETWORK if abi >= 4 else 0,
        "scoped": _SCOPED if abi >= _SCOPES else 0,
        "allowed": allowed,
    }


def _launch(options: SandboxOptions, shape: Shape) -> Started:
    abi = landlock_abi()
    if not abi:
        msg = "this kernel has no Landlock (Linux 5.13 or later, and 'landlock' in /sys/kernel/security/lsm)"
        raise BoxError(msg)
    is_root = os.geteuid() == 0
    if not is_root and abi < _SCOPES:
        msg = f"Landlock ABI {abi} cannot keep signals in: it needs {_SCOPES} (Linux 6.12), or to be started as root"
        raise BoxError(msg)
    python = interpreter_for(options.python)
    message = hello(options, python.flags, shape.profile, "files" if is_root else "user")
    try:
        users = unused_users() if is_root else None
    except OSError as exc:
        raise BoxError(str(exc)) from exc
    if is_root and users is None:
        msg = "this root has no other user to become (its user namespace has no ids to spare): start it as a user"
        raise BoxError(msg)
    scratch = _scratch()
    message |= {
        "scratch": scratch,
        "users": users,
        "counts_user": not is_root,
        "ruleset": rules(abi, python, options.read_only, scratch),
    }
    ours, its = socket.socketpair()
    with its:
        try:
            process, errors = spawn(
                boot_argv(python.path, python.flags, str(ZYGOTE), its.fileno()), pass_fds=(its.fileno(),)
            )
        except BaseException:
            ours.close()
            shutil.rmtree(scratch, ignore_errors=True)
            raise

    def after() -> None:
        if users:
            end_all_of(users)
        shutil.rmtree(scratch, ignore_errors=True)

    return Started(process, ours, errors, message, is_sealed=False, after=after)


def _scratch() -> str:
    """Return a fresh directory in which programs can be written and started.

    Raises:
        BoxError: there is no place for one; says what to do.
    """
    try:
        scratch = tempfile.mkdtemp(prefix="codearena-box-")
    except OSError as exc:
        msg = f"no scratch directory can be made: {exc}; set TMPDIR to a directory that can be written to"
        raise BoxError(msg) from exc
    if os.statvfs(scratch).f_flag & os.ST_NOEXEC:
        Path(scratch).rmdir()
        msg = f"no program can be started in {tempfile.gettempdir()} (noexec): set TMPDIR to a directory where one can"
        raise BoxError(msg)
    return scratch


def _explain(problem: str, options: SandboxOptions) -> str:
    if "cannot be read by the user" in problem and not options.python:
        return f"{problem}; name another with CODEARENA_SANDBOX_PYTHON=/usr/bin/python3"
    return problem


executor = LandlockExecutor()
