"""The zygote: opens the box from within, then runs one job after the other until the host is gone."""

from __future__ import annotations

import contextlib
import fcntl
import gc
import os
import resource
import signal
import site
import socket
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from codearena_plugin.execution.zygote import child, clean, framing, kernel, room, scan, sweep
from codearena_plugin.execution.zygote.python import Modules
from codearena_plugin.execution.zygote.step import Box, HostGoneError, InChildError, run_step
from codearena_plugin.execution.zygote.unforked import unforked

CLEAN_MOST = 1000
"""Entries of a scratch directory that are removed before the answer; with more, the box is replaced after it."""
_OTHERS = 64
"""Processes and threads of the same user that may begin while a step runs, for each core."""
_ROUNDED = 256
_TASKS_MOST = 1 << 22
_LIMITS = [getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")]


def main(descriptor: int) -> Callable[[], None] | None:
    """Serve the host. Returns in a forked process only, with what that is to run; else it ends with the host."""
    channel = socket.socket(fileno=descriptor)
    os.set_inheritable(descriptor, False)
    plan: child.Plan | None = None
    try:
        first = framing.receive(channel)
        if first is None:
            return None
        try:
            zygote = _Zygote(first[0], channel)
        except OSError as exc:
            framing.send(channel, {"problem": str(exc)})
            return None
        framing.send(channel, {"problem": zygote.problem(), "python": sys.version.split()[0]})
        zygote.serve()
    except InChildError as exc:
        plan = exc.plan
        channel.detach()  # closed long since, and its number may be used again
    except (HostGoneError, ConnectionError):
        pass
    return None if plan is None else partial(child.go, plan)


class _Zygote:
    def __init__(self, options: dict[str, Any], channel: socket.socket) -> None:
        self._channel = channel
        self._scratch: str = options["scratch"]
        self._python: list[str] = [sys.executable, *options["python_flags"]]
        self._is_shared = options["ruleset"] is not None  # no namespaces: process ids and files are the host's
        user = _drop(options["users"], self._scratch)
        kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
        if self._is_shared:
            kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)  # and it must live on without the host, to clean up
        else:
            kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)  # a change of user had undone it
        ruleset = _ruleset(options["ruleset"]) if self._is_shared else None
        seccomp: kernel.SeccompFilter | None = kernel.SeccompFilter(bytes.fromhex(options["seccomp"]))
        before = _counted_before(os.getuid()) if options["counts_user"] else lambda: int(options["before"])
        if sys.flags.no_site:
            _set_site_builtins()
        self._modules = Modules(options["modules"])
        self._env: dict[str, str] = dict(
            options["env"],
            HOME=os.path.join(self._scratch, clean.WORK),
            TMPDIR=os.path.join(self._scratch, clean.TEMPORARY),
        )
        os.environ.clear()
        os.environ.update(self._env)
        self._is_fresh = clean.empty(self._scratch, None)
        _limit()
        if seccomp and options["is_filter_inherited"]:
            seccomp.put_on()  # once a box and not once a step: it costs half a millisecond
            seccomp = None
        self._box = Box(
            confine=child.Confine(user, ruleset, seccomp, before),
            use=partial(scan.use_of_descendants if self._is_shared else scan.use_of_all, os.getpid()),
            kill=self._killer(user),
            left=self._left,
            shortage=scan.Shortage(),
            control=channel.fileno(),
            wake=_wake(),
        )
        self._state = _state()
        gc.collect()
        gc.freeze()

    def problem(self) -> str:
        """Return why no code can be run here; empty where it can."""
        if not self._is_fresh:
            return f"the user who runs steps cannot use {self._scratch}: set TMPDIR to a directory that all may enter"
        for folder in sys.path:
            if "/lib" in folder and not folder.endswith(".zip") and not os.access(folder, os.R_OK | os.X_OK):
                return f"the interpreter's library {folder} cannot be read by the user who runs steps"
        return ""

    def serve(self) -> None:
        """Run jobs until the host is gone."""
        try:
            while True:
                message = framing.receive(self._channel, room=unforked)
                if message is None:
                    return
                header, body = message
                framing.send(self._channel, *self._run(header, body))
        finally:
            if self._is_shared:
                with contextlib.suppress(OSError):
                    self._leave()

    def _leave(self) -> None:
        if os.getpid() != self._state[0]:
            return  # a step's own process, on its way up
        sweep.sweep(self._box.kill, 0)
        clean.empty(self._scratch, None)
        for name in (clean.WORK, clean.TEMPORARY):
            os.rmdir(os.path.join(self._scratch, name))
        os.rmdir(self._scratch)

    def _run(self, job: dict[str, Any], body: memoryview) -> tuple[dict[str, Any], list[memoryview]]:
        names = [name for name, _ in job["files"]]
        blobs = framing.split(body, [size for _, size in job["files"]] + [step["stdin"] for step in job["steps"]])
        problem = self._written(names, blobs)
        if problem:
            return {"endings": [_lost(problem)], "files": [], "clean": False}, []
        endings: list[dict[str, Any]] = []
        outputs: list[memoryview] = []
        is_clean = True
        for step, given in zip(job["steps"], blobs[len(names) :]):
            if not is_clean:
                endings.append(_lost("what the step before had left running could not be ended"))
                outputs += [memoryview(b"")] * 2
                break
            done = run_step(self._plan(step), given, self._box)
            endings.append({**done.ending, "stdout": len(done.out), "stderr": len(done.err)})
            outputs += [done.out, done.err]
            is_clean = done.is_clean
            if done.ending["how"] != "exited" or done.ending["exit_code"] != 0:
                break
        returned = [(name, clean.read(self._scratch, name, job["returns_most"])) for name in job["returns"]]
        found = [(name, content) for name, content in returned if content is not None]
        is_clean = is_clean and clean.empty(self._scratch, CLEAN_MOST)
        is_clean = is_clean and _state() == self._state
        header = {"endings": endings, "files": [(name, len(content)) for name, content in found], "clean": is_clean}
        return header, outputs + [content for _, content in found]

    def _written(self, names: list[str], blobs: list[memoryview]) -> str:
        """Write the files of a job; return what went wrong."""
        try:
            for name, content in zip(names, blobs):
                clean.write(self._scratch, name, content)
        except OSError as exc:
            return f"a file of the job cannot be written: {exc}"
        return ""

    def _plan(self, step: dict[str, Any]) -> child.Plan:
        argv = step["argv"]
        if self._is_shared and "/" in argv[0] and not argv[0].startswith("/"):
            clean.make_executable(self._scratch, argv[0])  # a linker that may not say so itself
        return child.Plan(
            argv=argv,
            env=dict(self._env, **step["env"]),
            more_env=step["env"],
            limits=step["limits"],
            work=self._env["HOME"],
            python=self._python,
            program=self._modules.program(argv) if argv[0] == "python" else None,
        )

    def _killer(self, user: int | None) -> Callable[[], None]:
        if user is not None or not self._is_shared:
            return sweep.kill_all
        return partial(sweep.kill_each, partial(scan.descendants, os.getpid()))

    def _left(self, most: int) -> int:
        if self._is_shared:
            return room.left_of_bytes(self._scratch, most, scan.descendants(os.getpid()))
        return room.left_of_entries(self._scratch)


def _lost(problem: str) -> dict[str, Any]:
    return {"how": "lost", "problem": problem, "stdout": 0, "stderr": 0}


def _drop(users: list[int] | None, scratch: str) -> int | None:
    """Become nobody in particular; return the user that steps become.

    The zygote keeps a real user of its own and takes the steps' user as its effective one: it may signal them, read
    what they left and become them, and they cannot signal it.
    """
    if users is None:
        return None
    own, steps = users
    try:
        os.chown(scratch, steps, steps)
        os.setgroups([])
        os.setresgid(steps, steps, steps)
        os.setresuid(own, steps, own)
    except PermissionError as exc:
        msg = "this root may not become another user (it lacks CAP_CHOWN, CAP_SETUID or CAP_SETGID): start it as a user"
        raise OSError(msg) from exc
    return steps


def _limit() -> None:
    """Give up, for all steps, what none of them needs."""
    # With a core size of 0 the kernel would still start a program of the host (apport, systemd-coredump) for each
    # crash, as root, and wait for it; 1 is the one size with which it does not, and too small for a file.
    for limit, wanted in ((resource.RLIMIT_CORE, 1), (resource.RLIMIT_NICE, 0), (resource.RLIMIT_RTPRIO, 0)):
        most = resource.getrlimit(limit)[1]
        value = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
        resource.setrlimit(limit, (value, value))


def _set_site_builtins() -> None:
    """Give programs ``exit`` and the like, which ``site`` makes, without the packages that it would look for."""
    site.setquit()
    site.setcopyright()
    site.sethelper()


def _ruleset(rules: dict[str, Any]) -> int:
    low = kernel.landlock_ruleset(rules["files"], rules["network"], rules["scoped"], rules["allowed"])
    return fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, 16)


def _wake() -> int:
    """Return a descriptor that can be read when a child has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    reading, writing = os.pipe()
    for number in (reading, writing):
        os.set_blocking(number, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    return reading


def _state() -> tuple[Any, ...]:
    """Return what a step of the same user could have changed of this process from outside."""
    return (
        os.getpid(),
        os.getpriority(os.PRIO_PROCESS, 0),
        sorted(os.sched_getaffinity(0)),
        os.sched_getscheduler(0),
        [resource.getrlimit(limit) for limit in _LIMITS],
    )


def _counted_before(user: int) -> Callable[[], int]:
    """Return what tells how many processes and threads of a user may be outside the box while a step runs.

    The kernel counts those in other containers, too, which cannot be seen from here; and while a step runs, others
    begin: as many may as boxes have, one for each core. Rounded up, since it is no step's business how many there are.
    The step's own are watched.
    """
    more = _OTHERS * (os.cpu_count() or 1)
    unseen = _tasks_counted(_tasks_seen(user) + _OTHERS) - _tasks_seen(user)
    return lambda: -(-(max(0, unseen) + _tasks_seen(user) + more) // _ROUNDED) * _ROUNDED


def _tasks_counted(guess: int) -> int:
    """Return how many processes and threads the kernel counts of the user who we are, or what it is not more than.

    It tells nobody, so it is tried out.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    low = high = guess
    while not _can_fork(high, hard) and high < _TASKS_MOST:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _can_fork(middle, hard) else (middle, high)
    resource.setrlimit(resource.RLIMIT_NPROC, (soft, hard))
    return high - 1


def _can_fork(most: int, hard: int) -> bool:
    resource.setrlimit(resource.RLIMIT_NPROC, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    try:
        pid = os.fork()
    except BlockingIOError:
        return False
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return True


def _tasks_seen(user: int) -> int:
    """Return how many processes and threads a user has, of those that can be seen."""
    count = 0
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            if os.stat("/proc/" + name).st_uid == user:
                count += len(os.listdir("/proc/" + name + "/task"))
        except OSError:
            continue
    return count
