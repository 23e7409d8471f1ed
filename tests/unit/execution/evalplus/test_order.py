"""The order in which samples are run: whoever takes long begins first, so that all workers end together."""

from __future__ import annotations

from collections.abc import Sequence

from codearena_plugin.execution.evalplus.engine import _first_task, _Run, _Task, _Work
from codearena_plugin.execution.evalplus.problems import Problem, Sample
from codearena_plugin.execution.evalplus.rules import Rules
from codearena_plugin.execution.evalplus.truth import Side, Truth
from codearena_plugin.execution.evalplus.wire import pack
from codearena_plugin.execution.sandbox import SandboxOptions


def work(name: str, plus_s: Sequence[float]) -> _Work:
    inputs = tuple([0] for _ in plus_s)
    problem = Problem(name, "", "f", "", (), inputs)
    truth = Truth(Side(pack([]), b"", ()), Side(pack(list(inputs)), b"", tuple(plus_s)))
    return _Work(Sample(name, ""), problem, truth, Rules("humaneval", "f", 0.0), "")


def test_the_costliest_begins_and_what_is_asked_for_on_the_way_takes_its_place_in_the_order() -> None:
    run = _Run(SandboxOptions(), None, lambda _: None)
    works = [work("short", [0.01]), work("long", [0.01, 5.0]), work("middle", [0.01, 2.0])]
    run._add(_first_task(one) for one in works)
    begun: list[_Task] = []
    jobs = run._jobs(begun)
    next(jobs)
    assert [(span.start, span.stop) for span in begun[0].spans] == [(0, 0), (0, 1)]  # the cheap ones of its tests
    run._add([_Task(works[1], (works[1].span("plus", 1),))])
    assert len(list(jobs)) == 3
    assert [task.work.sample.task_id for task in begun] == ["long", "long", "middle", "short"]
