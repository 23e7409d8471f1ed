"""What an opened verdict shows, as it is packed into the page."""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import replace
from typing import Any

import pytest

from codearena_plugin.records import (
    Answer,
    CallError,
    Game,
    Label,
    Message,
    Order,
    OrderPolicy,
    ReadingMode,
    Reply,
    Usage,
    Verdict,
)
from codearena_plugin.report.page import texts
from codearena_plugin.report.page.texts import Played, PromptTexts, chunk, packed, packed_by_many, said
from codearena_plugin.scoring.points import outcome


def game(order: Order, label: Label | None, *, reply: str = "a reply", status: Any = None, reason: str = "") -> Game:
    verdict = Verdict("scored", label) if label else Verdict(status or "unparsable", None, reason)
    return Game("p", order, ("0" * 64,), (Reply(text=reply, finish_reason="stop"),), verdict)


def played(
    *games: Game, answer: str = "an answer", mode: ReadingMode = "default", policy: OrderPolicy = "both"
) -> Played:
    return Played(
        model="model", opponent="base", baseline="a baseline", answer=Answer("p", "model", answer, "stop"),
        games=games, outcome=outcome("p", games, policy=policy, mode=mode),
    )  # fmt: skip


def prompt(*runs: Played | None, question: str = "a question") -> PromptTexts:
    return PromptTexts((Message("user", question),), runs)


WIN = played(game("baseline_first", "B>A"), game("answer_first", "A>>B"))


def test_a_chunk_unpacks_to_what_was_packed_and_is_the_same_every_time() -> None:
    made = packed(prompt(WIN))
    assert json.loads(gzip.decompress(base64.b64decode(made))) == chunk(prompt(WIN))
    assert packed(prompt(WIN)) == made


def test_everything_that_was_said_is_in_the_chunk() -> None:
    found = chunk(prompt(WIN, None))
    words = [text["raw"] for text in found["texts"]]
    assert words == ["a question", "a baseline", "an answer", "a reply"]
    assert found["question"] == [["user", 0]]
    assert found["answers"][0] == {"text": 2}
    assert found["games"][0][0] | {"replies": 0} == {
        "order": "baseline_first", "status": "scored", "label": "B>A", "points": 1, "said": "model is slightly better",
        "replies": 0,
    }  # fmt: skip
    assert (found["answers"][1], found["games"][1], found["why"][1], found["baselines"][1]) == (None, [], None, None)


def test_equal_texts_stand_in_a_chunk_once() -> None:
    found = chunk(prompt(WIN, WIN, WIN))
    assert len(found["texts"]) == 4
    assert [answer["text"] for answer in found["answers"]] == [2, 2, 2]


@pytest.mark.parametrize(
    ("run", "why"),
    [
        (WIN, "A win for model: +1 + 2 = +3 points > 0."),
        (
            played(game("baseline_first", "A=B"), game("answer_first", "B>A")),
            "A loss for model: 0 − 1 = −1 point < 0.",
        ),
        (played(game("baseline_first", "A>B"), game("answer_first", "A>B")), "A tie for model: −1 + 1 = 0 points."),
        (
            played(game("baseline_first", None), game("answer_first", "A>B")),
            "Not scored: 1 of 2 games gave no verdict, and no number comes from a failure.",
        ),
        (
            played(game("baseline_first", None), game("answer_first", "A>B"), mode="reference"),
            "A win for model: 0 + 1 = +1 point > 0 (a failed game counts 0 in reference mode).",
        ),
        (played(game("answer_first", "A>>B"), policy="answer_first"), "A win for model: +2 = +2 points > 0."),
        (played(), "Not scored: no game was played, and no number comes from a failure."),
    ],
)
def test_why_a_verdict_counts_as_it_does_is_one_true_sentence(run: Played, why: str) -> None:
    assert chunk(prompt(run))["why"] == [why]


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (game("baseline_first", "A>>B"), "base is much better"),
        (game("answer_first", "A>B"), "model is slightly better"),
        (game("answer_first", "A=B"), "both answers are equally good"),
        (game("answer_first", None, status="truncated", reason="cut\nat 10"), "truncated: cut at 10"),
        (game("answer_first", None, status="skipped"), "skipped"),
    ],
)
def test_a_game_says_in_words_what_its_label_means(one: Game, words: str) -> None:
    assert said(one, WIN) == words


def test_a_reasoning_trace_is_kept_apart_from_what_the_judge_saw() -> None:
    found = chunk(prompt(played(answer="<think>hm</think>\n\nUse **a list**.")))
    answer = found["answers"][0]
    assert found["texts"][answer["text"]]["raw"] == "Use **a list**."
    assert found["texts"][answer["text"]]["html"] == "<p>Use <strong>a list</strong>.</p>\n"
    assert found["texts"][answer["trace"]] == {"raw": "<think>hm</think>\n\nUse **a list**."}


def test_an_answer_that_nobody_kept_is_not_shown_as_an_empty_one() -> None:
    kept = played(answer="")
    absent = replace(kept, answer=replace(kept.answer, is_absent=True))
    found = chunk(prompt(kept, absent))
    assert found["texts"][found["answers"][0]["text"]]["raw"] == ""
    assert found["answers"][1] == {"text": None, "absent": "its verdicts were imported without the answers"}


def test_a_reply_that_failed_or_refused_says_so_and_a_good_one_who_gave_it() -> None:
    replies = (
        Reply(error=CallError("server", "busy\n<b>")),
        Reply(refusal="I will not", served_model="m-1", usage=Usage(1200, 3)),
        Reply(text="**kept as it is**", finish_reason="length"),
    )
    one = Game("p", "baseline_first", ("0" * 64,) * 3, replies, Verdict("refused", None, "no"))
    found = chunk(prompt(played(one)))
    failed, refused, good = found["games"][0][0]["replies"]
    assert failed == {"about": "", "error": "server: busy <b>"}
    assert refused["about"] == "by m-1, 1,200 + 3 tokens"
    assert found["texts"][refused["refused"]] == {"raw": "I will not"}
    assert found["texts"][good["text"]] == {"raw": "**kept as it is**"}
    assert good["about"] == "finish reason length"


def test_several_processes_give_the_same_chunks_in_the_same_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts.os, "cpu_count", lambda: 3)
    prompts = [prompt(WIN, question=f"question {n}") for n in range(20)]
    assert list(packed_by_many(prompts)) == [packed(one) for one in prompts]


def test_what_a_dead_process_leaves_undone_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts.os, "cpu_count", lambda: 2)
    monkeypatch.setattr(texts, "_COMMAND", "import os; os._exit(1)")
    prompts = [prompt(WIN, question=f"question {n}") for n in range(6)]
    assert list(packed_by_many(prompts)) == [packed(one) for one in prompts]
