"""The filters of system calls, assembled as classic BPF; no library is needed for it."""

from __future__ import annotations

import errno
import struct
from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

from codearena_plugin.execution.backends import syscalls
from codearena_plugin.execution.sandbox import Profile

Shares: TypeAlias = Literal["nothing", "files", "user"]
"""What a step shares with the host: nothing; its files, be it only their names; and also the user who owns them."""
ARCHITECTURES: Mapping[str, tuple[int, int]] = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
"""Machine name -> its AUDIT_ARCH and the column of its numbers in ``syscalls``."""

_NEW_NAMESPACE = 0x7E020080
"""CLONE_NEWTIME, NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET."""
_AF_UNIX, _AF_INET, _AF_INET6, _AF_NETLINK = 1, 2, 10, 16
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_OF_FILE_SYSTEMS = (0x5800, 0x6600, 0x7600, 0x9400, 0xF500)
"""Types of requests that change flags, versions and keys of files which their owner can but read."""
_F_SETLEASE = 1024
_MAP_SHARED, _MAP_ANONYMOUS, _MAP_HUGETLB = 1, 0x20, 0x40000
_SO_SNDBUF, _SO_SNDBUFFORCE = 7, 32
_RLIMIT_CORE = 4

_LOAD, _EQUAL, _AT_LEAST, _ANY_OF, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_ALLOW, _KILL, _ERROR = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCHITECTURE = 0, 4
_ARGUMENTS = (16, 24, 32, 40)
"""Offsets in the kernel's seccomp_data: of the low halves of the arguments, on little-endian machines."""
_HIGH = 4
_EPERM, _ENOSYS, _ENOTSUP = _ERROR | errno.EPERM, _ERROR | errno.ENOSYS, _ERROR | errno.EOPNOTSUPP
_ENOTTY = _ERROR | errno.ENOTTY
_NOTHING_DONE = _ERROR
"""Success, and nothing was done."""


def seccomp_filter(profile: Profile, machine: str, shares: Shares = "nothing") -> bytes:
    """Return a filter, 8 bytes an instruction.

    Args:
        machine: as ``platform.machine()`` says.

    Raises:
        KeyError: no numbers are known of this machine.

    >>> len(seccomp_filter("strict", "x86_64")) % 8
    0
    """
    architecture, column = ARCHITECTURES[machine]
    program: list[bytes] = [
        _code(_LOAD, _ARCHITECTURE),
        _code(_EQUAL, architecture, 1, 0),
        _code(_RETURN, _KILL),
        _code(_LOAD, _NUMBER),
        _code(_AT_LEAST, syscalls.UNKNOWN, 0, 1),
        _code(_RETURN, _ENOSYS),
    ]
    for numbers, answer in _answers(profile, shares):
        for pair in numbers.values():
            if pair[column] != syscalls.NONE:
                program += [_code(_EQUAL, pair[column], 0, 1), _code(_RETURN, answer)]
    for pair, rule in _rules(profile, shares):
        rule.append(_code(_RETURN, _ALLOW))
        program += [_code(_EQUAL, pair[column], 0, len(rule)), *rule]
    program.append(_code(_RETURN, _ALLOW))
    return b"".join(program)


def _answers(profile: Profile, shares: Shares) -> list[tuple[syscalls.Numbers, int]]:
    """Return calls and what each of them is answered with."""
    answers = [(syscalls.REFUSED, _EPERM), (syscalls.ABSENT, _ENOSYS)]
    if profile == "strict":
        answers.append((syscalls.STRICT, _ENOSYS))
    if shares != "nothing":
        answers += [(syscalls.FOREIGN, _NOTHING_DONE), (syscalls.FOREIGN_ATTRIBUTES, _ENOTSUP)]
        answers.append((syscalls.FOREIGN_WATCHES, _EPERM))
    if shares == "user":
        answers.append((syscalls.OWNED, _NOTHING_DONE))
    return answers


def _rules(profile: Profile, shares: Shares) -> list[tuple[tuple[int, int], list[bytes]]]:
    """Return calls and checks of their arguments."""
    families = () if profile == "strict" else (_AF_UNIX, _AF_INET, _AF_INET6, _AF_NETLINK)
    no_namespace = [_code(_LOAD, _ARGUMENTS[0]), _code(_ANY_OF, _NEW_NAMESPACE, 0, 1), _code(_RETURN, _EPERM)]
    no_foreign_flags = [] if shares == "nothing" else _no_type_of(1, _OF_FILE_SYSTEMS)
    own_only = [
        (pair, [check for at, value in enumerate(values) for check in _only(at, (value,), _NOTHING_DONE)])
        for pair, values in syscalls.OWN_ONLY.values()
    ]
    rules = [
        (syscalls.CLONE, no_namespace),
        (syscalls.SOCKET, _only(0, families)),
        (syscalls.SOCKETPAIR, _only(0, (_AF_UNIX,))),
        (syscalls.PERSONALITY, _only(0, (0, 0xFFFFFFFF))),
        (syscalls.SETRLIMIT, _never(0, (_RLIMIT_CORE,))),
        (syscalls.PRLIMIT, [*_only(0, (0,)), *_reads_only(1, _RLIMIT_CORE, 2)]),
        (syscalls.IOCTL, [*_never(1, (_TIOCSTI, _TIOCLINUX)), *no_foreign_flags]),
        (syscalls.FCNTL, _never(1, (_F_SETLEASE,))),
        (syscalls.MMAP, _counted_only(profile)),
        *own_only,
    ]
    if profile == "strict":
        rules.append((syscalls.SETSOCKOPT, _never(2, (_SO_SNDBUF, _SO_SNDBUFFORCE), _NOTHING_DONE)))
    return rules


def _counted_only(profile: Profile) -> list[bytes]:
    """Refuse to map memory that no process's size shows once it is unmapped here, or not even before."""
    checks = [_code(_LOAD, _ARGUMENTS[3]), _code(_ANY_OF, _MAP_HUGETLB, 0, 1), _code(_RETURN, _EPERM)]
    if profile == "strict":  # Chromium's processes draw into memory that they share
        checks += [_code(_ANY_OF, _MAP_ANONYMOUS, 0, 2), _code(_ANY_OF, _MAP_SHARED, 0, 1), _code(_RETURN, _EPERM)]
    return checks


def _only(argument: int, values: Sequence[int], answer: int = _EPERM) -> list[bytes]:
    """Answer with something else unless an argument is one of the values."""
    checks = [_code(_EQUAL, value, len(values) - at, 0) for at, value in enumerate(values)]
    return [_code(_LOAD, _ARGUMENTS[argument]), *checks, _code(_RETURN, answer)]


def _never(argument: int, values: Sequence[int], answer: int = _EPERM) -> list[bytes]:
    """Answer with something else if an argument is one of the values."""
    checks = [part for value in values for part in (_code(_EQUAL, value, 0, 1), _code(_RETURN, answer))]
    return [_code(_LOAD, _ARGUMENTS[argument]), *checks]


def _no_type_of(argument: int, types: Sequence[int]) -> list[bytes]:
    """Answer a request of one of these types (its second byte) as a file system does that knows none of them."""
    checks = [part for kind in types for part in (_code(_EQUAL, kind, 0, 1), _code(_RETURN, _ENOTTY))]
    return [_code(_LOAD, _ARGUMENTS[argument]), _code(_AND, 0xFF00), *checks]


def _reads_only(argument: int, value: int, pointer: int) -> list[bytes]:
    """Refuse if one argument is the value and another is no null pointer: the value may be read and not set."""
    return [
        _code(_LOAD, _ARGUMENTS[argument]),
        _code(_EQUAL, value, 0, 5),
        _code(_LOAD, _ARGUMENTS[pointer]),
        _code(_EQUAL, 0, 0, 2),
        _code(_LOAD, _ARGUMENTS[pointer] + _HIGH),
        _code(_EQUAL, 0, 1, 0),
        _code(_RETURN, _EPERM),
    ]


def _code(operation: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", operation, if_true, if_false, value)
