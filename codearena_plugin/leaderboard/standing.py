"""Where models stand who all met one baseline: mean scores, ranks and paired differences over the same prompts.

With one baseline the mean score is the maximum-likelihood strength of a Bradley–Terry model, so nothing is fitted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codearena_plugin.errors import DataError
from codearena_plugin.leaderboard.record import CONFIDENCE, Pair, Place
from codearena_plugin.records import Interval, Outcome
from codearena_plugin.runs.compare import pairs_of
from codearena_plugin.scoring.bradley_terry import Fit
from codearena_plugin.scoring.paired import mean_scores
from codearena_plugin.scoring.ranks import Rank, ranks_of_scores, ranks_of_strengths
from codearena_plugin.scoring.summary import summarise

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Standing:
    """Where each model stands, by name; see ``record.Entry`` for what the values mean."""

    scores: Mapping[str, Interval]
    places: Mapping[str, Place]
    pairs: tuple[Pair, ...]


def standing_of(outcomes: Mapping[str, Sequence[Outcome]], prompt_ids: Sequence[str], weights: Array) -> Standing:
    """Return scores, intervals, ranks and all paired differences.

    A rank follows the score, over all prompts that the model has; the ranks that the data cannot rule out follow the
    differences, each over the prompts that both models have. So who is surely above another is told apart from it.

    Args:
        outcomes: model -> its outcomes, at least one of them scored.
        prompt_ids: of all prompts, shape (P,): the clusters of every uncertainty.
        weights: one matrix of resamples of the prompts for all models, shape (B, P): differences stay paired.

    Raises:
        DataError: two models have no scored prompt in common.
    """
    by_model = {name: mean_scores(found) for name, found in outcomes.items()}
    scores = {name: _score(found, name) for name, found in outcomes.items()}
    estimates = {name: interval.estimate for name, interval in scores.items()}
    pairs = _pairs(by_model, estimates)
    ranks = ranks_of_scores(np.array(list(estimates.values())), _matrix(by_model, prompt_ids), weights, CONFIDENCE)
    return Standing(scores=scores, places=_places(estimates, ranks), pairs=pairs)


def _matrix(by_model: Mapping[str, Mapping[str, float]], prompt_ids: Sequence[str]) -> Array:
    """Return the scores as one matrix, shape (P, M), NaN where there is none."""
    columns = [[scores.get(key, np.nan) for key in prompt_ids] for scores in by_model.values()]
    matrix: Array = np.array(columns, dtype=np.float64).reshape(len(by_model), len(prompt_ids)).T
    return matrix


def places_of_fit(found: Fit, names: Sequence[str], replicates: Array, n_prompts: Sequence[int]) -> dict[str, Place]:
    """Return the rank of each model of a fit, and the ranks that the data cannot rule out.

    Args:
        found: strengths of the models, and perhaps coefficients.
        names: of the models, shape (M,).
        replicates: ``bootstrap_fit`` of the same rows, shape (B, M or more).
        n_prompts: that each model was compared on, shape (M,) (``rows.prompts_met``).
    """
    m = len(names)
    met = np.array(n_prompts, dtype=np.int64)
    ranks = ranks_of_strengths(found.strengths, found.covariance[:m, :m], replicates[:, :m], met, CONFIDENCE)
    return _places(names, ranks)


def _places(names: Iterable[str], ranks: Sequence[Rank]) -> dict[str, Place]:
    return {name: Place(*rank) for name, rank in zip(names, ranks, strict=True)}


def _score(outcomes: Sequence[Outcome], name: str) -> Interval:
    interval = summarise(outcomes, confidence=CONFIDENCE).score
    if interval is None:
        msg = f"{name!r} has no scored prompt, expected at least one of {len(outcomes)}."
        raise DataError(msg)
    return interval


def _pairs(by_model: Mapping[str, Mapping[str, float]], estimates: Mapping[str, float]) -> tuple[Pair, ...]:
    by_score = sorted(by_model, key=lambda name: (-estimates[name], name))
    pairs = pairs_of({name: by_model[name] for name in by_score})
    return tuple(
        Pair(pair.a, pair.b, one.difference, one.p_value, pair.p_holm, one.n_common, one.only_a, one.only_b)
        for pair in pairs
        for one in [pair.found]
    )
