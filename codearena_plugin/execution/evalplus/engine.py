"""The builtin engine: samples run in our sandbox, their answers judged outside it.

A sample is one job of the driver: the base tests, and as many plus tests as cost next to nothing. Only where those
pass and more are left is there a second job, so that a sample that fails early does not run the expensive tests. A time
limit that was hit counts only after the tests were run once more alone, with the whole limit.
"""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any, Literal

from codearena_plugin.execution.evalplus.problems import Benchmark, Checked, PassStatus, Problem, Sample
from codearena_plugin.execution.evalplus.rules import Rules, shape_of
from codearena_plugin.execution.evalplus.truth import Side, Truth, truths
from codearena_plugin.execution.evalplus.wire import Frame, Part, driver_job, driver_options, job_input, split_parts
from codearena_plugin.execution.pool import run_jobs
from codearena_plugin.execution.sandbox import MIB, Ending, Finished, Job, SandboxOptions

_log = logging.getLogger("lm_eval.codearena")
Which = Literal["base", "plus"]
_SIDES: tuple[Which, ...] = ("base", "plus")

LEAST_S, FACTOR = 4.0, 6.0
"""A call may take ``max(LEAST_S, FACTOR * t)`` processor seconds, ``t`` those of the reference solution."""
FIRST_S = 1.0
"""In place of ``LEAST_S`` where other jobs run beside it; whoever needs longer is run again alone."""
FIRST_PART_S, PART_S = 15.0, 60.0
"""All calls of a part together may take this, or ``FACTOR`` times what the reference solution took; likewise."""
CHEAP_S = 0.05
"""Plus tests whose reference solution takes no longer are run with the base tests."""
_LOADING_S = 10.0
GAVE_UP = 3
"""Exit code of the driver where a call would not end."""
_CLOCKS = (signal.SIGXCPU, signal.SIGPROF, signal.SIGALRM)


@dataclass(slots=True)
class _Work:
    """What is known of a sample."""

    sample: Sample
    problem: Problem
    truth: Truth
    rules: Rules
    solution: str
    found: dict[Which, _Verdict] = field(default_factory=dict)
    tried_alone: set[Which] = field(default_factory=set)

    def side(self, which: Which) -> Side:
        return self.truth.base if which == "base" else self.truth.plus

    def inputs(self, which: Which) -> tuple[Any, ...]:
        return self.problem.base_inputs if which == "base" else self.problem.plus_inputs

    def span(self, which: Which, start: int = 0, stop: int | None = None) -> _Span:
        return _Span(which, start, len(self.inputs(which)) if stop is None else stop)


@dataclass(frozen=True, slots=True)
class _Span:
    """Tests of one side: ``start`` to ``stop``."""

    which: Which
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What the tests of a span say.

    Attributes:
        outcome: "died": the process ended in an earlier span, so that these were never started.
        test: the first that did not pass, by its position on its side.
        doubtful: tests that pass only if their large values are equal when looked at closely.
    """

    outcome: PassStatus | Literal["died"]
    test: int = 0
    why: str = ""
    doubtful: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _Task:
    """A job to run for a sample."""

    work: _Work
    spans: tuple[_Span, ...]
    least_s: float = FIRST_S

    def job(self) -> Job:
        parts = [_part(self.work.side(span.which), span, self.least_s) for span in self.spans]
        work = self.work
        stdin = job_input(
            work.solution, work.problem.entry_point, shape_of(work.rules.benchmark, work.rules.entry_point), parts
        )
        return driver_job(
            stdin,
            cpu_s=_LOADING_S + sum(part.total for part in parts),
            output_bytes=MIB + 4 * sum(len(work.side(span.which).expected) for span in self.spans),
        )

    @property
    def left_s(self) -> float:
        """What the reference solution takes for it, and for what it may ask for in turn."""
        return sum(sum(self.work.side(span.which).cpu_s[span.start :]) for span in self.spans)


def _part(side: Side, span: _Span, least_s: float) -> Part:
    longer = {i: FACTOR * taken for i, taken in enumerate(side.cpu_s) if FACTOR * taken > least_s}
    at_least = FIRST_PART_S if least_s < LEAST_S else PART_S
    total = max(at_least, FACTOR * sum(side.cpu_s[span.start : span.stop]))
    return Part(side.packed, span.start, span.stop, least_s, longer, total)


def check_builtin(
    benchmark: Benchmark,
    samples: Sequence[tuple[Sample, str]],
    options: SandboxOptions,
    *,
    workers: int | None = None,
    observe: Callable[[int], None] | None = None,
) -> tuple[Checked, ...]:
    """Return the verdicts on samples and their programs, in their order.

    Raises:
        ConfigError: no sandbox can be had.
        IncompleteRunError: the sandbox has no Python that works.
    """
    wanted = {sample.task_id for sample, _ in samples}
    problems = [problem for problem in benchmark.problems if problem.task_id in wanted]
    known = {
        problem.task_id: (problem, truth)
        for problem, truth in zip(problems, truths(benchmark, problems, options, workers), strict=True)
    }
    works = [
        _Work(sample, *known[sample.task_id], _rules(benchmark, known[sample.task_id][0]), solution)
        for sample, solution in samples
    ]
    run = _Run(driver_options(options), workers, observe or (lambda _: None))
    run.check([work for work in works if not work.truth.broken])
    return tuple(_checked(work) for work in works)


def _rules(benchmark: Benchmark, problem: Problem) -> Rules:
    return Rules(benchmark.name, problem.entry_point, problem.atol)


class _Run:
    """Runs tasks until every sample has a verdict; a verdict may ask for another task."""

    def __init__(self, options: SandboxOptions, workers: int | None, observe: Callable[[int], None]) -> None:
        self.options = options
        self.workers = workers
        self.observe = observe
        self.n_done = 0
        self.waiting: list[tuple[float, int, _Task]] = []  # a heap: the costliest first
        self.n_added = 0
        self.alone: list[_Task] = []

    def check(self, works: Sequence[_Work]) -> None:
        self._add(_first_task(work) for work in works)
        self._run_waiting(self.workers)
        # Alone: with the whole limit. What they ask for in turn is run alone as well.
        if self.alone:
            _log.warning("%d samples ran out of time: they are run once more, one at a time", len(self.alone))
        while self.alone:
            tasks, self.alone = self.alone, []
            self._add(tasks)
            self._run_waiting(1)
        self._closely(works)
        self.observe(len(works))

    def _add(self, tasks: Iterable[_Task]) -> None:
        for task in tasks:
            heappush(self.waiting, (-task.left_s, self.n_added, task))
            self.n_added += 1

    def _run_waiting(self, workers: int | None) -> None:
        """Run what waits, and what the outcomes ask for; the short ones last, so that all workers end together."""
        while self.waiting:  # again, where nothing waited any more when the last outcomes came
            begun: list[_Task] = []
            for index, finished in run_jobs(self.options, self._jobs(begun), workers=workers):
                self._take(begun[index], finished)

    def _jobs(self, begun: list[_Task]) -> Iterator[Job]:
        while self.waiting:
            begun.append(heappop(self.waiting)[2])
            yield begun[-1].job()

    def _take(self, task: _Task, finished: Finished) -> None:
        """Note what a task has shown, and what is to be run for it."""
        for span, verdict in zip(task.spans, read_spans(task, finished), strict=True):
            _note(task.work, span, verdict)
        following = list(_following(task))
        self._add(following)
        late = None if following else _alone(task.work)
        if late:
            self.alone.append(late)
        elif not following:
            self.n_done += 1
            self.observe(self.n_done)

    def _closely(self, works: Sequence[_Work]) -> None:
        """Decide the tests whose values are too large to be sent: digests that see no difference between 1 and 1.0."""
        asked = [(work, which) for work in works for which, verdict in work.found.items() if verdict.doubtful]
        if not asked:
            return
        ours = self._all(_close_job(work, which, work.problem.canonical) for work, which in asked)
        theirs = self._all(_close_job(work, which, work.solution) for work, which in asked)  # in other sandboxes
        for number, (work, which) in enumerate(asked):
            work.found[which] = close_verdict(work.found[which].doubtful, ours[number], theirs[number])

    def _all(self, jobs: Iterable[Job]) -> dict[int, Finished]:
        return dict(run_jobs(self.options, jobs, workers=self.workers))


def _close_job(work: _Work, which: Which, code: str) -> Job:
    tests = work.found[which].doubtful
    parts = [_part(work.side(which), _Span(which, test, test + 1), PART_S) for test in tests]
    shape = shape_of(work.rules.benchmark, work.rules.entry_point)
    stdin = job_input(code, work.problem.entry_point, shape, parts, closely=True)
    return driver_job(stdin, cpu_s=_LOADING_S + PART_S * len(tests), output_bytes=MIB)


def close_verdict(tests: Sequence[int], ours: Finished, theirs: Finished) -> _Verdict:
    """Return the verdict on tests with large values, from the jobs that looked at them closely.

    Args:
        tests: by their position.
        ours: of the reference solution; what it could not say again is nobody's failure.
        theirs: of the sample.
    """
    for finished in (ours, theirs):
        if finished.last.how == "lost":
            return _Verdict("not-run", why=f"the sandbox failed: {finished.last.problem}")
    expected, got = (split_parts(finished.last.stdout, len(tests)) for finished in (ours, theirs))
    for test, one, other in zip(tests, expected, got, strict=True):
        if one[1] != Frame("e"):
            return _Verdict("not-run", why="the reference solution could not be run once more")
        if one == other:
            continue
        if other[1] is None:
            return _dead(theirs.last, test)
        if other[1].kind == "t":
            return _Verdict("timeout", test, "ran out of time")
        return _Verdict("fail", test, "returned another value than expected (a large one)")
    return _Verdict("pass")


def _first_task(work: _Work) -> _Task:
    plus = work.side("plus").cpu_s
    n = spent = 0.0
    for n, taken in enumerate(plus):  # noqa: B007
        spent += taken
        if spent > CHEAP_S:
            break
    else:
        n = len(plus)
    return _Task(work, (work.span("base"), work.span("plus", 0, int(n))))


def _note(work: _Work, span: _Span, verdict: _Verdict) -> None:
    """Keep a verdict on some tests of a side; with those on earlier ones of it."""
    before = work.found.get(span.which)
    doubtful = before.doubtful if before and span.start else ()
    if verdict.outcome == "pass":
        work.found[span.which] = _Verdict("pass", doubtful=doubtful + verdict.doubtful)
    else:
        work.found[span.which] = verdict


def _following(task: _Task) -> Iterator[_Task]:
    """Yield what a task that has just ended asks for: tests that were not started, or that are left."""
    work = task.work
    for span in task.spans:
        outcome = work.found[span.which].outcome
        if outcome == "died" or (outcome == "pass" and span.stop < len(work.inputs(span.which))):
            start = span.start if outcome == "died" else span.stop
            yield _Task(work, (work.span(span.which, start),), task.least_s)


def _alone(work: _Work) -> _Task | None:
    """Return what must be run once more alone: a side that ran out of time, if the verdict hangs on it."""
    for which in _SIDES:
        outcome = work.found[which].outcome
        if outcome == "timeout" and which not in work.tried_alone:
            work.tried_alone.add(which)
            return _Task(work, (work.span(which),), LEAST_S)
        if outcome != "pass":
            return None
    return None


def read_spans(task: _Task, finished: Finished) -> list[_Verdict]:
    """Return the verdict on each span of a task that was run."""
    ending = finished.last
    if ending.how == "lost":
        return [_Verdict("not-run", why=f"the sandbox failed: {ending.problem}")] * len(task.spans)
    verdicts: list[_Verdict] = []
    is_dead = False
    for span, (stream, end) in zip(task.spans, split_parts(ending.stdout, len(task.spans)), strict=True):
        if is_dead:
            verdicts.append(_Verdict("died"))
            continue
        verdicts.append(_verdict(task.work, span, stream, end, ending))
        is_dead = end is None or (end.kind == "t" and ending.exit_code == GAVE_UP)
    return verdicts


def _verdict(work: _Work, span: _Span, stream: bytes, end: Frame | None, ending: Ending) -> _Verdict:
    side, n_tests = work.side(span.which), span.stop - span.start
    judged = work.rules.judge(stream, side.expected, work.inputs(span.which), start=span.start)
    test = span.start + judged.n_right
    if judged.why:
        return _Verdict("fail", test, judged.why)
    if end is None:
        return _dead(ending, test)
    if end.kind == "t":
        return _Verdict("timeout", test, "ran out of time")
    if end.kind in "xX":
        return _Verdict("fail", test, f"raised {end.text}" + (" when it was loaded" if end.kind == "X" else ""))
    if end.kind != "e" or judged.n_right != n_tests:
        return _Verdict("fail", test, f"gave {judged.n_right} answers to {n_tests} tests")
    return _Verdict("pass", doubtful=tuple(span.start + i for i in judged.doubtful))


def _dead(ending: Ending, test: int) -> _Verdict:
    """Return what a process says that ended in the middle of its tests."""
    match ending.how:
        case "timeout":
            return _Verdict("timeout", test, "ran out of time")
        case "signalled" if ending.signal in _CLOCKS:
            return _Verdict("timeout", test, "ran out of time")
        case "signalled":
            return _Verdict("fail", test, f"was ended by signal {ending.signal}")
        case "memory":
            return _Verdict("fail", test, f"used more memory than {'the machine has' if ending.problem else 'it may'}")
        case "output":
            return _Verdict("fail", test, "wrote more than it may")
        case _:
            return _Verdict("fail", test, f"ended its process (exit code {ending.exit_code})")


def _checked(work: _Work) -> Checked:
    if work.truth.broken:
        return Checked(
            work.sample.task_id, work.sample.index, work.solution, "not-run", "not-run", why=work.truth.broken
        )
    base, plus = work.found["base"], work.found["plus"]
    outcomes: list[PassStatus] = ["not-run" if one.outcome == "died" else one.outcome for one in (base, plus)]
    failed = [
        (work.inputs(which)[one.test],) if outcome in ("fail", "timeout") and one.test < len(work.inputs(which)) else ()
        for which, one, outcome in zip(_SIDES, (base, plus), outcomes, strict=True)
    ]  # fmt: skip
    return Checked(
        task_id=work.sample.task_id,
        index=work.sample.index,
        solution=work.solution,
        base=outcomes[0],
        plus=outcomes[1],
        base_failed=failed[0],
        plus_failed=failed[1],
        why=base.why or plus.why,
    )
