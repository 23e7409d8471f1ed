"""Rank correlations, the line with noise on both axes, places, pass@k: hand-computed, properties, and coverage."""

from __future__ import annotations

import math
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codearena_plugin.records import Interval
from codearena_plugin.scoring.association.correlation import (
    model_resamples,
    rank_correlation,
    rank_correlation_interval,
)
from codearena_plugin.scoring.association.line import (
    Logit,
    NoLineError,
    Point,
    fit_line,
    left_out_residuals,
    logit_of,
)
from codearena_plugin.scoring.association.noise import Measured, replicates
from codearena_plugin.scoring.association.places import rank_shift
from codearena_plugin.scoring.pass_at_k import pass_at_k, pass_at_k_interval

KINDS = ("spearman", "kendall")
numbers = st.lists(st.integers(-20, 20), min_size=3, max_size=12)
two_axes = numbers.flatmap(lambda x: st.tuples(st.just(x), st.permutations(x)))


def both(x, y) -> list[float]:
    return [float(rank_correlation(kind, np.array(x, float), np.array(y, float))) for kind in KINDS]


def shares(passed: int, n: int) -> Measured:
    return Measured((1.0,) * passed + (0.0,) * (n - passed))


# rank correlations


def test_a_hand_computed_case_with_ties() -> None:
    """Mid-ranks of y are 1.5, 1.5, 3, 4; of 6 pairs 5 agree, none disagrees, one is tied in y."""
    spearman, kendall = both([1, 2, 3, 4], [5, 5, 7, 9])
    assert kendall == pytest.approx(5 / math.sqrt(6 * 5))
    assert spearman == pytest.approx(4.5 / math.sqrt(5 * 4.5))


@given(two_axes)
@settings(max_examples=60, deadline=None)
def test_scipy_agrees(axes: tuple[list[int], list[int]]) -> None:
    from scipy.stats import kendalltau, rankdata

    x, y = axes
    spearman, kendall = both(x, y)
    if len(set(x)) == 1:
        assert math.isnan(spearman)
        assert math.isnan(kendall)
        return
    assert spearman == pytest.approx(np.corrcoef(rankdata(x), rankdata(y))[0, 1])
    assert kendall == pytest.approx(kendalltau(x, y).statistic)


@given(two_axes)
@settings(max_examples=60, deadline=None)
def test_a_monotone_transform_of_an_axis_changes_nothing_and_a_reversal_the_sign(axes) -> None:
    x, y = axes
    assert both([value**3 + 2 * value for value in x], np.exp(np.array(y) / 10)) == pytest.approx(
        both(x, y), nan_ok=True
    )
    assert both(x, [-value for value in y]) == pytest.approx([-r for r in both(x, y)], nan_ok=True)


@given(two_axes, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_the_order_of_the_models_does_not_matter(axes, random) -> None:
    pairs = list(zip(*axes, strict=True))
    random.shuffle(pairs)
    assert both(*zip(*pairs, strict=True)) == pytest.approx(both(*axes), nan_ok=True)
    assert both(axes[1], axes[0]) == pytest.approx(both(*axes), nan_ok=True)


def test_rows_of_replicates_are_correlated_one_by_one() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 7, 5))
    for kind in KINDS:
        rows = [float(rank_correlation(kind, a, b)) for a, b in zip(x, y, strict=True)]
        assert rank_correlation(kind, x, y) == pytest.approx(rows)


def test_many_replicates_are_done_in_pieces_with_the_same_result() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 30, size=(2, 600, 60)) / 1.0
    for kind in KINDS:
        rows = [float(rank_correlation(kind, a, b)) for a, b in zip(x[::97], y[::97], strict=True)]
        assert rank_correlation(kind, x, y)[::97] == pytest.approx(rows)


def test_intervals_hold_the_estimate_and_stay_within_one() -> None:
    x = np.linspace(0.2, 0.9, 8)
    measured = [shares(round(100 * value), 100) for value in x]
    noisy = replicates(measured, 400, 0), replicates(measured, 400, 1)
    found = rank_correlation_interval("kendall", x, x, model_resamples(8, 400, 0), noisy=noisy)
    assert found is not None
    assert found.estimate == found.other_models[1] == 1.0
    assert found.other_prompts is not None
    assert 0.5 < found.other_prompts[0] < found.other_prompts[1] == 1.0


@pytest.mark.parametrize("values", [[0.1, 0.2, 0.3, 0.4], [0.5] * 8])
def test_too_few_models_or_no_order_give_no_correlation(values: list[float]) -> None:
    x = np.array(values)
    resamples = model_resamples(len(values), 100, 0)
    assert rank_correlation_interval("spearman", x, np.arange(len(values)) / 9, resamples) is None


def test_shapes_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match="same models"):
        rank_correlation("spearman", np.zeros(3), np.zeros(4))


def test_the_interval_over_models_covers_about_what_it_says() -> None:
    rng, truth, hits = np.random.default_rng(5), 0.786, 0  # Spearman's rho of a normal pair with correlation 0.8
    for seed in range(150):
        x = rng.normal(size=30)
        y = 0.8 * x + 0.6 * rng.normal(size=30)
        found = rank_correlation_interval("spearman", x, y, model_resamples(30, 300, seed), confidence=0.9)
        assert found is not None
        hits += found.other_models[0] <= truth <= found.other_models[1]
    assert 0.82 <= hits / 150 <= 0.96


# noise


def test_models_on_the_same_prompts_share_their_luck() -> None:
    rng = np.random.default_rng(1)
    values = rng.integers(0, 2, 200) / 1.0
    names = tuple(map(str, range(200)))
    same = replicates([Measured(tuple(values), names), Measured(tuple(values), names)], 500, 0)
    assert (same[:, 0] == same[:, 1]).all()
    apart = replicates([Measured(tuple(values)), Measured(tuple(values))], 500, 0)
    assert abs(np.corrcoef(apart.T)[0, 1]) < 0.2
    expected = values.std() / math.sqrt(200)
    assert same.std(axis=0) == pytest.approx([expected] * 2, rel=0.1)
    assert apart.std(axis=0) == pytest.approx([expected] * 2, rel=0.1)


def test_a_name_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="one name a value"):
        replicates([Measured((1.0, 0.0), ("a", "a"))], 100, 0)


# the line


def share_of(logit: Logit) -> float:
    return 1 / (1 + math.exp(-logit.value))


def exact_points(n: int, intercept: float = -2.0, slope: float = 1.5) -> list[Point]:
    logits = np.linspace(-1, 2.5, n)
    return [Point(Logit(x, 0.01), Logit(intercept + slope * x, 0.01)) for x in map(float, logits)]


def test_points_on_a_line_give_it_back_with_no_scatter_and_the_slope_is_not_flattened_by_noise() -> None:
    """x spreads by ω² = its variance less 0.01; calibrating divides the slope of the least squares by ω² / variance."""
    line = fit_line(exact_points(12))
    x = np.linspace(-1, 2.5, 12)
    reliability = (x.var(ddof=1) - 0.01) / x.var(ddof=1)
    assert line.slope == pytest.approx(1.5 / reliability, rel=1e-6)
    assert line.scatter == 0.0
    assert line.n == 12
    assert line.spread**2 == pytest.approx(x.var(ddof=1) - 0.01, rel=1e-6)


def test_a_model_above_the_line_has_a_positive_gap_and_only_its_own() -> None:
    points = exact_points(12)
    points[5] = points[5]._replace(y=Logit(points[5].y.value + 3, 0.01))
    found = left_out_residuals(points)
    assert found[5].gap_low > 0.1
    assert found[5].p_value < 0.001
    assert found[5].expected == pytest.approx(fit_line(exact_points(12)).residual(points[5]).expected, abs=0.02)
    assert all(one.p_value > 0.2 for i, one in enumerate(found) if i != 5)


def test_the_sign_of_a_gap_is_that_of_score_less_expected_and_its_interval_holds_it() -> None:
    rng = np.random.default_rng(2)
    points = [Point(Logit(x, 0.04), Logit(x - 1 + rng.normal(), 0.02)) for x in rng.normal(size=15)]
    for point, one in zip(points, left_out_residuals(points), strict=True):
        assert one.gap == pytest.approx(share_of(point.y) - one.expected)
        assert one.gap_low < one.gap < one.gap_high
        assert 0 < one.expected_low < one.expected < one.expected_high < 1


def test_models_that_differ_by_noise_alone_have_no_line() -> None:
    same = [Point(Logit(1.0 + 0.01 * i, 0.05), Logit(float(i), 0.05)) for i in range(8)]
    with pytest.raises(NoLineError, match="noise"):
        fit_line(same)
    with pytest.raises(NoLineError, match="at least 5"):
        fit_line(same[:4])


@pytest.mark.parametrize(("estimate", "value"), [(0.0, -5.80), (1.0, 5.80), (0.5, 0.0)])
def test_a_share_of_0_or_1_is_far_out_and_finite(estimate: float, value: float) -> None:
    found = logit_of(shares(round(164 * estimate), 164).interval(0.95))
    assert found.value == pytest.approx(value, abs=0.005)
    assert 0 < found.variance < 10


def test_one_prompt_alone_has_no_place_on_the_scale() -> None:
    with pytest.raises(ValueError, match="no standard error"):
        logit_of(Interval(1.0, 0.0, 1.0, stderr=None, n=1))


@pytest.mark.parametrize(("n_models", "scatter", "rounds"), [(30, 1.0, 14), (12, 0.5, 40)])
def test_intervals_cover_what_they_say(n_models: int, scatter: float, rounds: int) -> None:
    """Binomial noise on both axes as on HumanEval+ and CodeArena; nominal 90 %: the true gap, and one more model."""
    rng, gaps, predicted, n = np.random.default_rng(3), 0, 0, 0
    for _ in range(rounds):
        x = rng.normal(1.1, 0.75, n_models)
        own = rng.normal(0, scatter, n_models)
        passed = rng.binomial(164, 1 / (1 + np.exp(-x)))
        won = rng.binomial(390, 1 / (1 + np.exp(2.0 - 1.6 * x - own)))
        axes = [
            [logit_of(shares(k, size).interval(0.9)) for k in counts] for counts, size in ((passed, 164), (won, 390))
        ]
        points = [Point(*pair) for pair in zip(*axes, strict=True)]
        for point, gap, found in zip(points, own, left_out_residuals(points, 0.9), strict=True):
            centre = math.log(found.expected / (1 - found.expected))
            true_gap = 1 / (1 + math.exp(-centre - gap)) - found.expected
            gaps += found.gap_low <= true_gap <= found.gap_high
            predicted += found.expected_low <= share_of(point.y) <= found.expected_high
            n += 1
    assert 0.86 <= gaps / n <= 0.94
    assert 0.86 <= predicted / n <= 0.94


# places


def test_places_among_others_with_a_tie() -> None:
    x, y = np.array([0.9, 0.8, 0.8, 0.1]), np.array([0.1, 0.9, 0.8, 0.2])
    shifts = [rank_shift(i, range(4), x, y).places for i in range(4)]
    assert shifts == [1.0 - 4, 2.5 - 1, 2.5 - 2, 4.0 - 3]
    assert sum(shifts) == 0


def test_a_newcomer_is_placed_among_others_that_do_not_see_it() -> None:
    x, y = np.array([0.5, 0.9, 0.1]), np.array([0.99, 0.9, 0.1])
    assert rank_shift(0, [1, 2], x, y)[:3] == (2.0, 1.0, 1.0)
    assert rank_shift(1, [1, 2], x, y)[:3] == (1.0, 1.0, 0.0)


def test_the_interval_of_a_shift_holds_it_and_is_in_half_places() -> None:
    measured = [shares(k, 50) for k in (10, 20, 24, 25, 40)]
    noisy = replicates(measured, 300, 0), replicates(measured[::-1], 300, 1)
    x = np.array([0.2, 0.4, 0.48, 0.5, 0.8])
    for i in range(5):
        found = rank_shift(i, range(5), x, x[::-1], noisy=noisy)
        assert found.low is not None
        assert found.high is not None
        assert found.low <= found.places <= found.high
        assert 2 * found.low == int(2 * found.low)


# pass@k


def test_pass_at_k_is_the_share_of_draws_with_a_success() -> None:
    for n, passed, k in product(range(1, 7), range(7), range(1, 7)):
        if passed <= n and k <= n:
            draws = list(combinations([1] * passed + [0] * (n - passed), k))
            assert pass_at_k(n, passed, k) == pytest.approx(sum(map(any, draws)) / len(draws))


def test_pass_at_k_is_clustered_by_problem() -> None:
    once = pass_at_k_interval([1, 0, 1, 1] * 10, [1] * 40, 1)
    often = pass_at_k_interval([5, 0, 5, 5] * 10, [5] * 40, 1)
    assert (once.estimate, once.low, once.high, once.n) == (often.estimate, often.low, often.high, 40)


@pytest.mark.parametrize(("n", "passed", "k"), [(0, 0, 1), (3, 4, 1), (3, -1, 1), (3, 1, 4), (3, 1, 0)])
def test_impossible_counts_are_refused(n: int, passed: int, k: int) -> None:
    with pytest.raises(ValueError, match="expected"):
        pass_at_k(n, passed, k)


def test_as_many_counts_as_problems_are_needed() -> None:
    with pytest.raises(ValueError, match="one each"):
        pass_at_k_interval([1], [1, 1], 1)
