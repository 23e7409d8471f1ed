"""Where no finite maximum exists, or no single one: found exactly, answered by a stated penalty or a named error."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from leagues import a_league, rows_of
from scipy.special import expit

from codearena_plugin.scoring.bradley_terry import RIDGES, Comparisons, NotConnectedError, fit
from codearena_plugin.scoring.logistic.design import design_of, with_ties
from codearena_plugin.scoring.logistic.existence import is_separated, linked_in_replicates, separates
from codearena_plugin.scoring.logistic.newton import maximise
from codearena_plugin.scoring.rates import mean_interval


@pytest.mark.parametrize("n", [1, 28, 397])
@pytest.mark.parametrize("score", [0.0, 1.0])
def test_a_model_that_won_or_lost_everything_is_given_one_tie_with_the_reference(n: int, score: float) -> None:
    others = [(1, -1, 1.0), (1, -1, 0.0), (1, -1, 0.5)]
    found = fit(rows_of(*[(0, -1, score)] * n, *others))
    assert found.penalised == (0,)
    assert expit(found.strengths[0]) == pytest.approx((score * n + 0.5) / (n + 1))
    assert found.strengths[1] == pytest.approx(0.0)
    assert found.ridge == 0.0


def test_all_wins_are_about_as_uncertain_as_by_their_closed_interval() -> None:
    found = fit(rows_of(*[(0, -1, 1.0)] * 100))
    closed = mean_interval([1.0] * 100)
    assert expit(found.strengths[0] - 1.96 * np.sqrt(found.covariance[0, 0])) == pytest.approx(closed.low, abs=0.01)


def test_a_tie_or_the_smallest_share_of_a_point_is_enough_to_need_no_penalty() -> None:
    assert fit(rows_of((0, -1, 1.0), (0, -1, 0.5))).penalised == ()
    assert fit(rows_of((0, -1, 1.0), (0, -1, 0.999))).penalised == ()


def test_a_row_of_no_weight_is_no_loss() -> None:
    rows = rows_of((0, -1, 1.0), (0, -1, 0.0))
    assert fit(replace(rows, weight=np.array([1.0, 0.0]))).penalised == (0,)


def test_models_that_only_beat_each_other_and_lose_to_the_rest_are_not_linked() -> None:
    """Each of 0 and 1 has a win, yet both together can be moved down for ever."""
    mutual = [(0, 1, 1.0), (0, 1, 0.0)]
    found = fit(rows_of(*mutual, (0, -1, 0.0), (1, -1, 0.0), (2, -1, 1.0), (2, -1, 0.0)))
    assert found.penalised == (0, 1)
    assert np.isfinite(found.strengths).all()
    assert found.strengths[0] == pytest.approx(found.strengths[1])
    assert found.strengths[0] < 0


def test_a_circle_of_wins_links_models_that_never_beat_each_other_back() -> None:
    found = fit(rows_of((0, -1, 1.0), (1, 0, 1.0), (1, -1, 0.0)))
    assert found.penalised == ()
    assert found.strengths == pytest.approx([0.0, 0.0], abs=1e-9)


def test_models_that_never_meet_the_reference_are_named() -> None:
    pair = [(1, 2, 1.0), (1, 2, 0.0)]
    with pytest.raises(NotConnectedError, match=r"connects model\(s\) 1, 2 with the reference") as caught:
        fit(rows_of((0, -1, 1.0), (0, -1, 0.0), *pair))
    assert caught.value.models == (1, 2)
    assert isinstance(caught.value, ValueError)
    assert fit(rows_of((0, -1, 1.0), (0, -1, 0.0), *pair, (2, 0, 0.5))).penalised == ()


def test_a_model_without_a_comparison_of_weight_is_named() -> None:
    rows = rows_of((0, -1, 1.0), (0, -1, 0.0), (1, -1, 0.5))
    with pytest.raises(ValueError, match=r"connects model\(s\) 1 with"):
        fit(replace(rows, weight=np.array([1.0, 1.0, 0.0])))


results = st.lists(
    st.tuples(st.integers(0, 3), st.integers(-1, 3), st.sampled_from([0.0, 0.5, 1.0])).filter(lambda r: r[0] != r[1]),
    min_size=1,
    max_size=10,
)


@given(results)
@settings(max_examples=60, deadline=None)
def test_without_covariates_the_graph_of_wins_and_the_linear_programme_agree(
    games: list[tuple[int, int, float]],
) -> None:
    met = [(m, -1, score) for m in range(4) for score in (1.0,)]  # everyone is connected, and only has won
    design = design_of(rows_of(*games, *met))
    apart, unlinked = linked_in_replicates(design, np.ones((1, design.n_clusters)))
    assert not apart.any()
    assert is_separated(design) == unlinked.any()


def drawn(seed: int) -> Comparisons:
    """Return a few comparisons with a few coarse covariates: often separated, often not."""
    rng = np.random.default_rng(seed)
    n, k = int(rng.integers(4, 30)), int(rng.integers(1, 4))
    rows = rows_of(*[(int(rng.integers(0, 3)), -1, float(rng.choice([0, 0.5, 1]))) for _ in range(n)])
    return replace(rows, covariates=rng.integers(-2, 3, (n, k)).astype(float))


def test_a_penalty_is_used_exactly_where_covariates_separate_the_data() -> None:
    penalties = []
    for seed in range(300):
        rows = drawn(seed)
        try:
            found = fit(rows)
        except ValueError:  # collinear
            continue
        design = design_of(with_ties(rows, np.array(found.penalised, dtype=int)))
        assert (found.ridge > 0) == is_separated(design), seed
        assert found.gradient_norm <= 1e-8
        assert np.isfinite(found.covariance).all()
        penalties.append(found.ridge)
    assert 20 < np.count_nonzero(penalties) < len(penalties) - 20


def separated() -> Comparisons:
    """Return a league whose second covariate tells every winner."""
    rows = a_league([-0.5, 0.5], [0.3, 0.0])
    covariates = rows.covariates.copy()
    covariates[:, 1] = (rows.score - 0.5) * (1 + np.abs(covariates[:, 1]))
    return replace(rows, covariates=covariates)


def claimed(rows: Comparisons, effects: np.ndarray) -> float:
    return float(np.abs(rows.covariates @ effects).max())


def test_the_penalty_is_the_smallest_of_the_series_with_which_no_row_claims_too_much() -> None:
    rows = separated()
    found = fit(rows)
    most = np.log(2 * rows.weight.sum() + 1)
    assert found.ridge in RIDGES
    assert claimed(rows, found.coefficients) <= most
    assert found.gradient_norm <= 1e-8
    for ridge in RIDGES[: RIDGES.index(found.ridge)]:
        assert claimed(rows, maximise(design_of(rows), np.zeros(4), ridge).parameters[2:]) > most


def test_a_rare_feature_that_only_winners_have_is_penalised_and_the_others_hardly_change() -> None:
    rows = a_league([-0.5, 0.5], [0.3])
    rare = np.zeros(rows.score.size)
    rare[np.flatnonzero(rows.score == 1)[:3]] = 1
    found = fit(replace(rows, covariates=np.column_stack([rows.covariates, rare])))
    assert found.ridge == RIDGES[0]
    assert 2 < found.coefficients[1] < 8
    assert found.coefficients[0] == pytest.approx(fit(rows).coefficients[0], abs=0.05)


def test_a_large_but_finite_effect_needs_no_penalty() -> None:
    """Log-odds of 14 in some rows look like a maximum at infinity; one loss among 10^6 says that they are not."""
    rows = rows_of((0, -1, 1.0), (0, -1, 0.0), (1, -1, 1.0), (1, -1, 0.0))
    found = fit(replace(rows, weight=np.array([1e6, 1.0, 1.0, 1.0])))
    assert (found.penalised, found.ridge) == ((), 0.0)
    assert found.strengths[0] == pytest.approx(np.log(1e6))
    one_sided = replace(rows, covariates=np.array([[1.0], [1.0], [0.0], [0.0]]), weight=np.array([1e6, 1.0, 1.0, 1.0]))
    both = replace(one_sided, model=np.zeros(4, int), n_models=1)
    assert fit(both).ridge == 0.0
    assert fit(both).coefficients[0] == pytest.approx(np.log(1e6))


def test_a_direction_separates_only_if_no_row_is_explained_worse() -> None:
    rows = separated()
    design = design_of(rows)
    assert separates(design, np.array([0.0, 0.0, 0.0, 1.0]))
    assert not separates(design, np.array([0.0, 0.0, 1.0, 1.0]))
    assert not separates(design, np.array([0.0, 0.0, 0.0, -1.0]))
    assert not separates(design, np.zeros(4))
    assert not separates(design, np.full(4, np.nan))


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (lambda rows: np.zeros(rows.score.size), r"Covariate\(s\) 2 do not vary between rows of the same models"),
        (lambda rows: np.ones(rows.score.size), r"Covariate\(s\) 2 do not vary"),
        (lambda rows: rows.model * 2.0 - 1, r"Covariate\(s\) 2 do not vary"),
        (lambda rows: rows.covariates[:, 0], "Covariates 0, 2 are collinear"),
        (lambda rows: 3 * rows.covariates[:, 1] + rows.model, "Covariates 1, 2 are collinear"),
        (lambda rows: rows.covariates.sum(axis=1) - 7, "Covariates 0, 1, 2 are collinear"),
    ],
    ids=["zero", "constant", "by model", "copy", "copy but for the models", "sum"],
)
def test_covariates_that_cannot_be_told_apart_are_named(column, message: str) -> None:
    rows = a_league([-0.5, 0.5], [0.3, 0.1])
    with pytest.raises(ValueError, match=message):
        fit(replace(rows, covariates=np.column_stack([rows.covariates, column(rows)])))


def test_a_constant_is_an_advantage_of_the_first_named_where_models_meet_in_circles() -> None:
    """Constant columns repeat the strengths only if everyone meets the same opponent."""
    rows = a_league([0.5, -0.5, 0.0], n_prompts=40, opponents=(-1, 0, 1))
    found = fit(replace(rows, covariates=np.ones((rows.score.size, 1))))
    assert np.isfinite(found.coefficients[0])
    assert found.ridge == 0.0


def test_more_effects_than_rows_are_refused() -> None:
    rows = replace(rows_of((0, -1, 1.0), (0, -1, 0.0)), covariates=np.array([[1.0, 2.0], [2.0, -1.0]]))
    with pytest.raises(ValueError, match="Covariates 0, 1 are collinear"):
        fit(rows)


def test_a_likelihood_that_cannot_be_climbed_is_an_error_and_no_number() -> None:
    """Sums over columns of size 10^9 are rounded to more than the gradient may be."""
    rows = a_league([-0.5, 0.5], [0.3, 0.1])
    wild = rows.covariates * np.array([1e-9, 1e9])
    with pytest.raises(ValueError, match=r"The fit did not converge: gradient .* Divide them by"):
        fit(replace(rows, covariates=wild))
