"""Do nominal 90 % intervals of style effects and of controlled scores cover the truth 88-92 % of the time?

Each simulated board has models with their own style on common prompts, a judge who likes length, stands by whoever
comes first and is noisy or consistent, five labels and two games a prompt, of which 1 % is missing. None of this is
logistic: the truth is what the same fit gives for the whole population of prompts, with the judge's noise integrated
exactly. Run this file with ``-s`` to see the tables.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit, ndtr, stdtrit

from codearena_plugin.scoring.bradley_terry import Comparisons, bootstrap_fit, fit
from codearena_plugin.scoring.resample import bootstrap_weights

Array = NDArray[np.float64]

THRESHOLDS = np.array([-1.6, -0.35, 0.35, 1.6])  # of the judge's impression: A>>B | A>B | A=B | B>A | B>>A
FIRST = 0.4  # added to the impression of whoever stands first
MISSING = 0.01  # of games
SHARED = 0.7  # part of the prompts' variance that all models have in common
QUALITY = np.array([-0.9, -0.3, 0.2, 0.6])
LENGTH = np.array([-0.5, 0.4, 0.0, 0.8])  # mean contrast of each model's answers with the baseline's
LIKING = np.array([0.5, -0.2])  # what the judge adds to its impression for length, and for headings
N_MODELS, N_PROMPTS, N_BOARDS, N_RESAMPLES = 4, 240, 1000, 200
CONFIDENCE = 0.9


class Judge(NamedTuple):
    """Standard deviations of the latent quality between prompts and of the judge's impression between games."""

    prompt_sd: float
    game_sd: float


class Board(NamedTuple):
    """Impressions without the games' noise, and contrasts of style; shape (P, M), and (P, M, 2)."""

    impressions: Array
    contrasts: Array


def draw_board(rng: np.random.Generator, judge: Judge, n_prompts: int) -> Board:
    shape = (n_prompts, N_MODELS)
    prompt = np.sqrt(SHARED) * rng.standard_normal((n_prompts, 1)) + np.sqrt(1 - SHARED) * rng.standard_normal(shape)
    # answers to hard prompts are longer, for all models
    length = LENGTH - 0.4 * prompt + rng.standard_normal(shape)
    headings = 0.5 * length + rng.standard_normal(shape)
    contrasts = np.stack([length, headings], axis=2)
    return Board(QUALITY + judge.prompt_sd * prompt + contrasts @ LIKING, contrasts)


def as_rows(board: Board, scores: Array, *, with_position: bool) -> Comparisons:
    """Return the rows of ``scores``, shape (P, M, n): n is 1 for outcomes, 2 for games; NaN where there is none."""
    n_prompts, _, n = scores.shape
    prompt, model, game = np.indices(scores.shape).reshape(3, -1)
    covariates = np.repeat(board.contrasts.reshape(-1, 2), n, axis=0)
    if with_position:
        covariates = np.column_stack([covariates, game - 0.5])
    known = ~np.isnan(scores.ravel())
    return Comparisons(
        model=model[known],
        opponent=np.full(known.sum(), -1),
        score=scores.ravel()[known],
        cluster=prompt[known],
        covariates=covariates[known],
        weight=np.ones(known.sum()),
        n_models=N_MODELS,
        n_clusters=n_prompts,
    )


def play(rng: np.random.Generator, board: Board, judge: Judge) -> Array:
    """Return the points of both games, -2 to 2, shape (P, M, 2), NaN where a game is missing."""
    shape = (*board.impressions.shape, 2)
    seen = board.impressions[..., None] + np.array([-FIRST, FIRST]) + judge.game_sd * rng.standard_normal(shape)
    points = np.searchsorted(THRESHOLDS, seen) - 2.0
    points[rng.random(shape) < MISSING] = np.nan
    return points


def expected(board: Board, judge: Judge, *, by_game: bool) -> Array:
    """Return the expected scores, shape (P, M, 2) of games or (P, M, 1) of outcomes, over the games' noise."""
    games = []
    for first in (-FIRST, FIRST):
        below = ndtr((THRESHOLDS - board.impressions[..., None] - first) / judge.game_sd)
        games.append(np.diff(below, prepend=0.0, append=1.0, axis=-1))  # P(points = -2 .. 2)
    if by_game:
        return np.stack([one @ np.array([0.0, 0.0, 0.5, 1.0, 1.0]) for one in games], axis=-1)
    win = sum(games[0][..., i] * games[1][..., j] for i in range(5) for j in range(5) if i + j > 4)
    tie = sum(games[0][..., i] * games[1][..., 4 - i] for i in range(5))
    return np.minimum(win + tie / 2, 1.0)[..., None]  # rounding


def scores_of(points: Array, *, by_game: bool) -> Array:
    return (np.sign(points if by_game else points.sum(axis=-1, keepdims=True)) + 1) / 2


class Measured(NamedTuple):
    """Shares of boards, shape (M + k,) each, whose interval covered the truth; and how much pairing narrows.

    Attributes:
        sandwich: of the intervals from the covariance.
        percentile: of those from resampled prompts.
        n_resampled: boards behind ``percentile``.
        narrowing: standard error of the difference of two models over that of two unrelated ones.
    """

    sandwich: Array
    percentile: Array
    n_resampled: int
    narrowing: float


def measured(judge: Judge, *, by_game: bool, seed: int, title: str) -> Measured:
    """Return and print how often intervals cover the truth, controlled scores first."""
    rng = np.random.default_rng(seed)
    population = draw_board(rng, judge, 40_000)
    whole = fit(as_rows(population, expected(population, judge, by_game=by_game), with_position=by_game))
    truth = as_shown(np.concatenate([whole.strengths, whole.coefficients]))
    t = -stdtrit(N_PROMPTS - 1, (1 - CONFIDENCE) / 2)
    weights = bootstrap_weights(N_PROMPTS, N_RESAMPLES, seed)
    n_resampled = 300 if by_game else 800  # a question of time
    sandwich, percentile, widths, narrowing = [], [], [], []
    for number in range(N_BOARDS):
        board = draw_board(rng, judge, N_PROMPTS)
        rows = as_rows(board, scores_of(play(rng, board, judge), by_game=by_game), with_position=by_game)
        found = fit(rows)
        estimates = np.concatenate([found.strengths, found.coefficients])
        half = t * np.sqrt(np.diag(found.covariance))
        low, high = as_shown(estimates - half), as_shown(estimates + half)
        sandwich.append((low <= truth) & (truth <= high))
        widths.append(high - low)
        (first, between), (_, second) = found.covariance[1:3, 1:3]
        narrowing.append(np.sqrt(1 - 2 * between / (first + second)))
        if number < n_resampled:
            resampled = as_shown(bootstrap_fit(rows, found, weights))
            low, high = np.quantile(resampled, ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2), axis=0)
            percentile.append((low <= truth) & (truth <= high))
    table = Measured(np.mean(sandwich, axis=0), np.mean(percentile, axis=0), n_resampled, float(np.mean(narrowing)))
    names = (*(f"score {m}" for m in range(N_MODELS)), "length", "headings", "position")
    for i, (value, width) in enumerate(zip(truth, np.mean(widths, axis=0), strict=True)):
        covered = f"sandwich {table.sandwich[i]:.3f}  percentile {table.percentile[i]:.3f}"
        print(f"{title:20} {names[i]:9} truth {value:6.3f}  width {width:.3f}  {covered}")
    return table


def as_shown(parameters: Array) -> Array:
    """Return strengths as controlled scores, and coefficients as they are."""
    return np.concatenate([expit(parameters[..., :N_MODELS]), parameters[..., N_MODELS:]], axis=-1)


@pytest.fixture(
    scope="module",
    params=[
        (Judge(prompt_sd=0.6, game_sd=1.5), False, "noisy, outcomes"),
        (Judge(prompt_sd=1.5, game_sd=0.4), False, "consistent, outcomes"),
        (Judge(prompt_sd=1.5, game_sd=0.4), True, "consistent, games"),
    ],
    ids=lambda param: param[2],
)
def found(request: pytest.FixtureRequest) -> Measured:
    judge, by_game, title = request.param
    return measured(judge, by_game=by_game, seed=20241206, title=title)


def test_nominal_90_percent_intervals_of_each_effect_cover_88_to_92_percent(found: Measured) -> None:
    assert np.all((found.sandwich[N_MODELS:] >= 0.88) & (found.sandwich[N_MODELS:] <= 0.92))


def test_nominal_90_percent_intervals_of_controlled_scores_cover_88_to_92_percent(found: Measured) -> None:
    """Over the models; each of them within three standard errors of a share measured on so many boards."""
    assert 0.88 <= found.sandwich[:N_MODELS].mean() <= 0.92
    assert np.all(np.abs(found.sandwich[:N_MODELS] - 0.9) <= 3 * np.sqrt(0.9 * 0.1 / N_BOARDS))


def test_nominal_90_percent_percentile_intervals_cover_88_to_92_percent(found: Measured) -> None:
    """Over all parameters; each of them within three standard errors of a share measured on so many boards."""
    assert 0.88 <= found.percentile.mean() <= 0.92
    assert np.all(np.abs(found.percentile - 0.9) <= 3 * np.sqrt(0.9 * 0.1 / found.n_resampled))


def test_models_on_common_prompts_are_told_apart_better_than_their_own_intervals_suggest(found: Measured) -> None:
    assert found.narrowing < 0.98
