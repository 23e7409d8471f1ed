from __future__ import annotations

import dataclasses
import gzip
import json
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codearena_plugin.records import LABELS, ORDERS, STATUSES, Game, Interval, Label, Order, Status, Verdict
from codearena_plugin.scoring.rates import mean_interval, share_interval
from codearena_plugin.scoring.reliability import Reliability, reliability, reliability_by

GOLDEN = Path(__file__).resolve().parents[4] / "shared" / "data" / "stats_golden"
FAILED = tuple(status for status in STATUSES if status != "scored")
MIRROR: dict[Label, Label] = {"A>>B": "B>>A", "A>B": "B>A", "A=B": "A=B", "B>A": "A>B", "B>>A": "A>>B"}

ends = st.sampled_from([*LABELS, *FAILED])
runs = st.lists(st.dictionaries(st.sampled_from("abcd"), st.tuples(ends, ends), max_size=4), max_size=4)


def game(prompt: str, order: Order, end: Label | Status) -> Game:
    verdict = Verdict("scored", end) if end in LABELS else Verdict(end, reason="why")  # type: ignore[arg-type]
    return Game(prompt, order, (), (), verdict)


def both(prompt: str, first: Label | Status, second: Label | Status) -> list[Game]:
    """Return the two games of a prompt: baseline first, then answer first."""
    return [game(prompt, order, end) for order, end in zip(ORDERS, (first, second), strict=True)]


def games_of(drawn: Sequence[dict[str, tuple[Label | Status, Label | Status]]]) -> list[list[Game]]:
    return [[one for prompt, (first, second) in run.items() for one in both(prompt, first, second)] for run in drawn]


HAND = [
    *both("p1", "B>A", "A>>B"),  # the answer won twice: consistent; first place won 1 of 2
    *both("p2", "A>B", "A>B"),  # the first place won twice: inconsistent
    *both("p3", "A=B", "A=B"),  # two ties: consistent
    *both("p4", "A=B", "B>>A"),  # a tie and the baseline: inconsistent
    *both("p5", "A>>B", "unparsable"),  # no pair, so it says nothing of places
    *both("p6", "transport-error", "skipped"),
]


def test_a_small_run_by_hand() -> None:
    found = reliability([HAND])
    assert (found.n_prompts, found.n_games) == (6, 12)
    assert found.statuses == {
        "scored": 9,
        "unparsable": 1,
        "conflicting": 0,
        "truncated": 0,
        "refused": 0,
        "transport-error": 1,
        "skipped": 1,
    }
    first, ties, pairs = found.first_position, found.tie_rate, found.order_consistency
    assert first is not None
    assert ties is not None
    assert pairs is not None
    assert (first.estimate, first.n) == (pytest.approx(3 / 5), 3), "p1: 1 of 2, p2: 2 of 2, p4: 0 of 1"
    assert (ties.estimate, ties.n) == (pytest.approx(3 / 9), 5)
    assert (pairs.estimate, pairs.n) == (pytest.approx(2 / 4), 4)
    assert pairs == mean_interval([1.0, 0.0, 1.0, 0.0])


def test_the_games_of_a_prompt_are_one_cluster_in_all_runs() -> None:
    found = reliability([HAND, HAND])
    assert found.n_prompts == 6
    for name in ("first_position", "tie_rate", "order_consistency"):
        assert getattr(found, name) == pytest.approx(getattr(reliability([HAND]), name)), (
            "twice the same is no evidence"
        )


def test_nothing_that_failed_makes_a_rate() -> None:
    found = reliability([[*both("p", "refused", "truncated"), *both("q", "conflicting", "skipped")]])
    assert (found.first_position, found.tie_rate, found.order_consistency) == (None, None, None)
    assert (found.n_games, found.statuses["refused"], found.statuses["scored"]) == (4, 1, 0)


def test_no_games_are_no_evidence_and_no_error() -> None:
    found = reliability([])
    assert found == reliability([[], []])
    assert found == Reliability(0, 0, dict.fromkeys(STATUSES, 0), None, None, None)


def test_only_ties_decide_nothing_about_the_first_place() -> None:
    found = reliability([both("p", "A=B", "A=B")])
    assert found.first_position is None
    assert found.tie_rate == Interval(1.0, 0.0, 1.0, None, 1)


def test_a_judge_that_always_takes_the_first_answer_is_found_out() -> None:
    found = reliability([[one for i in range(50) for one in both(f"p{i}", "A>B", "A>>B")]])
    assert found.first_position is not None
    assert found.order_consistency is not None
    assert found.first_position.low > 0.9
    assert found.order_consistency.high < 0.1


def test_a_run_in_one_order_says_nothing_of_the_first_place() -> None:
    """The baseline, always shown first, always wins: a weak model, not a biased judge."""
    found = reliability([[game(f"p{i}", "baseline_first", "A>B") for i in range(30)]])
    assert found.first_position is None
    assert found.tie_rate is not None


def test_games_of_different_runs_are_no_pair() -> None:
    one_way = [game("p", "baseline_first", "B>A"), game("q", "baseline_first", "B>A")]
    assert reliability([one_way] * 3).order_consistency is None
    without_second = [*both("p", "B>A", "A>B"), game("q", "baseline_first", "B>A")]
    found = reliability([without_second, [*both("p", "B>A", "B>A"), *both("q", "A>B", "B>A")]])
    assert found.order_consistency is not None
    assert found.order_consistency.estimate == pytest.approx(2 / 3), "p yes, then p no and q yes; q alone is no pair"


def test_a_run_that_lacks_a_game_is_not_completed_by_the_next_run() -> None:
    """The second run names the baseline in both orders, whatever the first run says in one of them."""
    second = both("p", "A>B", "B>A")
    alone = reliability([second]).order_consistency
    assert alone == Interval(1.0, 0.0, 1.0, None, 1)
    assert reliability([[game("p", "baseline_first", "B>A")], second[::-1]]).order_consistency == alone
    assert reliability([[game("p", "baseline_first", "B>A")], second[1:]]).order_consistency is None


def test_two_games_of_one_prompt_and_order_in_one_run_are_refused() -> None:
    with pytest.raises(ValueError, match="Prompt 'p' has two games in order 'baseline_first' in one run"):
        reliability([[*both("p", "A>B", "B>A"), game("p", "baseline_first", "A>B")]])


def test_the_order_of_games_within_a_run_does_not_matter() -> None:
    assert reliability([HAND]) == reliability([HAND[::-1]]) == reliability([[*HAND[::2], *HAND[1::2]]])


@given(runs)
def test_every_game_is_counted_once_and_failures_enter_no_rate(
    drawn: list[dict[str, tuple[Label | Status, Label | Status]]],
) -> None:
    played = games_of(drawn)
    found = reliability(played)
    assert found.n_games == sum(found.statuses.values()) == sum(map(len, played))
    assert list(found.statuses) == list(STATUSES)
    scored = [one for games in played for one in games if one.verdict.status == "scored"]
    alone = reliability([[one for one in games if one.verdict.status == "scored"] for games in played])
    assert (found.first_position, found.tie_rate) == (alone.first_position, alone.tie_rate)
    assert (found.tie_rate is None) == (not scored)
    pairs = [(a, b) for run in drawn for a, b in run.values() if a in LABELS and b in LABELS]
    assert (found.order_consistency is None) == (not pairs)


@given(runs)
def test_showing_the_answers_the_other_way_round_mirrors_the_first_place_and_nothing_else(
    drawn: list[dict[str, tuple[Label | Status, Label | Status]]],
) -> None:
    played = games_of(drawn)
    mirrored = [
        [
            dataclasses.replace(one, verdict=Verdict("scored", MIRROR[one.verdict.label])) if one.verdict.label else one
            for one in games
        ]
        for games in played
    ]
    found, other = reliability(played), reliability(mirrored)
    assert dataclasses.replace(found, first_position=None) == dataclasses.replace(other, first_position=None)
    if found.first_position is None or other.first_position is None:
        assert found.first_position == other.first_position
        return
    a, b = found.first_position, other.first_position
    assert (b.estimate, b.low, b.high) == pytest.approx((1 - a.estimate, 1 - a.high, 1 - a.low))


@given(runs)
def test_the_rates_are_clustered_means_of_the_games(
    drawn: list[dict[str, tuple[Label | Status, Label | Status]]],
) -> None:
    played = [[one for one in games if one.verdict.label] for games in games_of(drawn)]
    found, games = reliability(played), [one for run in played for one in run]
    balanced = [
        one for run in played for one in run if sum(other.prompt_id == one.prompt_id for other in run) == len(ORDERS)
    ]
    decided = [one for one in balanced if one.verdict.label != "A=B"]
    for interval, rows, label in (
        (found.tie_rate, games, ("A=B",)),
        (found.first_position, decided, ("A>>B", "A>B")),
    ):
        if not rows:
            assert interval is None
            continue
        values = [float(one.verdict.label in label) for one in rows]
        expected = mean_interval(values, clusters=[one.prompt_id for one in rows])
        assert interval is not None
        assert (interval.estimate, interval.low, interval.high, interval.n) == pytest.approx(
            (expected.estimate, expected.low, expected.high, expected.n)
        )


@given(st.lists(st.integers(1, 9).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=1, max_size=20))
def test_an_interval_of_counts_is_that_of_the_single_values(counts: list[tuple[int, int]]) -> None:
    values = [float(i < part) for part, whole in counts for i in range(whole)]
    clusters = [place for place, (_, whole) in enumerate(counts) for _ in range(whole)]
    expected = mean_interval(values, clusters=clusters, confidence=0.9)
    found = share_interval(*zip(*counts, strict=True), confidence=0.9)
    assert (found.estimate, found.low, found.high) == pytest.approx((expected.estimate, expected.low, expected.high))
    assert (found.stderr, found.n) == (pytest.approx(expected.stderr) if expected.stderr else None, expected.n)


@pytest.mark.parametrize(("parts", "wholes"), [([], []), ([1], [1, 1]), ([2], [1]), ([-1], [1]), ([0], [0])])
def test_counts_that_are_no_share_are_refused(parts: list[int], wholes: list[int]) -> None:
    with pytest.raises(ValueError, match="part"):
        share_interval(parts, wholes)


def test_strata_come_in_order_each_with_its_own_games() -> None:
    strata = {"p1": ["b", "a"], "p2": ["b"], "p3": ["c"], "p4": ["a", "a"], "p5": [], "p6": ["z"]}
    rows = reliability_by([HAND], strata, ["c", "missing", "b"])
    assert [name for name, _ in rows] == ["c", "b", "a", "z"]
    found = dict(rows)
    assert found["b"] == reliability([HAND[:4]])
    assert found["a"] == reliability([[*HAND[:2], *HAND[6:8]]])
    assert (found["z"].n_games, found["z"].tie_rate) == (2, None)


def test_a_prompt_without_strata_is_an_error_and_not_left_out() -> None:
    with pytest.raises(ValueError, match="'p1' has no strata"):
        reliability_by([HAND], {}, [])


@pytest.mark.parametrize("games", [[], HAND])
def test_a_confidence_outside_0_to_1_is_refused(games: list[Game]) -> None:
    with pytest.raises(ValueError, match="confidence is"):
        reliability([games], confidence=95)


@pytest.mark.skipif(not GOLDEN.is_dir(), reason=f"{GOLDEN} is not here (shared data of the project)")
def test_the_judge_of_40_models_is_described_in_a_moment() -> None:
    by_model: dict[str, list[Game]] = {}
    with gzip.open(GOLDEN / "arena_hard_v2_format_397x40x2.jsonl.gz", "rt") as lines:
        for row in map(json.loads, lines):
            ends = [one and one["score"] for one in row["games"]]
            first, second = (end if end in LABELS else "unparsable" for end in ends)
            by_model.setdefault(row["model"], []).extend(both(row["uid"], first, second))
    runs = list(by_model.values())
    prompts = sorted({one.prompt_id for games in runs for one in games})
    started = time.process_time()
    whole = reliability(runs)
    parts = [reliability([played]) for played in runs]
    rows = reliability_by(runs, {prompt: [f"class {i % 7}"] for i, prompt in enumerate(prompts)}, ())
    rows += reliability_by(runs, {prompt: [f"l{i % 44}", f"l{i % 5}"] for i, prompt in enumerate(prompts)}, ())
    seconds = time.process_time() - started
    print(f"{whole.n_games} games, {1 + len(parts) + len(rows)} rows in {seconds:.3f} s")
    assert (whole.n_games, whole.n_prompts) == (31_760, 397)
    assert sum(part.n_games for part in parts) == sum(row.n_games for _, row in rows[:7]) == whole.n_games
    assert seconds < 1.5
    pairs: list[tuple[str, bool]] = []  # consistency once more, the plain way
    for played in by_model.values():
        for a, b in zip(played[::2], played[1::2], strict=True):
            if a.verdict.label and b.verdict.label:
                winners = {"=" if "=" in label else label[0] for label in (MIRROR[a.verdict.label], b.verdict.label)}
                pairs.append((a.prompt_id, len(winners) == 1))
    expected = mean_interval([float(same) for _, same in pairs], clusters=[prompt for prompt, _ in pairs])
    assert whole.order_consistency is not None
    assert whole.order_consistency.estimate == pytest.approx(expected.estimate)
    assert whole.order_consistency.low == pytest.approx(expected.low)
