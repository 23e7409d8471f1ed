"""Where models stand who met several baselines, or each other: a Bradley–Terry model over all their comparisons.

A strength is the log-odds of beating the board's reference; scores are those odds as an expected score.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.special import expit, stdtr

from codearena_plugin.errors import DataError
from codearena_plugin.leaderboard.controlled import as_score, stderr_of
from codearena_plugin.leaderboard.record import CONFIDENCE, Pair
from codearena_plugin.leaderboard.rows import Array, Row, comparisons_of, prompts_met
from codearena_plugin.leaderboard.standing import Standing, places_of_fit
from codearena_plugin.records import Interval
from codearena_plugin.scoring.bradley_terry import Fit, NotConnectedError, bootstrap_fit, fit
from codearena_plugin.scoring.paired import holm
from codearena_plugin.scoring.rates import student_t

# 720 points: the ends of an interval are then right to 1 in 100,000 of its width
_ANGLES = np.linspace(0.0, 2 * np.pi, 720, endpoint=False)
_CIRCLE = np.array([np.cos(_ANGLES), np.sin(_ANGLES)])


def standing_by_fit(rows: Sequence[Row], names: Sequence[str], weights: Array) -> tuple[Standing, list[str]]:
    """Return where each model stands by a fit over all rows, and what a reader should know about the fit.

    Args:
        rows: comparisons; a model's index is its place in ``names``, -1 the reference.
        names: of the models, shape (M,).
        weights: resamples of the prompts, shape (B, P).

    Raises:
        DataError: some models never met the others, directly or through others.
    """
    comparisons = comparisons_of(rows, np.zeros((len(rows), 0)), n_models=len(names), n_prompts=weights.shape[1])
    try:
        found = fit(comparisons)
    except NotConnectedError as exc:
        apart = ", ".join(names[m] for m in exc.models)
        msg = (
            f"The runs do not make one leaderboard: {apart} never met the reference, not even through others; leave "
            "these runs out, or add runs of one model against both baselines."
        )
        raise DataError(msg) from exc
    except ValueError as exc:
        msg = f"The runs do not make one leaderboard: {exc}"
        raise DataError(msg) from exc
    replicates = bootstrap_fit(comparisons, found, weights)
    met = prompts_met(rows, len(names))
    scores = {name: as_score(float(found.strengths[m]), stderr_of(found, m), n=met[m]) for m, name in enumerate(names)}
    standing = Standing(
        scores=scores,
        places=places_of_fit(found, names, replicates, met),
        pairs=_pairs(found, names, scores),
    )
    return standing, _notes(found, names)


def _notes(found: Fit, names: Sequence[str]) -> list[str]:
    notes = [f"scores by Bradley–Terry over all runs, largest gradient {found.gradient_norm:.1e}"]
    if found.penalised:
        listed = ", ".join(names[m] for m in found.penalised)
        notes.append(f"won or lost everything, so one tie with the reference was added for each: {listed}")
    return notes


def _pairs(found: Fit, names: Sequence[str], scores: Mapping[str, Interval]) -> tuple[Pair, ...]:
    """Return all differences; an interval leaves out 0 exactly where the p-value is below 1 - its confidence."""
    order = sorted(range(len(names)), key=lambda m: (-scores[names[m]].estimate, names[m]))
    places = list(itertools.combinations(order, 2))
    made = [_difference(found, a, b, n=min(scores[names[a]].n, scores[names[b]].n)) for a, b in places]
    corrected = holm([p_value for _, p_value in made])
    return tuple(
        Pair(names[a], names[b], interval, p_value, p_holm, n_common=None)
        for (a, b), (interval, p_value), p_holm in zip(places, made, corrected, strict=True)
    )


def _difference(found: Fit, a: int, b: int, *, n: int) -> tuple[Interval, float]:
    """Return the difference of two scores and the p-value of "no difference", a t test in log-odds.

    The interval holds what the difference of scores is at pairs of strengths no more than t standard errors away (an
    ellipse in log-odds): it stays within [-1, 1] and is as skewed as scores are near an end, which a symmetric one
    is not (85 % at a nominal 95 %). Strengths are equal where scores are, so the test and the interval agree.

    References:
        Venzon & Moolgavkar 1988, Applied Statistics 37(1) (the interval, for a quadratic log-likelihood).
    """
    strengths, covariance = found.strengths[[a, b]], found.covariance[np.ix_([a, b], [a, b])]
    t = student_t(CONFIDENCE, max(1, n - 1))
    # the ellipse as points (cos, sin): first along a's own standard error, then along what b has besides
    spreads = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    both = float(spreads.prod())
    r = float(np.clip(covariance[0, 1] / both, -1.0, 1.0)) if both else 0.0
    around = np.array([_CIRCLE[0], r * _CIRCLE[0] + math.sqrt(1 - r * r) * _CIRCLE[1]])
    shown = expit(strengths[:, None] + t * spreads[:, None] * around)
    reached = shown[0] - shown[1]
    difference = float(expit(strengths[0]) - expit(strengths[1]))
    slopes = expit(strengths) * expit(-strengths)
    low, high = min(difference, float(reached.min())), max(difference, float(reached.max()))
    p_value = _p_value(float(strengths[0] - strengths[1]), _spread(covariance, np.array([1.0, -1.0])), n)
    if p_value >= 1 - CONFIDENCE:  # the ellipse holds equal strengths, be it between two of the points
        low, high = min(low, 0.0), max(high, 0.0)
    stderr = _spread(covariance, np.array([slopes[0], -slopes[1]]))
    return Interval(difference, low, high, stderr=stderr, n=n), p_value


def _spread(covariance: Array, direction: Array) -> float:
    return math.sqrt(max(0.0, float(direction @ covariance @ direction)))


def _p_value(difference: float, stderr: float, n: int) -> float:
    if stderr == 0:  # nothing varied: no evidence either way
        return 1.0
    return float(2 * stdtr(max(1, n - 1), -abs(difference) / stderr))
