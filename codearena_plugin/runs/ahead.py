"""What judging will take, before the first call: games, tokens, money."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from codearena_plugin.errors import ConfigError
from codearena_plugin.judging.asking.loop import run_async
from codearena_plugin.judging.asking.store import ReplyStore
from codearena_plugin.judging.estimate import Estimate, check_limits, estimate
from codearena_plugin.judging.plan import Plan
from codearena_plugin.judging.play import open_backend
from codearena_plugin.judging.settings import JudgeSettings


@dataclass(frozen=True, slots=True)
class Ahead:
    """An estimate, and what stands in the way.

    Attributes:
        left: games that will be asked.
        skipped: games that cannot be asked (too long for the judge).
        is_remote: asking costs calls; if not, the token counts mean nothing.
        problem: why the run could not start.
    """

    estimate: Estimate
    left: int
    skipped: int
    is_remote: bool
    problem: ConfigError | None


def look_ahead(plans: Sequence[Plan], settings: JudgeSettings) -> Ahead:
    """Return what judging will take; nothing is asked, and no store is made where none is."""
    problem: ConfigError | None = None
    is_remote = True
    try:
        check_limits(settings)
        backend = open_backend(settings)
        is_remote = backend.is_remote
        run_async(backend.aclose())
    except ConfigError as exc:
        problem = exc
    skipped = sum(plan.skipped is not None for plan in plans)
    if is_remote and settings.store.exists():
        with ReplyStore(settings.store) as store:
            found = estimate(plans, settings, store)
    else:
        found = estimate(plans, settings, None)
    return Ahead(found, found.games - skipped - found.stored, skipped, is_remote, problem)


def describe(ahead: Ahead, settings: JudgeSettings) -> str:
    """Return the estimate as one line."""
    found = ahead.estimate
    skipped = f", {ahead.skipped} skipped as too long for the judge" if ahead.skipped else ""
    begin = f"{found.games} games with {settings.model} ({settings.card.id})"
    if not ahead.is_remote:
        return f"{begin}{skipped}, no call: back end {settings.backend}"
    cost = "unknown" if found.cost_usd is None else f"about ${found.cost_usd:.2f}"
    return (
        f"{begin}: {found.stored} answered before{skipped}, "
        f"{ahead.left} to ask, about {found.prompt_tokens:,} + {found.completion_tokens:,} tokens, cost {cost}"
    )
