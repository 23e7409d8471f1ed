"""Users that nobody else is, one pair for each box: what they may have at once is then counted by box."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import time
from pathlib import Path

_FREE = (1_900_000_000, 2_140_000_000)
"""Neither accounts nor the id ranges of containers lie here (systemd's UIDS-GIDS document)."""
_FREE_IN_CONTAINER = (65_100, 65_500)
_PATIENCE_S = 5.0


def unused_users() -> tuple[int, int] | None:
    """Return two user ids without a process, the zygote's own and that of its steps; ``None``: there are none to spare.

    A user namespace may have but one id, its root's, who is nobody outside.

    Raises:
        OSError: /proc cannot be read, or all that were looked at are taken.
    """
    found = _range()
    if found is None:
        return None
    low, high = found
    taken = _owners()
    for _ in range(1000):
        own = low + 2 * secrets.randbelow((high - low) // 2)
        if own not in taken and own + 1 not in taken:
            return own, own + 1
    msg = "no unused user id was found"
    raise OSError(msg)


def end_all_of(users: tuple[int, int]) -> None:
    """Kill what runs as one of two users that only a box has, should its zygote have died before it could."""
    until = time.monotonic() + _PATIENCE_S
    while mine := [int(entry.name) for entry in os.scandir("/proc") if entry.name.isdigit() and _owner(entry) in users]:
        for pid in mine:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > until:  # dead, and not yet reaped by whoever must
            return
        time.sleep(0.01)


def _range() -> tuple[int, int] | None:
    rows = [tuple(map(int, line.split())) for line in Path("/proc/self/uid_map").read_text("ascii").splitlines()]
    for low, high in (_FREE, _FREE_IN_CONTAINER):
        if any(start <= low and high <= start + count for start, _, count in rows):
            return low, high
    return None


def _owners() -> set[int]:
    return {owner for entry in os.scandir("/proc") if entry.name.isdigit() and (owner := _owner(entry)) is not None}


def _owner(entry: os.DirEntry[str]) -> int | None:
    try:
        return entry.stat().st_uid
    except OSError:
        return None
