"""How much more the scratch directory may hold, and how soon room of any kind could be used up."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from typing import NamedTuple

from codearena_plugin.execution.zygote.scan import files_of

FILES_MOST = 20000
"""Entries of a scratch directory; each costs memory of the kernel that no size limit counts."""
DEPTH_MOST = 200
"""Directories within each other, of those that are counted; each takes a descriptor while it is."""
UNLIMITED = 1 << 62
LOOK_S = 0.05
SHORTEST_S = 0.001
FILLED_IN_A_SECOND = 4 << 30
"""Bytes of memory, or of a file system that is memory, that a program can fill; 100 MiB were seen to take 20 ms."""
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_LISTED = stat.S_IRUSR | stat.S_IXUSR


class _Held(NamedTuple):
    """What lies beneath a directory."""

    bytes: int
    entries: int


def left_of_entries(root: str) -> int:
    """Return what a file system of its own still takes: its size it limits itself; 0 with too many entries."""
    try:
        status = os.statvfs(root)
    except OSError:  # closed by the step, to its own harm
        return UNLIMITED
    return 0 if status.f_files - status.f_ffree > FILES_MOST else UNLIMITED


def left_of_bytes(root: str, most: int, pids: list[int]) -> int:
    """Return how many bytes of ``most`` a directory of a shared file system still takes; 0 with too many entries.

    Files that are deleted and still open count as well. What cannot be looked at counts as too much, since it may be:
    directories too deep within each other, one that is shut in the very moment, and a process that hides what it has
    open.
    """
    above, name = os.path.split(root)
    parent = os.open(above, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        mode = stat.S_IMODE(os.lstat(root).st_mode)
        with _entered(name, parent, mode) as top:
            held = _held(top, most, FILES_MOST, DEPTH_MOST)
    except PermissionError:
        return 0
    finally:
        os.close(parent)
    return max(0, most + 1 - held.bytes - sum(map(_deleted, pids))) if held.entries <= FILES_MOST else 0


def pause(left: int, rest_s: float) -> float:
    """Return the seconds until one must look again at what is filled, since it could be full by then.

    Args:
        left: bytes that may still be taken.
        rest_s: the shortest pause after a look that was not cheap.
    """
    return max(min(left / FILLED_IN_A_SECOND, LOOK_S), SHORTEST_S, rest_s)


def _held(directory: int, most: int, entries_most: int, depth: int) -> _Held:
    """Return what lies beneath a directory; counting ends where it is too much, by size, number or depth."""
    total, entries = 0, 0
    try:
        with os.scandir(directory) as found:
            for entry in found:
                entries += 1
                if entries > entries_most or total > most:
                    return _Held(total, entries)
                try:
                    status = entry.stat(follow_symlinks=False)
                    total += status.st_blocks * 512
                    if not stat.S_ISDIR(status.st_mode):
                        continue
                    if not depth:
                        return _Held(UNLIMITED, entries)
                    with _entered(entry.name, directory, stat.S_IMODE(status.st_mode)) as inside:
                        below = _held(inside, most - total, entries_most - entries, depth - 1)
                    total, entries = total + below.bytes, entries + below.entries
                except PermissionError:
                    return _Held(UNLIMITED, entries)
                except OSError:  # gone meanwhile, or another thing by now
                    continue
    except OSError:  # it goes while it is read
        pass
    return _Held(total, entries)


@contextlib.contextmanager
def _entered(name: str, parent: int, mode: int) -> Iterator[int]:
    """Open a directory within another to list it and look at what it holds, be it one that its owner has shut."""
    if mode & _LISTED == _LISTED:
        directory = os.open(name, _DIRECTORY, dir_fd=parent)
        try:
            yield directory
        finally:
            os.close(directory)
        return
    shut = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        itself = f"/proc/self/fd/{shut}"  # whatever bears its name by now
        os.chmod(itself, mode | _LISTED)
        try:
            with _entered(".", shut, mode | _LISTED) as directory:
                yield directory
        finally:
            os.chmod(itself, mode)
    finally:
        os.close(shut)


def _deleted(pid: int) -> int:
    files = files_of(pid)
    if files is None:
        return UNLIMITED
    total = 0
    for name in files:
        with contextlib.suppress(OSError):
            status = os.stat(f"/proc/{pid}/fd/{name}")
            if stat.S_ISREG(status.st_mode) and status.st_nlink == 0:
                total += status.st_blocks * 512
    return total
