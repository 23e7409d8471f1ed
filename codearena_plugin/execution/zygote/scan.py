"""What the processes of a box use together, as ``/proc`` has it."""

from __future__ import annotations

import contextlib
import os
import socket
from typing import NamedTuple

from codearena_plugin.execution.zygote.child import DESCRIPTORS

_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICK = os.sysconf("SC_CLK_TCK")
_VAST = 1 << 30
"""An address space of so many bytes can have page tables that matter."""
_LISTS_CHILDREN = os.path.exists("/proc/thread-self/children")
_GONE = (ProcessLookupError, FileNotFoundError)
"""What is raised of a process or thread that has ended; the others are looked at all the same."""


class Use(NamedTuple):
    """What processes use.

    Attributes:
        cpu_s: processor time, in seconds.
        resident, tables: memory and page tables, in bytes.
        files: what they have open; each may be a socket.
        tasks: threads of all of them.
        pids: which they are.
    """

    cpu_s: float
    resident: int
    tables: int
    files: int
    tasks: int
    pids: list[int]

    @property
    def memory(self) -> int:
        """What all hold, with pages that they share counted for each, any file as a full socket: never too little."""
        return self.resident + self.tables + self.files * _SOCKET


class _Process(NamedTuple):
    pid: int
    parent: int
    ticks: int
    resident: int
    tables: int
    tasks: int
    space: int


def _socket() -> int:
    """Return how many bytes the kernel holds for what was written to a socket and not yet read, at most."""
    one, other = socket.socketpair()
    with one, other:
        return one.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)


_SOCKET = _socket()


def use_of_all(own: int) -> Use:
    """Return what every process that can be seen uses, without ``own``: for a box with process ids of its own."""
    return use_of([pid for pid in _pids() if pid != own])


def use_of_descendants(own: int) -> Use:
    """Return what the descendants of ``own`` use; nothing leaves them where ``own`` adopts orphans."""
    return use_of(descendants(own))


def use_of(pids: list[int]) -> Use:
    """Return what processes use."""
    processes = [process for pid in pids if (process := _read(pid))]
    return Use(
        sum(process.ticks for process in processes) / _TICK,
        sum(process.resident for process in processes),
        sum(process.tables for process in processes),
        sum(_files_at_most(process.pid) for process in processes),
        sum(process.tasks for process in processes),
        [process.pid for process in processes],
    )


def descendants(own: int) -> list[int]:
    """Return the descendants of ``own``, quickly where the kernel lists children: for a race with what forks."""
    if not _LISTS_CHILDREN:
        return _descendants_by_parent(own)
    found: list[int] = []
    waiting = [own]
    while waiting:
        below = _children(waiting.pop())
        found += below
        waiting += below
    return found


def _descendants_by_parent(own: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for pid in _pids():
        if process := _read(pid):
            children.setdefault(process.parent, []).append(pid)
    found: list[int] = []
    waiting = [own]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(*_GONE):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(*_GONE), open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
                found += map(int, file.read().split())
    return found


def proportional(use: Use) -> int:
    """Return the memory of processes with what they share counted once; with all of it where that cannot be read.

    Slow, a millisecond for a large process: for when the quick sum is over the limit.
    """
    total = use.tables
    sockets: set[str] = set()
    for pid in use.pids:
        sockets.update(_sockets_of(pid))
        try:
            with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
                lines = file.read().split(b"\n")
        except _GONE:
            continue
        except OSError:
            return use.memory
        total += sum(int(line.split()[1]) << 10 for line in lines if line.startswith(b"Pss:"))
    return total + len(sockets) * _SOCKET


def files_of(pid: int) -> list[str] | None:
    """Return the numbers of what a process has open; ``None`` where it hides that."""
    try:
        return os.listdir(f"/proc/{pid}/fd")
    except PermissionError:
        process = _read(pid)
        return None if process and process.space else []  # one that is ending has no address space, and is root's
    except OSError:
        return []


def _files_at_most(pid: int) -> int:
    files = files_of(pid)
    return DESCRIPTORS if files is None else len(files)


def _sockets_of(pid: int) -> set[str]:
    found = set()
    for number in files_of(pid) or ():
        with contextlib.suppress(OSError):
            found.add(os.readlink(f"/proc/{pid}/fd/{number}"))
    return {name for name in found if name.startswith("socket:")}


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _read(pid: int) -> _Process | None:
    try:
        descriptor = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
    except OSError:
        return None
    try:
        text = os.read(descriptor, 2048)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    # The name of the program stands in brackets and may hold any byte: what counts begins after the last bracket.
    fields = text.rpartition(b")")[2].split()
    ticks, tasks, space, pages = sum(map(int, fields[11:15])), int(fields[17]), int(fields[20]), int(fields[21])
    return _Process(pid, int(fields[1]), ticks, pages * _PAGE, _page_tables(pid) if space > _VAST else 0, tasks, space)


def _page_tables(pid: int) -> int:
    """Return what the kernel holds to map a process: a page read here and there costs one of ours that is not its."""
    try:
        with open(f"/proc/{pid}/status", "rb") as file:
            lines = file.read().split(b"\n")
    except OSError:
        return 0
    return sum(int(line.split()[1]) << 10 for line in lines if line.startswith(b"VmPTE:"))


class Shortage:
    """Whether the kernel has killed a process of this machine for want of memory since it was last asked."""

    def __init__(self) -> None:
        self._known = _killed_for_memory()

    def is_new(self) -> bool:
        """Ask."""
        before, self._known = self._known, _killed_for_memory()
        return self._known > before


def _killed_for_memory() -> int:
    try:
        with open("/proc/vmstat", "rb") as file:
            lines = file.read().split(b"\n")
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith(b"oom_kill "))
