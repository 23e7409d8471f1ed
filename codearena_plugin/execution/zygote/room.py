"""Whether the scratch directory holds more than it may."""

from __future__ import annotations

import os
import stat

FILES_MOST = 20000
"""Entries of a scratch directory; each costs memory of the kernel that no size limit counts."""


def holds_too_many(root: str) -> bool:
    """Return whether a file system of its own has too many entries; the size it limits itself."""
    try:
        status = os.statvfs(root)
    except OSError:  # closed by the step, to its own harm
        return False
    return status.f_files - status.f_ffree > FILES_MOST


def holds_too_much(root: str, most: int, pids: list[int]) -> bool:
    """Return whether a directory of a shared file system has too many entries or bytes.

    Files that are deleted and still open count as well.
    """
    total, entries, waiting = 0, 0, [root]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as found:
                for entry in found:
                    entries += 1
                    if entries > FILES_MOST or total > most:
                        return True
                    status = entry.stat(follow_symlinks=False)
                    total += status.st_blocks * 512
                    if stat.S_ISDIR(status.st_mode):
                        waiting.append(entry.path)
        except OSError:  # it changes while it is read
            continue
    return total + sum(map(_deleted, pids)) > most


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
