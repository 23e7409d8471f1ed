"""The filters, run by a small machine for classic BPF, and their numbers beside those of this kernel's headers."""

from __future__ import annotations

import errno
import platform
import re
import struct
from pathlib import Path
from typing import get_args

import pytest

from codearena_plugin.execution.backends import syscalls
from codearena_plugin.execution.backends.seccomp import ARCHITECTURES, Shares, seccomp_filter

ALLOW, KILL = "allow", "kill"
HEADERS = {"x86_64": "/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "aarch64": "/usr/include/asm-generic/unistd.h"}
MACHINES = sorted(ARCHITECTURES)


def answer(program: bytes, machine: str, number: int, *arguments: int, architecture: int | None = None) -> str | int:
    """Return what a filter says of a call: "allow", "kill", or an error number."""
    data = struct.pack("=IIQ", number, architecture or ARCHITECTURES[machine][0], 0)
    data += struct.pack("=6Q", *[argument % (1 << 64) for argument in (*arguments, *[0] * 6)[:6]])
    at, register = 0, 0
    while True:
        operation, if_true, if_false, value = struct.unpack_from("=HBBI", program, at * 8)
        at += 1
        if operation == 0x20:
            (register,) = struct.unpack_from("=I", data, value)
        elif operation == 0x54:
            register &= value
        elif operation == 0x06:
            return {0x7FFF0000: ALLOW, 0x80000000: KILL}.get(value, value & 0xFFFF)
        else:
            holds = {0x15: register == value, 0x35: register >= value, 0x45: bool(register & value)}[operation]
            at += if_true if holds else if_false


def number(pair: tuple[int, int], machine: str) -> int:
    return pair[ARCHITECTURES[machine][1]]


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("profile", ["strict", "browser"])
def test_what_is_refused_is_answered_with_an_error(machine: str, profile: str) -> None:
    program = seccomp_filter(profile, machine)  # type: ignore[arg-type]
    for pair in syscalls.REFUSED.values():
        if number(pair, machine) != syscalls.NONE:
            assert answer(program, machine, number(pair, machine)) == errno.EPERM
    for pair in syscalls.ABSENT.values():
        assert answer(program, machine, number(pair, machine)) == errno.ENOSYS


@pytest.mark.parametrize("machine", MACHINES)
def test_what_programs_need_is_allowed(machine: str) -> None:
    column = ARCHITECTURES[machine][1]
    needed = [(0, 63), (1, 64), (257, 56), (9, 222), (59, 221), (62, 129), (61, 260), (202, 98), (293, 59), (53, 199)]
    program = seccomp_filter("strict", machine)
    assert {answer(program, machine, pair[column], 1) for pair in needed} == {ALLOW}


@pytest.mark.parametrize("machine", MACHINES)
def test_sockets_are_shut_and_a_browser_gets_four_families(machine: str) -> None:
    call = number(syscalls.SOCKET, machine)
    strict, browser = seccomp_filter("strict", machine), seccomp_filter("browser", machine)
    assert {answer(strict, machine, call, family) for family in range(46)} == {errno.EPERM}
    assert [family for family in range(46) if answer(browser, machine, call, family) == ALLOW] == [1, 2, 10, 16]
    pair = number(syscalls.SOCKETPAIR, machine)
    assert [family for family in range(46) if answer(strict, machine, pair, family) == ALLOW] == [1]


@pytest.mark.parametrize("machine", MACHINES)
def test_clone_makes_processes_and_threads_and_no_namespaces(machine: str) -> None:
    program, call = seccomp_filter("strict", machine), number(syscalls.CLONE, machine)
    assert answer(program, machine, call, 17) == ALLOW  # SIGCHLD: fork
    assert answer(program, machine, call, 0x3D0F00) == ALLOW  # as pthread_create does
    for flag in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
        assert answer(program, machine, call, flag | 17) == errno.EPERM


def test_other_abis_are_shut() -> None:
    program = seccomp_filter("strict", "x86_64")
    assert answer(program, "x86_64", 0x40000000 | 41) == errno.ENOSYS  # x32
    assert answer(program, "x86_64", 1, architecture=0x40000003) == KILL  # i386
    assert answer(program, "x86_64", 0xFFFFFFFF) == errno.ENOSYS


@pytest.mark.parametrize("machine", MACHINES)
def test_calls_that_nobody_has_judged_do_not_exist(machine: str) -> None:
    program = seccomp_filter("browser", machine)
    assert {answer(program, machine, call) for call in (470, 511, 600, 0x40000000 | 41, 0xFFFFFFFF)} == {errno.ENOSYS}
    tables = (syscalls.REFUSED, syscalls.ABSENT, syscalls.FOREIGN_ATTRIBUTES, syscalls.OWNED)
    assert max(number(pair, machine) for table in tables for pair in table.values()) < syscalls.UNKNOWN


@pytest.mark.parametrize("machine", MACHINES)
def test_limits_and_priorities_are_the_callers_own(machine: str) -> None:
    program = seccomp_filter("strict", machine)
    limit = number(syscalls.PRLIMIT, machine)
    assert (answer(program, machine, limit, 0), answer(program, machine, limit, 1)) == (ALLOW, errno.EPERM)
    for name, (pair, own) in syscalls.OWN_ONLY.items():
        assert answer(program, machine, number(pair, machine), *own) == ALLOW, name
        for at in range(len(own)):
            other = [value + (index == at) for index, value in enumerate(own)]
            assert answer(program, machine, number(pair, machine), *other) == 0, name  # success, nothing done


@pytest.mark.parametrize("machine", MACHINES)
def test_nothing_is_put_into_a_terminals_input_and_no_other_personality_taken(machine: str) -> None:
    program = seccomp_filter("browser", machine)
    control, personality = number(syscalls.IOCTL, machine), number(syscalls.PERSONALITY, machine)
    assert [answer(program, machine, control, 0, request) for request in (0x5412, 0x541C)] == [errno.EPERM] * 2
    assert answer(program, machine, control, 0, 0x5401) == ALLOW
    assert answer(program, machine, personality, 0xFFFFFFFF) == ALLOW
    assert answer(program, machine, personality, 0x40000) == errno.EPERM


@pytest.mark.parametrize("machine", MACHINES)
def test_memory_is_mapped_only_where_it_can_be_counted(machine: str) -> None:
    call = number(syscalls.MMAP, machine)
    shared, private, anonymous, huge = 1, 2, 0x20, 0x40000
    flags = {private, private | anonymous, shared, private | 8, shared | anonymous, private | anonymous | huge}
    for profile, shut in (
        ("strict", {shared | anonymous, private | anonymous | huge}),
        ("browser", {private | anonymous | huge}),
    ):
        program = seccomp_filter(profile, machine)  # type: ignore[arg-type]
        answers = {flag: answer(program, machine, call, 0, 4096, 3, flag) for flag in flags}
        assert answers == {flag: errno.EPERM if flag in shut else ALLOW for flag in flags}


@pytest.mark.parametrize("machine", MACHINES)
def test_what_a_socket_may_hold_is_not_raised(machine: str) -> None:
    call, program = number(syscalls.SETSOCKOPT, machine), seccomp_filter("strict", machine)
    assert [answer(program, machine, call, 3, 1, option) for option in (7, 32)] == [0, 0]  # success, nothing done
    assert answer(program, machine, call, 3, 1, 8) == ALLOW


@pytest.mark.parametrize("machine", MACHINES)
def test_the_size_of_a_core_is_read_and_never_set(machine: str) -> None:
    program, core, files = seccomp_filter("strict", machine), 4, 7
    old, new = number(syscalls.SETRLIMIT, machine), number(syscalls.PRLIMIT, machine)
    assert (answer(program, machine, old, core, 1), answer(program, machine, old, files, 1)) == (errno.EPERM, ALLOW)
    assert answer(program, machine, new, 0, core, 0) == ALLOW
    assert {answer(program, machine, new, 0, core, where) for where in (1, 1 << 40)} == {errno.EPERM}
    assert answer(program, machine, new, 0, files, 1 << 40) == ALLOW


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("shares", get_args(Shares))
def test_flags_and_leases_of_files_that_can_be_named_are_left_alone(machine: str, shares: Shares) -> None:
    program, control = seccomp_filter("strict", machine, shares), number(syscalls.IOCTL, machine)
    flags = (0x40086602, 0x401C5820, 0x40087602, 0x40806685, 0x50009401)  # of ext4, XFS and all, fs-verity, Btrfs
    said = {answer(program, machine, control, 3, request) for request in flags}
    assert said == {ALLOW if shares == "nothing" else errno.ENOTTY}
    assert {answer(program, machine, control, 3, request) for request in (0x5401, 0x5413, 0x541B, 0x5421)} == {ALLOW}
    files = number(syscalls.FCNTL, machine)
    assert answer(program, machine, files, 3, 1024) == errno.EPERM
    assert answer(program, machine, files, 3, 1) == ALLOW


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("shares", get_args(Shares))
def test_times_and_modes_of_the_hosts_files_cannot_be_changed_where_they_can_be_named(
    machine: str, shares: Shares
) -> None:
    program = seccomp_filter("strict", machine, shares)

    def answers(numbers: syscalls.Numbers) -> set[str | int]:
        known = [pair for pair in numbers.values() if number(pair, machine) != syscalls.NONE]
        return {answer(program, machine, number(pair, machine)) for pair in known}

    assert answers(syscalls.FOREIGN) == {ALLOW if shares == "nothing" else 0}
    assert answers(syscalls.FOREIGN_ATTRIBUTES) == {ALLOW if shares == "nothing" else errno.EOPNOTSUPP}
    assert answers(syscalls.FOREIGN_WATCHES) == {ALLOW if shares == "nothing" else errno.EPERM}
    assert answers(syscalls.OWNED) == {0 if shares == "user" else ALLOW}


def test_a_filter_is_short_enough_for_the_kernel() -> None:
    assert max(len(seccomp_filter("strict", machine, "user")) for machine in MACHINES) // 8 < 4096


@pytest.mark.parametrize("machine", MACHINES)
def test_the_numbers_are_those_of_the_kernels_headers(machine: str) -> None:
    header = Path(HEADERS[machine])
    if not header.exists():
        pytest.skip(f"no {header} here")
    known = {
        name: int(value) for name, value in re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)\s", header.read_text())
    }
    tables = (syscalls.REFUSED, syscalls.ABSENT, syscalls.STRICT, syscalls.FOREIGN, syscalls.FOREIGN_ATTRIBUTES)
    ours = {name: pair for table in (*tables, syscalls.OWNED) for name, pair in table.items()}
    ours |= {name: pair for name, (pair, _) in syscalls.OWN_ONLY.items()}
    ours |= {"clone": syscalls.CLONE, "socket": syscalls.SOCKET, "socketpair": syscalls.SOCKETPAIR}
    ours |= {"personality": syscalls.PERSONALITY, "ioctl": syscalls.IOCTL, "prlimit64": syscalls.PRLIMIT}
    ours |= {"fcntl": syscalls.FCNTL, "mmap": syscalls.MMAP, "setsockopt": syscalls.SETSOCKOPT}
    ours |= {"setrlimit": syscalls.SETRLIMIT, **syscalls.FOREIGN_WATCHES}
    wrong = {name: known[name] for name, pair in ours.items() if name in known and known[name] != number(pair, machine)}
    assert not wrong
    assert len(known.keys() & ours.keys()) > 60


def test_this_machine_is_one_that_is_known() -> None:
    if platform.machine() not in ARCHITECTURES:
        pytest.skip("the isolating executors say so themselves")
    assert seccomp_filter("strict", platform.machine())
