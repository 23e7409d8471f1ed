"""What judging will take, before the first call: what the store does not spare, and what that may cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from codearena_plugin.errors import ConfigError
from codearena_plugin.judging.asking.prices import EXPECTED_COMPLETION_TOKENS, estimate_tokens, find_price
from codearena_plugin.judging.asking.request import JudgeRequest, request_key
from codearena_plugin.judging.asking.store import ReplyStore
from codearena_plugin.judging.plan import Plan
from codearena_plugin.judging.protocol.parse import read_verdict
from codearena_plugin.judging.settings import JudgeSettings


@dataclass(frozen=True, slots=True)
class Estimate:
    """What judging will take, before the first call: rough token counts, and money where the price is known."""

    games: int
    stored: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None


def estimate(plans: Sequence[Plan], settings: JudgeSettings, store: ReplyStore | None) -> Estimate:
    """Return what is left to ask, about how many tokens that is, and what it may cost."""
    asked = [plan.request for plan in plans if plan.skipped is None]
    missing = [request for request in asked if store is None or not _is_answered(request, settings, store)]
    prompt_tokens = sum(estimate_tokens(message.content) for request in missing for message in request.messages)
    completion_tokens = EXPECTED_COMPLETION_TOKENS * len(missing)
    price = find_price(settings.model, settings.prices)
    return Estimate(
        games=len(plans),
        stored=len(asked) - len(missing),
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        cost_usd=None if price is None else price.cost(prompt_tokens, completion_tokens),
    )


def _is_answered(request: JudgeRequest, settings: JudgeSettings, store: ReplyStore) -> bool:
    """Return whether the store spares the question; ``again`` is decided by its first reply alone, as an estimate."""
    reply = store.get(request_key(request))
    return reply is not None and read_verdict([reply], mode=settings.mode).status not in settings.again


def check_limits(settings: JudgeSettings) -> None:
    """Refuse a money limit that cannot be kept.

    Raises:
        ConfigError: ``max_cost_usd`` with a model whose price no table knows.
    """
    if settings.max_cost_usd is not None and find_price(settings.model, settings.prices) is None:
        msg = (
            f"judge_max_cost_usd={settings.max_cost_usd:g} cannot be kept: the price of {settings.model!r} is unknown. "
            "Add it to a price table (judge_prices=FILE), or limit judge_max_calls instead."
        )
        raise ConfigError(msg)
