"""Rank correlations, the line with noise on both axes, places, pass@k: hand-computed, properties, and coverage."""

from __future__ import annotations

import math
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codearena_plugin.records import Interval
from codearena_plugin.scoring.association.correlation import rank_correlation, rank_correlation_interval
from codearena_plugin.scoring.association.line import (
    Logit,
    NoLineError,
    Point,
    Residual,
    fit_line,
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
    found = rank_correlation_interval("kendall", x, x, noisy=noisy)
    assert found is not None
    assert found.estimate == found.other_models[1] == 1.0
    assert found.other_prompts is not None
    assert 0.5 < found.other_prompts[0] < found.other_prompts[1] == 1.0


@pytest.mark.parametrize("n", [5, 6, 30])
@pytest.mark.parametrize("kind", KINDS)
def test_a_perfect_order_of_a_few_models_is_not_taken_for_a_perfect_correlation(kind, n: int) -> None:
    """Five models are in one order by chance in 2 of 120 cases: that is no zero, and little more than that."""
    x = np.arange(n) / n
    up, down = (rank_correlation_interval(kind, x, sign * x) for sign in (1, -1))
    assert up is not None
    assert down is not None
    assert up.other_models == (-down.other_models[1], 1.0)
    low = up.other_models[0]
    assert (0 < low < 0.2) if n == 5 else (0.5 < low < 0.7) if n == 6 else (0.97 < low < 1)


def test_the_interval_over_models_is_fisher_s() -> None:
    """r = 0.86 of 30 models: artanh 1.2933, standard errors sqrt((1 + 0.86² / 2) / 27) and sqrt(0.5 / 26)."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=30)
    y = x + 0.5 * rng.normal(size=30)
    for kind, variance in (("spearman", lambda r: (1 + r * r / 2) / 27), ("kendall", lambda _: 0.5 / 26)):
        found = rank_correlation_interval(kind, x, y)
        assert found is not None
        half = 1.959964 * math.sqrt(variance(found.estimate))
        ends = [math.tanh(math.atanh(found.estimate) + side * half) for side in (-1, 1)]
        assert found.other_models == pytest.approx(ends, abs=1e-6)


@pytest.mark.parametrize("values", [[0.1, 0.2, 0.3, 0.4], [0.5] * 8])
def test_too_few_models_or_no_order_give_no_correlation(values: list[float]) -> None:
    assert rank_correlation_interval("spearman", np.array(values), np.arange(len(values)) / 9) is None


def test_shapes_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match="same models"):
        rank_correlation("spearman", np.zeros(3), np.zeros(4))


@pytest.mark.parametrize("n", [5, 8, 15, 30])
def test_the_interval_over_models_covers_what_it_says(n: int) -> None:
    """Binomial noise on both axes as on HumanEval+ and CodeArena; the truth is that of very many such models."""
    rng = np.random.default_rng(5)

    def measured(*shape: int) -> tuple[np.ndarray, np.ndarray]:
        x = rng.normal(1.1, 0.75, shape)
        y = 1.6 * x - 2.0 + rng.normal(0, 0.3, shape)
        return rng.binomial(164, 1 / (1 + np.exp(-x))) / 164, rng.binomial(392, 1 / (1 + np.exp(-y))) / 392

    many = both(*measured(1500))
    rounds = list(zip(*measured(500, n), strict=True))
    for kind, truth in zip(KINDS, many, strict=True):
        found = [one for x, y in rounds if (one := rank_correlation_interval(kind, x, y))]
        covered = np.mean([one.other_models[0] <= truth <= one.other_models[1] for one in found])
        assert covered >= 0.9, (kind, covered)
        assert n < 8 or covered <= 0.99, "few models are covered more often than need be, more are not"


def test_the_interval_over_prompts_covers_what_these_models_have_on_average() -> None:
    rng = np.random.default_rng(6)
    hits, rounds = 0, 80
    for _ in range(rounds):
        x = rng.normal(1.1, 0.75, 15)
        passing, winning = (1 / (1 + np.exp(-v)) for v in (x, 1.6 * x - 2.0 + rng.normal(0, 0.8, 15)))
        again = [rng.binomial(n, p, (300, 15)) / n for n, p in ((164, passing), (392, winning))]
        average = float(np.nanmean(rank_correlation("spearman", *again)))
        one = again[0][0], again[1][0]
        noisy = rng.binomial(164, one[0], (300, 15)) / 164, rng.binomial(392, one[1], (300, 15)) / 392
        found = rank_correlation_interval("spearman", *one, noisy=noisy)
        assert found is not None
        assert found.other_prompts is not None
        hits += found.other_prompts[0] <= average <= found.other_prompts[1]
    assert 0.89 <= hits / rounds <= 1


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


def share_at(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


def at(logit: float, variance: float = 0.01, n: int = 400) -> Interval:
    """Return what is measured, as an interval, of a model that is at this logit with this variance."""
    share = share_at(logit)
    half = 1.96 * math.sqrt(variance)
    estimate = ((n + 1) * share - 0.5) / n
    stderr = math.sqrt(variance) * share * (1 - share)
    return Interval(estimate, share_at(logit - half), share_at(logit + half), stderr, n)


def exact_points(n: int, intercept: float = -2.0, slope: float = 1.5) -> list[Point]:
    return [Point(at(x), at(intercept + slope * x)) for x in map(float, np.linspace(-1, 2.5, n))]


def left_out_residuals(points: list[Point], confidence: float = 0.95) -> list[Residual]:
    return [fit_line([*points[:i], *points[i + 1 :]]).residual(point, confidence) for i, point in enumerate(points)]


def test_an_interval_is_where_it_is_said_to_be_on_the_scale() -> None:
    assert logit_of(at(1.7, 0.03)) == pytest.approx(Logit(1.7, 0.03))


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
    points[5] = points[5]._replace(preference=at(points[5].y.value + 3))
    found = left_out_residuals(points)
    assert found[5].gap_low > 0.1
    assert found[5].p_value < 0.001
    assert found[5].expected == pytest.approx(fit_line(exact_points(12)).residual(points[5]).expected, abs=0.02)
    assert all(one.p_value > 0.2 for i, one in enumerate(found) if i != 5)


def test_the_sign_of_a_gap_is_that_of_score_less_expected_and_its_interval_holds_it() -> None:
    rng = np.random.default_rng(2)
    points = [Point(at(x, 0.04), at(x - 1 + rng.normal(), 0.02)) for x in rng.normal(size=15)]
    for point, one in zip(points, left_out_residuals(points), strict=True):
        assert one.gap == point.preference.estimate - one.expected
        assert one.gap_low < one.gap < one.gap_high
        assert 0 <= one.expected_low < one.expected < one.expected_high <= 1


def test_models_that_differ_by_noise_alone_have_no_line() -> None:
    same = [Point(at(1.0 + 0.01 * i, 0.05), at(float(i), 0.05)) for i in range(8)]
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


def test_a_gap_keeps_to_what_its_score_and_its_expected_score_can_be() -> None:
    """A score of 35 % known to 4 points, where next to nothing is expected: the gap is at most about 39 points."""
    points = exact_points(12)
    found = fit_line(points).residual(Point(at(-2.5, 0.04), at(-0.63, 0.0075)))
    assert found.expected < 0.03
    assert 0.2 < found.gap_low < found.gap < found.gap_high < at(-0.63, 0.0075).high


def test_a_score_of_nothing_is_expected_of_those_of_whom_next_to_nothing_is() -> None:
    """On the logit scale 0 is infinitely far away; of 40 prompts it is what 1 % and less often come to."""
    line = fit_line(exact_points(12))
    zero = shares(0, 40).interval(0.95)
    found = line.residual(Point(at(-1.5), zero))
    assert found.p_value > 0.05
    assert found.expected_low == 0.0 < found.expected
    assert (found.gap, found.gap_low < 0) == (-found.expected, True)


@pytest.mark.parametrize(
    ("n_models", "scatter", "mean", "rounds", "most"),
    [(30, 1.0, 1.1, 14, 0.94), (12, 0.5, 1.1, 25, 0.94), (10, 1.0, -1.5, 25, 0.95), (6, 1.0, 1.1, 40, 0.98)],
)
def test_intervals_cover_what_they_say(n_models: int, scatter: float, mean: float, rounds: int, most: float) -> None:
    """Binomial noise on both axes as on HumanEval+ and CodeArena; nominal 90 %: the true gap, and one more model.

    The true gap is in points: true score less what the true line gives for the true pass@1. With a mean of -1.5 most
    scores are near 0. Few models are covered more often than need be.
    """
    rng, gaps, predicted, alike, n = np.random.default_rng(3), 0, 0, 0, 0
    for _ in range(rounds):
        x = rng.normal(mean, 0.75, n_models)
        expected, own = 1.6 * x - 2.0, rng.normal(0, scatter, n_models)
        passed = rng.binomial(164, 1 / (1 + np.exp(-x)))
        won = rng.binomial(390, 1 / (1 + np.exp(-expected - own)))
        points = [
            Point(shares(k, 164).interval(0.9), shares(w, 390).interval(0.9)) for k, w in zip(passed, won, strict=True)
        ]
        try:
            residuals = left_out_residuals(points, 0.9)
        except NoLineError:
            continue
        for i, (point, found) in enumerate(zip(points, residuals, strict=True)):
            gaps += found.gap_low <= share_at(expected[i] + own[i]) - share_at(expected[i]) <= found.gap_high
            is_within = found.expected_low <= point.preference.estimate <= found.expected_high
            predicted += is_within
            alike += is_within == (found.p_value >= 0.1)
            n += 1
    assert n >= 0.9 * rounds * n_models
    assert 0.86 <= gaps / n <= most
    assert 0.86 <= predicted / n <= most
    assert alike == n, "outside the interval and p < 0.1 are the same"


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
