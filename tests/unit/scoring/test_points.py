from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codearena_plugin.records import LABELS, ORDERS, STATUSES, CallError, Game, Label, Order, Reply, Status, Verdict
from codearena_plugin.scoring.points import game_points, outcome

MIRRORED: dict[Label, Label] = {"A>>B": "B>>A", "A>B": "B>A", "A=B": "A=B", "B>A": "A>B", "B>>A": "A>>B"}
OTHER: dict[Order, Order] = {"baseline_first": "answer_first", "answer_first": "baseline_first"}
labels = st.sampled_from(LABELS)
readings = st.one_of(st.none(), labels)


def game(order: Order, label: Label | None, prompt_id: str = "p") -> Game:
    verdict = Verdict("scored", label) if label else Verdict("transport-error", reason="rate limit")
    return Game(prompt_id, order, request_keys=("key",), replies=(Reply("said"),), verdict=verdict)


def both(first: Label | None, second: Label | None) -> list[Game]:
    return [game("baseline_first", first), game("answer_first", second)]


@pytest.mark.parametrize(("label", "points"), [("A>>B", -2), ("A>B", -1), ("A=B", 0), ("B>A", 1), ("B>>A", 2)])
def test_in_the_papers_first_game_the_answer_is_assistant_b(label: Label, points: int) -> None:
    assert game_points(label, "baseline_first") == points
    assert game_points(label, "answer_first") == -points


@given(labels, st.sampled_from(ORDERS))
def test_swapping_the_order_and_mirroring_the_label_leaves_the_points(label: Label, order: Order) -> None:
    assert game_points(MIRRORED[label], OTHER[order]) == game_points(label, order)


@pytest.mark.parametrize(
    ("first", "second", "points", "score"),
    [
        ("B>>A", "B>A", 1, 1.0),  # facts of the published script: +2 - 1 is a win
        ("B>A", "A=B", 1, 1.0),  # a slight win and a tie is a win
        ("B>A", "B>A", 0, 0.5),  # the first position won twice: the judge contradicts itself
        ("A>>B", "A>>B", 0, 0.5),
        ("A=B", "A=B", 0, 0.5),
        ("A>B", "B>>A", -3, 0.0),
        ("B>>A", "A>>B", 4, 1.0),
    ],
)
def test_the_sign_of_the_summed_points_decides(first: Label, second: Label, points: int, score: float) -> None:
    joined = outcome("p", both(first, second), policy="both", mode="default")
    assert (joined.points, joined.score) == (points, score)


@pytest.mark.parametrize(
    ("first", "second", "consistent"),
    [("B>>A", "A>B", True), ("A=B", "A=B", True), ("B>A", "A=B", False), ("B>A", "B>A", False)],
)
def test_games_are_consistent_when_they_name_the_same_winner(first: Label, second: Label, consistent: bool) -> None:
    assert outcome("p", both(first, second), policy="both", mode="default").consistent is consistent


@given(readings, readings)
def test_a_failed_game_is_never_scored(first: Label | None, second: Label | None) -> None:
    joined = outcome("p", both(first, second), policy="both", mode="default")
    assert (joined.score is None) == (first is None or second is None)
    assert (joined.points is None) == (joined.consistent is None) == (joined.score is None)


@pytest.mark.parametrize("games", [[], [game("baseline_first", "B>>A")], [game("answer_first", "A=B")]])
def test_a_game_that_was_not_played_leaves_the_prompt_unscored(games: list[Game]) -> None:
    assert outcome("p", games, policy="both", mode="default").score is None


@pytest.mark.parametrize(
    ("first", "second", "score"),
    [(None, None, 0.5), (None, "B>A", 0.0), (None, "A>B", 1.0), ("B>A", None, 1.0), ("A>>B", None, 0.0)],
)
def test_reference_mode_counts_a_failed_game_as_no_points(
    first: Label | None, second: Label | None, score: float
) -> None:
    joined = outcome("p", both(first, second), policy="both", mode="reference")
    assert joined.score == score
    assert joined.consistent is None


NOT_ASKED = Reply(error=CallError("not-asked", "budget reached"))


def never_asked(order: Order) -> list[list[Game]]:
    """Return the ways in which a game of this order was never asked."""
    return [
        [],
        [Game("p", order, (), (), Verdict("skipped", reason="too long"))],
        [Game("p", order, ("key",), (NOT_ASKED,), Verdict("skipped", reason="budget reached"))],
        [Game("p", order, (), (), Verdict("transport-error"))],
    ]


@pytest.mark.parametrize("way", range(4))
@pytest.mark.parametrize("other", [None, "B>A"])
def test_reference_mode_does_not_score_a_prompt_with_a_game_that_was_never_asked(way: int, other: Label | None) -> None:
    """The published script asks every game: what it makes of one that it does not ask, nobody can say."""
    joined = outcome(
        "p", [*never_asked("baseline_first")[way], game("answer_first", other)], policy="both", mode="reference"
    )
    assert (joined.score, joined.points, joined.consistent) == (None, None, None)
    alone = outcome("p", never_asked("answer_first")[way], policy="answer_first", mode="reference")
    assert alone.score is None


@pytest.mark.parametrize("status", [status for status in STATUSES if status not in {"scored", "skipped"}])
def test_reference_mode_gives_no_points_for_every_failure_that_was_asked(status: Status) -> None:
    failed = Game("p", "baseline_first", ("key",), (Reply("hm"),), Verdict(status))
    assert outcome("p", [failed, game("answer_first", "A>B")], policy="both", mode="reference").score == 1.0


@given(labels, labels, st.sampled_from(["default", "reference"]))
def test_where_both_games_are_scored_the_modes_agree_and_the_order_of_games_is_irrelevant(
    first: Label, second: Label, mode: str
) -> None:
    games = both(first, second)
    expected = outcome("p", games, policy="both", mode="default")
    assert outcome("p", games[::-1], policy="both", mode=mode) == expected


@pytest.mark.parametrize("order", ORDERS)
def test_one_order_scores_on_one_game_and_has_no_consistency(order: Order) -> None:
    joined = outcome("p", [game(order, "B>A")], policy=order, mode="default")
    assert joined.points == game_points("B>A", order)
    assert joined.consistent is None
    assert outcome("p", [game(order, None)], policy=order, mode="default").score is None


def test_two_games_of_one_order_are_refused() -> None:
    games = [game("baseline_first", "B>A"), game("baseline_first", "B>A")]
    with pytest.raises(ValueError, match="'p' has two games of order 'baseline_first'"):
        outcome("p", games, policy="both", mode="default")


def test_a_game_of_an_order_that_was_not_asked_for_is_refused() -> None:
    with pytest.raises(ValueError, match="expected only baseline_first"):
        outcome("p", [game("answer_first", "B>A")], policy="baseline_first", mode="default")


def test_a_game_of_another_prompt_is_refused() -> None:
    with pytest.raises(ValueError, match="'q' was given for prompt 'p'"):
        outcome("p", [game("answer_first", "B>A", prompt_id="q")], policy="both", mode="default")
