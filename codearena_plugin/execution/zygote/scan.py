"""What the processes of a box use together, as ``/proc`` has it."""

from __future__ import annotations

import contextlib
import os
from typing import NamedTuple

_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICK = os.sysconf("SC_CLK_TCK")
_VAST = 1 << 30
"""An address space of so many bytes can have page tables that matter."""


class Use(NamedTuple):
    """Processor time in seconds, resident memory and page tables in bytes, and the processes counted."""

    cpu_s: float
    resident: int
    tables: int
    pids: list[int]

    @property
    def memory(self) -> int:
        """What all hold, with pages that they share counted for each: quick, and never too little."""
        return self.resident + self.tables


class _Process(NamedTuple):
    pid: int
    parent: int
    ticks: int
    resident: int
    tables: int


def use_of_all(own: int) -> Use:
    """Return what every process that can be seen uses, without ``own``: for a box with process ids of its own."""
    return _sum([process for process in _processes() if process.pid != own])


def use_of_descendants(own: int) -> Use:
    """Return what the descendants of ``own`` use; nothing leaves them where ``own`` adopts orphans."""
    children: dict[int, list[_Process]] = {}
    for process in _processes():
        children.setdefault(process.parent, []).append(process)
    found: list[_Process] = []
    waiting = [own]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += [process.pid for process in below]
    return _sum(found)


def descendants(own: int) -> list[int]:
    """Return the descendants of ``own``, quickly where the kernel lists children: for a race with what forks."""
    found: list[int] = []
    waiting = [own]
    try:
        while waiting:
            pid = waiting.pop()
            with contextlib.suppress(ProcessLookupError):
                below = _children(pid)
                found += below
                waiting += below
    except FileNotFoundError:
        if not os.path.exists(f"/proc/self/task/{os.getpid()}/children"):
            return use_of_descendants(own).pids
    return found


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
            found += map(int, file.read().split())
    return found


def proportional(use: Use) -> int:
    """Return the memory of processes with shared pages counted once; with each counted where that cannot be read.

    Slow, a millisecond for a large process: for when the quick sum is over the limit.
    """
    total = use.tables
    for pid in use.pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
                lines = file.read().split(b"\n")
        except (ProcessLookupError, FileNotFoundError):
            continue
        except OSError:
            return use.memory
        total += sum(int(line.split()[1]) << 10 for line in lines if line.startswith(b"Pss:"))
    return total


def _sum(processes: list[_Process]) -> Use:
    return Use(
        sum(process.ticks for process in processes) / _TICK,
        sum(process.resident for process in processes),
        sum(process.tables for process in processes),
        [process.pid for process in processes],
    )


def _processes() -> list[_Process]:
    found = (_read(int(name)) for name in os.listdir("/proc") if name.isdigit())
    return [process for process in found if process]


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
    tables = _page_tables(pid) if int(fields[20]) > _VAST else 0
    return _Process(pid, int(fields[1]), sum(map(int, fields[11:15])), int(fields[21]) * _PAGE, tables)


def _page_tables(pid: int) -> int:
    """Return what the kernel holds to map a process: a page read here and there costs one of ours that is not its."""
    try:
        with open(f"/proc/{pid}/status", "rb") as file:
            lines = file.read().split(b"\n")
    except OSError:
        return 0
    return sum(int(line.split()[1]) << 10 for line in lines if line.startswith(b"VmPTE:"))
