from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codearena_plugin.records import Interval
from codearena_plugin.scoring.pooling import between_variance, shrink
from codearena_plugin.scoring.rates import mean_interval, student_t

# Colditz et al. 1994: vaccinated ill, vaccinated well, others ill, others well; 13 trials of the BCG vaccine
BCG = """4 119 11 128; 6 300 29 274; 3 228 11 209; 62 13536 248 12619; 33 5036 47 5761; 180 1361 372 1079;
8 2537 10 619; 505 87886 499 87892; 29 7470 45 7232; 17 1699 65 1600; 186 50448 141 27197; 5 2493 3 2338;
27 16886 29 17825"""

shares = st.floats(0, 1)
cells_of_any_kind = st.lists(
    st.tuples(shares, st.integers(1, 200)).map(lambda c: Interval(c[0], 0.0, 1.0, None, c[1])), min_size=2, max_size=50
)
centres = st.tuples(shares, st.integers(2, 1000), st.floats(1.0, 15.0)).map(
    lambda c: Interval(c[0], 0.0, 1.0, c[2] / c[1], c[1])
)


def cell(estimate: float, n: int) -> Interval:
    return Interval(estimate, 0.0, 1.0, None, n)


def test_the_variance_between_13_trials_is_the_published_one() -> None:
    """The BCG trials, log risk ratios: Paule-Mandel 0.318 around -0.715 (R package metafor, dat.bcg, method "PM")."""
    rows = [[int(count) for count in row.split()] for row in BCG.split(";")]
    estimates = [math.log(a / (a + b) * (c + d) / c) for a, b, c, d in rows]
    variances = [1 / a - 1 / (a + b) + 1 / c - 1 / (c + d) for a, b, c, d in rows]
    assert between_variance(estimates, variances, -0.71497) == pytest.approx(0.3181, abs=1e-4)


def test_the_variance_between_equally_sure_cells_is_what_their_spread_leaves() -> None:
    """Equal variances v: tau² = Σ (y - c)² / (k - 1) - v; here 0.1 / 4 - 0.01."""
    assert between_variance([0.3, 0.4, 0.5, 0.6, 0.7], [0.01] * 5, 0.5) == pytest.approx(0.015)
    assert between_variance([0.3, 0.4, 0.5, 0.6, 0.7], [0.03] * 5, 0.5) == 0.0


def test_five_cells_by_hand() -> None:
    """sigma² = 100 * 0.04² = 0.16 and v = 0.16 / 16 = 0.01, so tau² = 0.015, B = 0.4 and B' = 0.2."""
    found = shrink([cell(y, 16) for y in (0.3, 0.4, 0.5, 0.6, 0.7)], Interval(0.5, 0.42, 0.58, 0.04, 100))
    assert [one.estimate for one in found] == pytest.approx([0.38, 0.44, 0.5, 0.56, 0.62])
    variance = 0.01 * 0.8 + 0.4**2 * 0.04**2 + 2 / 2 * 0.2**2 * 0.2**2
    assert found[0].stderr == pytest.approx(math.sqrt(variance))
    half = student_t(0.95, 99) * math.sqrt(variance)
    assert (found[0].low, found[0].high, found[0].n) == pytest.approx((0.38 - half, 0.38 + half, 16))


def test_cells_that_differ_by_chance_alone_come_to_lie_on_the_centre() -> None:
    centre = Interval(0.6, 0.5, 0.7, 0.045, 100)
    found = shrink([cell(y, 10) for y in (0.5, 0.55, 0.6, 0.65, 0.7)], centre)
    assert {one.estimate for one in found} == {0.6}
    assert all(one.high - one.low > 0.1 for one in found), "which is no proof that they are equal"


def test_cells_that_differ_far_beyond_chance_stay_where_they_are() -> None:
    cells = [cell(y, 10_000) for y in (0.1, 0.3, 0.5, 0.7, 0.9)]
    found = shrink(cells, Interval(0.5, 0.49, 0.51, 0.002, 50_000))
    assert [one.estimate for one in found] == pytest.approx([one.estimate for one in cells], abs=1e-3)


def test_a_small_cell_is_drawn_farther_than_a_large_one() -> None:
    cells = [cell(0.9, 4), cell(0.9, 40), cell(0.9, 400), cell(0.2, 100), cell(0.3, 100), cell(0.4, 100)]
    small, middle, large, *_ = shrink(cells, Interval(0.5, 0.46, 0.54, 0.02, 500))
    assert 0.5 < small.estimate < middle.estimate < large.estimate < 0.9
    assert small.high - small.low > middle.high - middle.low > large.high - large.low


def test_three_cells_or_a_centre_of_one_prompt_leave_everything_as_it_is() -> None:
    one, centre = mean_interval([1.0, 0.0, 0.5]), mean_interval([1.0, 0.0, 0.5, 1.0])
    for few in range(4):
        assert shrink([one] * few, centre) == [one] * few
    lonely = mean_interval([1.0])
    assert shrink([one, lonely] * 3, lonely) == [one, lonely] * 3


@given(cells_of_any_kind, centres)
def test_every_cell_moves_toward_the_centre_and_never_past_it(cells: list[Interval], centre: Interval) -> None:
    found = shrink(cells, centre)
    assert len(found) == len(cells)
    for raw, pooled in zip(cells, found, strict=True):
        ends = sorted((raw.estimate, centre.estimate))
        assert ends[0] <= pooled.estimate <= ends[1]
        assert 0 <= pooled.low <= pooled.estimate <= pooled.high <= 1
        assert len(cells) < 4 or (pooled.stderr is not None and pooled.stderr > 0)
        assert pooled.n == raw.n


@given(st.lists(st.tuples(shares, st.floats(1e-6, 1.0)), min_size=2, max_size=50), shares)
def test_the_variance_between_cells_solves_its_equation_or_is_0(
    drawn: list[tuple[float, float]], centre: float
) -> None:
    estimates, variances = zip(*drawn, strict=True)
    tau2 = between_variance(estimates, variances, centre)
    squares = sum((y - centre) ** 2 / (v + tau2) for y, v in drawn)
    assert tau2 >= 0
    if tau2 == 0:
        assert squares <= (len(drawn) - 1) * (1 + 1e-9)
    else:
        assert squares == pytest.approx(len(drawn) - 1, rel=1e-6)


@pytest.mark.parametrize(
    ("estimates", "variances"), [([], []), ([0.5], [0.1]), ([0.5, 0.6], [0.1]), ([0.5, 0.6], [0.1, 0.0])]
)
def test_variances_that_cannot_be_are_refused(estimates: list[float], variances: list[float]) -> None:
    with pytest.raises(ValueError, match="expected two or more, above 0"):
        between_variance(estimates, variances, 0.5)


@pytest.mark.parametrize("cells", [[], [cell(0.5, 3)] * 4])
def test_a_confidence_outside_0_to_1_is_refused(cells: list[Interval]) -> None:
    with pytest.raises(ValueError, match="confidence is"):
        shrink(cells, mean_interval([1.0, 0.0]), confidence=95)


class Setting(NamedTuple):
    """Sizes of the cells, mean and standard deviation of their true scores."""

    sizes: tuple[int, ...]
    mean: float
    sd: float


CLASSES = (120, 80, 60, 50, 40, 30, 17)  # 397 prompts
SUB_CLASSES = (60, 50, 40, 35, 30, 25, 22, 20, 18, 15, 14, 12, 10, 9, 8, 7, 6, 5, 4, 3)
LANGUAGES = (*(1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5, 6, 6, 6, 7, 7, 8), *range(8, 30))
SETTINGS = [
    Setting(sizes, mean, sd)
    for sizes in ((150, 120, 80, 47), CLASSES, SUB_CLASSES, LANGUAGES)
    for mean in (0.5, 0.85)
    for sd in (0.0, 0.05, 0.1, 0.2)
]


def drawn_scores(rng: np.random.Generator, truth: float, n: int) -> list[float]:
    """Return wins, ties and losses of mean ``truth``; up to a fifth are ties."""
    ties = min(0.2, 2 * truth, 2 * (1 - truth))
    draw = rng.random(n)
    wins = truth - ties / 2
    return [float(x) for x in np.where(draw < wins, 1.0, np.where(draw < wins + ties, 0.5, 0.0))]


def simulated(setting: Setting, n_runs: int, seed: int) -> tuple[float, float, float]:
    """Return the coverage of nominal 90 % pooled intervals, and the mean squared errors of pooled and raw scores."""
    rng = np.random.default_rng(seed)
    covered, pooled_errors, raw_errors = [], [], []
    for _ in range(n_runs):
        truths = np.clip(setting.mean + setting.sd * rng.standard_normal(len(setting.sizes)), 0.01, 0.99)
        scores = [drawn_scores(rng, truth, n) for truth, n in zip(truths, setting.sizes, strict=True)]
        centre = mean_interval([score for cell_scores in scores for score in cell_scores])
        cells = [mean_interval(cell_scores) for cell_scores in scores]
        for raw, pooled, truth in zip(cells, shrink(cells, centre, confidence=0.9), truths, strict=True):
            covered.append(pooled.low <= truth <= pooled.high)
            pooled_errors.append((pooled.estimate - truth) ** 2)
            raw_errors.append((raw.estimate - truth) ** 2)
    return float(np.mean(covered)), float(np.mean(pooled_errors)), float(np.mean(raw_errors))


def test_pooled_cells_are_nearer_the_truth_and_their_90_percent_intervals_cover_it() -> None:
    """Where cells differ so much that there is little to pool (4 cells, ± 0.2), nothing is gained and little lost."""
    found = []
    for place, setting in enumerate(SETTINGS):
        coverage, pooled, raw = simulated(setting, 80, seed=place)
        print(
            f"{len(setting.sizes):3} cells, mean {setting.mean:.2f} ± {setting.sd:.2f}: coverage {coverage:.3f}, "
            f"root mean squared error {math.sqrt(pooled):.3f} (raw {math.sqrt(raw):.3f})"
        )
        assert coverage >= 0.85, setting
        assert pooled < 1.05 * raw, setting
        found.append((coverage, pooled, raw))
    coverage, pooled, raw = np.mean(found, axis=0)
    assert coverage >= 0.88
    assert pooled < 0.5 * raw
