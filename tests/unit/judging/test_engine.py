"""The engine alone, with back ends made for the occasion."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from codearena_plugin.errors import JudgeAccessError, StoreError
from codearena_plugin.judging.asking.budget import Budget
from codearena_plugin.judging.asking.engine import Asked, Engine, Progress
from codearena_plugin.judging.asking.request import JudgeRequest, request_key
from codearena_plugin.judging.asking.store import ReplyStore, Row
from codearena_plugin.judging.asking.writer import Writer
from codearena_plugin.judging.backends.protocol import CallFailedError
from codearena_plugin.records import CallError, Message, Reply, Usage

Ask = Callable[[JudgeRequest], Awaitable[Reply]]


class Scripted:
    """A back end that does what it is given."""

    is_remote = True

    def __init__(self, ask: Ask) -> None:
        self.ask = ask

    async def aclose(self) -> None:
        """Nothing is open."""


def requests(n: int) -> list[JudgeRequest]:
    return [JudgeRequest("j@1", "m", (Message("user", str(i)),), {}) for i in range(n)]


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
    with closing(sqlite3.connect(tmp_path / "r.sqlite3")) as connection:
        assert connection.execute("SELECT key, attempts, error_kind FROM replies").fetchall() == [
            (request_key(requests(1)[0]), 3, "server")
        ]
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
                await asyncio.wait_for(writer.put(Row(requests(1)[0], Reply("t"))), 60)
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


def test_a_game_counts_as_failed_when_its_verdict_is_no_score() -> None:
    told: list[int] = []
    judge = engine(echo)
    judge._observe = lambda progress: told.append(progress.failed)
    asyncio.run(judge.ask_all(requests(4), nothing_more, is_failed=lambda replies: replies[-1].text == "reply 2"))
    assert told[-1] == 1


def test_an_observer_that_breaks_is_told_no_more_and_the_run_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    told = []

    def observe(progress: Progress) -> None:
        told.append(progress.done)
        raise BrokenPipeError

    judge = engine(echo)
    judge._observe = observe
    with caplog.at_level(logging.WARNING):
        asked = asyncio.run(judge.ask_all(requests(9), nothing_more))
    assert len(asked) == 9
    assert all(not a.replies[0].error for a in asked)
    assert told == [1]
    assert [record.getMessage() for record in caplog.records] == [
        "progress can no longer be shown (BrokenPipeError: ); judging goes on"
    ]


def test_an_unexpected_error_ends_the_run_in_order_and_keeps_what_was_under_way(tmp_path: Path) -> None:
    """Workers must not go on asking, nor write to a store that is closed, behind the back of who was told."""
    sent: list[int] = []
    kept: list[int] = []

    async def ask(request: JudgeRequest) -> Reply:
        sent.append(number(request))
        await asyncio.sleep(0.001 if number(request) == 0 else 0.05)
        return Reply("fine")

    def follow_up(request: JudgeRequest, _replies: Sequence[Reply]) -> None:
        if number(request) == 0:
            msg = "a bug"
            raise RuntimeError(msg)

    class Slow(ReplyStore):
        def put(self, rows: Iterable[Row]) -> None:
            rows = list(rows)
            time.sleep(0.02)
            super().put(rows)
            kept.extend(number(row.request) for row in rows)

    async def scene() -> None:
        with Slow(tmp_path / "r.sqlite3") as store:
            judge = engine(ask, store, places=3)
            with pytest.raises(RuntimeError, match="a bug"):
                await judge.ask_all(requests(50), follow_up)
            assert judge.stopped == "unexpected error: RuntimeError: a bug"
            assert len(asyncio.all_tasks()) == 1
            assert sorted(kept) == sorted(sent)

    asyncio.run(scene())
    assert len(sent) <= 6


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (Reply("t", usage=Usage(2**70, 5)), Reply("t", usage=Usage(None, 5))),
        (Reply("t", usage=Usage(-1, True)), Reply("t")),
        (Reply("t", usage=Usage("3", 2.5)), Reply("t")),  # type: ignore[arg-type]
        (Reply("t", usage=None), Reply("t")),  # type: ignore[arg-type]
        (Reply("t", latency_s="soon", attempts=None), Reply("t")),  # type: ignore[arg-type]
    ],
)
def test_numbers_that_cannot_be_kept_are_unknown(tmp_path: Path, given: Reply, kept: Reply) -> None:
    async def ask(_: JudgeRequest) -> Reply:
        return given

    with ReplyStore(tmp_path / "r.sqlite3") as store:
        (asked,) = asyncio.run(engine(ask, store).ask_all(requests(1), nothing_more))
        assert store.get(asked.keys[0]) == asked.replies[0]
    (reply,) = asked.replies
    assert (reply.text, reply.usage, reply.error, reply.attempts) == (kept.text, kept.usage, None, 1)


BAD_REPLIES: list[tuple[Any, str]] = [
    (None, "the back end returned NoneType, not a Reply"),
    ("text", "the back end returned str, not a Reply"),
    (Reply(text=None), "the back end's reply has a text of type NoneType"),  # type: ignore[arg-type]
    (Reply(text=b"x"), "the back end's reply has a text of type bytes"),  # type: ignore[arg-type]
    (Reply("t", finish_reason=3), "the back end's reply has a finish_reason of type int"),  # type: ignore[arg-type]
    (Reply("t", refusal=["no"]), "the back end's reply has a refusal of type list"),  # type: ignore[arg-type]
    (Reply("t", served_model=object()), "the back end's reply has a served_model of type object"),  # type: ignore[arg-type]
    (Reply(error="no"), "the back end's reply has an error of type str"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("given", "why"), BAD_REPLIES)
def test_a_reply_of_wrong_types_is_a_failed_call_and_harms_no_other(tmp_path: Path, given: Any, why: str) -> None:
    async def ask(request: JudgeRequest) -> Any:
        return given if number(request) == 3 else await echo(request)

    with ReplyStore(tmp_path / "r.sqlite3") as store:
        judge = engine(ask, store)
        asked = asyncio.run(judge.ask_all(requests(9), nothing_more))
    assert [a.replies[0].error for a in asked] == [CallError("bad-reply", why) if i == 3 else None for i in range(9)]
    assert judge.stopped is None


def test_a_failure_that_a_back_end_returns_is_a_failure() -> None:
    async def ask(_: JudgeRequest) -> Reply:
        return Reply(error=CallError("context-length", "too long"))

    ((reply,),) = [a.replies for a in asyncio.run(engine(ask).ask_all(requests(1), nothing_more))]
    assert reply.error == CallError("context-length", "too long")


def test_a_row_that_cannot_be_kept_takes_no_other_with_it(tmp_path: Path) -> None:
    class Picky(ReplyStore):
        def put(self, rows: Iterable[Row]) -> None:
            rows = list(rows)
            if any(row.reply.text == "reply 7" for row in rows):
                raise OverflowError
            super().put(rows)

    async def scene() -> list[object]:
        with Picky(tmp_path / "r.sqlite3") as store:
            writer = Writer(store)
            rows = [Row(request, Reply(f"reply {number(request)}")) for request in requests(20)]
            found = await asyncio.gather(*(writer.put(row) for row in rows), return_exceptions=True)
            await writer.aclose()
        return list(found)

    found = asyncio.run(scene())
    assert [i for i, outcome in enumerate(found) if outcome is not None] == [7]
    assert isinstance(found[7], OverflowError)
    with ReplyStore(tmp_path / "r.sqlite3") as store:
        assert sum(store.get(request_key(request)) is not None for request in requests(20)) == 19


def test_a_reply_that_cannot_be_kept_for_any_reason_stops_the_run_and_is_not_used(tmp_path: Path) -> None:
    class Broken(ReplyStore):
        def put(self, _rows: object) -> None:
            msg = "too big"
            raise OverflowError(msg)

    with Broken(tmp_path / "r.sqlite3") as store:
        judge = engine(echo, store, places=2)
        asked = asyncio.run(judge.ask_all(requests(30), nothing_more))
    assert judge.stopped == "a reply could not be kept: OverflowError: too big"
    assert isinstance(judge.fatal, StoreError)
    assert {a.replies[0].error.kind for a in asked if a.replies[0].error} == {"not-asked"}
    assert len(asked) == 30


def test_a_store_that_cannot_be_read_for_any_reason_stops_the_run(tmp_path: Path) -> None:
    class Unreadable(ReplyStore):
        def get(self, _key: str) -> Reply | None:
            raise ValueError

    with Unreadable(tmp_path / "r.sqlite3") as store:
        judge = engine(echo, store)
        asked = asyncio.run(judge.ask_all(requests(5), nothing_more))
    assert str(judge.stopped).startswith("a kept reply cannot be read: ValueError")
    assert {a.replies[0].error.kind for a in asked if a.replies[0].error} == {"not-asked"}


def test_asking_nothing_is_fine() -> None:
    assert asyncio.run(engine(echo).ask_all([], nothing_more)) == []
