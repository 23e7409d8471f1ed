"""Many jobs, several sandboxes at once; what may be the machine's fault is tried again before it counts."""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import replace

from codearena_plugin.errors import ConfigError
from codearena_plugin.execution.choose import choose
from codearena_plugin.execution.sandbox import Executor, Finished, Job, Sandbox, SandboxOptions
from codearena_plugin.execution.zygote.framing import SHORTAGE

_AHEAD = 4
"""Jobs taken from the iterable before they are run, for each worker; the jobs of a benchmark need not fit in memory."""
_MUCH = 1 / 8
"""Share of its memory limit that a step must have held to be what a machine ran out of memory for."""


def default_workers() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_jobs(
    options: SandboxOptions,
    jobs: Iterable[Job],
    *,
    workers: int | None = None,
    observe: Callable[[int], None] | None = None,
) -> Iterator[tuple[int, Finished]]:
    """Run jobs and yield each with its position, as they end: in no order.

    A job with a step that ended in "timeout" is kept back and run once more when all others have ended, alone on the
    machine as far as we use it; only then its ending counts. One that was "lost" is run again in a fresh sandbox; if
    for want of memory, alone in the end as well, and what then still uses up a machine with less of it than the limit
    has ended for its "memory".

    Args:
        workers: sandboxes at once; default: the cores that this process may use.
        observe: called with the number of jobs that have ended for good.

    Raises:
        ConfigError: no sandbox can be had.
        Exception: whatever ``jobs`` raises.
    """
    _, executor = choose(options)
    count = max(1, default_workers() if workers is None else workers)
    done = 0

    def ended() -> None:
        nonlocal done
        done += 1
        if observe:
            observe(done)

    late: list[tuple[int, Job]] = []
    with contextlib.closing(_all(executor, options, jobs, count)) as first:
        for index, job, finished in first:
            if _ended(finished, "timeout") or finished.last.problem == SHORTAGE:
                late.append((index, job))
                continue
            ended()
            yield index, finished
    if not late:
        return
    with executor.open(options) as sandbox:
        for index, job in late:
            finished = _persistent(sandbox, executor, options, job)
            ended()
            yield index, _judged(finished, job)


def _ended(finished: Finished, how: str) -> bool:
    return any(ending.how == how for ending in finished.endings)


def _judged(finished: Finished, job: Job) -> Finished:
    """Return how a job ended that was alone: no program may escape its verdict by using up the machine."""
    last, limits = finished.last, job.steps[len(finished.endings) - 1].limits
    if last.problem != SHORTAGE or last.peak_bytes < _MUCH * limits.memory_bytes:
        return finished
    return replace(finished, endings=(*finished.endings[:-1], replace(last, how="memory")))


def _persistent(sandbox: Sandbox, executor: Executor, options: SandboxOptions, job: Job) -> Finished:
    """Run a job; again, in a sandbox of its own, if it was lost and one can be had."""
    finished = sandbox.run(job)
    if not _ended(finished, "lost"):
        return finished
    try:
        fresh = executor.open(options)
    except ConfigError:  # what worked before: a machine in trouble is no reason to lose all other jobs
        return finished
    with fresh:
        return fresh.run(job)


class _Crew:
    """Threads with a sandbox each, that run what they are given."""

    def __init__(self, executor: Executor, options: SandboxOptions) -> None:
        self._executor = executor
        self._options = options
        self._given: queue.SimpleQueue[tuple[int, Job] | None] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[tuple[int, Job, Finished] | BaseException] = queue.SimpleQueue()
        self._threads = 0
        self._stopped = False

    def give(self, index: int, job: Job, most: int) -> None:
        """Hand a job to whoever is free; a thread more begins, up to ``most``."""
        self._given.put((index, job))
        if self._threads < most:
            self._threads += 1
            threading.Thread(target=self._work, name=f"codearena-sandbox-{self._threads}", daemon=True).start()

    def take(self) -> tuple[int, Job, Finished]:
        """Return the next job that has ended; waits for one.

        Raises:
            BaseException: what made a thread give up.
        """
        got = self._results.get()
        if isinstance(got, BaseException):
            raise got
        return got

    def stop(self) -> None:
        """Let every thread close its sandbox when it has no job."""
        self._stopped = True
        for _ in range(self._threads):
            self._given.put(None)

    def _work(self) -> None:
        try:
            with self._executor.open(self._options) as sandbox:
                while (item := self._given.get()) is not None and not self._stopped:
                    self._results.put((*item, _persistent(sandbox, self._executor, self._options, item[1])))
        except BaseException as exc:  # raised again by the thread that takes
            self._results.put(exc)


def _all(
    executor: Executor, options: SandboxOptions, jobs: Iterable[Job], count: int
) -> Generator[tuple[int, Job, Finished], None, None]:
    """Run jobs in ``count`` sandboxes; yield them as they end."""
    crew = _Crew(executor, options)
    try:
        waiting = 0
        for index, job in enumerate(jobs):
            crew.give(index, job, count)
            waiting += 1
            if waiting >= count * _AHEAD:
                yield crew.take()
                waiting -= 1
        for _ in range(waiting):
            yield crew.take()
    finally:
        crew.stop()
