"""Run one step: fork, watch, end, sweep, and say how it ended."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from codearena_plugin.execution.zygote import child, framing, room, scan
from codearena_plugin.execution.zygote.streams import Streams
from codearena_plugin.execution.zygote.sweep import Swept, sweep

FIRST_LOOK_S = 0.02


class Box(NamedTuple):
    """What a step needs of the box it runs in.

    Attributes:
        confine: what holds its process.
        use: what all processes of the box use now.
        kill: sends SIGKILL to all of them.
        left: how many bytes the scratch directory still takes, of so many; 0: it holds too much.
        shortage: whether the machine ran out of memory.
        control: descriptor of the channel to the host; anything on it while a step runs means that the host is gone.
        wake: descriptor that can be read when a child has ended.
    """

    confine: child.Confine
    use: Callable[[], scan.Use]
    kill: Callable[[], None]
    left: Callable[[int], int]
    shortage: scan.Shortage
    control: int
    wake: int


class Done(NamedTuple):
    """A step that has ended: its ending without its streams, these, and whether nothing of it is left running."""

    ending: dict[str, Any]
    out: memoryview
    err: memoryview
    is_clean: bool


class HostGoneError(Exception):
    """Nobody waits for an answer any more."""


class InChildError(BaseException):
    """This is the forked process: unwind to the top, and run the program there, away from the zygote's frames."""

    def __init__(self, plan: child.Plan) -> None:
        super().__init__()
        self.plan = plan


class _Watched:
    """What is known of a step that runs."""

    def __init__(self, pid: int, limits: dict[str, Any], report: int) -> None:
        self.pid = pid
        self.limits = limits
        self._report = select.poll()
        self._report.register(report, 0)
        self.began = time.monotonic()
        self.status: int | None = None
        self.own_peak = 0
        self.reaped_s = 0.0  # processor time of what has ended
        self.peak = 0
        self.crowds = 0  # looks in a row at too many threads
        self.verdict = ""

    @property
    def has_begun(self) -> bool:
        """Whether the program runs: before, its process is still hidden from all, and holds nothing of its own."""
        return bool(self._report.poll(0))


def run_step(plan: child.Plan, given: memoryview, box: Box) -> Done:
    """Run a step.

    Raises:
        HostGoneError: the host has closed the channel.
        InChildError: in the forked process of a Python program.
    """
    streams = Streams(given, plan.limits["output_bytes"], [box.control, box.wake])
    report, report_child = os.pipe()
    pid = os.fork()
    if pid == 0:
        child.become(plan, box.confine, streams.ends, report_child)
        raise InChildError(plan)
    os.close(report_child)
    streams.started()
    watched = _Watched(pid, plan.limits, report)
    try:
        _watch(watched, streams, box)
    finally:
        wall_s = time.monotonic() - watched.began
        streams.drain()
        _reap(watched)  # what has ended by itself is no survivor
        swept = sweep(box.kill, pid)
        streams.drain()
        problem = os.read(report, 4096).decode("utf-8", "replace")
        os.close(report)
        out, err = streams.close()
    if streams.is_over or not box.left(4 * plan.limits["file_bytes"]):  # what was too quick to be seen
        watched.verdict = watched.verdict or "output"
    ending = _ending(watched, swept, problem, plan, box.shortage)
    ending.update(wall_s=wall_s, survivors=swept.killed)
    if ending["how"] == "exited" and problem.startswith("exec"):
        err = memoryview(f"{plan.argv[0]}: {problem[5:]}\n".encode())
    return Done(ending, out, err, swept.is_clean)


def _watch(watched: _Watched, streams: Streams, box: Box) -> None:
    """Return when the step's own process has ended, or when it must be ended."""
    deadline = watched.began + watched.limits["wall_s"]
    look = watched.began + min(FIRST_LOOK_S, room.pause(watched.limits["memory_bytes"], 0))
    most = 4 * watched.limits["file_bytes"]
    look_at_room = watched.began + room.pause(most, 0)
    while True:
        if (began := time.monotonic()) >= look:
            left = _look(watched, box) if watched.has_begun else watched.limits["memory_bytes"]
            now = time.monotonic()
            look = now + room.pause(left, min(now - began, room.LOOK_S))  # half of a processor at worst
        if (began := time.monotonic()) >= look_at_room:
            left = box.left(most) if watched.has_begun else most
            now = time.monotonic()
            look_at_room = now + room.pause(left, 4 * (now - began))  # a fifth
            watched.verdict = watched.verdict or ("" if left else "output")
        now = time.monotonic()
        if now >= deadline:
            watched.verdict = watched.verdict or "timeout"
        if watched.verdict:
            return
        news = streams.wait(min(deadline, look, look_at_room) - now)
        if box.control in news:
            raise HostGoneError
        if box.wake in news:
            os.read(box.wake, 4096)
            _reap(watched)
        if watched.status is not None:
            return
        if streams.is_over:
            watched.verdict = "output"


def _look(watched: _Watched, box: Box) -> int:
    """Look at memory, processor time and threads; return how many bytes of memory are left, 0: look again at once."""
    use = box.use()
    memory, most = use.memory, watched.limits["memory_bytes"]
    if memory > most:
        memory = scan.proportional(use)
    watched.peak = max(watched.peak, min(memory, use.resident))
    if memory > most:
        watched.verdict = "memory"
    elif watched.reaped_s + use.cpu_s > watched.limits["cpu_s"]:
        watched.verdict = "timeout"
    # Where the kernel counts those of the user's other programs as well. Once is no proof: while they are counted,
    # some end and others begin.
    watched.crowds = watched.crowds + 1 if use.tasks > watched.limits["processes"] else 0
    if watched.crowds > 1:
        watched.verdict = watched.verdict or "signalled"
    return 0 if watched.crowds else max(0, int(most - memory))


def _reap(watched: _Watched) -> None:
    while True:
        try:
            pid, status, used = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        watched.reaped_s += used.ru_utime + used.ru_stime
        watched.own_peak = max(watched.own_peak, used.ru_maxrss << 10)
        if pid == watched.pid:
            watched.status = status


def _ending(watched: _Watched, swept: Swept, problem: str, plan: child.Plan, shortage: scan.Shortage) -> dict[str, Any]:
    status = swept.status if watched.status is None else watched.status
    cpu_s = watched.reaped_s + swept.cpu_s
    ending: dict[str, Any] = {
        "cpu_s": cpu_s,
        "peak_bytes": max(watched.peak, watched.own_peak, swept.peak),
        "exit_code": None,
        "signal": None,
        "problem": "",
    }
    how = watched.verdict
    if problem and (problem.startswith("setup") or not _is_own_file(plan.argv[0])):
        how = "lost"
        what = problem.partition(" ")[2]
        ending["problem"] = (
            "the step could not be confined: " + what
            if problem.startswith("setup")
            else f"{plan.argv[0]} cannot be started: {what}"
        )
    elif status is None:
        how = how or "lost"
    elif not how and (cpu_s > watched.limits["cpu_s"] or _signal(status) == signal.SIGXCPU):
        how = "timeout"
    elif not how and max(watched.own_peak, swept.peak) > watched.limits["memory_bytes"]:
        how = "memory"
    elif not how and _signal(status) == signal.SIGKILL and shortage.is_new():
        how, ending["problem"] = "lost", framing.SHORTAGE
    elif how == "signalled" or (not how and _signal(status)):
        how, ending["signal"] = "signalled", _signal(status) or signal.SIGKILL
    elif not how:
        how, ending["exit_code"] = "exited", os.WEXITSTATUS(status)
    ending["how"] = how
    return ending


def _signal(status: int) -> int:
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def _is_own_file(program: str) -> bool:
    """Whether a program is a file of the job, so that it is the job's affair when it cannot be started."""
    return "/" in program and not program.startswith("/")
