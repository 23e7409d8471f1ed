from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from leagues import a_league, rows_of
from make_arena_rank_golden import arena_rank_fit, kept
from numpy.typing import NDArray
from scipy.special import expit, logit
from stats_golden import golden_numbers, golden_rows, needs_golden

from codearena_plugin.scoring.bradley_terry import Comparisons, Fit, fit
from codearena_plugin.scoring.logistic.design import design_of
from codearena_plugin.scoring.logistic.newton import maximise
from codearena_plugin.scoring.rates import clustered_mean

LEAGUES = {
    "one baseline": a_league([-1.0, 0.2, 1.5], [0.4, -0.3]),
    "two games a prompt": a_league([-1.0, 0.2, 1.5], [0.4, -0.3], games=2, seed=1),
    "several baselines": a_league([0.5, -1.0, 0.2, 1.5], [0.4, -0.3], opponents=(-1, 0), seed=2),
    "all pairs": a_league([0.5, -1.0, 0.2, 1.5], [0.4], n_prompts=20, opponents=(-1, 0, 1, 2), seed=3),
    "no covariates": a_league([0.5, -1.0, 0.2, 1.5], n_prompts=20, opponents=(-1, 0, 1, 2), seed=4),
}
leagues = pytest.mark.parametrize("rows", LEAGUES.values(), ids=LEAGUES.keys())


def parameters(found: Fit) -> NDArray[np.float64]:
    return np.concatenate([found.strengths, found.coefficients])


def columns(rows: Comparisons) -> NDArray[np.float64]:
    """Return the rows as the columns of an ordinary logistic regression."""
    table = np.zeros((rows.score.size, rows.n_models + 1))
    everyone = np.arange(rows.score.size)
    table[everyone, rows.model] = 1
    table[everyone, rows.opponent] -= 1  # the last column is the reference's
    return np.column_stack([table[:, :-1], rows.covariates])


def log_likelihood(rows: Comparisons, at: NDArray[np.float64]) -> float:
    p = expit(columns(rows) @ at)
    return float(rows.weight @ (rows.score * np.log(p) + (1 - rows.score) * np.log1p(-p)))


@given(
    st.lists(
        st.lists(st.tuples(st.floats(0.01, 0.99), st.floats(0.1, 5)), min_size=1, max_size=12), min_size=1, max_size=5
    )
)
def test_against_one_opponent_a_strength_is_the_log_odds_of_the_mean_score(
    models: list[list[tuple[float, float]]],
) -> None:
    flat = [(m, -1, score) for m, scores in enumerate(models) for score, _ in scores]
    weight = np.array([weight for scores in models for _, weight in scores])
    found = fit(replace(rows_of(*flat), weight=weight))
    for strength, scores in zip(found.strengths, models, strict=True):
        values, weights = zip(*scores, strict=True)
        assert strength == pytest.approx(logit(np.average(values, weights=weights)), abs=1e-9)
    assert (found.penalised, found.ridge) == ((), 0.0)


@leagues
def test_nothing_near_the_fit_is_more_likely(rows: Comparisons) -> None:
    found = fit(rows)
    best = log_likelihood(rows, parameters(found))
    rng = np.random.default_rng(0)
    for size in (1e-3, 0.1, 1.0):
        for direction in rng.standard_normal((20, parameters(found).size)):
            assert log_likelihood(rows, parameters(found) + size * direction) < best
    assert found.gradient_norm <= 1e-10


@leagues
def test_the_gradient_is_reported_as_it_is(rows: Comparisons) -> None:
    found = fit(rows)
    table = columns(rows)
    gradient = table.T @ (rows.weight * (rows.score - expit(table @ parameters(found))))
    assert np.abs(gradient).max() <= 1e-10
    away = maximise(design_of(rows), np.full(table.shape[1], 0.3), 1e6)  # the penalty holds coefficients at about 0
    pulled = table.T @ (rows.weight * (rows.score - expit(table @ away.parameters)))
    assert away.gradient_norm <= 1e-8
    assert np.abs(pulled[rows.n_models :]).max(initial=1e-8) > away.gradient_norm


@leagues
def test_the_covariance_is_the_clustered_sandwich(rows: Comparisons) -> None:
    rows = replace(rows, weight=np.where(rows.cluster % 2, 1.0, 2.5))
    found = fit(rows)
    table = columns(rows)
    p = expit(table @ parameters(found))
    bread = np.linalg.inv(table.T @ ((rows.weight * p * (1 - p))[:, None] * table))
    scores = np.zeros((rows.n_clusters, table.shape[1]))
    np.add.at(scores, rows.cluster, (rows.weight * (rows.score - p))[:, None] * table)
    c = rows.n_clusters
    assert found.covariance == pytest.approx(bread @ (scores.T @ scores * c / (c - 1)) @ bread, rel=1e-8, abs=1e-12)


def test_without_covariates_the_standard_error_is_that_of_the_clustered_mean() -> None:
    rows = a_league([-1.0, 0.5], games=2)
    found = fit(rows)
    for m in range(2):
        own = rows.model == m
        mean = clustered_mean(rows.score[own].tolist(), rows.cluster[own].tolist())
        assert mean.n_clusters == rows.n_clusters
        slope = mean.mean * (1 - mean.mean)
        assert slope * np.sqrt(found.covariance[m, m]) == pytest.approx(mean.stderr)


@leagues
def test_the_order_of_the_rows_and_of_the_models_is_irrelevant(rows: Comparisons) -> None:
    rng = np.random.default_rng(0)
    order, names = rng.permutation(rows.score.size), rng.permutation(rows.n_models)
    shuffled = replace(
        rows,
        **{name: getattr(rows, name)[order] for name in ("score", "cluster", "covariates", "weight")},
        model=names[rows.model[order]],
        opponent=np.where(rows.opponent < 0, -1, names[rows.opponent])[order],
    )
    found, again = fit(rows), fit(shuffled)
    places = np.concatenate([names, np.arange(rows.n_models, parameters(found).size)])
    assert parameters(again)[places] == pytest.approx(parameters(found), abs=1e-9)
    assert again.covariance[np.ix_(places, places)] == pytest.approx(found.covariance, abs=1e-9)


@given(st.integers(0, 2**32))
@settings(max_examples=20)
def test_a_comparison_may_be_told_from_either_side(seed: int) -> None:
    rows = LEAGUES["all pairs"]
    turned = (rows.opponent >= 0) & (np.random.default_rng(seed).random(rows.score.size) < 0.5)
    other = replace(
        rows,
        model=np.where(turned, rows.opponent, rows.model),
        opponent=np.where(turned, rows.model, rows.opponent),
        score=np.where(turned, 1 - rows.score, rows.score),
        covariates=np.where(turned[:, None], -rows.covariates, rows.covariates),
    )
    found, again = fit(rows), fit(other)
    assert parameters(again) == pytest.approx(parameters(found), abs=1e-9)
    assert again.covariance == pytest.approx(found.covariance, abs=1e-9)


def test_with_one_opponent_the_shorter_algebra_gives_the_same_steps() -> None:
    design = design_of(LEAGUES["one baseline"])
    assert design.is_star
    start = np.zeros(5)
    short, whole = maximise(design, start, 0.1), maximise(replace(design, is_star=False), start, 0.1)
    assert short.iterations == whole.iterations
    assert short.parameters == pytest.approx(whole.parameters, abs=1e-12)


def test_a_far_start_and_a_long_step_end_at_the_same_maximum() -> None:
    """From log-odds of 20 a plain Newton step goes to -10^8, where the curvature is gone."""
    design = design_of(rows_of((0, -1, 1.0), (0, -1, 0.0), (0, -1, 0.0)))
    for start in (-30.0, -3.0, 3.0, 30.0):
        found = maximise(design, np.array([start]), 0.0)
        assert found.converged
        assert found.parameters[0] == pytest.approx(logit(1 / 3))


def test_a_weight_counts_as_so_many_equal_rows_of_the_prompt() -> None:
    rows = LEAGUES["one baseline"]
    weight = np.random.default_rng(0).integers(0, 4, rows.score.size)
    repeated = {
        name: np.repeat(getattr(rows, name), weight, axis=0)
        for name in ("model", "opponent", "score", "cluster", "covariates")
    }
    weighted = fit(replace(rows, weight=weight.astype(float)))
    copied = fit(replace(rows, **repeated, weight=np.ones(weight.sum())))
    assert parameters(weighted) == pytest.approx(parameters(copied), abs=1e-9)
    assert weighted.covariance == pytest.approx(copied.covariance, abs=1e-9)


def test_doubling_every_prompt_adds_no_certainty() -> None:
    rows = LEAGUES["one baseline"]
    twice = replace(
        rows,
        **{
            name: np.concatenate([getattr(rows, name)] * 2)
            for name in ("model", "opponent", "score", "cluster", "covariates", "weight")
        },
    )
    assert fit(twice).covariance == pytest.approx(fit(rows).covariance)


def test_common_prompts_make_strengths_move_together() -> None:
    found = fit(a_league([0.0, 0.0], n_prompts=400))
    assert found.covariance[0, 1] > 0


def test_one_model_on_one_prompt_is_as_good_as_unknown() -> None:
    found = fit(rows_of((0, -1, 0.5)))
    assert found.strengths[0] == pytest.approx(0.0)
    assert np.sqrt(found.covariance[0, 0]) == pytest.approx(4.0)  # 50 % ± 4 in log-odds: anything from 2 to 98 %


def test_all_ties_are_not_certain_to_go_on() -> None:
    """As for the mean: one prompt in n might have been a full point away."""
    found = fit(rows_of(*[(0, -1, 0.5)] * 28, *[(1, -1, score) for score in [0.5, 1.0, 0.0] * 10]))
    assert found.strengths == pytest.approx([0, 0], abs=1e-12)
    mean = clustered_mean([0.5] * 28)
    assert mean.stderr is not None
    assert np.sqrt(found.covariance[0, 0]) / 4 == pytest.approx(mean.stderr)


@pytest.mark.parametrize("turned", [False, True])
def test_all_ties_against_one_opponent_are_not_certain_whatever_happened_against_another(turned: bool) -> None:
    """Only model 0 links model 1 to the reference: its games with model 1 say nothing about its own strength."""
    ties, rest = [(0, -1, 0.5)] * 20, [(0, 1, 1.0), (0, 1, 0.0)] * 10
    if turned:  # half of them told from the other side: still one pairing
        rest[10:] = [(1, 0, 1.0), (1, 0, 0.0)] * 5
    found = fit(replace(rows_of(*ties, *rest), cluster=np.tile(np.arange(20), 2), n_clusters=20))
    assert found.strengths == pytest.approx([0, 0], abs=1e-12)
    low, high = expit(np.sqrt(found.covariance[0, 0]) * 2.093 * np.array([-1, 1]))  # t of 19 degrees
    assert (low, high) == pytest.approx((0.397, 0.603), abs=5e-4)
    alone = fit(rows_of(*[(0, -1, score) for _, _, score in rest])).covariance[0, 0]
    assert found.covariance[1, 1] == pytest.approx(found.covariance[0, 0] + alone, rel=0.01)


@needs_golden
def test_the_style_fit_equals_the_golden_one() -> None:
    """Arena-hard's style control at its exact maximum; the published program stops up to 1 point before it."""
    found = fit(golden_rows())
    assert expit(found.strengths) == pytest.approx(golden_numbers()["style"], abs=1e-9)
    assert found.gradient_norm <= 1e-8
    assert (found.penalised, found.ridge) == ((), 0.0)


@needs_golden
def test_the_golden_scores_are_the_strengths_without_covariates() -> None:
    rows = golden_rows()
    found = fit(replace(rows, covariates=rows.covariates[:, :0]))
    assert expit(found.strengths) == pytest.approx(golden_numbers()["score"], abs=1e-9)


def test_arena_rank_gave_the_same_fit_of_a_league_with_two_baselines() -> None:
    rows, strengths, coefficients = kept()
    found = fit(rows)
    assert set(rows.opponent.tolist()) == {-1, 0}
    assert 100 * expit(found.strengths) == pytest.approx(100 * expit(strengths), abs=1e-6)
    assert found.coefficients == pytest.approx(coefficients, abs=1e-7)


@needs_golden
def test_arena_rank_gives_the_golden_style_fit_within_a_hundredth_of_a_point() -> None:
    pytest.importorskip("arena_rank", reason="arena-rank (600 MB, Python 3.11) is not installed")
    rows = golden_rows()
    strengths, coefficients = arena_rank_fit(rows)
    found = fit(rows)
    assert 100 * expit(found.strengths) == pytest.approx(100 * expit(strengths), abs=0.01)
    assert found.coefficients == pytest.approx(coefficients, abs=1e-4)


@pytest.mark.parametrize("opponents", [(-1,), (-1, 0), (-1, 0, 1, 2)], ids=["one", "two", "everyone"])
def test_choix_gives_the_same_strengths_without_covariates(opponents: tuple[int, ...]) -> None:
    choix = pytest.importorskip("choix", reason="choix is not installed (test dependency group)")
    rows = a_league([0.5, -1.0, 0.2, 1.5], n_prompts=40, opponents=opponents, seed=5)
    reference = rows.n_models
    others = np.where(rows.opponent < 0, reference, rows.opponent)
    sides = np.column_stack([rows.model, others])
    # it knows no ties: a win counts twice, a tie once for each
    wins = [*sides[rows.score == 1].tolist() * 2, *sides[rows.score == 0.5].tolist()]
    losses = [*sides[rows.score == 0].tolist() * 2, *sides[rows.score == 0.5].tolist()]
    games = [*map(tuple, wins), *((b, a) for a, b in losses)]
    peer = choix.opt_pairwise(reference + 1, games, alpha=0.0, method="Newton-CG", tol=1e-12)
    assert fit(rows).strengths == pytest.approx(peer[:-1] - peer[-1], abs=1e-6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"score": np.array([0.5, np.nan])}, "A score is outside 0 to 1 or NaN"),
        ({"score": np.array([0.5, 1.1])}, "A score is outside 0 to 1 or NaN"),
        ({"weight": np.array([1.0, -1.0])}, "One of the weights is negative or not finite"),
        ({"weight": np.array([1.0, np.nan])}, "One of the weights is negative or not finite"),
        ({"weight": np.zeros(2)}, "No comparison has a weight above 0"),
        ({"covariates": np.array([[0.0, 1.0], [1.0, np.inf]])}, "A covariate is not finite, in column 1"),
        ({"covariates": np.zeros((3, 1))}, r"expected \(R,\) five times and \(R, k\)"),
        ({"covariates": np.zeros(2)}, r"expected \(R,\) five times and \(R, k\)"),
        ({"cluster": np.array([0])}, r"expected \(R,\) five times and \(R, k\)"),
        ({"model": np.array([0, 1])}, r"model holds int64 values from 0 to 1; expected whole numbers in \[0, 1\)"),
        ({"model": np.array([0.0, 0.0])}, "model holds float64 values"),
        ({"opponent": np.array([-2, -1])}, r"opponent holds int64 values from -2 to -1; .* in \[-1, 1\)"),
        ({"opponent": np.array([0, -1])}, "Model 0 is compared with itself"),
        ({"cluster": np.array([0, 2])}, r"cluster holds int64 values from 0 to 2; .* in \[0, 2\)"),
    ],
)
def test_what_is_no_comparison_is_refused(changes: dict[str, NDArray[np.float64]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit(replace(rows_of((0, -1, 1.0), (0, -1, 0.0)), **changes))


def test_no_comparisons_have_no_fit() -> None:
    with pytest.raises(ValueError, match="R at least 1"):
        replace(rows_of((0, -1, 1.0)), **{name: np.zeros(0, int) for name in ("model", "opponent", "score", "cluster")})
