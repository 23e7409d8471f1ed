"""Ask a judge many questions: concurrent, patient, thrifty, and with every reply on disk before it is used.

This is the only place that retries. One failed call is a value that the run counts; only a judge that refuses
everyone, a full disk, an exhausted budget or a judge that has gone away ends the asking, and what was answered stays.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from codearena_plugin.errors import CodeArenaError, JudgeAccessError, StoreError
from codearena_plugin.judging.asking.backoff import backoff_s
from codearena_plugin.judging.asking.budget import Budget
from codearena_plugin.judging.asking.checked import checked_error, checked_reply
from codearena_plugin.judging.asking.gate import Gate
from codearena_plugin.judging.asking.halt import Halt
from codearena_plugin.judging.asking.request import JudgeRequest, request_key
from codearena_plugin.judging.asking.store import ReplyStore, Row
from codearena_plugin.judging.asking.writer import Writer
from codearena_plugin.judging.backends.protocol import Backend, CallFailedError
from codearena_plugin.records import CallError, Reply

_BUDGET_POLL_S = 0.02
_GONE_AFTER = 20  # questions failed for good in a row: the judge has gone away, stop asking

FollowUp = Callable[[JudgeRequest, Sequence[Reply]], "JudgeRequest | None"]
Judgement = Callable[[Sequence[Reply]], bool]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """Everything that was asked and answered for one game."""

    keys: tuple[str, ...]
    replies: tuple[Reply, ...]
    cached: bool


@dataclass
class Progress:
    """Where a run stands; handed to the observer after every game. ``failed``: games that will not be scored."""

    total: int
    done: int = 0
    failed: int = 0
    cached: int = 0
    cost_usd: float | None = None


def _ends_in_an_error(replies: Sequence[Reply]) -> bool:
    return replies[-1].error is not None


class Engine:
    """Asks a back end, within limits, through a store (``None`` for back ends that cost nothing to ask again)."""

    def __init__(  # noqa: PLR0913  the one place where the parts of a run meet
        self,
        backend: Backend,
        store: ReplyStore | None,
        budget: Budget,
        *,
        concurrency: int,
        tries: int,
        timeout_s: float,
        deadline_s: float | None = None,
        observe: Callable[[Progress], None] | None = None,
    ) -> None:
        self.backend = backend
        self.store = store
        self.budget = budget
        self.gate = Gate(concurrency)
        self.tries = tries
        self.timeout_s = timeout_s
        self._halt = Halt(deadline_s)
        self._observe = observe
        self._failed_in_a_row = 0
        self._waiting_games = 0  # not begun yet: only they can be spared when the judge has gone away
        self._writer = Writer(store) if store is not None else None
        self._under_way: dict[str, asyncio.Task[Reply]] = {}

    @property
    def stopped(self) -> str | None:
        """Why no further question was sent; ``None`` while all goes on."""
        return self._halt.reason

    @property
    def fatal(self) -> CodeArenaError | None:
        """The error behind ``stopped`` where it is one: the judge refuses everyone, the store cannot be written."""
        return self._halt.error

    async def ask_all(
        self,
        requests: Sequence[JudgeRequest],
        follow_up: FollowUp,
        *,
        again: Judgement | None = None,
        is_failed: Judgement = _ends_in_an_error,
    ) -> list[Asked]:
        """Return what was asked and answered for each first request, in their order; never raises for a failed call.

        An error that nobody foresaw is raised when all that was under way has come in and is kept.

        Args:
            requests: the first question of each game.
            follow_up: names the next question of a game from the replies so far, or ``None`` when it is complete.
            again: whether a game that the store answers is to be asked once more all the same.
            is_failed: whether a game counts as failed in what the observer is told.
        """
        results: list[Asked | None] = [None] * len(requests)
        progress = Progress(total=len(requests))
        self._halt.start_clock()
        queue = iter(enumerate(requests))
        self._waiting_games = len(requests)

        async def work() -> None:
            try:
                for index, request in queue:
                    self._waiting_games -= 1
                    asked = await self._ask_game(request, follow_up)
                    if again is not None and asked.cached and again(asked.replies):
                        asked = await self._ask_game(request, follow_up, fresh=True)
                    results[index] = asked
                    progress.failed += is_failed(asked.replies)
                    self._report(progress, asked)
            except Exception as exc:
                self._halt.stop(f"unexpected error: {_named(exc)}")
                raise

        # more workers than places: those that wait for a retry must not keep others from asking
        workers = (work() for _ in range(min(2 * self.gate.ceiling, len(requests))))
        try:
            ended = await asyncio.gather(*workers, return_exceptions=True)
        finally:
            if self._writer is not None:
                await self._writer.aclose()
        for error in ended:
            if error is not None:
                raise error
        return [asked for asked in results if asked is not None]

    async def _ask_game(self, first: JudgeRequest, follow_up: FollowUp, *, fresh: bool = False) -> Asked:
        keys: list[str] = []
        replies: list[Reply] = []
        cached = True
        request: JudgeRequest | None = first
        while request is not None:
            key = request_key(request)
            reply = None if fresh else self._stored(key)
            if reply is None:
                cached = False
                reply = await self._ask_once(key, request)
            keys.append(key)
            replies.append(reply)
            request = None if reply.error else follow_up(request, replies)
        return Asked(tuple(keys), tuple(replies), cached)

    async def _ask_once(self, key: str, request: JudgeRequest) -> Reply:
        """Ask, or share the reply of the same question under way (an answer equal to the baseline asks it twice)."""
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(self._ask(key, request))
            task.add_done_callback(lambda _: self._under_way.pop(key, None))
        return await task

    def _stored(self, key: str) -> Reply | None:
        if self.store is None:
            return None
        try:
            return self.store.get(key)
        except Exception as exc:
            self._stop_for_store("a kept reply cannot be read", exc)
            return None

    async def _keep(self, key: str, request: JudgeRequest, reply: Reply) -> Reply:
        """Return the reply once it is on disk, or the failure to keep it."""
        if reply.error is not None and reply.error.kind == "not-asked":
            return reply
        self._count_failure(reply)
        if self._writer is None:
            return reply
        try:
            await self._writer.put(Row(request, reply, key))
        except Exception as exc:
            self._stop_for_store("a reply could not be kept", exc)
            return Reply(error=CallError("not-asked", f"the reply could not be kept: {exc}"), attempts=reply.attempts)
        return reply

    def _stop_for_store(self, what: str, exc: Exception) -> None:
        error = exc if isinstance(exc, CodeArenaError) else StoreError(f"{what}: {_named(exc)}")
        self._halt.stop(str(error), error)

    async def _ask(self, key: str, request: JudgeRequest) -> Reply:
        """Return the reply to one question that the store does not hold, after all tries, once it is on disk."""
        attempts = 0
        started = time.monotonic()
        failed: CallFailedError | None = None
        while True:
            await self.gate.enter()
            try:
                if (reason := await self._refused(request)) is not None:
                    error = failed.error if failed else CallError("not-asked", reason)
                    return await self._keep(key, request, _given_up(error, attempts, started))
                attempts += 1
                started = time.monotonic()
                outcome = await self._send(request, started)
                if isinstance(outcome, Reply):
                    # its place is held until it is on disk: kill -9 costs no more answers than there are places
                    reply = replace(outcome, attempts=attempts, latency_s=round(time.monotonic() - started, 4))
                    return await self._keep(key, request, reply)
            finally:
                self.gate.leave()
            failed = outcome
            if not failed.is_retryable or attempts >= self.tries or self.stopped:
                return await self._keep(key, request, _given_up(failed.error, attempts, started))
            await self._halt.nap(min(backoff_s(attempts, failed.retry_after_s), self._halt.left_s()))

    async def _send(self, request: JudgeRequest, started: float) -> Reply | CallFailedError:
        reserved = self.budget.reserve(request)
        usage, is_lost = None, False
        longest = min(self.timeout_s, max(self._halt.left_s(), 0.01))
        try:
            reply = checked_reply(await asyncio.wait_for(self.backend.ask(request), longest))
            usage = reply.usage
        except asyncio.TimeoutError:
            is_lost = True
            waited = time.monotonic() - started
            return CallFailedError(CallError("timeout", f"no reply within {waited:.1f} s"), is_retryable=True)
        except CallFailedError as failed:
            failed.error = checked_error(failed.error)
            is_lost = failed.is_lost
            if failed.error.kind == "rate-limit":
                self.gate.slow_down(started, time.monotonic())
            return failed
        except JudgeAccessError as exc:
            self._halt.stop(str(exc), exc)
            return CallFailedError(CallError("not-asked", str(exc)), is_retryable=False)
        except Exception as exc:  # the boundary to strangers' back ends: a value like any other failed call
            return CallFailedError(CallError("bad-reply", _named(exc)), is_retryable=False)
        finally:
            self.budget.settle(request, reserved, usage, is_lost=is_lost)
        self.gate.speed_up()
        return reply

    async def _refused(self, request: JudgeRequest) -> str | None:
        """Return why not to ask, once it is known whether the budget allows it."""
        while (reason := self._why_not(request)) is None and self.budget.must_wait(request):
            await self._halt.nap(_BUDGET_POLL_S)
        return reason

    def _why_not(self, request: JudgeRequest) -> str | None:
        self._halt.check_clock()
        if self.stopped is None and (refusal := self.budget.refusal(request)):
            self._halt.stop(refusal)
        return self.stopped

    def _count_failure(self, reply: Reply) -> None:
        if reply.error is None or reply.error.kind in {"context-length", "bad-request", "missing"}:
            self._failed_in_a_row = 0
            return
        self._failed_in_a_row += 1
        if self._failed_in_a_row >= _GONE_AFTER and self._waiting_games and self.stopped is None:
            self._halt.stop(
                f"the judge does not answer: {self._failed_in_a_row} questions failed in a row, "
                f"the last with {reply.error.kind}: {reply.error.message}"
            )

    def _report(self, progress: Progress, asked: Asked) -> None:
        progress.done += 1
        progress.cached += asked.cached
        progress.cost_usd = self.budget.known_cost_usd
        if self._observe is None:
            return
        try:
            self._observe(progress)
        except Exception as exc:  # a closed pipe must not cost a run
            self._observe = None
            _log.warning("progress can no longer be shown (%s); judging goes on", _named(exc))


def _named(exc: Exception) -> str:
    return f"{type(exc).__name__}: {exc}"


def _given_up(error: CallError, attempts: int, started: float) -> Reply:
    return Reply(error=error, attempts=attempts, latency_s=round(time.monotonic() - started, 4))
