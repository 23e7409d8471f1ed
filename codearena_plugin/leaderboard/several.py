"""Where models stand who met several baselines, or each other: a Bradley–Terry model over all their comparisons.

A strength is the log-odds of beating the board's reference; scores are those odds as an expected score.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

import numpy as np

from codearena_plugin.errors import DataError
from codearena_plugin.leaderboard.controlled import as_score, stderr_of
from codearena_plugin.leaderboard.record import CONFIDENCE, Pair
from codearena_plugin.leaderboard.rows import Array, Row, comparisons_of
from codearena_plugin.leaderboard.standing import Standing, percentiles, places_of
from codearena_plugin.records import Interval
from codearena_plugin.scoring.bradley_terry import Fit, bootstrap_fit, fit
from codearena_plugin.scoring.paired import holm
from codearena_plugin.scoring.rates import student_t


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
    except ValueError as exc:
        msg = f"The runs do not make one leaderboard: {exc}"
        raise DataError(msg) from exc
    replicates = 1 / (1 + np.exp(-bootstrap_fit(comparisons, found, weights)))
    met = _prompts_met(rows, len(names))
    scores = {name: as_score(float(found.strengths[m]), stderr_of(found, m), n=met[m]) for m, name in enumerate(names)}
    standing = Standing(
        scores=scores,
        bootstrap=percentiles(names, replicates),
        places=places_of({name: interval.estimate for name, interval in scores.items()}, replicates),
        pairs=_pairs(found, names, scores, n_prompts=weights.shape[1]),
    )
    return standing, _notes(found, names)


def _prompts_met(rows: Sequence[Row], n_models: int) -> list[int]:
    met: list[set[int]] = [set() for _ in range(n_models)]
    for row in rows:
        met[row.model].add(row.prompt)
        if row.opponent >= 0:
            met[row.opponent].add(row.prompt)
    return [len(prompts) for prompts in met]


def _notes(found: Fit, names: Sequence[str]) -> list[str]:
    notes = [f"scores by Bradley–Terry over all runs, largest gradient {found.gradient_norm:.1e}"]
    if found.penalised:
        listed = ", ".join(names[m] for m in found.penalised)
        notes.append(f"won or lost everything, so one tie with the reference was added for each: {listed}")
    return notes


def _pairs(found: Fit, names: Sequence[str], scores: Mapping[str, Interval], *, n_prompts: int) -> tuple[Pair, ...]:
    """Return all differences: tested in log-odds, where the fit is linear, and shown as scores (delta method)."""
    order = sorted(range(len(names)), key=lambda m: (-scores[names[m]].estimate, names[m]))
    t = student_t(CONFIDENCE, max(1, n_prompts - 1))
    slopes = [scores[name].estimate * (1 - scores[name].estimate) for name in names]
    made: list[tuple[int, int, Interval, float]] = []
    for a, b in itertools.combinations(order, 2):
        covariance = found.covariance[np.ix_([a, b], [a, b])]
        in_log_odds = _spread(covariance, np.array([1.0, -1.0]))
        as_scores = _spread(covariance, np.array([slopes[a], -slopes[b]]))
        estimate = scores[names[a]].estimate - scores[names[b]].estimate
        low, high = max(-1.0, estimate - t * as_scores), min(1.0, estimate + t * as_scores)
        interval = Interval(estimate, low, high, stderr=as_scores, n=n_prompts)
        made.append((a, b, interval, _p_value(float(found.strengths[a] - found.strengths[b]), in_log_odds, n_prompts)))
    corrected = holm([p_value for *_, p_value in made])
    return tuple(
        Pair(names[a], names[b], interval, p_value, p_holm, n_common=None)
        for (a, b, interval, p_value), p_holm in zip(made, corrected, strict=True)
    )


def _spread(covariance: Array, direction: Array) -> float:
    return math.sqrt(max(0.0, float(direction @ covariance @ direction)))


def _p_value(difference: float, stderr: float, n_prompts: int) -> float:
    from scipy.special import stdtr

    if stderr == 0:  # nothing varied: no evidence either way
        return 1.0
    return float(2 * stdtr(max(1, n_prompts - 1), -abs(difference) / stderr))
