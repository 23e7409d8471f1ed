"""Resampling prompts: one matrix of counts for all models, so that differences and ranks stay paired.

Two games of a prompt, and the answers of all models to it, share what makes the prompt hard: a replicate draws whole
prompts, with everything that was asked about them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
IntArray = NDArray[np.int64]


def bootstrap_weights(n_clusters: int, n_bootstraps: int, seed: int) -> Array:
    """Return how often each replicate draws each prompt, shape (n_bootstraps, n_clusters); rows sum to n_clusters.

    The same arguments give the same counts (PCG64), on one version of numpy: give every model this one matrix.

    Raises:
        ValueError: no prompt, no replicate, or a negative seed.

    References:
        Efron 1979, Annals of Statistics 7(1); Field & Welsh 2007, JRSS B 69(3) (resampling whole clusters).
    """
    if n_clusters < 1 or n_bootstraps < 1 or seed < 0:
        msg = (
            f"Cannot draw {n_bootstraps} resamples of {n_clusters} prompts with seed {seed}; "
            "expected at least one of each, and a seed of at least 0."
        )
        raise ValueError(msg)
    rng = np.random.Generator(np.random.PCG64(seed))
    return rng.multinomial(n_clusters, np.full(n_clusters, 1 / n_clusters), size=n_bootstraps).astype(np.float64)


def resampled_means(totals: Array, counts: Array, weights: Array) -> Array:
    """Return the mean value of each model in each replicate, shape (B, M).

    Args:
        totals: sum of the model's values (scores) at each prompt, shape (P, M); 0 where it has none.
        counts: number (or total weight) of those values, shape (P, M).
        weights: of ``bootstrap_weights``, shape (B, P).

    Returns:
        NaN where a replicate holds no value of the model; never a number.

    Raises:
        ValueError: shapes that do not fit, a value that is not finite, or a negative count or weight.
    """
    if totals.ndim != 2 or totals.shape != counts.shape or weights.ndim != 2 or weights.shape[1] != totals.shape[0]:
        msg = (
            f"Totals {totals.shape}, counts {counts.shape} and weights {weights.shape}; expected (P, M) twice, (B, P)."
        )
        raise ValueError(msg)
    refuse_wild_weights(counts=counts, weights=weights)
    if not np.isfinite(totals).all():
        msg = "A total is not a finite number; give 0 (and a count of 0) where a model has no score."
        raise ValueError(msg)
    found = weights @ counts
    means: Array = np.divide(weights @ totals, found, out=np.full(found.shape, np.nan), where=found > 0)
    return means


def refuse_wild_weights(**weights: Array) -> None:
    """Refuse weights that are negative, NaN or infinite, by the name that they are given under."""
    for name, values in weights.items():
        if not (np.isfinite(values).all() and (values >= 0).all()):
            msg = f"One of the {name} is negative or not finite; expected finite numbers of at least 0."
            raise ValueError(msg)
