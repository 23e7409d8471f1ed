"""Both axes of some models as arrays, and their rank correlations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codearena_plugin.gap.execution import CONFIDENCE, Execution
from codearena_plugin.gap.record import Correlation, GapOptions
from codearena_plugin.scoring.association.correlation import rank_correlation_interval
from codearena_plugin.scoring.association.noise import Measured, replicates
from codearena_plugin.scoring.resample import Array


class Axes:
    """Both axes of some models as arrays, with replicates of both where it is known on how many problems they rest."""

    def __init__(self, preferred: Sequence[Measured], results: Sequence[Execution], options: GapOptions) -> None:
        executed = [one.measured for one in results if one.measured]
        self.x: Array = np.array([one.estimate for one in results])
        self.y: Array = np.array([one.interval(CONFIDENCE).estimate for one in preferred])
        # prompts and problems are drawn apart: an even seed for the one, an odd one for the other
        self.noisy_y = replicates(preferred, options.n_bootstraps, 2 * options.seed)
        self.noisy: tuple[Array, Array] | None = None
        if len(executed) == len(results):
            self.noisy = replicates(executed, options.n_bootstraps, 2 * options.seed + 1), self.noisy_y


def correlation_of(
    benchmark: str, preferred: Sequence[Measured], results: Sequence[Execution], options: GapOptions
) -> Correlation:
    """Return the rank correlations of preference with results on one benchmark, of the same models in both."""
    axes = Axes(preferred, results, options)
    spearman, kendall = (
        rank_correlation_interval(kind, axes.x, axes.y, noisy=axes.noisy, confidence=CONFIDENCE)
        for kind in ("spearman", "kendall")
    )
    return Correlation(benchmark, len(results), spearman, kendall)
