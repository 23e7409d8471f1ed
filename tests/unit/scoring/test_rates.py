from __future__ import annotations

import gzip
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codearena_plugin.records import LABELS, ORDERS
from codearena_plugin.scoring.points import game_points
from codearena_plugin.scoring.rates import mean_interval

GOLDEN = Path(__file__).resolve().parents[4] / "shared" / "data" / "stats_golden"
scores = st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=1, max_size=60)
clustered = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 8)), min_size=1, max_size=60)


@given(clustered, st.sampled_from([0.01, 0.5, 0.9, 0.95, 1 - 2**-53]))
def test_an_interval_holds_its_estimate_lies_in_bounds_and_has_a_width(
    rows: list[tuple[float, int]], confidence: float
) -> None:
    values, clusters = [value for value, _ in rows], [name for _, name in rows]
    found = mean_interval(values, clusters=clusters, confidence=confidence)
    assert 0 <= found.low <= found.estimate <= found.high <= 1
    assert found.high > found.low
    assert found.n == len(set(clusters))
    assert found.estimate == pytest.approx(sum(values) / len(values))


@given(scores, st.randoms())
def test_the_order_of_the_prompts_is_irrelevant(values: list[float], random) -> None:
    shuffled = random.sample(values, len(values))
    assert mean_interval(shuffled) == mean_interval(values)


@given(scores)
def test_swapping_wins_and_losses_mirrors_the_interval(values: list[float]) -> None:
    found, mirrored = mean_interval(values), mean_interval([1 - value for value in values])
    assert (mirrored.low, mirrored.high) == pytest.approx((1 - found.high, 1 - found.low))


@given(scores)
def test_other_bounds_only_change_the_unit(values: list[float]) -> None:
    found, points = mean_interval(values), mean_interval([200 * value - 100 for value in values], bounds=(-100, 100))
    assert (points.low, points.high) == pytest.approx((200 * found.low - 100, 200 * found.high - 100))


def test_binary_values_get_the_textbook_standard_error_and_nearly_wilsons_interval() -> None:
    """Wilson at 95 % for 40 of 50, e.g. Brown, Cai & DasGupta 2001: 0.670 to 0.888; t and n - 1 widen it a little."""
    found = mean_interval([1.0] * 40 + [0.0] * 10)
    assert found.stderr == pytest.approx(math.sqrt(0.8 * 0.2 / 49))
    assert (found.low, found.high) == pytest.approx((0.670, 0.888), abs=0.008)


def test_doubling_every_prompt_adds_no_certainty() -> None:
    values = [1.0, 0.0, 0.5, 1.0, 0.0, 0.0, 1.0]
    once = mean_interval(values, clusters=range(7))
    twice = mean_interval(values * 2, clusters=[*range(7), *range(7)])
    assert (twice.low, twice.high, twice.stderr) == pytest.approx((once.low, once.high, once.stderr))
    assert twice.n == once.n == 7


def test_all_wins_leave_room_for_a_loss() -> None:
    found = mean_interval([1.0] * 28)
    assert (found.estimate, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(28 / (28 + 2.0518**2), abs=1e-4)
    assert found.stderr == pytest.approx(1 / 28)


def test_all_losses_mirror_all_wins() -> None:
    assert mean_interval([0.0] * 28).high == pytest.approx(1 - mean_interval([1.0] * 28).low)


@pytest.mark.parametrize(("n", "half"), [(28, 0.068), (397, 0.005)])
def test_all_ties_are_not_certain_to_go_on(n: int, half: float) -> None:
    found = mean_interval([0.5] * n)
    assert (found.low, found.high) == pytest.approx((0.5 - half, 0.5 + half), abs=1e-3)


def test_a_better_outcome_never_lowers_either_end_of_the_interval() -> None:
    """With a mere variance floor 27 wins and a tie get a higher lower end than 28 wins."""
    n = 12
    ends = {
        (wins, ties): mean_interval([1.0] * wins + [0.5] * ties + [0.0] * (n - wins - ties))
        for wins in range(n + 1)
        for ties in range(n + 1 - wins)
    }
    for (wins, ties), found in ends.items():
        for better in ((wins + 1, ties - 1), (wins, ties + 1)):
            if better in ends:
                assert ends[better].low >= found.low
                assert ends[better].high >= found.high


def test_a_single_prompt_says_nothing_about_the_others() -> None:
    found = mean_interval([1.0])
    assert (found.estimate, found.low, found.high, found.stderr, found.n) == (1.0, 0.0, 1.0, None, 1)
    assert mean_interval([1.0, 0.5, 0.0], clusters=["p", "p", "p"]).stderr is None


def test_no_values_have_no_mean() -> None:
    with pytest.raises(ValueError, match="No values"):
        mean_interval([])


@pytest.mark.parametrize("bad", [math.nan, math.inf, -0.1, 1.5])
def test_a_value_that_is_no_rate_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="A value is"):
        mean_interval([0.5, bad])


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95, math.nan])
@pytest.mark.parametrize("values", [[1.0], [1.0, 0.0]])
def test_a_confidence_outside_0_to_1_is_refused(values: list[float], confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence is"):
        mean_interval(values, confidence=confidence)


def test_clusters_must_name_every_value() -> None:
    with pytest.raises(ValueError, match="1 clusters for 2 values"):
        mean_interval([0.5, 0.5], clusters=["p"])


@pytest.mark.skipif(not GOLDEN.is_dir(), reason=f"{GOLDEN} is not here (shared data of the project)")
def test_weighted_game_means_and_clustered_intervals_equal_the_golden_ones() -> None:
    """Arena-hard's score: mean of games over complete rows, a strong verdict three times; 40 models × 397 prompts.

    ``wc`` holds the half-widths, in points, of 90 % percentile intervals from 100 cluster bootstraps, so the closed
    form meets them within the noise of those (the mean ratio was measured as 0.97).
    """
    golden = json.loads((GOLDEN / "golden_ours.json").read_text())
    values: dict[str, list[float]] = {model: [] for model in golden["models"]}
    clusters: dict[str, list[str]] = {model: [] for model in golden["models"]}
    with gzip.open(GOLDEN / "arena_hard_v2_format_397x40x2.jsonl.gz", "rt") as lines:
        for row in map(json.loads, lines):
            labels = [game and game["score"] for game in row["games"]]
            if any(label not in LABELS for label in labels):
                continue
            for label, order in zip(labels, ORDERS, strict=True):
                points = game_points(label, order)
                copies = 3 if abs(points) == 2 else 1
                values[row["model"]] += [(np.sign(points) + 1) / 2] * copies
                clusters[row["model"]] += [row["uid"]] * copies
    found = [mean_interval(values[model], clusters=clusters[model], confidence=0.9) for model in golden["models"]]
    assert [one.estimate for one in found] == pytest.approx(golden["score"], abs=1e-12)
    half_widths = np.array([50 * (one.high - one.low) for one in found])
    ratios = np.array(golden["wc"]) / half_widths
    assert ratios.mean() == pytest.approx(0.97, abs=0.02)
    assert np.all((ratios > 0.78) & (ratios < 1.2))
