"""Try a box out: open it, run a program in it, and say what that took."""

from __future__ import annotations

import time
from collections.abc import Callable

from codearena_plugin.execution.backends.box import BoxSandbox
from codearena_plugin.execution.sandbox import Job, Probe, Step

_RUNS = 4
_JOB = Job((Step(("python", "canary.py")),), {"canary.py": b"print(6 * 7)"})


def canary(open_box: Callable[[], BoxSandbox], name: str) -> Probe:
    """Return whether a box runs a program, and one line with the time to open it and the best of a few runs.

    Raises:
        BoxError, ConfigError: it cannot be opened.
    """
    began = time.perf_counter()
    with open_box() as sandbox:
        opened = time.perf_counter()
        times = []
        for _ in range(_RUNS):
            start = time.perf_counter()
            ending = sandbox.run(_JOB).last
            times.append(time.perf_counter() - start)
            if ending.how != "exited" or ending.stdout != b"42\n":
                return Probe(False, ending.problem or f"a canary ended as {ending.how!r}: {ending.stderr!r:.200}")
    return Probe(True, f"{name}, {1e3 * (opened - began):.0f} ms to open, {1e3 * min(times):.1f} ms a Python run")
