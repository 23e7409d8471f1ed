"""When we die, and however we die, our boxes die with us."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import boxes
import pytest

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # Python 3.12: pytest has threads

HOST = """
import multiprocessing, os, sys, time
from codearena_plugin.execution.choose import executor_named
from codearena_plugin.execution.sandbox import Job, Limits, SandboxOptions, Step
name, python, how = sys.argv[1:]
box = executor_named(name).open(SandboxOptions(name=name, python=python or None))
fork = os.fork() if how == "forked" else -1
if fork == 0:
    time.sleep(100)
program = b"import os, time\\nif os.fork() == 0: os.setsid()\\ntime.sleep(100)"
step = Step(("python", "main.py"), limits=Limits(wall_s=100))
print("ready", fork, flush=True)
box.run(Job((step,), {"main.py": program}))
"""


def _below(top: int, but: int) -> set[tuple[int, str]]:
    """Return process id and start time of what descends from a process, zombies left out."""
    children: dict[int, list[tuple[int, str]]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                if fields[0] not in "ZX":
                    children.setdefault(int(fields[1]), []).append((int(folder.name), fields[19]))
    found: set[tuple[int, str]] = set()
    waiting = [top]
    while waiting:
        below = [process for process in children.get(waiting.pop(), []) if process[0] != but]
        found.update(below)
        waiting += [pid for pid, _ in below]
    return found


def _alive(processes: set[tuple[int, str]]) -> set[tuple[int, str]]:
    found = set()
    for pid, began in processes:
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            if fields[0] not in "ZX" and fields[19] == began:
                found.add((pid, began))
    return found


def _eventually(condition: Callable[[], bool], seconds: float = 20) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


@pytest.mark.parametrize("name", boxes.ISOLATING)
@pytest.mark.parametrize(
    ("how", "number"),
    [("alone", signal.SIGKILL), ("alone", signal.SIGINT), ("alone", signal.SIGTERM), ("forked", signal.SIGKILL)],
)
def test_a_box_does_not_outlive_us(name: str, how: str, number: signal.Signals) -> None:
    options = boxes.options_for(name)
    command = [sys.executable, "-c", HOST, options.name, options.python or "", how]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as host:
        assert host.stdout
        said, fork = host.stdout.readline().split()
        try:
            assert said == "ready"
            assert _eventually(lambda: len(_below(host.pid, int(fork))) >= 3), "zygote, step, and what that started"
            ours = _below(host.pid, int(fork))
            host.send_signal(number)
            assert _eventually(lambda: not _alive(ours)), f"left: {_alive(ours)}"
        finally:
            host.kill()
            if int(fork) > 0:
                os.kill(int(fork), signal.SIGKILL)


def test_a_fork_of_ours_opens_a_box_of_its_own() -> None:
    with boxes.opened("bubblewrap") as box:
        reading, writing = os.pipe()
        if (pid := os.fork()) == 0:
            code = 1
            with contextlib.suppress(BaseException):
                os.write(writing, boxes.ending_of(box, "print('in the fork')").stdout)
                box.close()
                code = 0
            os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        os.close(writing)
        assert os.read(reading, 100) == b"in the fork\n"
        os.close(reading)
        assert boxes.ending_of(box, "print('still here')").stdout == b"still here\n"
