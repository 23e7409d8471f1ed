"""Ranks, with the ranks that the data cannot rule out.

A model's rank is known as far as it is known who is better and who is worse. So each model is compared with all
others at once, and the ranks that remain are one below those that are surely better, and all above those surely worse.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from codearena_plugin.scoring.rates import SPREAD_FLOOR, check_confidence
from codearena_plugin.scoring.resample import Array, IntArray, refuse_wild_weights

# Replicates that are looked at together: what they hold of all pairs of models then stays in the processor's cache.
_BLOCK = 32


class Rank(NamedTuple):
    """A place among M models: 1 is the best, equal models share the better one; ``low`` <= ``rank`` <= ``high``."""

    rank: int
    low: int
    high: int


def ranks_of_scores(estimates: Array, scores: Array, weights: Array, confidence: float) -> list[Rank]:
    """Return the rank of each model by ``estimates`` and the set of ranks that paired differences leave open.

    Two models are compared on the prompts scored in both, with the difference and the standard error of
    ``paired.difference_of_scores``. A rival is surely better or worse beyond ``c`` standard errors: ``c`` is the
    quantile, over the resamples, of the largest distance of any of the model's differences from what it is in the
    data, in standard errors, and never less than Student's t for the pair. So a rival that counts as surely better or
    worse is told apart by the paired test too, and a true rank is in its set with ``confidence``, each for itself.

    A set is widened to hold the rank, which follows ``estimates``: these may rest on other prompts.

    Args:
        estimates: what ranks follow, the higher the better, shape (M,).
        scores: of each prompt and model, shape (P, M), in [0, 1]; NaN where there is none.
        weights: how often each replicate holds each prompt, shape (B, P) (``resample.bootstrap_weights``).
        confidence: in (0, 1).

    Raises:
        ValueError: an estimate, a score (but NaN) or a weight is not finite, shapes do not fit, or ``confidence`` is
            outside (0, 1).

    References:
        Mogstad, Romano, Shaikh & Wilhelm 2024, Review of Economic Studies 91(1) (sets of ranks from differences).

    >>> by_prompt = np.tile([[1.0, 0.0], [1.0, 0.5]], (10, 1))
    >>> ranks_of_scores(by_prompt.mean(axis=0), by_prompt, np.ones((3, 20)), 0.95)
    [Rank(rank=1, low=1, high=1), Rank(rank=2, low=2, high=2)]
    """
    if scores.ndim != 2 or weights.ndim != 2 or weights.shape[1] != scores.shape[0] or len(weights) == 0:
        msg = f"Scores {scores.shape} and weights {weights.shape}; expected (P, M) and (B, P), B at least 1."
        raise ValueError(msg)
    refuse_wild_weights(weights=weights)
    if np.isinf(scores).any():
        msg = "A score is infinite; expected numbers, and NaN where there is none."
        raise ValueError(msg)
    known = np.isfinite(scores)
    values = np.where(known, scores, 0.0)
    counted = known.astype(np.float64)
    n_common = counted.T @ counted
    totals = values.T @ counted  # [i, j]: of model i, over the prompts that j has too
    squares = (values**2).T @ counted
    with np.errstate(divide="ignore", invalid="ignore"):  # one prompt, or none, in common: compared with nobody
        differences = (totals - totals.T) / n_common
        around = np.maximum(squares + squares.T - 2 * values.T @ values - n_common * differences**2, 0.0)
        stderr = np.sqrt(np.maximum(around * n_common / (n_common - 1), SPREAD_FLOOR)) / n_common
    replicates = (
        _common_differences(values, counted, weights[start : start + _BLOCK])
        for start in range(0, len(weights), _BLOCK)
    )
    return _ranks(estimates, differences, np.where(n_common > 1, stderr, np.inf), replicates, n_common - 1, confidence)


def _common_differences(values: Array, counted: Array, weights: Array) -> Array:
    """Return the difference of each two models on their common prompts in each replicate, shape (B, M, M)."""
    n_own, total = weights @ counted, weights @ values
    n_common = np.empty((*n_own.shape, n_own.shape[1]))
    totals = np.empty_like(n_common)
    for j, lacks in enumerate((counted == 0).T):
        lacking = np.flatnonzero(lacks)  # few, as a rule: cheaper to take away than to sum what is left
        n_common[:, j] = n_own - weights[:, lacking] @ counted[lacking]
        totals[:, j] = total - weights[:, lacking] @ values[lacking]
    n_common[n_common == 0] = np.nan
    differences: Array = (totals.transpose(0, 2, 1) - totals) / n_common
    return differences


def ranks_of_strengths(
    strengths: Array, covariance: Array, replicates: Array, n_prompts: IntArray, confidence: float
) -> list[Rank]:
    """Return what ``ranks_of_scores`` does, for the strengths of a fit: differences and tests are in log-odds.

    Args:
        strengths: the higher the better, shape (M,).
        covariance: of them, shape (M, M); gives the standard errors of their differences.
        replicates: the same strengths in each resample, shape (B, M); NaN where a replicate holds nothing of a model.
        n_prompts: that each model was compared on, shape (M,); the fewer of two make the degrees of freedom.
        confidence: in (0, 1).

    Raises:
        ValueError: a strength is not finite, shapes do not fit, or ``confidence`` is outside (0, 1).
    """
    m = strengths.size
    fits = replicates.ndim == 2 and replicates.shape[1] == m and len(replicates) > 0
    if not fits or covariance.shape != (m, m) or n_prompts.shape != (m,):
        msg = (
            f"Covariance {covariance.shape}, replicates {replicates.shape} and prompts {n_prompts.shape} of {m} "
            "strengths; expected (M, M), (B, M) with B at least 1, and (M,)."
        )
        raise ValueError(msg)
    variances = np.maximum(np.diag(covariance), 0.0)  # rounding may leave a little less than nothing
    spread = variances[:, None] + variances - covariance - covariance.T
    # variances that are equal may cancel to nothing or a little less: no evidence either way
    stderr = np.where(spread > 1e-12 * (variances[:, None] + variances), np.sqrt(np.maximum(spread, 0.0)), np.inf)
    degrees = np.maximum(1, np.minimum(n_prompts[:, None], n_prompts) - 1).astype(np.float64)
    differences = strengths[:, None] - strengths
    # a maximum is exact to about 1e-9: models with the same results share a rank
    return _ranks(np.round(strengths, 8), differences, stderr, _differences(replicates), degrees, confidence)


def _differences(replicates: Array) -> Iterator[Array]:
    for start in range(0, len(replicates), _BLOCK):
        block = replicates[start : start + _BLOCK]
        yield block[:, :, None] - block[:, None]


def _ranks(
    estimates: Array, differences: Array, stderr: Array, replicates: Iterable[Array], degrees: Array, confidence: float
) -> list[Rank]:
    """Return the ranks from all differences, shape (M, M), their standard errors and blocks of replicates (b, M, M)."""
    from scipy.special import stdtrit

    check_confidence(confidence)
    n_models = estimates.size
    if estimates.ndim != 1 or differences.shape != (n_models, n_models):
        msg = f"Estimates have shape {estimates.shape}; expected one for each of {len(differences)} models."
        raise ValueError(msg)
    if not np.isfinite(estimates).all():
        msg = "An estimate is not a finite number; leave models without a score out of the ranking."
        raise ValueError(msg)
    farthest = []
    n_missing = np.zeros_like(differences)
    for block in replicates:
        far = np.abs(block - differences) / stderr
        missing = np.isnan(far)
        if missing.any():
            far[missing] = 0.0
            n_missing += missing.sum(axis=0)
        farthest.append(far.max(axis=2))
    by_replicate = np.concatenate(farthest)
    beyond = np.quantile(by_replicate, confidence, axis=0)
    least = -stdtrit(np.maximum(degrees, 1), (1 - confidence) / 2)
    margin = np.maximum(beyond[:, None], least) * stderr
    # what is missing from more replicates than may be wrong is compared with nobody; so is a model with itself
    margin[n_missing > (1 - confidence) * len(by_replicate)] = np.inf
    np.fill_diagonal(margin, np.inf)
    surely_better = (differences < -margin).sum(axis=1)
    surely_worse = (differences > margin).sum(axis=1)
    found = []
    for own, better, worse in zip(estimates, surely_better.tolist(), surely_worse.tolist(), strict=True):
        rank = 1 + int((estimates > own).sum())
        found.append(Rank(rank, min(1 + better, rank), max(n_models - worse, rank)))
    return found
