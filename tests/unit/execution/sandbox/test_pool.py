"""Many jobs at once: all of them, each once, and no verdict from a busy machine."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from types import TracebackType

import boxes
import pytest

from codearena_plugin import plugins
from codearena_plugin.errors import ConfigError
from codearena_plugin.execution import pool
from codearena_plugin.execution.sandbox import Ending, Finished, Job, Limits, Probe, SandboxOptions, Step
from codearena_plugin.execution.zygote.framing import SHORTAGE

STARVED = {"hog": Limits().memory_bytes // 2, "innocent": 1 << 20}
"""Killed by the kernel for want of memory -> what it held."""


class Scripted:
    """An executor whose sandboxes end jobs as their first argument says, the first times; then well."""

    def __init__(self) -> None:
        self.tries: dict[str, int] = {}
        self.running = 0
        self.together: dict[str, int] = {}
        self.opened = 0
        self.open_now = 0
        self.lock = threading.Lock()

    def probe(self, options: SandboxOptions) -> Probe:
        return Probe(True, "scripted")

    def open(self, options: SandboxOptions) -> ScriptedSandbox:
        with self.lock:
            self.opened += 1
            self.open_now += 1
        return ScriptedSandbox(self)


class ScriptedSandbox:
    name, is_isolated, notice = "scripted", True, ""

    def __init__(self, of: Scripted) -> None:
        self.of = of

    def __enter__(self) -> ScriptedSandbox:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        with self.of.lock:
            self.of.open_now -= 1

    def run(self, job: Job) -> Finished:
        name, how, times = job.steps[0].argv
        with self.of.lock:
            self.of.running += 1
            self.of.tries[name] = tried = self.of.tries.get(name, 0) + 1
        time.sleep(0.01)
        with self.of.lock:
            self.of.together[name] = self.of.running
            self.of.running -= 1
        if tried > int(times):
            return Finished((Ending("exited", 0),))
        if how in STARVED:
            return Finished((Ending("lost", peak_bytes=STARVED[how], problem=SHORTAGE),))
        return Finished((Ending(how),))  # type: ignore[arg-type]


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    executor = Scripted()
    monkeypatch.setattr(plugins, "resolve", lambda kind, name: executor)
    return executor


def job(name: str, how: str = "exited", times: int = 0) -> Job:
    return Job((Step((name, how, str(times))),))


OPTIONS = SandboxOptions(name="scripted")


def test_every_job_comes_back_once_with_its_position(scripted: Scripted) -> None:
    jobs = [job(str(at)) for at in range(50)]
    seen: list[int] = []
    found = dict(pool.run_jobs(OPTIONS, jobs, workers=4, observe=seen.append))
    assert sorted(found) == list(range(50))
    assert set(scripted.tries.values()) == {1}
    assert seen == list(range(1, 51))
    assert 1 <= scripted.opened <= 4


def test_no_more_sandboxes_than_jobs_are_opened(scripted: Scripted) -> None:
    assert len(list(pool.run_jobs(OPTIONS, [job("a"), job("b")], workers=8))) == 2
    assert 1 <= scripted.opened <= 2  # one may have run both before the other began
    assert list(pool.run_jobs(OPTIONS, [])) == []


def test_a_timeout_is_run_again_alone_and_last(scripted: Scripted) -> None:
    jobs = [job("slow", "timeout", 1), *(job(str(at)) for at in range(20)), job("hopeless", "timeout", 9)]
    found = list(pool.run_jobs(OPTIONS, jobs, workers=4))
    assert [index for index, _ in found[-2:]] == [0, 21]
    assert dict(found)[0].last.how == "exited"
    assert dict(found)[21].last.how == "timeout"
    assert (scripted.tries["slow"], scripted.tries["hopeless"]) == (2, 2)
    assert (scripted.together["slow"], scripted.together["hopeless"]) == (1, 1)


def test_what_was_lost_is_run_again_in_a_fresh_sandbox_once(scripted: Scripted) -> None:
    found = dict(pool.run_jobs(OPTIONS, [job("a", "lost", 1), job("b", "lost", 9)], workers=1))
    assert (found[0].last.how, found[1].last.how) == ("exited", "lost")
    assert (scripted.tries["a"], scripted.tries["b"]) == (2, 2)
    assert scripted.opened == 3


def test_what_uses_up_the_machine_even_alone_has_used_too_much_memory(scripted: Scripted) -> None:
    jobs = [job("greedy", "hog", 9), job("unlucky", "hog", 3), job("small", "innocent", 9), job("a"), job("b")]
    found = dict(pool.run_jobs(OPTIONS, jobs, workers=3))
    assert [found[at].last.how for at in range(5)] == ["memory", "exited", "lost", "exited", "exited"]
    assert found[0].last.problem == SHORTAGE
    assert {scripted.together[name] for name in ("greedy", "unlucky", "small")} == {1}


def test_what_was_lost_stays_so_where_no_fresh_sandbox_can_be_had(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = scripted.open(OPTIONS)
    opened = iter([first])

    def fail(options: SandboxOptions) -> ScriptedSandbox:
        if (sandbox := next(opened, None)) is None:
            msg = "no memory for it"
            raise ConfigError(msg)
        return sandbox

    monkeypatch.setattr(scripted, "open", fail)
    found = dict(pool.run_jobs(OPTIONS, [job("a", "lost", 1), job("b")], workers=1))
    assert (found[0].last.how, found[1].last.how) == ("lost", "exited")


def test_jobs_are_taken_as_they_are_needed(scripted: Scripted) -> None:
    taken: list[int] = []

    def source() -> Iterator[Job]:
        for at in range(1000):
            taken.append(at)
            yield job(str(at))

    found = pool.run_jobs(OPTIONS, source(), workers=2)
    next(found)
    assert len(taken) <= 2 * 4 + 1
    found.close()  # type: ignore[attr-defined]


def test_who_stops_listening_leaves_no_sandbox_open(scripted: Scripted) -> None:
    found = pool.run_jobs(OPTIONS, [job(str(at)) for at in range(100)], workers=3)
    next(found)
    found.close()  # type: ignore[attr-defined]
    until = time.monotonic() + 10
    while scripted.open_now and time.monotonic() < until:
        time.sleep(0.01)
    assert scripted.open_now == 0


def test_what_the_source_of_jobs_raises_is_raised(scripted: Scripted) -> None:
    def source() -> Iterator[Job]:
        yield job("a")
        msg = "the source"
        raise ValueError(msg)

    with pytest.raises(ValueError, match="the source"):
        list(pool.run_jobs(OPTIONS, source(), workers=2))


def test_a_sandbox_that_cannot_be_opened_is_an_error(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(options: SandboxOptions) -> ScriptedSandbox:
        msg = "closed today"
        raise ConfigError(msg)

    monkeypatch.setattr(scripted, "open", fail)
    with pytest.raises(ConfigError, match="closed today"):
        list(pool.run_jobs(OPTIONS, [job("a")]))


@pytest.mark.parametrize("name", boxes.ISOLATING)
def test_real_sandboxes_run_many_jobs(name: str) -> None:
    options = boxes.options_for(name)
    jobs = [boxes.python_job(f"print({at})") for at in range(30)]
    jobs.append(boxes.python_job("while True: pass", limits=Limits(cpu_s=0.2)))
    found = dict(pool.run_jobs(options, jobs, workers=2))
    assert [int(found[at].last.stdout) for at in range(30)] == list(range(30))
    assert found[30].last.how == "timeout"
