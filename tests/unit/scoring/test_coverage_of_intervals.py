"""Do nominal 90 % intervals cover the truth 88-92 % of the time, whatever the judge is like?

Each simulated run has 397 prompts with a latent quality, a judge with position bias and noise, five labels and two
games a prompt, of which 1 % is missing. The truth is the superpopulation mean, integrated exactly over the prompts.
Run this file with ``-s`` to see the table.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import ndtr

from codearena_plugin.records import Outcome
from codearena_plugin.scoring.paired import difference_of_scores, mean_scores
from codearena_plugin.scoring.summary import summarise

THRESHOLDS = np.array([-1.6, -0.35, 0.35, 1.6])  # of the judge's impression: A>>B | A>B | A=B | B>A | B>>A
POSITION_BIAS = 0.4  # added to the impression of whoever stands first
MISSING = 0.01  # of games
SHARED = 0.7  # part of the prompts' variance that two models have in common


class Judge(NamedTuple):
    """Standard deviations of the latent quality between prompts and of the judge's impression between games."""

    prompt_sd: float
    game_sd: float


NOISY, CONSISTENT = Judge(prompt_sd=0.6, game_sd=1.5), Judge(prompt_sd=1.5, game_sd=0.4)
SCORES = (0.0, 0.5, 1.0, None)


def truth(mean: float, judge: Judge) -> tuple[float, float]:
    """Return (score, win rate) over all prompts that could be asked: a sum over a fine grid of latent qualities."""
    z = np.linspace(-8, 8, 8001)
    weight = np.exp(-(z**2) / 2)
    weight /= weight.sum()
    quality = (mean + judge.prompt_sd * z)[:, None]
    games = []
    for bias in (-POSITION_BIAS, POSITION_BIAS):
        below = ndtr((THRESHOLDS - quality - bias) / judge.game_sd)  # shape (8001, 4)
        games.append(np.diff(below, prepend=0.0, append=1.0, axis=1))  # shape (8001, 5): P(points = -2 .. 2)
    win = sum(games[0][:, i] * games[1][:, j] for i in range(5) for j in range(5) if i + j > 4)
    tie = sum(games[0][:, i] * games[1][:, 4 - i] for i in range(5))
    return float(weight @ (win + tie / 2)), float(weight @ win)


def simulate(rng: np.random.Generator, quality: NDArray[np.float64], judge: Judge) -> list[list[Outcome]]:
    """Return the outcomes of each run; ``quality`` has shape (n_runs, n_prompts)."""
    total = np.zeros(quality.shape)
    for bias in (-POSITION_BIAS, POSITION_BIAS):
        impression = quality + bias + judge.game_sd * rng.standard_normal(quality.shape)
        points = np.searchsorted(THRESHOLDS, impression) - 2.0
        points[rng.random(quality.shape) < MISSING] = np.nan
        total += points
    column = np.where(np.isnan(total), 3, np.sign(np.nan_to_num(total)) + 1).astype(int)
    # one object per (prompt, score), shared by all runs: making them is what would take the time
    known = [[Outcome(f"p{i:03d}", score, None, None) for score in SCORES] for i in range(quality.shape[1])]
    return [[choices[k] for choices, k in zip(known, row, strict=True)] for row in column.tolist()]


def measured(
    judge: Judge, *, n_prompts: int, n_runs: int, mean: float, seed: int, title: str
) -> dict[str, tuple[float, float]]:
    """Return statistic -> (coverage, mean width) of nominal 90 % intervals, and print them."""
    rng = np.random.default_rng(seed)
    common = np.sqrt(SHARED) * rng.standard_normal((n_runs, n_prompts))
    means = (mean, mean - 0.25)
    runs = []
    for one in means:
        own = np.sqrt(1 - SHARED) * rng.standard_normal((n_runs, n_prompts))
        runs.append(simulate(rng, one + judge.prompt_sd * (common + own), judge))
    (score, win), (other_score, _) = (truth(one, judge) for one in means)
    expected = {"score": score, "win_rate": win, "difference": score - other_score}
    found: dict[str, list[tuple[bool, float]]] = {name: [] for name in expected}
    for first, second in zip(*runs, strict=True):
        summary = summarise(first, confidence=0.9)
        paired = difference_of_scores(mean_scores(first), mean_scores(second), confidence=0.9)
        for name, interval in (
            ("score", summary.score),
            ("win_rate", summary.win_rate),
            ("difference", paired.difference),
        ):
            assert interval is not None
            found[name].append((interval.low <= expected[name] <= interval.high, interval.high - interval.low))
    table = {name: tuple(np.mean(rows, axis=0).tolist()) for name, rows in found.items()}
    for name, (coverage, width) in table.items():
        print(f"{title:26} {name:10} truth {expected[name]:6.3f}  coverage {coverage:.3f}  width {width:.4f}")
    return table


@pytest.fixture(scope="module", params=[NOISY, CONSISTENT], ids=["noisy", "consistent"])
def full_run(request: pytest.FixtureRequest) -> dict[str, tuple[float, float]]:
    title = "noisy, 397 prompts" if request.param == NOISY else "consistent, 397 prompts"
    return measured(request.param, n_prompts=397, n_runs=2000, mean=0.3, seed=20241206, title=title)


def test_nominal_90_percent_intervals_cover_88_to_92_percent(full_run: dict[str, tuple[float, float]]) -> None:
    for name, (coverage, _) in full_run.items():
        assert 0.88 <= coverage <= 0.92, name


def test_a_paired_difference_is_narrower_than_two_separate_intervals(full_run: dict[str, tuple[float, float]]) -> None:
    assert full_run["difference"][1] < np.sqrt(2) * full_run["score"][1]


@pytest.mark.parametrize(
    ("judge", "n_prompts", "mean", "name"),
    [
        (NOISY, 28, 0.3, "noisy, 28 prompts"),
        (CONSISTENT, 28, 0.3, "consistent, 28 prompts"),
        (NOISY, 397, 2.25, "noisy, 397, skewed"),
        (CONSISTENT, 397, 2.95, "consistent, 397, skewed"),
        (NOISY, 28, 2.25, "noisy, 28, skewed"),
        (CONSISTENT, 28, 2.95, "consistent, 28, skewed"),
    ],
)
def test_small_and_skewed_runs_are_covered_at_least_86_percent(
    judge: Judge, n_prompts: int, mean: float, name: str
) -> None:
    table = measured(judge, n_prompts=n_prompts, n_runs=1000, mean=mean, seed=7, title=name)
    for coverage, _ in table.values():
        assert coverage >= 0.86
