"""Progress of judging and of running code: a bar on a terminal, elsewhere a line now and then."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from codearena_plugin.judging.asking.engine import Progress as State

_LINE_EVERY_S = 30.0
_log = logging.getLogger("lm_eval.codearena")


@contextmanager
def judging_progress(*, say: Callable[[str], None] = _log.info) -> Iterator[Callable[[State], None]]:
    """Yield an observer for the engine that shows where the run stands: a bar on a terminal, else lines to ``say``."""
    console = Console(stderr=True)
    if console.is_terminal:
        with _bar(console) as bar:
            task = bar.add_task("judging", total=None, note="")
            yield lambda state: bar.update(task, completed=state.done, total=state.total, note=note(state))
    else:
        yield _line_printer(say)


@contextmanager
def running_progress(*, say: Callable[[str], None] = _log.info) -> Iterator[Callable[[int, int], None]]:
    """Yield an observer of code that is run, called with (done, total): a bar on a terminal, else lines to ``say``."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _count_printer(say)
        return
    with _bar(console) as bar:
        task = bar.add_task("running code", total=None, note="")
        yield lambda done, total: bar.update(task, completed=done, total=total)


def note(state: State) -> str:
    """Return what stands beside the bar.

    >>> note(State(total=10, done=5, failed=1, cached=2, cost_usd=0.5))
    '1 failed · 2 from store · $0.50'
    """
    parts = [f"{state.failed} failed"]
    if state.cached:
        parts.append(f"{state.cached} from store")
    parts.append("cost unknown" if state.cost_usd is None else f"${state.cost_usd:.2f}")
    return " · ".join(parts)


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=console,
        refresh_per_second=4,
    )


def _count_printer(say: Callable[[str], None]) -> Callable[[int, int], None]:
    last = time.monotonic()

    def observe(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= _LINE_EVERY_S:
            last = time.monotonic()
            say(f"running code: {done} of {total}")

    return observe


def _line_printer(say: Callable[[str], None]) -> Callable[[State], None]:
    began = last = time.monotonic()

    def observe(state: State) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < _LINE_EVERY_S:
            return
        last = now
        left = (now - began) / max(state.done, 1) * (state.total - state.done)
        say(f"judging: {state.done} of {state.total} games, about {left:.0f} s left, {note(state)}")

    return observe
