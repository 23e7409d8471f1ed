"""What another draw of prompts or problems would have given: replicates of measured means.

Models that were measured on the same prompts share their luck. Where the prompts are known by name, all models are
resampled with one matrix of counts, so that differences and ranks stay paired; where only the numbers are known, each
model is resampled by itself. That makes the differences of such models wider than they need to be, never narrower
(prompts that are hard for one model are hard for others).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from codearena_plugin.records import Interval
from codearena_plugin.scoring.rates import mean_interval
from codearena_plugin.scoring.resample import Array, bootstrap_weights, resampled_means


@dataclass(frozen=True)
class Measured:
    """A model measured on n clusters (prompts or problems).

    Attributes:
        values: shape (n,), in [0, 1], one a cluster.
        clusters: their names, shape (n,), all different; ``None`` where they are not known.
    """

    values: tuple[float, ...]
    clusters: tuple[str, ...] | None = None

    def interval(self, confidence: float) -> Interval:
        """Return the mean in [0, 1] with its interval over clusters."""
        return mean_interval(self.values, confidence=confidence)


def replicates(measured: Sequence[Measured], n_bootstraps: int, seed: int) -> Array:
    """Return the means of resampled clusters, shape (n_bootstraps, M).

    Models with named clusters share their draws; the same arguments give the same replicates (PCG64).

    Raises:
        ValueError: a model without clusters, or with as many names as it has not values.
    """
    found = np.empty((n_bootstraps, len(measured)))
    named = [m for m, one in enumerate(measured) if one.clusters is not None]
    if named:
        found[:, named] = _paired([measured[m] for m in named], n_bootstraps, seed)
    rng = np.random.Generator(np.random.PCG64([seed, 1]))
    for m, one in enumerate(measured):
        if one.clusters is None:
            # the same distribution as drawing clusters one by one, in as few cells as there are different values
            values, counts = np.unique(np.array(one.values), return_counts=True)
            drawn = rng.multinomial(len(one.values), counts / counts.sum(), size=n_bootstraps)
            found[:, m] = drawn @ values / len(one.values)
    return found


def _paired(measured: Sequence[Measured], n_bootstraps: int, seed: int) -> Array:
    """Return replicates of models whose clusters are known by name; a replicate without any of a model's is NaN."""
    places: dict[str, int] = {}
    for one in measured:
        for name in one.clusters or ():
            places.setdefault(name, len(places))
    totals, counts = np.zeros((2, len(places), len(measured)))
    for m, one in enumerate(measured):
        rows = [places[name] for name in one.clusters or ()]
        if len(set(rows)) != len(one.values):
            msg = f"{len(set(rows))} different clusters for {len(one.values)} values; expected one name a value."
            raise ValueError(msg)
        totals[rows, m] = one.values
        counts[rows, m] = 1
    return resampled_means(totals, counts, bootstrap_weights(len(places), n_bootstraps, seed))
