from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codearena_plugin.scoring.ranks import Rank, rank_intervals, separability
from codearena_plugin.scoring.resample import bootstrap_weights, resampled_means

tables = st.integers(1, 6).flatmap(
    lambda m: st.lists(
        st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0, np.nan]), min_size=m, max_size=m), min_size=1, max_size=30
    )
)


@given(tables, st.sampled_from([0.5, 0.9, 0.999]), st.randoms())
def test_ranks_lie_in_their_intervals_and_the_order_of_the_models_is_irrelevant(
    table: list[list[float]], confidence: float, random
) -> None:
    replicates = np.array(table)
    m = replicates.shape[1]
    estimates = np.array(random.choices([0.0, 0.25, 0.5], k=m))
    found = rank_intervals(estimates, replicates, confidence)
    assert all(1 <= one.low <= one.rank <= one.high <= m for one in found)
    shuffled = np.array(random.sample(range(m), m))
    assert rank_intervals(estimates[shuffled], replicates[:, shuffled], confidence) == [found[i] for i in shuffled]


def test_models_far_apart_have_one_rank_each() -> None:
    estimates = np.array([0.2, 0.9, 0.5])
    replicates = estimates + 0.01 * np.random.default_rng(0).standard_normal((200, 3))
    assert rank_intervals(estimates, replicates, 0.95) == [Rank(3, 3, 3), Rank(1, 1, 1), Rank(2, 2, 2)]


def test_models_too_close_to_tell_share_ranks() -> None:
    estimates = np.array([0.51, 0.50, 0.1])
    replicates = estimates + 0.05 * np.random.default_rng(0).standard_normal((500, 3))
    assert rank_intervals(estimates, replicates, 0.95) == [Rank(1, 1, 2), Rank(2, 1, 2), Rank(3, 3, 3)]


def test_a_rank_that_is_taken_more_often_than_the_tails_allow_is_in_the_interval() -> None:
    """First in 6 of 100 replicates, last in 4: a 90 % interval leaves 5 at each end."""
    replicates = np.zeros((100, 3))
    replicates[:, 1:] = [0.2, -0.2]
    replicates[:6, 0], replicates[6:10, 0] = 0.5, -0.5
    assert rank_intervals(np.array([0.0, 0.2, -0.2]), replicates, 0.9)[0] == Rank(2, 1, 2)


def test_the_same_verdicts_everywhere_are_no_reason_to_rank_one_model_above_the_other() -> None:
    scores = np.random.default_rng(0).random(40)
    replicates = resampled_means(np.column_stack([scores] * 2), np.ones((40, 2)), bootstrap_weights(40, 100, 0))
    assert rank_intervals(np.array([0.5, 0.5]), replicates, 0.9) == [Rank(1, 1, 2)] * 2


def test_equal_estimates_share_the_better_rank() -> None:
    found = rank_intervals(np.array([0.5, 0.7, 0.5, 0.1]), np.array([[0.5, 0.7, 0.5, 0.1]]), 0.9)
    assert [one.rank for one in found] == [2, 1, 2, 4]


def test_a_missing_replicate_may_stand_above_or_below_all_others() -> None:
    estimates = np.array([0.9, 0.5, 0.1])
    replicates = np.array([[np.nan, 0.5, 0.1]] * 10)
    assert rank_intervals(estimates, replicates, 0.9) == [Rank(1, 1, 3), Rank(2, 1, 2), Rank(3, 2, 3)]
    replicates[0] = estimates
    assert rank_intervals(estimates, replicates, 0.9)[0] == Rank(1, 1, 1)


def test_shared_resamples_tell_models_apart_that_unrelated_ones_would_not() -> None:
    """The second model is a little worse on every prompt, and prompts differ far more than models."""
    hardness = np.random.default_rng(0).random(60)
    totals = np.column_stack([hardness, hardness - 0.02])
    estimates = totals.mean(axis=0)
    shared = resampled_means(totals, np.ones((60, 2)), bootstrap_weights(60, 300, 0))
    other = resampled_means(totals, np.ones((60, 2)), bootstrap_weights(60, 300, 1))
    unrelated = np.column_stack([shared[:, 0], other[:, 1]])
    assert rank_intervals(estimates, shared, 0.9) == [Rank(1, 1, 1), Rank(2, 2, 2)]
    assert rank_intervals(estimates, unrelated, 0.9) == [Rank(1, 1, 2), Rank(2, 1, 2)]


def test_what_cannot_be_ranked_is_refused() -> None:
    with pytest.raises(ValueError, match="An estimate is not a finite number"):
        rank_intervals(np.array([0.5, np.nan]), np.zeros((3, 2)), 0.9)
    with pytest.raises(ValueError, match=r"expected \(M,\) and \(B, M\)"):
        rank_intervals(np.array([0.5, 0.4]), np.zeros((3, 3)), 0.9)
    with pytest.raises(ValueError, match="confidence is"):
        rank_intervals(np.array([0.5]), np.zeros((3, 1)), 90)


def test_separability_is_a_share_of_pairs() -> None:
    """30 of 190 pairs overlap for Arena-Hard's 20 models: 84.21 %, as its authors print."""
    assert separability(160, 190) == pytest.approx(0.8421, abs=5e-5)
    assert separability(0, 0) is None
    with pytest.raises(ValueError, match="191 of 190 pairs"):
        separability(191, 190)
