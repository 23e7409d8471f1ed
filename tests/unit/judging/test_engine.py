"""The engine alone, with back ends made for the occasion."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest

from codearena_plugin.errors import JudgeAccessError, StoreError
from codearena_plugin.judging.backends.protocol import CallFailedError
from codearena_plugin.judging.budget import Budget
from codearena_plugin.judging.engine import Asked, Engine, Progress
from codearena_plugin.judging.request import JudgeRequest, request_key
from codearena_plugin.judging.store import ReplyStore, Row
from codearena_plugin.judging.writer import Writer
from codearena_plugin.records import CallError, Message, Reply

Ask = Callable[[JudgeRequest], Awaitable[Reply]]


class Scripted:
    """A back end that does what it is given."""

    is_remote = True

    def __init__(self, ask: Ask) -> None:
        self.ask = ask

    async def aclose(self) -> None:
        """Nothing is open."""


def requests(n: int) -> list[JudgeRequest]:
    return [JudgeRequest("j@1-A", "m", (Message("user", str(i)),), {}) for i in range(n)]


def number(request: JudgeRequest) -> int:
    return int(request.messages[0].content)


def nothing_more(_request: JudgeRequest, _replies: Sequence[Reply]) -> None:
    return None


def engine(ask: Ask, store: ReplyStore | None = None, *, tries: int = 1, places: int = 3) -> Engine:
    return Engine(Scripted(ask), store, Budget(None), concurrency=places, tries=tries, timeout_s=5)


async def echo(request: JudgeRequest) -> Reply:
    await asyncio.sleep(0.001 * (number(request) % 3))
    return Reply(f"reply {number(request)}")


def test_replies_come_in_the_order_of_the_questions() -> None:
    asked = asyncio.run(engine(echo).ask_all(requests(20), nothing_more))
    assert [a.replies[0].text for a in asked] == [f"reply {i}" for i in range(20)]
    assert [a.keys for a in asked] == [(request_key(r),) for r in requests(20)]


def test_progress_is_told_after_every_game() -> None:
    told: list[tuple[int, int, int]] = []

    def observe(progress: Progress) -> None:
        told.append((progress.done, progress.failed, progress.total))

    async def ask(request: JudgeRequest) -> Reply:
        if number(request) == 1:
            raise CallFailedError(CallError("bad-request", "no"), is_retryable=False)
        return await echo(request)

    judge = engine(ask)
    judge._observe = observe
    asyncio.run(judge.ask_all(requests(4), nothing_more))
    assert [done for done, _, _ in told] == [1, 2, 3, 4]
    assert told[-1] == (4, 1, 4)


def test_a_reply_is_on_disk_before_anybody_sees_it(tmp_path: Path) -> None:
    with ReplyStore(tmp_path / "r.sqlite3") as store, ReplyStore(tmp_path / "r.sqlite3") as other:

        def follow_up(request: JudgeRequest, replies: Sequence[Reply]) -> None:
            assert other.get(request_key(request)) == replies[-1]

        asked = asyncio.run(engine(echo, store).ask_all(requests(30), follow_up))
    assert len(asked) == 30


def test_no_question_is_sent_while_as_many_replies_as_places_wait_for_the_disk(tmp_path: Path) -> None:
    """What a kill would lose, replies in memory and calls under way together, is never more than the places."""
    open_now, most = 0, 0

    async def ask(request: JudgeRequest) -> Reply:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        return await echo(request)

    class SlowStore(ReplyStore):
        def put(self, rows: object) -> None:
            import time

            nonlocal open_now
            kept = list(rows)  # type: ignore[call-overload]
            time.sleep(0.02)
            super().put(kept)
            open_now -= len(kept)

    with SlowStore(tmp_path / "r.sqlite3") as store:
        asyncio.run(engine(ask, store, places=4).ask_all(requests(40), nothing_more))
    assert (open_now, most) == (0, 4)


def test_a_failure_is_recorded_once_after_all_tries(tmp_path: Path) -> None:
    async def ask(_: JudgeRequest) -> Reply:
        raise CallFailedError(CallError("server", "HTTP 500"), is_retryable=True, retry_after_s=0)

    with ReplyStore(tmp_path / "r.sqlite3") as store:
        ((_, (reply,), cached),) = [
            (a.keys, a.replies, a.cached)
            for a in asyncio.run(engine(ask, store, tries=3).ask_all(requests(1), nothing_more))
        ]
        assert store.failures(request_key(requests(1)[0])) == 1
    assert (reply.attempts, reply.error, cached) == (3, CallError("server", "HTTP 500"), False)


def test_what_cannot_be_tried_again_is_not() -> None:
    sent = []

    async def ask(request: JudgeRequest) -> Reply:
        sent.append(request)
        raise CallFailedError(CallError("context-length", "too long"), is_retryable=False)

    asyncio.run(engine(ask, tries=6).ask_all(requests(2), nothing_more))
    assert len(sent) == 2


def test_a_refusal_of_everyone_ends_the_run_but_not_what_is_under_way() -> None:
    async def ask(request: JudgeRequest) -> Reply:
        if number(request) == 2:
            msg = "key refused"
            raise JudgeAccessError(msg)
        await asyncio.sleep(0.02)
        return Reply("fine")

    judge = engine(ask, places=3)
    asked = asyncio.run(judge.ask_all(requests(50), nothing_more))
    assert [bool(a.replies[0].error) for a in asked[:3]] == [False, False, True]
    assert all(a.replies[0].error == CallError("not-asked", "key refused") for a in asked[2:])
    assert isinstance(judge.fatal, JudgeAccessError)


def test_a_store_that_breaks_in_any_way_is_no_endless_wait(tmp_path: Path) -> None:
    class Broken(ReplyStore):
        def put(self, _rows: object) -> None:
            raise OverflowError

    async def scene() -> None:
        with Broken(tmp_path / "r.sqlite3") as store:
            writer = Writer(store)
            with pytest.raises(OverflowError):
                await asyncio.wait_for(writer.put(Row(requests(1)[0], Reply("t"))), 2)
            await writer.aclose()

    asyncio.run(scene())


def test_replies_that_arrive_together_share_a_commit(tmp_path: Path) -> None:
    batches: list[int] = []

    class Counting(ReplyStore):
        def put(self, rows: object) -> None:
            kept = list(rows)  # type: ignore[call-overload]
            batches.append(len(kept))
            super().put(kept)

    async def scene() -> None:
        with Counting(tmp_path / "r.sqlite3") as store:
            writer = Writer(store)
            await asyncio.gather(*(writer.put(Row(request, Reply("t"))) for request in requests(50)))
            await writer.aclose()

    asyncio.run(scene())
    assert sum(batches) == 50
    assert len(batches) <= 3


def test_a_store_that_cannot_be_read_stops_the_run(tmp_path: Path) -> None:
    class Unreadable(ReplyStore):
        def get(self, _key: str) -> Reply | None:
            msg = "cannot be read"
            raise StoreError(msg)

    with Unreadable(tmp_path / "r.sqlite3") as store:
        judge = engine(echo, store)
        asked: list[Asked] = asyncio.run(judge.ask_all(requests(5), nothing_more))
    assert judge.stopped == "cannot be read"
    assert {a.replies[0].error.kind for a in asked if a.replies[0].error} == {"not-asked"}


def test_asking_nothing_is_fine() -> None:
    assert asyncio.run(engine(echo).ask_all([], nothing_more)) == []
