"""Kill whatever a step has left, and wait until it is gone."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from typing import NamedTuple

PATIENCE_S = 5.0


class Swept(NamedTuple):
    """What was reaped by a sweep.

    Attributes:
        killed: processes, without the step's own.
        cpu_s: processor time of all of them.
        status: of the step's own process, where it was among them.
        peak: highest resident memory of one of them, in bytes.
        is_clean: whether nothing is left.
    """

    killed: int
    cpu_s: float
    status: int | None
    peak: int
    is_clean: bool


def sweep(kill: Callable[[], None], own: int) -> Swept:
    """Kill all and reap all.

    Args:
        kill: sends SIGKILL to everything in the box.
        own: the step's own process, which is no survivor.
    """
    count, cpu_s, peak, status = 0, 0.0, 0, None
    until = time.monotonic() + PATIENCE_S
    kill()
    while True:
        try:
            pid, ended, used = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return Swept(count, cpu_s, status, peak, is_clean=True)
        if pid == 0:
            if time.monotonic() > until:
                return Swept(count, cpu_s, status, peak, is_clean=False)
            time.sleep(0.0002)
            kill()
            continue
        if pid == own:
            status = ended
        else:
            count += 1
        cpu_s += used.ru_utime + used.ru_stime
        peak = max(peak, used.ru_maxrss << 10)


def kill_all() -> None:
    """Kill every process that may be signalled, but this one: for a box with process ids or a user of its own."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)


def kill_each(pids: Callable[[], list[int]]) -> None:
    """Kill what ``pids`` finds, again and again until it finds nothing that is new; a chain of forks may need that."""
    done: set[int] = set()
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        left = [pid for pid in pids() if pid not in done]
        if not left:
            return
        for pid in left:
            done.add(pid)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
