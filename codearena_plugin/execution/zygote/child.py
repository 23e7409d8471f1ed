"""From the fork to the program: what a step's own process does to itself before a stranger's code begins."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import os
import resource
from collections.abc import Callable
from typing import Any, NamedTuple

from codearena_plugin.execution.zygote import kernel, python

DESCRIPTORS = 1024
_REPORT = 3


class Confine(NamedTuple):
    """What holds a step.

    Attributes:
        user: id to become; ``None``: stay.
        ruleset: descriptor of a Landlock ruleset, above 3; ``None``: namespaces do its part.
        seccomp: the filter of system calls; ``None``: the zygote wears it already, and it is inherited.
        processes_before: processes of that user outside the box, which the kernel counts too.
    """

    user: int | None
    ruleset: int | None
    seccomp: kernel.SeccompFilter | None
    processes_before: Callable[[], int]


class Plan(NamedTuple):
    """One step, as its process needs it; ``more_env`` is what ``env`` has beside the zygote's own environment."""

    argv: list[str]
    env: dict[str, str]
    more_env: dict[str, str]
    limits: dict[str, Any]
    work: str
    python: list[str]
    program: tuple[list[str], Callable[[], Any]] | None


def become(plan: Plan, confine: Confine, streams: tuple[int, int, int], report: int) -> None:
    """Turn this fresh fork into the step's process; returns only for a Python program, which ``go`` then runs.

    What fails is written to ``report`` and ends the process: no code runs half confined.
    """
    try:
        _settle(plan, confine, streams, report)
        if plan.program is None:
            argv = [*plan.python, *plan.argv[1:]] if plan.argv[0] == "python" else plan.argv
            for number in (_signal.SIGPIPE, _signal.SIGXFSZ):
                _signal.signal(number, _signal.SIG_DFL)
            _shut(confine)
            try:
                os.execvpe(argv[0], argv, plan.env)
            except OSError as exc:
                os.write(_REPORT, b"exec " + (exc.strerror or str(exc)).encode())
                os._exit(127 if isinstance(exc, FileNotFoundError) else 126)
        _shut(confine)
        os.close(_REPORT)
    except BaseException as exc:
        _complain(exc)


def _shut(confine: Confine) -> None:
    if confine.seccomp is not None:
        confine.seccomp.put_on()


def go(plan: Plan) -> None:
    """Run the Python program of a step in this process. Never returns."""
    assert plan.program is not None
    python.run(*plan.program, plan.more_env)


def _complain(exc: BaseException) -> None:
    try:
        os.write(_REPORT, f"setup {type(exc).__name__}: {exc}".encode())
    finally:
        os._exit(125)


def _settle(plan: Plan, confine: Confine, streams: tuple[int, int, int], report: int) -> None:
    # Every page that is written to here is copied first, which is most of what a short step costs: hence plain
    # numbers, the C module without the enumerations of ``signal``, and no file objects.
    _signal.set_wakeup_fd(-1)
    _signal.signal(_signal.SIGCHLD, _signal.SIG_DFL)
    _signal.signal(_signal.SIGINT, _signal.default_int_handler)
    os.setsid()
    kernel.prctl(kernel.PR_SET_DUMPABLE, 1)  # else its own /proc/self is not its own
    # The descriptors that stay are moved up, then to their places, so that none overwrites another.
    high = [os.dup(number) for number in (*streams, report)]
    for target in range(3):
        os.dup2(high[target], target)
    os.dup2(high[3], _REPORT, inheritable=False)
    _limit(plan.limits, confine.processes_before())
    file = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
    os.write(file, b"1000")
    if confine.ruleset is not None:
        kernel.landlock_restrict(confine.ruleset)
    os.closerange(_REPORT + 1, 2 * DESCRIPTORS)
    if confine.user is not None:
        os.setresuid(confine.user, confine.user, confine.user)
    kernel.prctl(kernel.PR_SET_PDEATHSIG, _signal.SIGKILL)
    os.umask(0o022)
    os.chdir(plan.work)


def _limit(limits: dict[str, Any], before: int) -> None:
    cpu = int(limits["cpu_s"]) + 2
    processes = limits["processes"] + before
    for name, soft, hard in (
        ("RLIMIT_CPU", cpu, cpu + 1),
        ("RLIMIT_FSIZE", limits["file_bytes"], limits["file_bytes"]),
        ("RLIMIT_NPROC", processes, processes),
        ("RLIMIT_NOFILE", DESCRIPTORS, DESCRIPTORS),
    ):
        try:
            resource.setrlimit(getattr(resource, name), (soft, hard))
        except ValueError as exc:  # with less, a program would fail for the account that it ran in
            msg = f"this account's hard limit {name} is below {hard} (ulimit -H)"
            raise OSError(msg) from exc
