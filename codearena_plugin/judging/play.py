"""Play the games of a suite: estimate what is planned, check that the judge is there, ask, read.

Prompts and answers in, games out. The synchronous functions here are what harnesses call.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from codearena_plugin import plugins
from codearena_plugin.errors import ConfigError, JudgeAccessError, unknown_name
from codearena_plugin.judging.asking.budget import Budget
from codearena_plugin.judging.asking.engine import Asked, Engine, FollowUp, Judgement, Progress
from codearena_plugin.judging.asking.loop import run_async
from codearena_plugin.judging.asking.prices import Price, find_price
from codearena_plugin.judging.asking.request import JudgeRequest
from codearena_plugin.judging.asking.store import ReplyStore
from codearena_plugin.judging.backends.protocol import Backend
from codearena_plugin.judging.estimate import check_limits
from codearena_plugin.judging.plan import Plan
from codearena_plugin.judging.protocol.parse import read_verdict, wants_continuation
from codearena_plugin.judging.protocol.prompt import continue_messages
from codearena_plugin.judging.settings import JudgeSettings
from codearena_plugin.judging.urls import without_credentials
from codearena_plugin.records import Game, Message, ReadingMode, Reply, Verdict

_PREFLIGHT_TRIES = 3
_PREFLIGHT_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class Spending:
    """What judging took. Tokens and cost are of this run's own calls; what came from the store cost nothing now.

    Attributes:
        http_requests: of the games, retries included; the preflight's trivial question is not among them.
        cost_usd: ``None`` where the model's price, or the bill of a call, is unknown: a reply without token counts, or
            a call that was sent and brought nothing back (a timeout, a lost connection).
        lowest_concurrency: how far the limit had to fall.
        is_remote: asking could cost something; not so with a stored run or a judge without a model.
    """

    http_requests: int
    replies: int
    stored_games: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None
    wall_s: float
    lowest_concurrency: int
    is_remote: bool = True


@dataclass(frozen=True, slots=True)
class Played:
    """All games of a run, what they took, and why asking ended early if it did.

    Attributes:
        seed: of the order in which prompts were asked; with it, a run that a budget ended asks the same part again.
        served_models: how many replies each model gave, by what the server says, replies from the store included.
    """

    games: tuple[Game, ...] = field(repr=False)  # megabytes, which asyncio.run would write out, twice, and throw away
    spending: Spending
    stopped: str | None = None
    seed: int = 0
    served_models: Mapping[str, int] = field(default_factory=dict)


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


def preflight(settings: JudgeSettings) -> Reply | None:
    """Ask the judge one trivial question as it will be asked later; ``None`` for a judge that needs no network.

    Raises:
        ConfigError: the configuration cannot work.
        JudgeAccessError: the judge is not there, refuses us, or rejects the way we ask.
        StoreError: its replies could not be kept.
    """
    check_limits(settings)
    request = JudgeRequest(
        settings.card.comparability,
        settings.model,
        (Message("user", "Reply with the single word: ready"),),
        settings.sampling,
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
    plans: Sequence[Plan],
    settings: JudgeSettings,
    *,
    observe: Callable[[Progress], None] | None = None,
    seed: int | None = None,
) -> Played:
    """Return all games, played; failures are values in them.

    Args:
        observe: told where the run stands after every game.
        seed: decides the order in which prompts are asked; ``None`` draws one.

    Raises:
        StoreError: the store cannot be opened; nothing was asked.
        ConfigError: the back end cannot be made, or a limit cannot be kept.
    """
    check_limits(settings)
    drawn = random.randrange(2**32) if seed is None else seed  # noqa: S311  not for secrets
    return run_async(_play(plans, settings, observe, drawn))


async def _play(
    plans: Sequence[Plan], settings: JudgeSettings, observe: Callable[[Progress], None] | None, seed: int
) -> Played:
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
        places = _in_random_order(plans, seed)
        requests = [plans[place].request for place in places]
        asked = await engine.ask_all(
            requests, _follow_up(settings), again=_again(settings), is_failed=_is_failed(settings)
        )
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
        is_remote=backend.is_remote,
    )
    return Played(games, spending, engine.stopped, seed, served_models(games))


def served_models(games: Sequence[Game]) -> dict[str, int]:
    """Return how many replies each model gave, by what the server says, by name; who does not say is not counted."""
    counted = Counter(reply.served_model for game in games for reply in game.replies if reply.served_model)
    return {name: counted[name] for name in sorted(counted)}


def _in_random_order(plans: Sequence[Plan], seed: int) -> list[int]:
    """Return the places of the plans to ask, prompts in random order, the games of a prompt side by side.

    Two runs at once then rarely ask the same question at the same time, and a run that a budget ends has judged a
    random part of the suite rather than its beginning.
    """
    of_prompt: dict[str, list[int]] = {}
    for place, plan in enumerate(plans):
        if plan.skipped is None:
            of_prompt.setdefault(plan.prompt_id, []).append(place)
    prompts = list(of_prompt.values())
    random.Random(seed).shuffle(prompts)  # noqa: S311
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


def _again(settings: JudgeSettings) -> Judgement | None:
    """Return which stored games to ask once more: those whose verdict has a status that the user named."""
    if not settings.again:
        return None
    return lambda replies: read_verdict(replies, mode=settings.mode).status in settings.again


def _is_failed(settings: JudgeSettings) -> Judgement:
    return lambda replies: read_verdict(replies, mode=settings.mode).status != "scored"


def _game(plan: Plan, asked: Asked | None, mode: ReadingMode) -> Game:
    if asked is None:
        return Game(plan.prompt_id, plan.order, (), (), plan.skipped or Verdict("skipped"))
    verdict = read_verdict(asked.replies, mode=mode)
    return Game(plan.prompt_id, plan.order, asked.keys, asked.replies, verdict, asked.cached)
