"""Every replicate of a fit is a fit: the same maximum, the same penalties, and NaN where there is nothing to fit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from leagues import a_league, rows_of
from scipy.special import expit

from codearena_plugin.scoring.bradley_terry import RIDGES, Comparisons, bootstrap_fit, fit
from codearena_plugin.scoring.logistic.design import with_ties
from codearena_plugin.scoring.resample import Array, bootstrap_weights


def fitted_alone(rows: Comparisons, held: Array) -> Array:
    found = fit(replace(rows, weight=rows.weight * held[rows.cluster]))
    return np.concatenate([found.strengths, found.coefficients])


@pytest.mark.parametrize(
    "rows",
    [
        a_league([-1.0, 0.2, 1.5], [0.4, -0.3]),
        a_league([-1.0, 0.2, 1.5], [0.4, -0.3], games=2),
        a_league([0.5, -1.0, 0.2, 1.5], [0.4], opponents=(-1, 0)),
        a_league([0.5, -1.0, 0.2, 1.5], n_prompts=30, opponents=(-1, 0, 1, 2)),
        a_league([-4.0, 0.0, 4.0], [0.4, 0.1], n_prompts=100),  # many replicates without a loss, or without a win
        a_league([-4.0, 0.0, 4.0], n_prompts=100, opponents=(-1, 0, 1)),
    ],
    ids=["one baseline", "games", "several baselines", "all pairs", "far apart", "far apart, all pairs"],
)
def test_each_replicate_is_the_fit_of_its_own_rows(rows: Comparisons) -> None:
    rows = replace(rows, weight=np.where(rows.cluster % 4, 1.0, 2.0))
    weights = bootstrap_weights(rows.n_clusters, 60, 0)
    found = bootstrap_fit(rows, fit(rows), weights)
    assert found == pytest.approx(np.array([fitted_alone(rows, held) for held in weights]), abs=1e-5)


def test_replicates_far_from_the_data_are_fits_too() -> None:
    """Prompts that a replicate holds are those where the model failed: Newton's full steps overshoot."""
    rows = a_league([3.0, 0.0], [0.5], n_prompts=200)
    lost = np.unique(rows.cluster[(rows.model == 0) & (rows.score < 1)])
    held = np.where(np.isin(np.arange(200), lost), 30.0, 0.01)
    found = bootstrap_fit(rows, fit(rows), np.array([held]))
    assert found[0] == pytest.approx(fitted_alone(rows, held), abs=2e-6)


def test_without_covariates_replicates_are_log_odds_of_resampled_means() -> None:
    rows = a_league([-0.5, 0.0, 0.5])
    weights = bootstrap_weights(rows.n_clusters, 200, 0)
    place = rows.cluster * 3 + rows.model
    totals, counts = (np.bincount(place, w, 180).reshape(60, 3) for w in (rows.score, rows.weight))
    expected = (weights @ totals) / (weights @ counts)
    assert expit(bootstrap_fit(rows, fit(rows), weights)) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("opponents", [(-1,), (-1, 0, 1, 2)])
def test_the_spread_of_replicates_is_the_sandwich(opponents: tuple[int, ...]) -> None:
    rows = a_league([0.3, -0.8, 0.2, 0.9], [0.4, -0.3], n_prompts=300, opponents=opponents, games=2)
    start = fit(rows)
    spread = np.cov(bootstrap_fit(rows, start, bootstrap_weights(300, 2000, 0)).T)
    stderr = np.sqrt(np.diag(start.covariance))
    assert np.sqrt(np.diag(spread)) == pytest.approx(stderr, rel=0.1)
    assert spread / np.outer(stderr, stderr) == pytest.approx(start.covariance / np.outer(stderr, stderr), abs=0.15)


def test_what_a_block_holds_changes_no_replicate(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = a_league([-0.5, 0.5], [0.3])
    start, weights = fit(rows), bootstrap_weights(60, 50, 0)
    whole = bootstrap_fit(rows, start, weights)
    monkeypatch.setattr("codearena_plugin.scoring.logistic.replicates._PRODUCT", 1)  # blocks of 8
    assert bootstrap_fit(rows, start, weights) == pytest.approx(whole, abs=1e-9)


def test_a_model_that_won_everything_keeps_its_tie_in_every_replicate() -> None:
    rows = rows_of(*[(0, -1, 1.0)] * 20, *[(1, -1, score) for score in [0.0, 0.5, 1.0, 1.0] * 5])
    rows = replace(rows, cluster=np.tile(np.arange(20), 2), n_clusters=20)
    found = bootstrap_fit(rows, fit(rows), bootstrap_weights(20, 100, 0))
    assert expit(found[:, 0]) == pytest.approx(np.full(100, 20.5 / 21))
    assert found[:, 1].std() > 0.1


def test_a_model_that_a_replicate_does_not_hold_is_nan_there_and_only_there() -> None:
    rows = rows_of(*[(0, -1, score) for score in [0.0, 1.0] * 10], (1, -1, 1.0), (1, -1, 0.0))
    weights = bootstrap_weights(rows.n_clusters, 200, 0)
    found = bootstrap_fit(rows, fit(rows), weights)
    missing = weights[:, 20:].sum(axis=1) == 0
    assert 5 < missing.sum() < 195
    assert np.array_equal(np.isnan(found[:, 1]), missing)
    assert not np.isnan(found[:, 0]).any()


def test_models_cut_off_from_the_reference_in_a_replicate_are_nan_there() -> None:
    """Model 1 meets the reference through model 0 only, on one prompt."""
    links = [(0, -1, 1.0), (0, -1, 0.0)]
    rows = rows_of(*links, (1, 0, 0.5), *[(1, 2, score) for score in (0.0, 1.0)])
    weights = np.array([[1.0, 1, 1, 1, 1], [1, 1, 0, 2, 1], [1, 1, 1, 2, 0]])
    found = bootstrap_fit(rows, fit(rows), weights)
    assert np.isnan(found).tolist() == [[False] * 3, [False, True, True], [False] * 3]
    assert found[0] == pytest.approx([0, 0, 0], abs=1e-9)
    # 1 only beat 2 in the last replicate, so 2 gets its tie
    assert found[2] == pytest.approx(fitted_alone(rows, weights[2]), abs=1e-6)


def test_a_replicate_that_holds_no_comparison_is_nan_throughout() -> None:
    rows = replace(a_league([0.0], [0.3], n_prompts=20), n_clusters=21)
    weights = np.zeros((2, 21))
    weights[0], weights[1, 20] = 1.0, 21.0
    found = bootstrap_fit(rows, fit(rows), weights)
    assert np.isnan(found).tolist() == [[False, False], [True, True]]


def test_replicates_that_covariates_separate_get_the_smallest_penalty() -> None:
    """The feature is on 5 prompts and lost on one of them: about a third of the replicates hold only winners."""
    rows = a_league([-0.5, 0.5], [0.3], n_prompts=80)
    rare = np.zeros(rows.score.size)
    rare[np.flatnonzero(rows.score == 1)[[0, 5, 10, 15]]] = 1
    rare[np.flatnonzero(rows.score == 0)[3]] = 1
    rows = replace(rows, covariates=np.column_stack([rows.covariates, rare]))
    start = fit(rows)
    assert start.ridge == 0
    weights = bootstrap_weights(80, 150, 0)
    found = bootstrap_fit(rows, start, weights)
    penalties = 0
    for held, replicate in zip(weights, found, strict=True):
        held_rare = (held[rows.cluster] > 0) & (rare > 0)
        if held_rare.any():
            alone = fit(replace(rows, weight=held[rows.cluster]))
            penalties += alone.ridge == RIDGES[0]
            assert replicate == pytest.approx(np.concatenate([alone.strengths, alone.coefficients]), abs=1e-5)
        else:  # nothing is known of its effect: the penalty makes it 0
            assert replicate[-1] == 0.0
    assert 20 < penalties < 130


def test_data_that_covariates_separate_keep_their_penalty_in_every_replicate() -> None:
    rows = a_league([-0.5, 0.5], [0.3])
    told = (rows.score - 0.5) * (1 + np.abs(rows.covariates[:, 0]))
    rows = replace(rows, covariates=np.column_stack([rows.covariates, told]))
    start = fit(rows)
    assert start.ridge > 0
    found = bootstrap_fit(rows, start, bootstrap_weights(60, 50, 0))
    assert np.isfinite(found).all()
    assert np.abs(found - np.concatenate([start.strengths, start.coefficients])).max() < 3


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones((3, 59)), r"Weights have shape \(3, 59\); expected \(B, 60\)"),
        (np.ones(60), r"Weights have shape \(60,\)"),
        (-np.ones((3, 60)), "One of the weights is negative or not finite"),
        (np.full((3, 60), np.nan), "One of the weights is negative or not finite"),
    ],
)
def test_weights_that_are_no_resamples_are_refused(weights: Array, message: str) -> None:
    rows = a_league([0.0])
    with pytest.raises(ValueError, match=message):
        bootstrap_fit(rows, fit(rows), weights)


def test_ties_that_are_added_belong_to_no_prompt() -> None:
    rows = a_league([0.0, 1.0], [0.3])
    tied = with_ties(rows, np.array([1]))
    assert tied.n_clusters == rows.n_clusters + 1
    assert (tied.model[-1], tied.opponent[-1], tied.score[-1], tied.cluster[-1]) == (1, -1, 0.5, rows.n_clusters)
    assert (tied.weight[-1], tied.covariates[-1].tolist()) == (1.0, [0.0])
