from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stats_golden import golden_numbers, golden_rows, needs_golden

from codearena_plugin.scoring.rates import mean_interval
from codearena_plugin.scoring.resample import bootstrap_weights, refuse_wild_weights, resampled_means


@given(st.integers(1, 40), st.integers(1, 30), st.integers(0, 2**32))
def test_every_replicate_draws_as_many_prompts_as_there_are(n_prompts: int, n_bootstraps: int, seed: int) -> None:
    found = bootstrap_weights(n_prompts, n_bootstraps, seed)
    assert found.shape == (n_bootstraps, n_prompts)
    assert np.array_equal(found.sum(axis=1), np.full(n_bootstraps, n_prompts))
    assert np.array_equal(found, np.round(found))
    assert found.min() >= 0


def test_a_seed_gives_the_same_replicates_and_another_seed_others() -> None:
    assert np.array_equal(bootstrap_weights(50, 20, 7), bootstrap_weights(50, 20, 7))
    assert not np.array_equal(bootstrap_weights(50, 20, 7), bootstrap_weights(50, 20, 8))


def test_prompts_are_drawn_independently_and_equally_often() -> None:
    """Counts are multinomial: mean 1, variance 1 - 1/P, covariance -1/P."""
    found = bootstrap_weights(10, 40_000, 0)
    covariance = np.cov(found.T)
    assert found.mean(axis=0) == pytest.approx(np.ones(10), abs=0.025)
    assert np.diag(covariance) == pytest.approx(np.full(10, 0.9), abs=0.04)
    assert covariance[~np.eye(10, dtype=bool)] == pytest.approx(np.full(90, -0.1), abs=0.025)


@pytest.mark.parametrize(("n", "b", "seed"), [(0, 10, 0), (10, 0, 0), (10, 10, -1)])
def test_nothing_to_draw_is_refused(n: int, b: int, seed: int) -> None:
    with pytest.raises(ValueError, match=f"Cannot draw {b} resamples of {n} prompts with seed {seed}"):
        bootstrap_weights(n, b, seed)


@pytest.mark.parametrize("wild", [-1.0, np.nan, np.inf])
def test_wild_weights_are_refused(wild: float) -> None:
    with pytest.raises(ValueError, match="One of the counts is negative or not finite"):
        refuse_wild_weights(weights=np.ones((2, 2)), counts=np.array([1.0, wild]))


def test_resampled_means_have_the_closed_interval_as_percentiles() -> None:
    scores = np.random.default_rng(0).choice([0.0, 0.5, 1.0], 397)
    low, high = np.quantile(bootstrap_weights(397, 4000, 0) @ scores / 397, (0.05, 0.95))
    closed = mean_interval(scores.tolist(), confidence=0.9)
    assert (low, high) == pytest.approx((closed.low, closed.high), abs=0.003)


@needs_golden
def test_widths_by_prompts_and_by_games_equal_the_golden_ones() -> None:
    """Golden half-widths of 90 % come from 100 resamples: ``wc`` of prompts, ``wi`` of games × weight as if unrelated.

    One such width is uncertain by about 10 %, their mean over 40 models by less than 2 %.
    """
    golden, rows = golden_numbers(), golden_rows()
    copies = rows.weight.astype(int)
    for name, cluster in (("wc", rows.cluster), ("wi", None)):
        ratios = []
        for m in range(rows.n_models):
            own = rows.model == m
            score, weight = rows.score[own], rows.weight[own]
            if cluster is None:
                totals, counts = np.repeat(score, copies[own]), np.ones(copies[own].sum())
            else:
                counts = np.bincount(cluster[own], weight, rows.n_clusters)
                totals = np.bincount(cluster[own], weight * score, rows.n_clusters)
            assert totals.sum() / counts.sum() == pytest.approx(golden["score"][m], abs=1e-12)
            weights = bootstrap_weights(totals.size, 300, m)
            low, high = np.quantile((weights @ totals) / (weights @ counts), (0.05, 0.95))
            ratios.append(golden[name][m] / (50 * (high - low)))
        assert np.mean(ratios) == pytest.approx(0.98, abs=0.04), name
        assert np.all((np.array(ratios) > 0.7) & (np.array(ratios) < 1.35)), name


def test_a_resampled_mean_is_the_mean_of_the_drawn_values() -> None:
    rng = np.random.default_rng(0)
    totals, counts = rng.random((9, 3)), rng.integers(0, 3, (9, 3)).astype(float)
    totals[counts == 0] = 0
    weights = bootstrap_weights(9, 25, 1)
    found = resampled_means(totals, counts, weights)
    for b in range(25):
        drawn = np.repeat(np.arange(9), weights[b].astype(int))
        assert found[b] == pytest.approx(totals[drawn].sum(axis=0) / counts[drawn].sum(axis=0))


def test_equal_models_are_equal_in_every_replicate() -> None:
    """One matrix for all: a difference of two models is resampled with the hardness of the prompts taken out."""
    column = np.random.default_rng(0).random(30)
    found = resampled_means(np.column_stack([column, column]), np.ones((30, 2)), bootstrap_weights(30, 50, 0))
    assert np.array_equal(found[:, 0], found[:, 1])
    assert found[:, 0].std() > 0


def test_a_replicate_without_a_score_of_the_model_is_nan() -> None:
    totals, counts = np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([[1.0, 1.0], [1.0, 0.0]])
    found = resampled_means(totals, counts, np.array([[0.0, 2.0], [1.0, 1.0], [2.0, 0.0]]))
    assert found == pytest.approx(np.array([[1.0, np.nan], [0.5, 1.0], [0.0, 1.0]]), nan_ok=True)


@pytest.mark.parametrize(
    ("totals", "counts", "weights", "message"),
    [
        (np.zeros((3, 2)), np.ones((2, 2)), np.ones((1, 3)), r"expected \(P, M\)"),
        (np.zeros((3, 2)), np.ones((3, 2)), np.ones((1, 2)), r"expected \(P, M\)"),
        (np.full((3, 2), np.nan), np.ones((3, 2)), np.ones((1, 3)), "A total is not a finite number"),
        (np.zeros((3, 2)), -np.ones((3, 2)), np.ones((1, 3)), "One of the counts is negative"),
        (np.zeros((3, 2)), np.ones((3, 2)), np.full((1, 3), np.inf), "One of the weights is negative or not finite"),
    ],
)
def test_wild_numbers_are_refused(totals: np.ndarray, counts: np.ndarray, weights: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        resampled_means(totals, counts, weights)
