"""Everything that can go wrong between us and a judge, against a real server that does it."""

from __future__ import annotations

import datetime as dt
import email.utils
import time
from pathlib import Path
from typing import Any

import pytest
from faults import assert_no_score_anywhere, first_time, statuses, whenever, written
from judge_server import JudgeServer, permanent, share
from judging_runs import a_suite, answers_to, judged, settings_for, verdicts

from codearena_plugin.errors import ConfigError, JudgeAccessError
from codearena_plugin.judging.estimate import estimate
from codearena_plugin.judging.play import open_backend, open_store, preflight
from codearena_plugin.runs.judge import plan_run


def test_a_good_judge_gives_a_full_result(tmp_path: Path) -> None:
    with JudgeServer() as server:
        run = judged(server, tmp_path)
    assert statuses(run) == {"scored": 12}
    assert run.result.summary.score is not None
    assert run.result.summary.score.estimate == 0.5
    assert run.result.summary.order_consistency is not None
    assert run.result.withheld is None
    assert run.result.spending is not None
    assert (run.result.spending.http_requests, run.result.spending.cost_usd) == (12, None)
    assert verdicts(run)[:2] == [("p000", "baseline_first", "scored", "B>A"), ("p000", "answer_first", "scored", "A>B")]


def test_a_rerun_asks_nothing_and_finds_the_same(tmp_path: Path) -> None:
    with JudgeServer() as server:
        first = judged(server, tmp_path, name="one")
        again = judged(server, tmp_path, name="two")
        assert server.n_judged == 12
    assert verdicts(first) == verdicts(again)
    assert first.result.summary == again.result.summary
    assert again.result.spending is not None
    assert (again.result.spending.stored_games, again.result.spending.http_requests) == (12, 0)
    assert all(game.cached for game in again.games)


RATE_LIMIT: list[tuple[str, dict[str, str]]] = [
    ("none", {}),
    ("seconds", {"Retry-After": "0.05"}),
    ("date", {"Retry-After": email.utils.format_datetime(dt.datetime.now(dt.timezone.utc), usegmt=True)}),
    ("ms", {"retry-after-ms": "20"}),
]


@pytest.mark.parametrize(("kind", "headers"), RATE_LIMIT, ids=[name for name, _ in RATE_LIMIT])
def test_a_tenth_rate_limited_for_ever_lowers_the_coverage_and_is_asked_again_next_time(
    tmp_path: Path, kind: str, headers: dict[str, str]
) -> None:
    suite = a_suite(60)
    limited = permanent("rate-limit", 0.1)

    def script(body: dict[str, Any], times: int) -> dict[str, Any] | None:
        done = limited(body, times)
        return done and {**done, "headers": headers}

    began = time.monotonic()
    with JudgeServer(script=script) as server:
        run = judged(server, tmp_path, suite=suite, name="limited", tries=3, concurrency=8)
        wall = time.monotonic() - began
        failed = statuses(run)["transport-error"]
        assert server.n_judged == 120 + 2 * failed
        assert server.most_active <= 8
        server.script = None
        healed = judged(server, tmp_path, suite=suite, name="healed", concurrency=8)
        assert server.n_judged == 120 + 3 * failed  # exactly what was missing
    print(f"\n429 on {failed} of 120 games ({kind}): {wall:.1f} s, coverage {run.result.summary.coverage:.3f}")
    assert 5 <= failed <= 22
    assert run.result.summary.coverage == 1 - len({g.prompt_id for g in run.games if not g.verdict.label}) / 60
    assert run.result.problems == {"transport-error": {"rate-limit: HTTP 429: rate limit": failed}}
    assert_no_score_anywhere(run)
    assert run.result.stopped is None
    assert statuses(healed) == {"scored": 120}
    assert healed.result.withheld is None


def test_a_rate_limit_lowers_the_concurrency(tmp_path: Path) -> None:
    with JudgeServer(script=first_time(status=429), latency_s=0.01) as server:
        run = judged(server, tmp_path, concurrency=8, tries=4)
    assert statuses(run) == {"scored": 12}
    assert run.result.spending is not None
    assert run.result.spending.lowest_concurrency < 8


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500},
        {"status": 503, "body": b"<html>upstream</html>"},
        {"status": 408},
        {"status": 409},
        {"drop": True},
        {"cut": True},
        {"body": b'{"choices": [{"message": {"content": "My verd'},
        {"body": b"<html><body>Sign in</body></html>"},
        {"body": b""},
        {"body": {"error": {"message": "provider returned error"}}},
        {"body": {"choices": []}},
        {"body": {"choices": [{"message": None}]}},
        {"body": [1]},
        {"body": b"[" * 100_000},
        {"body": b"data: {}\n\n", "headers": {"Content-Type": "text/event-stream"}},
        {"body": b"\x1f\x8bnope", "headers": {"Content-Encoding": "gzip"}},
    ],
    ids=lambda fault: next(iter(str(value)[:12] for value in fault.values())),
)
def test_a_passing_fault_is_tried_again(tmp_path: Path, fault: dict[str, Any]) -> None:
    with JudgeServer(script=first_time(**fault)) as server:
        run = judged(server, tmp_path, suite=a_suite(2), tries=2)
        assert server.n_judged == 8
    assert statuses(run) == {"scored": 4}
    assert {reply.attempts for game in run.games for reply in game.replies} == {2}


@pytest.mark.parametrize("fault", [{"delay_s": 30}, {"endless": True}, {"cut": True}, {"drop": True}, {"status": 500}])
def test_a_lasting_fault_is_counted_and_never_scored(tmp_path: Path, fault: dict[str, Any]) -> None:
    began = time.monotonic()
    with JudgeServer(script=whenever(**fault)) as server:
        run = judged(server, tmp_path, suite=a_suite(2), tries=2, timeout_s=0.4)
    assert time.monotonic() - began < 15
    assert statuses(run) == {"transport-error": 4}
    assert_no_score_anywhere(run)
    assert "none of 2 prompts was scored" in str(run.result.withheld)


def test_an_absurdly_long_reply_is_cut_off(tmp_path: Path) -> None:
    with JudgeServer(script=whenever(endless=True)) as server:
        run = judged(server, tmp_path, suite=a_suite(1), timeout_s=20)
    assert statuses(run) == {"transport-error": 2}
    assert next(iter(run.result.problems["transport-error"])).startswith("bad-reply: status 200 without a chat")


def test_a_judge_dead_from_the_start_stops_the_run_soon(tmp_path: Path) -> None:
    with JudgeServer() as server:
        url = server.url
    began = time.monotonic()
    run = judged(url, tmp_path, suite=a_suite(100), tries=2, concurrency=8)
    assert time.monotonic() - began < 15
    assert statuses(run)["skipped"] > 100
    assert "the judge does not answer: 20 questions failed in a row" in str(run.result.stopped)
    assert_no_score_anywhere(run)
    with pytest.raises(JudgeAccessError, match="connection") as caught:
        preflight(settings_for(url, tmp_path / "s", tries=1))
    assert "\n" not in str(caught.value)


def test_a_judge_that_dies_in_mid_run_keeps_what_it_said(tmp_path: Path) -> None:
    suite = a_suite(100)
    answered = []

    def script(_body: dict[str, Any], _times: int) -> dict[str, Any] | None:
        answered.append(1)
        return {"drop": True} if len(answered) > 60 else None

    with JudgeServer(script=script) as server:
        broken = judged(server, tmp_path, suite=suite, name="broken", concurrency=8, tries=2)
        server.script = None
        before = server.n_judged
        healed = judged(server, tmp_path, suite=suite, name="healed", concurrency=8)
        assert server.n_judged == before + 140
    assert statuses(broken)["scored"] == 60
    assert broken.result.stopped is not None
    assert_no_score_anywhere(broken)
    assert statuses(healed) == {"scored": 200}


def test_a_rare_failure_does_not_look_like_a_dead_judge(tmp_path: Path) -> None:
    with JudgeServer(script=permanent("server", 0.6)) as server:
        run = judged(server, tmp_path, suite=a_suite(60), concurrency=4)
    assert run.result.stopped is None
    assert statuses(run).keys() == {"scored", "transport-error"}


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (401, {"error": {"message": "Incorrect API key provided: sk-SECRET-KEY-9."}}, "the key was refused"),
        (403, {"error": "forbidden"}, "the key was refused"),
        (404, {"detail": "Not Found"}, "does not know model"),
        (400, {"error": {"message": "no", "code": "model_not_found"}}, "does not know model"),
        (400, {"error": {"message": "Model Not Exist"}}, "does not know model"),
        (429, {"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}, "account is exhausted"),
        (302, b"", "redirects"),
    ],
)
def test_a_judge_that_refuses_everyone_in_mid_run_stops_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, body: Any, said: str
) -> None:
    monkeypatch.setenv("CODEARENA_JUDGE_API_KEY", "sk-SECRET-KEY-9")
    asked = []

    def script(_body: dict[str, Any], _times: int) -> dict[str, Any] | None:
        asked.append(1)
        return {"status": status, "body": body, "headers": {"Location": "/elsewhere"}} if len(asked) > 10 else None

    with JudgeServer(script=script) as server:
        run = judged(server, tmp_path, suite=a_suite(40), tries=3)
        assert server.n_requests <= 10 + 4
        settings = settings_for(server, tmp_path / "s")
        with pytest.raises(JudgeAccessError, match=said) as caught:
            preflight(settings)
    assert statuses(run) == {"scored": 10, "skipped": 70}
    assert said in str(run.result.stopped)
    assert "\n" not in str(caught.value)
    assert "SECRET" not in str(caught.value) + str(run.result.stopped)
    assert b"SECRET" not in written(tmp_path)
    assert_no_score_anywhere(run)


def test_an_echo_of_the_question_in_an_error_does_not_pass_for_another_error(tmp_path: Path) -> None:
    """Servers quote the request in their 400: a candidate who writes about missing models must not end the run."""
    echo = {"detail": [{"msg": "invalid", "input": "x" * 200 + " the model does not exist, model_not_found"}]}

    def script(body: dict[str, Any], _times: int) -> dict[str, Any] | None:
        return {"status": 400, "body": echo} if "NOISE" in body["messages"][-1]["content"] else None

    with JudgeServer(script=script) as server:
        run = judged(server, tmp_path, texts={"p001": "NOISE"})
    assert statuses(run) == {"scored": 10, "transport-error": 2}
    assert run.result.stopped is None


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"text": "Both have merits."}, "unparsable"),
        ({"text": ""}, "unparsable"),
        ({"message": {"role": "assistant", "content": None}}, "unparsable"),
        ({"message": {"role": "assistant", "content": None, "reasoning_content": "[[A>B]]"}}, "unparsable"),
        ({"message": {"role": "assistant", "content": "", "reasoning": "[[A>B]]"}}, "unparsable"),
        ({"text": "<think>[[A>B]]</think>"}, "unparsable"),
        ({"text": "Either [[A>B]] or [[B>A]]."}, "conflicting"),
        ({"text": "[[A>B]] and", "finish_reason": "length"}, "truncated"),
        ({"text": "", "finish_reason": "content_filter"}, "refused"),
        ({"message": {"role": "assistant", "content": None, "refusal": "I can't"}}, "refused"),
        ({"text": "I'm sorry, but I can't."}, "refused"),
        ({"status": 400, "body": {"error": {"code": "content_filter", "message": "policy"}}}, "refused"),
        ({"status": 400, "body": {"error": {"code": "context_length_exceeded", "message": "too many"}}}, "skipped"),
        ({"status": 400, "body": {"message": "This model's maximum context length is 4096 tokens."}}, "skipped"),
        ({"status": 413, "body": b"<html>Request Entity Too Large</html>"}, "skipped"),
        ({"status": 400, "body": {"error": {"message": "temperature is not supported"}}}, "transport-error"),
        ({"status": 422, "body": {"detail": [{"msg": "bad"}]}}, "transport-error"),
    ],
)
def test_what_is_no_verdict_is_typed_counted_and_never_scored(
    tmp_path: Path, fault: dict[str, Any], status: str
) -> None:

    def half(body: dict[str, Any], _times: int) -> dict[str, Any] | None:
        return fault if share(body["messages"][1]["content"]) < 0.5 else None

    with JudgeServer(script=half) as server:
        run = judged(server, tmp_path, suite=a_suite(10), tries=3)
        settled = server.n_judged
        rerun = judged(server, tmp_path, suite=a_suite(10), tries=3, name="again")
        asked_again = server.n_judged - settled
    counted = statuses(run)
    assert counted.keys() == {"scored", status}
    assert run.result.problems[status]
    assert statuses(rerun) == counted
    failed_calls = sum(reply.error is not None for game in run.games for reply in game.replies)
    assert asked_again == failed_calls  # replies that say nothing are replies; only failed calls are asked again
    assert_no_score_anywhere(run)
    lenient = judged("http://127.0.0.1:9/v1", tmp_path, suite=a_suite(10), name="lenient", min_coverage=0, tries=1)
    assert lenient.result.summary.score is not None
    assert lenient.result.summary.score.n == lenient.result.summary.n_scored < 10


def test_a_silent_judge_is_asked_to_finish_and_its_second_word_counts(tmp_path: Path) -> None:
    def script(body: dict[str, Any], _times: int) -> dict[str, Any] | None:
        return {"text": "Hm, hard.\ud83d"} if len(body["messages"]) == 2 else {"text": "[[A=B]]"}

    with JudgeServer(script=script) as server:
        run = judged(server, tmp_path, suite=a_suite(3))
        roles = {tuple(message["role"] for message in body["messages"]) for body in server.requests}
        again = judged(server, tmp_path, suite=a_suite(3), name="again")
        assert server.n_requests == 12
    assert roles == {("system", "user"), ("system", "user", "assistant", "user")}
    assert statuses(run) == {"scored": 6}
    assert verdicts(run) == verdicts(again)
    assert all(len(game.replies) == len(game.request_keys) == 2 for game in run.games)


def test_the_number_of_calls_is_a_hard_limit_and_a_rerun_goes_on(tmp_path: Path) -> None:
    with JudgeServer(latency_s=0.01) as server:
        for name, asked in (("one", 7), ("two", 14), ("three", 20), ("four", 20)):
            run = judged(server, tmp_path, suite=a_suite(10), max_calls=7, name=name, concurrency=5)
            assert server.n_requests == asked
            if name in {"one", "two"}:
                assert run.result.stopped == "budget reached: max_calls=7"
                assert statuses(run) == {"scored": asked, "skipped": 20 - asked}
                assert_no_score_anywhere(run)
    assert statuses(run) == {"scored": 20}
    assert run.result.stopped is None


def test_retries_count_as_calls(tmp_path: Path) -> None:
    with JudgeServer(script=whenever(status=500)) as server:
        run = judged(server, tmp_path, suite=a_suite(10), max_calls=9, tries=3)
        assert server.n_requests == 9
    assert run.result.stopped == "budget reached: max_calls=9"


def test_money_is_a_hard_limit_whatever_the_judge_writes(tmp_path: Path) -> None:
    prices = tmp_path / "prices.yaml"
    prices.write_text("local-judge: {input: 0, output: 1000}\n")  # a tenth of a dollar for the 100 tokens allowed
    usage = {"prompt_tokens": 10, "completion_tokens": 100}
    reply = {"choices": [{"message": {"content": "[[A=B]]"}, "finish_reason": "stop"}], "usage": usage}
    with JudgeServer(script=whenever(body=reply, delay_s=0.01)) as server:
        options = {"prices": str(prices), "max_tokens": 100, "concurrency": 8, "max_cost_usd": 0.55}
        run = judged(server, tmp_path, suite=a_suite(10), **options)
        spent = run.result.spending
        assert spent is not None
        assert server.n_requests == 5
        usage["completion_tokens"] = 10
        cheap = judged(server, tmp_path, suite=a_suite(10), name="cheap", **options)
    assert spent.cost_usd == pytest.approx(0.5)
    assert str(run.result.stopped).startswith("budget reached: max_cost_usd=0.55, spent about $0.5000")
    assert_no_score_anywhere(run)
    assert statuses(cheap) == {"scored": 20}  # 15 calls of a cent: those under way only had to be waited for
    assert cheap.result.spending is not None
    assert cheap.result.spending.cost_usd == pytest.approx(0.15)


@pytest.mark.parametrize(
    ("fault", "is_lost"),
    [
        ({"delay_s": 30}, True),
        ({"drop": True}, True),
        ({"cut": True}, True),
        ({"status": 500}, False),
        ({"status": 400}, False),
    ],
    ids=str,
)
def test_money_for_calls_whose_bill_never_came_counts_and_makes_the_cost_unknown(
    tmp_path: Path, fault: dict[str, Any], is_lost: bool
) -> None:
    prices = tmp_path / "prices.yaml"
    prices.write_text("local-judge: {input: 0, output: 1000}\n")
    options = {"prices": str(prices), "max_tokens": 100, "concurrency": 1, "max_cost_usd": 0.35}
    options["timeout_s"] = 0.3 if "delay_s" in fault else 20
    with JudgeServer(script=whenever(**fault)) as server:
        run = judged(server, tmp_path, suite=a_suite(4), **options)
    spent = run.result.spending
    assert spent is not None
    assert (spent.http_requests, spent.cost_usd) == ((3, None) if is_lost else (8, 0))
    assert (run.result.stopped is not None) is is_lost


def test_a_judge_that_cannot_be_reached_costs_nothing(tmp_path: Path) -> None:
    prices = tmp_path / "prices.yaml"
    prices.write_text("local-judge: {input: 0, output: 1000}\n")
    options = {"prices": str(prices), "max_tokens": 100, "max_cost_usd": 0.2}
    run = judged("http://127.0.0.1:9/v1", tmp_path, suite=a_suite(2), **options)
    assert run.result.spending is not None
    assert (run.result.spending.http_requests, run.result.spending.cost_usd) == (4, 0)


def test_a_money_limit_without_a_price_is_refused_before_any_call(tmp_path: Path) -> None:
    with JudgeServer() as server:
        with pytest.raises(ConfigError, match="the price of 'local-judge' is unknown"):
            judged(server, tmp_path, max_cost_usd=1)
        assert server.n_requests == 0


def test_an_estimate_makes_no_call_and_shrinks_with_what_is_stored(tmp_path: Path) -> None:
    suite = a_suite(5)
    with JudgeServer() as server:
        settings = settings_for(server, tmp_path / "replies.sqlite3", model="gpt-4o")
        plans = plan_run(suite, answers_to(suite), settings)
        with open_store(settings, open_backend(settings)) as store:  # type: ignore[union-attr]
            before = estimate(plans, settings, store)
            assert server.n_requests == 0
            judged(server, tmp_path, suite=suite, model="gpt-4o", max_calls=4)
            after = estimate(plans, settings, store)
    assert (before.games, before.stored, before.completion_tokens) == (10, 0, 8000)
    assert (after.games, after.stored) == (10, 4)
    assert before.cost_usd is not None
    assert after.cost_usd is not None
    assert after.cost_usd < before.cost_usd


def test_the_deadline_ends_the_run_in_order(tmp_path: Path) -> None:
    began = time.monotonic()
    with JudgeServer(latency_s=0.5) as server:
        run = judged(server, tmp_path, suite=a_suite(30), deadline_s=3, concurrency=4, tries=6)
    assert time.monotonic() - began < 30
    assert run.result.stopped == "time limit reached: deadline_s=3"
    assert 4 <= statuses(run)["scored"] < 40
    assert statuses(run)["skipped"] > 10
    assert_no_score_anywhere(run)


def test_a_long_wait_that_the_server_asks_for_does_not_outlast_the_deadline(tmp_path: Path) -> None:
    began = time.monotonic()
    with JudgeServer(script=whenever(status=429, headers={"Retry-After": "3600"})) as server:
        run = judged(server, tmp_path, tries=6, deadline_s=0.5)
    assert time.monotonic() - began < 15
    assert statuses(run).get("scored") is None


def test_a_long_wait_ends_when_the_run_is_stopped(tmp_path: Path) -> None:
    def script(body: dict[str, Any], _times: int) -> dict[str, Any] | None:
        if "number 0 " in body["messages"][-1]["content"]:
            return {"status": 429, "headers": {"Retry-After": "60"}}
        return {"status": 401, "delay_s": 0.3}

    began = time.monotonic()
    with JudgeServer(script=script) as server:
        run = judged(server, tmp_path, tries=6, concurrency=8)
    assert time.monotonic() - began < 15
    assert run.result.stopped is not None
