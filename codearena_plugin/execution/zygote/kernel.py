"""The few calls of the Linux kernel that Python has no function for."""

from __future__ import annotations

import ctypes
import os

_libc = ctypes.CDLL(None, use_errno=True)

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_SECCOMP = 22
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
SECCOMP_MODE_FILTER = 2

LANDLOCK_CREATE_RULESET = 444  # the same numbers on every architecture since 5.13
LANDLOCK_ADD_RULE = 445
LANDLOCK_RESTRICT_SELF = 446


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


class _Attributes(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"  # what _pack_ means, and what Python 3.14 wants said
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def prctl(option: int, value: int) -> None:
    """Set something of this process.

    Raises:
        OSError: the kernel refuses.
    """
    if _libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0):
        raise _failed(f"prctl {option}")


class SeccompFilter:
    """A filter of system calls that is ready to be put on; built once, since a fork must be quick.

    Args:
        instructions: classic BPF, 8 bytes each.
    """

    def __init__(self, instructions: bytes) -> None:
        self._program = _Program(len(instructions) // 8, instructions)

    def put_on(self) -> None:
        """Put it on this process and all that it will start. There is no way back.

        Raises:
            OSError: the kernel refuses.
        """
        prctl(PR_SET_NO_NEW_PRIVS, 1)
        if _libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(self._program), 0, 0):
            raise _failed("seccomp")


def landlock_abi() -> int:
    """Return the version of Landlock of this kernel; 0 where there is none or it is switched off."""
    return max(0, int(_libc.syscall(LANDLOCK_CREATE_RULESET, None, 0, 1)))


def landlock_ruleset(files: int, network: int, scoped: int, allowed: list[tuple[str, int]]) -> int:
    """Return a descriptor of a ruleset that forbids what the masks name, but for the paths that are allowed.

    Args:
        files, network, scoped: masks of what is governed; 0 where this kernel does not know it.
        allowed: path -> mask of what may be done beneath it; a path that is not there is passed over.

    Raises:
        OSError: the kernel refuses.
    """
    attributes = _Attributes(files, network, scoped)
    size = 24 if scoped else 16 if network else 8
    ruleset = int(_libc.syscall(LANDLOCK_CREATE_RULESET, ctypes.byref(attributes), size, 0))
    if ruleset < 0:
        raise _failed("landlock_create_ruleset")
    for path, mask in allowed:
        try:
            parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        rule = _PathBeneath(mask, parent)
        failed = _libc.syscall(LANDLOCK_ADD_RULE, ruleset, 1, ctypes.byref(rule), 0)
        os.close(parent)
        if failed:
            raise _failed("landlock_add_rule " + path)
    return ruleset


def landlock_restrict(ruleset: int) -> None:
    """Put a ruleset on this process and all that it will start.

    Raises:
        OSError: the kernel refuses.
    """
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    if _libc.syscall(LANDLOCK_RESTRICT_SELF, ruleset, 0):
        raise _failed("landlock_restrict_self")


def _failed(what: str) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, f"{what}: {os.strerror(number)}")
