"""What a sandbox costs: opening it, and running a small program in it, beside a bare fork and a bare interpreter.

Run with ``python tests/bench/bench_sandbox.py [RUNS]``. The runs of all contestants alternate, so that a busy machine
slows them alike; medians and the best of wall time are shown, then what all cores together do with the pool. The aims
hold for a quiet machine: a box within 40 ms, a Python run within 4 ms.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from codearena_plugin.execution.choose import executor_named
from codearena_plugin.execution.pool import default_workers, run_jobs
from codearena_plugin.execution.sandbox import Job, SandboxOptions, Step

ISOLATING = ("bubblewrap", "landlock")
OPEN_AIM_MS, RUN_AIM_MS = 40.0, 4.0
PROGRAM = b"print(sum(range(100)))"
JOB = Job((Step(("python", "a.py")),), {"a.py": PROGRAM})
TRUE = Job((Step(("true",)),))


def bare_fork() -> None:
    """Fork and run the program, in a pipe, with no wall around it: the floor of what a zygote can do."""
    reading, writing = os.pipe()
    if (pid := os.fork()) == 0:
        os.dup2(writing, 1)
        exec(compile(PROGRAM, "a.py", "exec"), {"__name__": "__main__"})
        sys.stdout.flush()
        os._exit(0)
    os.close(writing)
    os.read(reading, 100)
    os.waitpid(pid, 0)
    os.close(reading)


def bare_python(path: str) -> None:
    """Start an interpreter for the program."""
    subprocess.run([sys.executable, "-I", path], check=True, capture_output=True)


def wrapped_python(path: str) -> None:
    """Start bubblewrap and an interpreter for each program, as most sandboxes do."""
    command = ["bwrap", "--unshare-all", "--die-with-parent", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"]
    subprocess.run([*command, sys.executable, "-I", path], check=True, capture_output=True)


def options_here(name: str) -> SandboxOptions | None:
    """Return options under which an executor works here, if any; says why not."""
    reason = ""
    for python in (None, "/usr/bin/python3"):
        options = replace(SandboxOptions(name=name), python=python)
        probe = executor_named(name).probe(options)
        if probe.works:
            return options
        reason = reason or probe.line
    print(f"{name}: {reason}")
    return None


def times_of(contestants: dict[str, Callable[[], object]], runs: int) -> dict[str, list[float]]:
    """Run all in turn; return the milliseconds of each run."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(runs + 2):
        for name, action in contestants.items():
            start = time.perf_counter()
            action()
            if turn >= 2:
                times[name].append((time.perf_counter() - start) * 1e3)
    return times


def main() -> None:
    """Print the table."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    found = {name: options for name in ISOLATING if (options := options_here(name))}
    with ExitStack() as stack:
        path = str(Path(stack.enter_context(tempfile.TemporaryDirectory()), "a.py"))
        Path(path).write_bytes(PROGRAM)
        contestants: dict[str, Callable[[], object]] = {"bare fork": bare_fork, "python -I": lambda: bare_python(path)}
        if "bubblewrap" in found:
            contestants["bwrap python -I"] = lambda: wrapped_python(path)
        for name, options in found.items():
            box = stack.enter_context(executor_named(name).open(options))
            contestants[f"{name}: python"] = lambda box=box: box.run(JOB)  # type: ignore[misc]
            contestants[f"{name}: /bin/true"] = lambda box=box: box.run(TRUE)  # type: ignore[misc]
        times = times_of(contestants, runs)
    for name, options in found.items():
        opening = []
        for _ in range(max(5, runs // 20)):
            start = time.perf_counter()
            executor_named(name).open(options).close()
            opening.append((time.perf_counter() - start) * 1e3)
        times[f"{name}: open and close"] = opening
    print(f"Python {sys.version.split()[0]}, {os.uname().release}, {runs} interleaved runs each; ms")
    print(f"{'':28}{'median':>9}{'best':>9}{'aim':>9}")
    for name, kept in times.items():
        aim = RUN_AIM_MS if name.endswith(": python") else OPEN_AIM_MS if "open" in name else None
        verdict = f"{f'< {aim:g}':>9}  {'met' if min(kept) < aim else 'MISSED'}" if aim else f"{'-':>9}"
        print(f"{name:28}{statistics.median(kept):9.2f}{min(kept):9.2f}{verdict}")
    for name, options in found.items():
        start = time.perf_counter()
        count = sum(1 for _ in run_jobs(options, [JOB] * (4 * runs)))
        print(f"{name}: {count / (time.perf_counter() - start):.0f} runs a second with {default_workers()} sandboxes")


if __name__ == "__main__":
    main()
