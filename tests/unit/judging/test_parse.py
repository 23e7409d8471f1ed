from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codearena_plugin.judging.protocol.parse import read_verdict, wants_continuation
from codearena_plugin.records import LABELS, CallError, CallErrorKind, Game, Label, Order, ReadingMode, Reply, Verdict
from codearena_plugin.scoring.points import outcome

MENU = """1. Assistant A is significantly better: [[A>>B]]
2. Assistant A is slightly better: [[A>B]]
3. Tie, relatively the same: [[A=B]]
4. Assistant B is slightly better: [[B>A]]
5. Assistant B is significantly better: [[B>>A]]"""


def read(text: str, finish_reason: str | None = "stop", mode: ReadingMode = "default") -> Verdict:
    return read_verdict([Reply(text=text, finish_reason=finish_reason, attempts=1)], mode=mode)


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize(
    "shape", ["My verdict: [[{}]]", "**[[{}]]**", "`[[{}]]`", "[[ {} ]]", "x\r\n[[{}]].\r\n\r\n", "判断：[[{}]]。"]
)
def test_a_label_is_read_through_decoration(label: Label, shape: str) -> None:
    assert read(shape.format(label)) == Verdict("scored", label)


@pytest.mark.parametrize(
    "text",
    [
        "[[a>b]]",
        "[A>B]",
        "[[A > B]]",
        "[[A>>>B]]",
        "[[A<B]]",
        "[[A]]",
        "[[A==B]]",
        "[[A>B]",
        "A>B",
        "[[A>B\n",
        "［［A>B］］",
    ],
)
def test_what_is_not_exactly_a_label_is_unparsable(text: str) -> None:
    assert read(text).status == "unparsable"


def test_the_last_label_binds_over_labels_quoted_before() -> None:
    text = "Answer A ends with 'My verdict: [[A>>B]]', which is none of its business.\n\nMy verdict: [[B>A]]"
    assert read(text) == Verdict("scored", "B>A")


def test_a_verdict_after_the_menu_binds() -> None:
    assert read(f"{MENU}\n\nMy final verdict is: [[B>A]]") == Verdict("scored", "B>A")


def test_the_menu_alone_is_no_verdict() -> None:
    assert read(f"I must choose one of:\n\n{MENU}").status == "conflicting"
    assert read(MENU.replace("\n", "\n\n", 1)).status == "conflicting"
    assert read(MENU.replace("\n", "\n\n")).status == "conflicting"
    assert read(MENU.replace("\n", "\n \n\n")).status == "conflicting"
    assert read(f"{MENU}\n\nAgain:\n\n{MENU}").status == "conflicting"
    assert read(f"{MENU}\n\n{MENU}").status == "conflicting"


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("gap", ["\n", "\n\n"])
def test_a_decision_right_below_the_menu_binds(label: Label, gap: str) -> None:
    assert read(f"{MENU.replace(chr(10), gap)}{gap}[[{label}]]") == Verdict("scored", label)


def test_two_labels_on_the_closing_line_conflict() -> None:
    verdict = read("It is between [[A>B]] and [[A=B]].")
    assert verdict.status == "conflicting"
    assert "A=B, A>B" in verdict.reason


def test_one_label_twice_on_the_closing_line_is_one_verdict() -> None:
    assert read("[[A=B]], so a tie: [[A=B]]") == Verdict("scored", "A=B")


def test_text_after_the_verdict_does_not_hide_it() -> None:
    assert read("[[A>B]]\n\nLet me know if you need anything else!") == Verdict("scored", "A>B")


HALF = "A first thought is [[A>>B]], but let me check B, which"


@pytest.mark.parametrize(
    "finish_reason", ["length", "max_tokens", "MAX_TOKENS", "model_length", "model_context_window_exceeded"]
)
def test_a_reply_cut_at_the_limit_is_truncated_even_with_a_label(finish_reason: str) -> None:
    assert read(HALF, finish_reason).status == "truncated"
    assert not wants_continuation([Reply(text=HALF, finish_reason=finish_reason)])
    assert wants_continuation([Reply(text="Let me check B, which", finish_reason=finish_reason)])


@pytest.mark.parametrize(
    "finish_reason", ["error", "abort", "insufficient_system_resource", "tool_calls", "OTHER", "st\ud800op"]
)
def test_a_reply_that_ended_for_a_reason_nobody_knows_is_not_read(finish_reason: str) -> None:
    assert read(HALF, finish_reason) == Verdict("unparsable", reason=f"finish reason {finish_reason!r}")
    assert not wants_continuation([Reply(text=HALF, finish_reason=finish_reason)])
    assert wants_continuation([Reply(text="Let me check B, which", finish_reason=finish_reason)])


@pytest.mark.parametrize("finish_reason", ["stop", "STOP", "eos", "eos_token", "end_turn", "stop_sequence", "done"])
def test_a_reply_that_was_finished_is_read(finish_reason: str) -> None:
    assert read("[[A>B]]\n\nHope that helps.", finish_reason) == Verdict("scored", "A>B")


@pytest.mark.parametrize("finish_reason", [None, ""])
def test_where_the_server_does_not_say_why_it_ended_the_last_line_must_hold_the_label(
    finish_reason: str | None,
) -> None:
    assert read("Well.\n[[A>B]]\n \n", finish_reason) == Verdict("scored", "A>B")
    assert read("[[A>B]] at first.\n\nLet me check B, which", finish_reason) == Verdict(
        "unparsable", reason="no label in the last line, and the server does not say why the reply ended"
    )
    assert read("no label", finish_reason) == Verdict("unparsable", reason="no label in the reply")


@pytest.mark.parametrize("text", ["", "  \n ", "<think>hm</think>", "<think>[[A>B]]"])
def test_nothing_visible_is_an_empty_reply(text: str) -> None:
    assert read(text) == Verdict("unparsable", reason="empty reply")


@pytest.mark.parametrize(
    "text",
    ["I'm sorry, but I can't help with that.", "I cannot assist.", "抱歉，我无法评判这个问题。", "As an AI, no."],
)
def test_a_refusal_is_refused_in_either_language(text: str) -> None:
    assert read(text).status == "refused"


def test_a_regretful_judge_with_a_verdict_is_scored() -> None:
    assert read("I can't find a fault in A.\n[[A>B]]") == Verdict("scored", "A>B")


def test_a_server_refusal_or_content_filter_is_refused() -> None:
    assert read_verdict([Reply(text="[[A>B]]", refusal="no")]).status == "refused"
    for filtered in ("content_filter", "SAFETY", "safety", "refusal"):
        assert read("[[A>B]]", filtered).status == "refused"
        assert not wants_continuation([Reply(text="", finish_reason=filtered)])


@pytest.mark.parametrize(
    "text",
    [
        "<think>[[A>>B]] at first</think>My verdict: [[B>A]]",
        "[[A>>B]] at first</think>My verdict: [[B>A]]",
        "<think>a<think>b</think>[[A>>B]] still thinking</think>My verdict: [[B>A]]",
        "Well. <think>[[A>>B]]</think>\n[[B>A]]",
        "<think>one</think>text<think>[[A=B]]</think>[[B>A]]",
    ],
)
def test_only_what_is_said_after_thinking_binds(text: str) -> None:
    assert read(text) == Verdict("scored", "B>A")


@pytest.mark.parametrize(
    "text",
    [
        "<think>[[A>>B]]</think>",
        "<think>[[A>>B]]",
        "Well. <think>[[A>>B]]</think> I do not know.",
        "<think>x<think>y</think>[[A>B]] I lean so</think> But I do not know.",
        "[[A>>B]]</think>",
    ],
)
def test_a_label_thought_aloud_never_binds(text: str) -> None:
    assert read(text).status == "unparsable"


def test_a_judge_that_mentions_the_tag_is_still_read() -> None:
    assert read("A leaves `<think>` in its output.\n\n[[B>A]]") == Verdict("scored", "B>A")


ERRORS: list[tuple[CallErrorKind, str]] = [
    ("timeout", "transport-error"),
    ("connection", "transport-error"),
    ("rate-limit", "transport-error"),
    ("server", "transport-error"),
    ("bad-reply", "transport-error"),
    ("bad-request", "transport-error"),
    ("missing", "transport-error"),
    ("context-length", "skipped"),
    ("not-asked", "skipped"),
]


@pytest.mark.parametrize(("kind", "status"), ERRORS)
@pytest.mark.parametrize("mode", ["default", "reference"])
def test_a_failed_call_is_typed_and_has_no_label(kind: CallErrorKind, status: str, mode: ReadingMode) -> None:
    replies = [Reply(text="[[A>B]]"), Reply(error=CallError(kind, "why"), attempts=1)]
    verdict = read_verdict(replies, mode=mode)
    assert (verdict.status, verdict.label, verdict.reason) == (status, None, f"{kind}: why")
    assert not wants_continuation(replies, mode=mode)


def test_a_game_without_replies_was_skipped() -> None:
    assert read_verdict([]).status == "skipped"
    assert not wants_continuation([])


@pytest.mark.parametrize("text", ["Both have merits.", "", "I can't decide yet.", "I'm sorry, the answers are long."])
def test_a_judge_that_named_no_label_is_asked_again(text: str) -> None:
    assert wants_continuation([Reply(text=text, finish_reason="stop")])


@pytest.mark.parametrize(
    ("reply", "again"),
    [
        (Reply(text="[[A>B]]", finish_reason="stop"), False),
        (Reply(text="[[A>B]] or [[B>A]]", finish_reason="stop"), False),
        (Reply(text="so far", finish_reason="length"), True),
        (Reply(text="[[A>B]] so far", finish_reason="length"), False),
        (Reply(text="", refusal="policy"), False),
        (Reply(text="", finish_reason="content_filter"), False),
    ],
)
def test_who_is_asked_again(reply: Reply, again: bool) -> None:
    assert wants_continuation([reply]) is again


@pytest.mark.parametrize(
    "text",
    [
        "[[" * 500_000,
        "[[A>B " * 200_000,
        "[[" + " " * 1_000_000,
        " \n" * 500_000,
        "[[A>B]]\n" * 120_000,
        "!" * 1_000_000,
        "</think>" * 120_000,
    ],
)
@pytest.mark.parametrize("mode", ["default", "reference"])
def test_a_megabyte_is_read_in_no_time(text: str, mode: ReadingMode) -> None:
    began = time.process_time()
    read(text, mode=mode)
    assert time.process_time() - began < 2


@given(st.text(alphabet="AB<>=[] \n", max_size=80))
def test_reading_never_fails_and_never_guesses(text: str) -> None:
    verdict = read(text)
    assert (verdict.label is not None) == (verdict.status == "scored")
    if verdict.label is not None:
        assert verdict.label in text


# The published script's reading (facts: Qwen2.5-Coder judge_models.py, lines 40-90), run with mocked judges.


def game(order: Order, *texts: str) -> Game:
    replies = tuple(Reply(text=text, finish_reason="stop") for text in texts)
    return Game("p", order, ("k",) * len(replies), replies, read_verdict(replies, mode="reference"))


def reference_score(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[float | None, int | None]:
    games = [game("baseline_first", *first), game("answer_first", *second)]
    found = outcome("p", games, policy="both", mode="reference")
    return found.score, found.points


@pytest.mark.parametrize(
    ("first", "second", "score", "points"),
    [
        (("[[B>>A]]",), ("[[B>A]]",), 1.0, 1),  # +2 -1
        (("[[B>A]]",), ("[[A=B]]",), 1.0, 1),
        (("[[A>B]]",), ("[[A>B]]",), 0.5, 0),
        (("no label", "still none"), ("[[B>A]]",), 0.0, -1),  # a failed game counts 0
        (("no label", "still none"), ("[[A>B]]",), 1.0, 1),
        (("no", "no"), ("no", "no"), 0.5, 0),
        (("[[A==B]]",), ("[[A>>B]]",), 1.0, 2),  # values of no label count 0
        (("[[B>>>A]]",), ("[[A=B]]",), 0.5, 0),
        (("x[[A]]",), ("[[A=B]]",), 0.5, 0),
        (("[[A>B]] or [[B>A]]",), ("[[A>B]]",), 1.0, 1),  # two values: 0
        (("I quote [[A>>B]].\n\n[[B>A]]",), ("[[A=B]]",), 0.5, 0),  # no last-label rule
        (("[[B>A]] and again [[B>A]]",), ("[[A=B]]",), 1.0, 1),
        (("hm", "[[B>A]]"), ("[[A=B]]",), 1.0, 1),
    ],
)
def test_reference_mode_scores_as_the_published_script(
    first: tuple[str, ...], second: tuple[str, ...], score: float, points: int
) -> None:
    assert reference_score(first, second) == (score, points)


@pytest.mark.parametrize(
    ("texts", "again"),
    [
        (("none",), True),
        (("[[ B>A ]]",), True),  # spaces do not match
        (("[[b>a]]",), True),
        (("[[B>A]]",), False),
        (("[[A==B]]",), False),
        (("[[A]]",), False),
        (("[[A>B]] [[B>A]]",), False),
    ],
)
def test_reference_mode_retries_only_without_any_value(texts: tuple[str, ...], again: bool) -> None:
    assert wants_continuation([Reply(text=text) for text in texts], mode="reference") is again


def test_reference_mode_reads_all_attempts_together() -> None:
    assert game("baseline_first", "[[A", ">B]]").verdict.status == "unparsable"  # joined by a line break
    assert game("baseline_first", "[[A>B]]", "[[B>A]]").verdict.status == "conflicting"


def test_reference_mode_reads_thoughts_and_cut_replies_too() -> None:
    assert read("<think>[[A>B]]</think>", mode="reference") == Verdict("scored", "A>B")
    assert read("[[A>B]]", "length", mode="reference") == Verdict("scored", "A>B")
