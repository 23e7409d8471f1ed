"""Play the games of a suite: plan what to ask, estimate it, check that the judge is there, ask, read.

Prompts and answers in, games out. The synchronous functions here are what harnesses call.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from codearena_plugin import plugins
from codearena_plugin.errors import CodeArenaError, ConfigError, JudgeAccessError, unknown_name
from codearena_plugin.judging.backends.protocol import Backend
from codearena_plugin.judging.budget import Budget
from codearena_plugin.judging.engine import Again, Asked, Engine, FollowUp, Progress
from codearena_plugin.judging.loop import run_async as run_async  # noqa: PLC0414  harnesses take it from here
from codearena_plugin.judging.parse import read_verdict, wants_continuation
from codearena_plugin.judging.prices import EXPECTED_COMPLETION_TOKENS, Price, estimate_tokens, find_price
from codearena_plugin.judging.prompt import build_messages, continue_messages
from codearena_plugin.judging.request import JudgeRequest, request_key
from codearena_plugin.judging.settings import JudgeSettings
from codearena_plugin.judging.store import ReplyStore
from codearena_plugin.judging.urls import without_credentials
from codearena_plugin.records import ORDERS, Answer, Game, Message, Order, Prompt, ReadingMode, Reply, Verdict

_PREFLIGHT_TRIES = 3
_PREFLIGHT_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class Plan:
    """One game before it is played: its first request, or the verdict that makes asking pointless."""

    prompt_id: str
    order: Order
    request: JudgeRequest
    skipped: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """What judging will take, before the first call: rough token counts, and money where the price is known."""

    games: int
    stored: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class Spending:
    """What judging took. Tokens and cost are of this run's own calls; what came from the store cost nothing now.

    Attributes:
        cost_usd: ``None`` where the model's price, or the token count of a reply, is unknown.
        lowest_concurrency: how far the limit had to fall.
    """

    http_requests: int
    replies: int
    stored_games: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None
    wall_s: float
    lowest_concurrency: int


@dataclass(frozen=True, slots=True)
class Played:
    """All games of a run, what they took, and why asking ended early if it did."""

    games: tuple[Game, ...] = field(repr=False)  # megabytes, which asyncio.run would write out, twice, and throw away
    spending: Spending
    stopped: str | None = None
    fatal: CodeArenaError | None = None


def plan_games(
    prompts: Sequence[Prompt], baseline: str, answers: Mapping[str, Answer], settings: JudgeSettings
) -> list[Plan]:
    """Return the games to play, both orders of a prompt next to each other.

    Args:
        answers: prompt id -> answer; every prompt must have one.
    """
    orders = ORDERS if settings.order == "both" else (settings.order,)
    return [_plan(prompt, order, baseline, answers[prompt.id], settings) for prompt in prompts for order in orders]


def _plan(prompt: Prompt, order: Order, baseline: str, answer: Answer, settings: JudgeSettings) -> Plan:
    pair = (prompt.baselines[baseline], answer.text)
    answer_a, answer_b = pair if order == "baseline_first" else pair[::-1]
    messages = build_messages(
        settings.card, settings.texts, prompt.messages, answer_a, answer_b, languages=prompt.languages
    )
    request = JudgeRequest(settings.card.id, settings.model, messages, settings.sampling)
    return Plan(prompt.id, order, request, _too_long(request, settings))


def _too_long(request: JudgeRequest, settings: JudgeSettings) -> Verdict | None:
    if settings.context_tokens is None:
        return None
    room = settings.sampling.get("max_tokens") or settings.sampling.get("max_completion_tokens") or 0
    needed = sum(estimate_tokens(message.content) for message in request.messages) + int(room)
    if needed <= settings.context_tokens:
        return None
    return Verdict(
        "skipped", reason=f"too long: about {needed} tokens with the reply, the judge takes {settings.context_tokens}"
    )


def open_backend(settings: JudgeSettings) -> Backend:
    """Return the judge back end that the settings name.

    Raises:
        ConfigError: nobody offers it; it needs a key or a file that is not there.
    """
    offered = plugins.offers("backends")
    if settings.backend not in offered:
        raise ConfigError(unknown_name("judge back end", settings.backend, offered))
    return cast("Backend", plugins.resolve("backends", settings.backend)(settings))


def open_store(settings: JudgeSettings, backend: Backend) -> ReplyStore | None:
    """Return the reply store; ``None`` for a judge whose replies cost nothing to have again."""
    return ReplyStore(settings.store) if backend.is_remote else None


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


def preflight(settings: JudgeSettings) -> Reply | None:
    """Ask the judge one trivial question as it will be asked later; ``None`` for a judge that needs no network.

    Raises:
        ConfigError: the configuration cannot work.
        JudgeAccessError: the judge is not there, refuses us, or rejects the way we ask.
        StoreError: its replies could not be kept.
    """
    check_limits(settings)
    request = JudgeRequest(
        settings.card.id, settings.model, (Message("user", "Reply with the single word: ready"),), settings.sampling
    )

    async def ask() -> Reply | None:
        backend = open_backend(settings)
        try:
            if not backend.is_remote:
                return None
            timeout_s = min(settings.timeout_s, _PREFLIGHT_TIMEOUT_S)
            engine = Engine(backend, None, Budget(None), concurrency=1, tries=_PREFLIGHT_TRIES, timeout_s=timeout_s)
            (asked,) = await engine.ask_all([request], lambda _request, _replies: None)
            if engine.fatal is not None:
                raise engine.fatal
            ReplyStore(settings.store).close()
            return asked.replies[-1]
        finally:
            await backend.aclose()

    reply = run_async(ask())
    if reply is not None and reply.error is not None:
        where = without_credentials(settings.base_url) if settings.base_url else settings.backend
        msg = (
            f"The judge {settings.model!r} at {where} did not answer a trivial question: "
            f"{reply.error.kind}: {reply.error.message}. Check judge_base_url, judge_model and judge_max_tokens."
        )
        raise JudgeAccessError(msg)
    return reply


def play(
    plans: Sequence[Plan], settings: JudgeSettings, *, observe: Callable[[Progress], None] | None = None
) -> Played:
    """Return all games, played; failures are values in them.

    Raises:
        StoreError: the store cannot be opened; nothing was asked.
        ConfigError: the back end cannot be made, or a limit cannot be kept.
    """
    check_limits(settings)
    return run_async(_play(plans, settings, observe))


async def _play(plans: Sequence[Plan], settings: JudgeSettings, observe: Callable[[Progress], None] | None) -> Played:
    began = time.monotonic()
    backend = open_backend(settings)
    budget = Budget(find_price(settings.model, settings.prices), settings.max_calls, settings.max_cost_usd)
    if not backend.is_remote:  # nothing is sent and nothing paid: no limit applies
        budget = Budget(Price(0, 0))
    store: ReplyStore | None = None
    try:
        store = open_store(settings, backend)
        engine = Engine(
            backend,
            store,
            budget,
            concurrency=settings.concurrency,
            tries=settings.tries,
            timeout_s=settings.timeout_s,
            deadline_s=settings.deadline_s,
            observe=observe,
        )
        places = _in_random_order(plans)
        requests = [plans[place].request for place in places]
        asked = await engine.ask_all(requests, _follow_up(settings), again=_again(settings))
    finally:
        if store is not None:
            store.close()
        await backend.aclose()
    by_place = dict(zip(places, asked, strict=True))
    games = tuple(_game(plan, by_place.get(place), settings.mode) for place, plan in enumerate(plans))
    spending = Spending(
        http_requests=budget.calls if backend.is_remote else 0,
        replies=budget.replies,
        stored_games=sum(game.cached for game in games),
        prompt_tokens=budget.prompt_tokens,
        completion_tokens=budget.completion_tokens,
        cost_usd=budget.known_cost_usd,
        wall_s=round(time.monotonic() - began, 3),
        lowest_concurrency=int(engine.gate.lowest),
    )
    return Played(games, spending, engine.stopped, engine.fatal)


def _in_random_order(plans: Sequence[Plan]) -> list[int]:
    """Return the places of the plans to ask, prompts in random order, the games of a prompt side by side.

    Two runs at once then rarely ask the same question at the same time, and a run that a budget ends has judged a
    random part of the suite rather than its beginning.
    """
    of_prompt: dict[str, list[int]] = {}
    for place, plan in enumerate(plans):
        if plan.skipped is None:
            of_prompt.setdefault(plan.prompt_id, []).append(place)
    prompts = list(of_prompt.values())
    random.shuffle(prompts)
    return [place for places in prompts for place in places]


def _follow_up(settings: JudgeSettings) -> FollowUp:
    """Return what to ask next in a game: the continuation while no label was named and attempts are left."""

    def follow_up(request: JudgeRequest, replies: Sequence[Reply]) -> JudgeRequest | None:
        if not settings.texts.continuation or len(replies) >= settings.attempts:
            return None
        if not wants_continuation(replies, mode=settings.mode):
            return None
        return replace(request, messages=continue_messages(settings.texts, request.messages, replies[-1].text))

    return follow_up


def _again(settings: JudgeSettings) -> Again | None:
    """Return which stored games to ask once more: those whose verdict has a status that the user named."""
    if not settings.again:
        return None
    return lambda replies: read_verdict(replies, mode=settings.mode).status in settings.again


def _game(plan: Plan, asked: Asked | None, mode: ReadingMode) -> Game:
    if asked is None:
        return Game(plan.prompt_id, plan.order, (), (), plan.skipped or Verdict("skipped"))
    verdict = read_verdict(asked.replies, mode=mode)
    return Game(plan.prompt_id, plan.order, asked.keys, asked.replies, verdict, asked.cached)
