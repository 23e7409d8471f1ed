from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codearena_plugin.scoring.paired import difference_of_scores
from codearena_plugin.scoring.ranks import Rank, ranks_of_scores, ranks_of_strengths
from codearena_plugin.scoring.resample import Array, bootstrap_weights

SCORES = [0.0, 0.25, 0.5, 1.0, np.nan]

tables = st.tuples(st.integers(1, 5), st.integers(1, 12)).flatmap(
    lambda shape: st.lists(
        st.lists(st.sampled_from(SCORES), min_size=shape[0], max_size=shape[0]), min_size=shape[1], max_size=shape[1]
    )
)


def ranks(scores: Array, *, n_bootstraps: int = 200, confidence: float = 0.95, seed: int = 0) -> list[Rank]:
    """Return the ranks by mean score; models without any score have the estimate 0."""
    known = np.isfinite(scores)
    estimates = np.where(known, scores, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return ranks_of_scores(estimates, scores, bootstrap_weights(len(scores), n_bootstraps, seed), confidence)


def by_text(*runs: str) -> Array:
    """Return scores of models by prompt, shape (P, M), from runs such as "wtl-"."""
    points = {"w": 1.0, "t": 0.5, "l": 0.0, "-": np.nan}
    return np.array([[points[end] for end in run] for run in runs]).T


@given(tables, st.sampled_from([0.5, 0.9, 0.999]), st.randoms())
def test_ranks_lie_in_their_sets_and_the_order_of_the_models_is_irrelevant(
    table: list[list[float]], confidence: float, random
) -> None:
    scores = np.array(table)
    m = scores.shape[1]
    found = ranks(scores, n_bootstraps=30, confidence=confidence)
    assert all(1 <= one.low <= one.rank <= one.high <= m for one in found)
    shuffled = np.array(random.sample(range(m), m))
    assert ranks(scores[:, shuffled], n_bootstraps=30, confidence=confidence) == [found[i] for i in shuffled]


@given(tables)
def test_who_is_surely_better_is_told_apart_by_the_paired_test(table: list[list[float]]) -> None:
    """Otherwise the table of ranks and that of differences contradict each other."""
    scores = np.array(table)
    found = ranks(scores, n_bootstraps=30)
    for i, one in enumerate(found):
        apart = [0, 0]
        for j in set(range(len(found))) - {i}:
            a, b = ({str(p): float(s) for p, s in enumerate(scores[:, k]) if np.isfinite(s)} for k in (i, j))
            if a.keys() & b.keys():
                pair = difference_of_scores(a, b)
                apart[pair.difference.estimate > 0] += pair.p_value < 0.05
        better, worse = apart
        assert one.low <= 1 + better
        assert one.high >= len(found) - worse


@given(st.lists(st.lists(st.sampled_from([0.0, 1.0]), min_size=4, max_size=4), min_size=4, max_size=40))
def test_two_models_are_ranked_apart_no_sooner_than_the_test_tells_them_apart(table: list[list[float]]) -> None:
    scores = np.array(table)[:, :2]
    first, second = ranks(scores, n_bootstraps=50)
    a, b = ({str(p): float(s) for p, s in enumerate(column)} for column in scores.T)
    if difference_of_scores(a, b).p_value >= 0.05:
        assert (first.low, first.high, second.low, second.high) == (1, 2, 1, 2)


def test_models_far_apart_have_one_rank_each() -> None:
    found = ranks(np.random.default_rng(0).random((200, 3)) < [0.2, 0.9, 0.5])
    assert found == [Rank(3, 3, 3), Rank(1, 1, 1), Rank(2, 2, 2)]


def test_models_too_close_to_tell_share_ranks() -> None:
    found = ranks((np.random.default_rng(0).random((200, 3)) < [0.52, 0.5, 0.1]).astype(float))
    assert [(one.low, one.high) for one in found] == [(1, 2), (1, 2), (3, 3)]


@pytest.mark.parametrize("end", "wtl")
def test_equal_verdicts_everywhere_rule_out_no_rank(end: str) -> None:
    assert ranks(by_text(*[end * 20] * 4)) == [Rank(1, 1, 4)] * 4


def test_one_prompt_rules_out_no_rank() -> None:
    assert ranks(by_text("w", "l")) == [Rank(1, 1, 2), Rank(2, 1, 2)]


def test_a_few_prompts_that_all_agree_say_what_the_paired_test_says() -> None:
    """Nothing varies between resamples; five wins against five losses have p = 0.007, three have 0.095."""
    assert ranks(by_text("www", "lll")) == [Rank(1, 1, 2), Rank(2, 1, 2)]
    assert ranks(by_text("wwwww", "lllll")) == [Rank(1, 1, 1), Rank(2, 2, 2)]


def test_models_are_compared_on_the_prompts_that_both_have() -> None:
    """The first won all its 12 prompts and the second did too; that it lost 8 others makes its score the lower one."""
    found = ranks(by_text("w" * 12 + "-" * 8, "w" * 12 + "l" * 8))
    assert found == [Rank(1, 1, 2), Rank(2, 1, 2)]


def test_a_set_is_widened_to_a_rank_that_rests_on_other_prompts() -> None:
    """The first leads with 60 of 80 to 20 of 27; of these 27 prompts it lost 20, where the other won 20."""
    found = ranks(by_text("l" * 20 + "w" * 60, "w" * 20 + "l" * 7 + "-" * 53))
    assert found == [Rank(1, 1, 2), Rank(2, 1, 2)]


def test_models_without_a_common_prompt_rule_each_other_s_ranks_out_nowhere() -> None:
    assert ranks(by_text("w" * 10 + "-" * 10, "-" * 10 + "l" * 10)) == [Rank(1, 1, 2), Rank(2, 1, 2)]


def test_a_rival_with_few_common_prompts_widens_nobody_else_s_set() -> None:
    plain = by_text("w" * 40, "l" * 40)
    with_thin = np.column_stack([plain, by_text("t" + "-" * 39)])
    first, second, thin = ranks(with_thin)
    assert (first, second) == (Rank(1, 1, 2), Rank(3, 2, 3))
    assert (thin.low, thin.high) == (1, 3)


def test_replicates_without_a_common_prompt_are_left_out_and_make_no_number() -> None:
    """Three prompts of 40 in common: 5 of 100 resamples hold none of them."""
    scores = by_text("w" * 40, "lll" + "-" * 37, "l" * 40)
    assert ranks(scores, n_bootstraps=1000) == [Rank(1, 1, 2), Rank(2, 1, 3), Rank(2, 2, 3)]


def test_shared_prompts_tell_models_apart_that_their_own_intervals_do_not() -> None:
    """The second model is half a point worse on 12 prompts of 60, and prompts differ far more than models."""
    hardness = np.random.default_rng(0).choice([0.5, 1.0], 60)
    scores = np.column_stack([hardness, hardness - np.repeat([0.5, 0.0], [12, 48])])
    assert ranks(scores) == [Rank(1, 1, 1), Rank(2, 2, 2)]


def test_equal_estimates_share_the_better_rank() -> None:
    found = ranks(by_text("wl", "ww", "lw", "ll"))
    assert [one.rank for one in found] == [2, 1, 2, 4]


def covered(n_prompts: int, wins: Array, *, missing: float = 0.0, n_boards: int = 200) -> Array:
    """Return how often the set of each model holds its true rank, shape (M,)."""
    rng = np.random.default_rng(20241206)
    truth = 1 + (wins > wins[:, None]).sum(axis=1)
    held = np.zeros(wins.size)
    for seed in range(n_boards):
        scores = (rng.random((n_prompts, wins.size)) < wins).astype(float)
        scores[rng.random(scores.shape) < missing] = np.nan
        found = ranks(scores, seed=seed)
        held += [one.low <= rank <= one.high for one, rank in zip(found, truth, strict=True)]
    return held / n_boards


@pytest.mark.parametrize(
    ("n_prompts", "wins", "missing"),
    [
        (28, np.linspace(0.45, 0.55, 10), 0.0),
        (100, np.linspace(0.45, 0.55, 10), 0.2),
        (397, np.linspace(0.3, 0.7, 10), 0.01),
        (28, np.array([0.99, 0.98, 0.9]), 0.0),
    ],
)
def test_nominal_95_percent_sets_hold_the_true_rank_of_every_model(n_prompts: int, wins: Array, missing: float) -> None:
    """Percentiles of resampled ranks held that of the worst-covered model in 48 to 80 of 100 boards."""
    assert covered(n_prompts, wins, missing=missing).min() >= 0.93


def a_fit(strengths: Array, stderr: float, n_replicates: int = 400) -> tuple[Array, Array, Array]:
    """Return strengths, covariance and replicates of models whose estimates are unrelated."""
    noise = np.random.default_rng(0).standard_normal((n_replicates, strengths.size))
    return strengths, stderr**2 * np.eye(strengths.size), strengths + stderr * noise


def test_strengths_far_apart_have_one_rank_each_and_close_ones_share_theirs() -> None:
    many = np.full(3, 397)
    assert ranks_of_strengths(*a_fit(np.array([1.0, 2.0, 0.0]), 0.1), many, 0.95) == [
        Rank(2, 2, 2),
        Rank(1, 1, 1),
        Rank(3, 3, 3),
    ]
    found = ranks_of_strengths(*a_fit(np.array([0.1, 0.0, -2.0]), 0.1), many, 0.95)
    assert found == [Rank(1, 1, 2), Rank(2, 1, 2), Rank(3, 3, 3)]


def test_strengths_that_differ_in_their_last_digits_share_a_rank() -> None:
    found = ranks_of_strengths(*a_fit(np.array([0.1 + 0.2, 0.3, 0.0]), 0.1), np.full(3, 397), 0.95)
    assert [one.rank for one in found] == [1, 1, 3]


def test_replicates_that_do_not_vary_leave_the_standard_error_of_the_fit() -> None:
    """A model that won everything is alike in all replicates: its strength is no more certain for that."""
    strengths, covariance, _ = a_fit(np.array([3.0, 0.0]), 1.0)
    for n_prompts, expected in ((397, (1, 1)), (3, (1, 2))):
        found = ranks_of_strengths(strengths, covariance, np.tile(strengths, (100, 1)), np.full(2, n_prompts), 0.95)
        assert (found[0].low, found[0].high) == expected, "3 / sqrt(2) is above t = 1.97 and below t = 4.3"


def test_strengths_that_are_missing_from_many_replicates_are_ranked_against_nobody() -> None:
    strengths, covariance, replicates = a_fit(np.array([2.0, 1.0, 0.0]), 0.1)
    replicates[:10, 0] = np.nan
    many = np.full(3, 397)
    assert ranks_of_strengths(strengths, covariance, replicates, many, 0.95)[0] == Rank(1, 1, 1)
    replicates[:30, 0] = np.nan
    found = ranks_of_strengths(strengths, covariance, replicates, many, 0.95)
    assert found == [Rank(1, 1, 3), Rank(2, 1, 2), Rank(3, 2, 3)]


def test_strengths_without_any_spread_rule_out_no_rank() -> None:
    strengths = np.array([1.0, 0.0])
    for covariance in (np.zeros((2, 2)), np.ones((2, 2))):
        found = ranks_of_strengths(strengths, covariance, np.tile(strengths, (9, 1)), np.full(2, 50), 0.95)
        assert found == [Rank(1, 1, 2), Rank(2, 1, 2)]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ranks_of_scores(np.array([0.5, np.nan]), np.zeros((3, 2)), np.ones((1, 3)), 0.9), "not a finite"),
        (lambda: ranks_of_scores(np.array([0.5]), np.zeros((3, 2)), np.ones((1, 3)), 0.9), "expected one for each"),
        (lambda: ranks_of_scores(np.array([0.5]), np.zeros((3, 1)), np.ones((1, 2)), 0.9), r"\(P, M\) and \(B, P\)"),
        (lambda: ranks_of_scores(np.array([0.5]), np.zeros((3, 1)), np.ones((0, 3)), 0.9), "B at least 1"),
        (lambda: ranks_of_scores(np.array([0.5]), np.full((3, 1), np.inf), np.ones((1, 3)), 0.9), "is infinite"),
        (lambda: ranks_of_scores(np.array([0.5]), np.zeros((3, 1)), -np.ones((1, 3)), 0.9), "weights is negative"),
        (lambda: ranks_of_scores(np.array([0.5]), np.zeros((3, 1)), np.ones((1, 3)), 90), "confidence is"),
        (
            lambda: ranks_of_strengths(np.zeros(2), np.eye(3), np.zeros((4, 2)), np.ones(2, int), 0.9),
            r"expected \(M, M\)",
        ),
        (
            lambda: ranks_of_strengths(np.zeros(2), np.eye(2), np.zeros((0, 2)), np.ones(2, int), 0.9),
            "B at least 1",
        ),
    ],
)
def test_what_cannot_be_ranked_is_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_forty_models_are_ranked_in_a_moment() -> None:
    rng = np.random.default_rng(0)
    scores = rng.choice([0.0, 0.5, 1.0], (397, 40))
    scores[rng.random(scores.shape) < 0.02] = np.nan
    started = time.process_time()
    found = ranks(scores, n_bootstraps=1000)
    assert time.process_time() - started < 1.0
    assert len(found) == 40
