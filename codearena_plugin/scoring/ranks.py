"""Ranks, with the ranks that the data cannot rule out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from codearena_plugin.scoring.rates import check_confidence
from codearena_plugin.scoring.resample import Array


class Rank(NamedTuple):
    """A place among M models: 1 is the best, equal models share the better one; ``low`` <= ``rank`` <= ``high``."""

    rank: int
    low: int
    high: int


def rank_intervals(estimates: Array, replicates: Array, confidence: float) -> list[Rank]:
    """Return the rank of each model and the percentiles of its ranks within the replicates.

    Within a replicate a model may be as good as first of those that equal it and as bad as last of them; ``low`` is
    a percentile of the former, ``high`` of the latter, and both are stretched to hold the rank itself. So two models
    with the same verdicts on everything are ranked 1 to 2, both of them.

    A NaN (a replicate without a score of the model) gives that model no rank there, and may stand above or below
    every other: it worsens their worst rank and not their best. A model that is NaN throughout is ranked 1 to M.

    Args:
        estimates: the higher the better, shape (M,).
        replicates: the same models, shape (B, M), all from one matrix of resampled prompts: ranks are then paired.
        confidence: in (0, 1), for each model on its own and not for all of them together.

    Raises:
        ValueError: an estimate is not finite, shapes do not fit, or ``confidence`` is outside (0, 1).

    References:
        Goldstein & Spiegelhalter 1996, JRSS A 159(3) (intervals for ranks by resampling); Mogstad et al. 2024,
        Review of Economic Studies 91(1) (why such intervals say nothing about all ranks at once).

    >>> replicates = np.array([[0.7, 0.6, 0.2], [0.5, 0.6, 0.1]])
    >>> rank_intervals(np.array([0.6, 0.6, 0.15]), replicates, 0.9)
    [Rank(rank=1, low=1, high=2), Rank(rank=1, low=1, high=2), Rank(rank=3, low=3, high=3)]
    """
    check_confidence(confidence)
    n_models = estimates.size
    if estimates.ndim != 1 or replicates.ndim != 2 or replicates.shape[1] != n_models:
        msg = f"Estimates {estimates.shape} and replicates {replicates.shape}; expected (M,) and (B, M)."
        raise ValueError(msg)
    if not np.isfinite(estimates).all():
        msg = "An estimate is not a finite number; leave models without a score out of the ranking."
        raise ValueError(msg)
    missing = np.isnan(replicates)
    n_missing = missing.sum(axis=1)
    tail = (1 - confidence) / 2
    found = []
    for m in range(n_models):
        rank = 1 + int((estimates > estimates[m]).sum())
        here = ~missing[:, m]
        if not here.any():
            found.append(Rank(rank, 1, n_models))
            continue
        own = replicates[here, m, None]
        best = 1 + (replicates[here] > own).sum(axis=1)
        worst = (replicates[here] >= own).sum(axis=1) + n_missing[here]
        low = int(np.quantile(best, tail, method="lower"))
        high = int(np.quantile(worst, 1 - tail, method="higher"))
        found.append(Rank(rank, min(low, rank), max(high, rank)))
    return found


def separability(n_told_apart: int, n_pairs: int) -> float | None:
    """Return the share of pairs of models that are told apart, in [0, 1]; ``None`` if there is no pair.

    Raises:
        ValueError: more told apart than there are, or a negative number.

    References:
        Li et al. 2024, arXiv:2406.11939 (separability of a benchmark; there by intervals that do not overlap).
    """
    if not 0 <= n_told_apart <= n_pairs:
        msg = f"{n_told_apart} of {n_pairs} pairs told apart; expected 0 to {n_pairs}."
        raise ValueError(msg)
    return n_told_apart / n_pairs if n_pairs else None
