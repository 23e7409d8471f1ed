"""How much, how often, how soon: gate, budget, prices, back-off."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import email.utils
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codearena_plugin.errors import ConfigError
from codearena_plugin.judging.asking.backoff import asked_wait_s, backoff_s
from codearena_plugin.judging.asking.budget import Budget
from codearena_plugin.judging.asking.gate import Gate
from codearena_plugin.judging.asking.loop import run_async
from codearena_plugin.judging.asking.prices import Price, estimate_tokens, find_price
from codearena_plugin.judging.asking.request import JudgeRequest
from codearena_plugin.records import Message, Usage

REQUEST = JudgeRequest("j@1", "m", (Message("user", "x" * 350),), {"max_tokens": 1000})


def test_no_more_pass_the_gate_than_it_has_places() -> None:
    async def scene() -> int:
        gate, most = Gate(3), 0

        async def visit() -> None:
            nonlocal most
            await gate.enter()
            most = max(most, gate.active)
            await asyncio.sleep(0.001)
            gate.leave()

        await asyncio.gather(*(visit() for _ in range(20)))
        assert gate.active == 0
        return most

    assert asyncio.run(scene()) == 3


def test_the_gate_admits_in_order_of_arrival() -> None:
    async def scene() -> list[int]:
        gate, order = Gate(1), []

        async def visit(number: int) -> None:
            await gate.enter()
            order.append(number)
            await asyncio.sleep(0)
            gate.leave()

        await asyncio.gather(*(visit(number) for number in range(9)))
        return order

    assert asyncio.run(scene()) == list(range(9))


def test_a_visitor_who_gives_up_takes_no_place_with_him() -> None:
    async def scene() -> None:
        gate = Gate(1)
        await gate.enter()
        waiting = [asyncio.create_task(gate.enter()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        gate.leave()  # admits the first who still waits ...
        waiting[1].cancel()  # ... who gives up with the place in hand
        await asyncio.wait_for(waiting[2], 60)
        gate.leave()
        await asyncio.wait_for(gate.enter(), 60)
        assert gate.active == 1

    asyncio.run(scene())


def test_the_gate_halves_once_per_round_trip_and_recovers() -> None:
    gate = Gate(16)
    gate.slow_down(started=1.0, now=2.0)
    gate.slow_down(started=1.5, now=2.1)  # was under way when the limit fell
    assert (gate.limit, gate.lowest) == (8, 8)
    gate.slow_down(started=2.5, now=3.0)
    assert gate.limit == 4
    for _ in range(100):
        gate.speed_up()
    assert (gate.limit, gate.lowest) == (16, 4)
    for i in range(20):
        gate.slow_down(started=10.0 + i, now=10.5 + i)
    assert gate.limit == 1


def test_calls_are_counted_against_their_limit() -> None:
    budget = Budget(None, max_calls=2)
    for _ in range(2):
        assert budget.refusal(REQUEST) is None
        budget.settle(REQUEST, budget.reserve(REQUEST), None)
    assert budget.refusal(REQUEST) == "budget reached: max_calls=2"


def test_calls_under_way_count_at_the_most_they_may_cost() -> None:
    budget = Budget(Price(0, 1000), max_cost_usd=2.5)  # a call of 1000 tokens costs at most 1 dollar
    held = [budget.reserve(REQUEST), budget.reserve(REQUEST)]
    assert budget.refusal(REQUEST) is None
    assert budget.must_wait(REQUEST)
    budget.settle(REQUEST, held[0], Usage(100, 10))  # 0.01 dollars: there is room again
    assert not budget.must_wait(REQUEST)
    budget.settle(REQUEST, held[1], Usage(100, 990))
    assert budget.cost_usd == pytest.approx(1.0)
    budget.settle(REQUEST, budget.reserve(REQUEST), Usage(0, 600))
    assert budget.refusal(REQUEST) == (
        "budget reached: max_cost_usd=2.5, spent about $1.6000, and one more call may cost up to $1.0000"
    )


def test_nobody_waits_for_calls_that_are_not_under_way() -> None:
    budget = Budget(Price(0, 1000), max_cost_usd=1.0)
    for _ in range(3):
        budget.settle(REQUEST, budget.reserve(REQUEST), Usage(0, 0))
    assert budget.refusal(REQUEST) is None
    assert not budget.must_wait(REQUEST)


@given(st.lists(st.integers(0, 1000), max_size=60), st.integers(1, 8), st.floats(0, 20))
def test_money_is_never_overspent(bills: list[int], places: int, limit: float) -> None:
    """Replays a run: as many calls under way as the budget lets through, the oldest billed first."""
    request = JudgeRequest("j@1", "m", (), {"max_tokens": 1000})
    budget = Budget(Price(0, 1000), max_cost_usd=limit)
    held: list[float] = []
    for bill in bills:
        while held and (len(held) >= places or budget.must_wait(request)):
            budget.settle(request, held.pop(0), Usage(0, bill))
        if budget.refusal(request):
            break
        held.append(budget.reserve(request))
    for reserved in held:
        budget.settle(request, reserved, Usage(0, 1000))
    assert budget.cost_usd <= limit + 1e-9


def test_a_reply_without_token_counts_is_estimated_and_its_cost_is_unknown() -> None:
    budget = Budget(Price(1, 1000), max_cost_usd=100)
    budget.settle(REQUEST, budget.reserve(REQUEST), Usage(None, 5))
    assert budget.known_cost_usd is None
    assert budget.uncounted == 1
    assert budget.cost_usd == pytest.approx(budget.expected_cost(REQUEST))
    assert Budget(Price(0, 0)).known_cost_usd == 0
    assert Budget(None).known_cost_usd is None


@pytest.mark.parametrize("limit", [None, 100.0])
def test_a_call_whose_bill_never_came_counts_at_the_most_it_may_cost(limit: float | None) -> None:
    budget = Budget(Price(0, 1000), max_cost_usd=limit)
    budget.settle(REQUEST, budget.reserve(REQUEST), None, is_lost=True)
    assert (budget.cost_usd, budget.uncounted, budget.calls, budget.replies) == (1.0, 1, 1, 0)
    assert budget.known_cost_usd is None
    assert not budget.must_wait(REQUEST)


def test_a_call_that_was_refused_costs_nothing() -> None:
    budget = Budget(Price(0, 1000), max_cost_usd=100)
    budget.settle(REQUEST, budget.reserve(REQUEST), None)
    assert (budget.known_cost_usd, budget.uncounted) == (0, 0)


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens", "max_gen_toks"])
def test_a_reply_may_be_as_long_as_any_name_of_its_limit_says(name: str) -> None:
    request = JudgeRequest("j@1", "m", (), {name: 1000})
    assert Budget(Price(0, 1000)).highest_cost(request) == 1.0


@pytest.mark.parametrize(
    ("model", "same_as"),
    [
        ("gpt-4o-2024-08-06", "gpt-4o"),
        ("gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("gpt-4.1-mini", "gpt-4.1-mini"),
        ("o1-preview", "o1"),
        ("gpt-4o-latest", "gpt-4o"),
        ("gpt-4-turbo-2024-04-09", "gpt-4-turbo"),
    ],
)
def test_a_snapshot_costs_what_its_model_costs(model: str, same_as: str) -> None:
    assert find_price(model) == find_price(same_as) is not None


def test_the_longest_name_wins() -> None:
    assert find_price("gpt-4o-2024-05-13") == Price(5, 15)


@pytest.mark.parametrize(
    "model", ["o1-pro", "o3-deep-research", "gpt-5-pro", "gpt-4o-audio-preview", "gpt-4", "local", "", "gpt-4ox"]
)
def test_a_relative_of_a_known_model_has_no_price(model: str) -> None:
    assert find_price(model) is None


def test_a_users_table_beats_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "prices.yaml"
    own.write_text("gpt-4o: {input: 1, output: 2}\nmine: {input: '0.5', output: 0}\n")
    assert find_price("gpt-4o-2024-05-13", str(own)) == Price(1, 2)
    assert find_price("o1", str(own)) == find_price("o1")
    monkeypatch.setenv("CODEARENA_HOME", str(tmp_path))
    assert find_price("mine") == Price(0.5, 0)


@pytest.mark.parametrize(
    "content",
    ["- a", "m: 3", "m: {input: 1}", "m: {input: -1, output: 1}", "m: {input: .nan, output: 1}", "m: [", "\x00"],
)
def test_a_price_table_that_cannot_be_used_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "p.yaml").write_text(content)
    with pytest.raises(ConfigError, match="Price table"):
        find_price("m", str(tmp_path / "p.yaml"))
    with pytest.raises(ConfigError, match="Price table"):
        find_price("m", str(tmp_path / "absent.yaml"))


def test_tokens_are_estimated_for_both_natural_languages() -> None:
    assert estimate_tokens("x" * 350) == 104
    assert estimate_tokens("汉" * 100) == 104
    assert estimate_tokens("") == 4


@pytest.mark.parametrize("attempt", [1, 2, 5, 60, 2000])
def test_the_wait_grows_and_is_bounded(attempt: int) -> None:
    waits = [backoff_s(attempt, None) for _ in range(200)]
    longest = min(30, 0.5 * 2.0 ** min(attempt - 1, 50))
    assert all(0.1 * longest <= wait <= longest for wait in waits)
    assert len(set(waits)) > 100  # jitter


@pytest.mark.parametrize(("asked", "least"), [(7.0, 7), (-5.0, 0), (0.0, 0), (1e9, 300)])
def test_the_servers_wish_is_followed_within_reason(asked: float, least: float) -> None:
    assert least <= backoff_s(4, asked) <= least + 0.1


def in_seconds(seconds: int) -> str:
    when = dt.datetime.now(dt.timezone.utc) + dt.timedelta(seconds=seconds)
    return email.utils.format_datetime(when, usegmt=True)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "Retry-After": "7"}, 0.25),
        ({"retry-after-ms": "soon", "Retry-After": "7"}, 7),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": ""}, None),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "Wed, 99 Foo 2024 07:28:00 GMT"}, None),
    ],
)
def test_the_servers_wish_is_read(headers: dict[str, str], wait: float | None) -> None:
    assert asked_wait_s(headers) == wait


def test_a_date_is_read_as_the_time_until_then() -> None:
    assert asked_wait_s({"Retry-After": in_seconds(90)}) == pytest.approx(90, abs=20)
    past = asked_wait_s({"Retry-After": in_seconds(-90)})
    assert past is not None
    assert past < 0


def test_work_runs_with_and_without_a_running_loop() -> None:
    async def work() -> int:
        await asyncio.sleep(0)
        return 5

    async def notebook() -> int:
        return run_async(work())

    assert run_async(work()) == asyncio.run(notebook()) == 5


def test_an_interrupt_in_a_notebook_cancels_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    import concurrent.futures

    ended = []

    async def work() -> None:
        try:
            await asyncio.sleep(30)
        finally:
            ended.append(True)

    def interrupted(_self: object, _timeout: object = None) -> None:
        time.sleep(0.1)
        raise KeyboardInterrupt

    async def notebook() -> None:
        with monkeypatch.context() as patched:
            patched.setattr(concurrent.futures.Future, "result", interrupted)
            run_async(work())

    began = time.monotonic()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(notebook())
    assert ended == [True]
    assert time.monotonic() - began < 15


def test_an_error_in_the_work_reaches_the_caller_in_a_notebook_too() -> None:
    async def work() -> None:
        msg = "broken"
        raise ValueError(msg)

    async def notebook() -> None:
        run_async(work())

    with pytest.raises(ValueError, match="broken"):
        asyncio.run(notebook())
