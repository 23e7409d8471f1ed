"""Where models stand who all met one baseline: mean scores, ranks and paired differences over the same prompts.

With one baseline the mean score is the maximum-likelihood strength of a Bradley–Terry model, so nothing is fitted.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codearena_plugin.errors import DataError
from codearena_plugin.leaderboard.record import CONFIDENCE, Pair, Place
from codearena_plugin.records import Interval, Outcome
from codearena_plugin.scoring.paired import difference_of_scores, holm, mean_scores
from codearena_plugin.scoring.ranks import rank_intervals
from codearena_plugin.scoring.resample import percentile_interval, resampled_means
from codearena_plugin.scoring.summary import summarise

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Standing:
    """Where each model stands, by name; see ``record.Entry`` for what the values mean."""

    scores: Mapping[str, Interval]
    bootstrap: Mapping[str, tuple[float, float]]
    places: Mapping[str, Place]
    pairs: tuple[Pair, ...]


def standing_of(outcomes: Mapping[str, Sequence[Outcome]], prompt_ids: Sequence[str], weights: Array) -> Standing:
    """Return scores, intervals, ranks and all paired differences.

    Args:
        outcomes: model -> its outcomes, at least one of them scored.
        prompt_ids: of all prompts, shape (P,): the clusters of every uncertainty.
        weights: one matrix of resamples of the prompts for all models, shape (B, P): differences stay paired.

    Raises:
        DataError: two models have no scored prompt in common.
    """
    by_model = {name: mean_scores(found) for name, found in outcomes.items()}
    scores = {name: _score(found, name) for name, found in outcomes.items()}
    matrix = _matrix(by_model, prompt_ids)
    known = np.isfinite(matrix)
    replicates = resampled_means(np.where(known, matrix, 0.0), known.astype(np.float64), weights)
    estimates = {name: interval.estimate for name, interval in scores.items()}
    return Standing(
        scores=scores,
        bootstrap=percentiles(list(outcomes), replicates),
        places=places_of(estimates, replicates),
        pairs=_pairs(by_model, estimates),
    )


def _matrix(by_model: Mapping[str, Mapping[str, float]], prompt_ids: Sequence[str]) -> Array:
    """Return the scores as one matrix, shape (P, M), NaN where there is none."""
    columns = [[scores.get(key, np.nan) for key in prompt_ids] for scores in by_model.values()]
    matrix: Array = np.array(columns, dtype=np.float64).reshape(len(by_model), len(prompt_ids)).T
    return matrix


def percentiles(names: Sequence[str], replicates: Array) -> dict[str, tuple[float, float]]:
    """Return the percentile interval of each column of ``replicates``, shape (B, M), by the name of the column."""
    low, high = percentile_interval(replicates, CONFIDENCE)
    return {name: (float(low[i]), float(high[i])) for i, name in enumerate(names)}


def places_of(estimates: Mapping[str, float], replicates: Array) -> dict[str, Place]:
    """Return the rank of each model and the ranks that it takes in the resamples, shape (B, M)."""
    found = rank_intervals(np.array(list(estimates.values())), replicates, CONFIDENCE)
    return {name: Place(*map(int, rank)) for name, rank in zip(estimates, found, strict=True)}


def _score(outcomes: Sequence[Outcome], name: str) -> Interval:
    interval = summarise(outcomes, confidence=CONFIDENCE).score
    if interval is None:
        msg = f"{name!r} has no scored prompt, expected at least one of {len(outcomes)}."
        raise DataError(msg)
    return interval


def _pairs(by_model: Mapping[str, Mapping[str, float]], estimates: Mapping[str, float]) -> tuple[Pair, ...]:
    by_score = sorted(by_model, key=lambda name: (-estimates[name], name))
    names = list(itertools.combinations(by_score, 2))
    found = []
    for a, b in names:
        try:
            found.append(difference_of_scores(by_model[a], by_model[b], confidence=CONFIDENCE))
        except ValueError as exc:
            msg = f"{a!r} and {b!r} cannot be compared: {exc}"
            raise DataError(msg) from exc
    corrected = holm([one.p_value for one in found])
    return tuple(
        Pair(a, b, one.difference, one.p_value, p_holm, one.n_common, one.only_a, one.only_b)
        for (a, b), one, p_holm in zip(names, found, corrected, strict=True)
    )
