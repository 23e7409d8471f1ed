"""How much more the scratch directory may hold, and how soon that could be written."""

from __future__ import annotations

import os
import stat

FILES_MOST = 20000
"""Entries of a scratch directory; each costs memory of the kernel that no size limit counts."""
UNLIMITED = 1 << 62
LOOK_S = 0.05
SHORTEST_S = 0.001
WRITTEN_IN_A_SECOND = 4 << 30
"""Bytes that a program can write to the memory of a file system; 100 MiB were seen to take 20 ms."""


def left_of_entries(root: str) -> int:
    """Return what a file system of its own still takes: its size it limits itself; 0 with too many entries."""
    try:
        status = os.statvfs(root)
    except OSError:  # closed by the step, to its own harm
        return UNLIMITED
    return 0 if status.f_files - status.f_ffree > FILES_MOST else UNLIMITED


def left_of_bytes(root: str, most: int, pids: list[int]) -> int:
    """Return how many bytes of ``most`` a directory of a shared file system still takes; 0 with too many entries.

    Files that are deleted and still open count as well.
    """
    total, entries, waiting = 0, 0, [root]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as found:
                for entry in found:
                    entries += 1
                    if entries > FILES_MOST or total > most:
                        return 0
                    status = entry.stat(follow_symlinks=False)
                    total += status.st_blocks * 512
                    if stat.S_ISDIR(status.st_mode):
                        waiting.append(entry.path)
        except OSError:  # it changes while it is read
            continue
    return max(0, most + 1 - total - sum(map(_deleted, pids)))


def pause(left: int, took_s: float) -> float:
    """Return the seconds until the directory must be looked at again, since it could be full by then.

    Args:
        left: bytes that it still takes.
        took_s: what the last look took; looking is kept below a fifth of a processor.
    """
    return max(min(left / WRITTEN_IN_A_SECOND, LOOK_S), SHORTEST_S, 4 * took_s)


def _deleted(pid: int) -> int:
    total = 0
    folder = f"/proc/{pid}/fd"
    try:
        for name in os.listdir(folder):
            status = os.stat(folder + "/" + name)
            if stat.S_ISREG(status.st_mode) and status.st_nlink == 0:
                total += status.st_blocks * 512
    except OSError:
        pass
    return total
