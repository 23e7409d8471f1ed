"""Partial pooling: what a model's cells (classes, languages) say about each other.

A cell of three prompts says little by itself. Empirical Bayes draws every cell toward the model's whole score, the
more the fewer prompts it has and the less the cells differ among themselves; on average over the cells the pooled
scores are nearer the truth than the raw ones, and their intervals are narrower.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from codearena_plugin.records import Interval
from codearena_plugin.scoring.rates import check_confidence, student_t

FEWEST_CELLS = 4  # toward a centre that the cells themselves make, fewer gain nothing (Stein's effect)
_STEPS = 200


def shrink(cells: Sequence[Interval], centre: Interval, *, confidence: float = 0.95) -> list[Interval]:
    """Return the cells of one model, each drawn toward its whole score.

    A cell ``y`` of ``n`` prompts becomes ``c + (1 - B) (y - c)`` with ``B = v / (v + tau²)``: ``c`` is the centre,
    ``v = sigma² / n`` the cell's sampling variance and ``tau²`` the variance between cells (``between_variance``).
    ``sigma²``, the variance of a single prompt, is the whole run's: that of three prompts which happen to agree tells
    nothing, and a single prompt has none. With ``tau² = 0`` all cells come to lie on the centre.

    The intervals hold on average over the cells, not for the strangest of them. Their variance is ``v (1 - B')``, plus
    ``B² se(c)²`` for the centre, plus ``2 / (k - 3) B'² (y - c)²`` for ``tau²``, which is estimated too;
    ``B' = B (k - 3) / (k - 1)`` for ``k`` cells.

    Args:
        cells: shape (k,), scores in [0, 1] (``rates.mean_interval``); their own standard errors are not used. Fewer
            than ``FEWEST_CELLS`` stay as they are.
        centre: the model's whole score; without a standard error (a single prompt) all cells stay as they are.
        confidence: in (0, 1), of the intervals that come back.

    Returns:
        One per cell, in their order: estimates from the cell's to the centre's, with the cell's ``n``.

    Raises:
        ValueError: ``confidence`` is outside (0, 1).

    References:
        Efron & Morris 1975, JASA 70(350) (shrinkage, common variance); Morris 1983, JASA 78(381) (the intervals).
    """
    check_confidence(confidence)
    k, error = len(cells), centre.stderr
    if k < FEWEST_CELLS or error is None:
        return list(cells)
    c = centre.estimate
    sampling = [centre.n * error**2 / cell.n for cell in cells]
    between = between_variance([cell.estimate for cell in cells], sampling, c)
    t = student_t(confidence, centre.n - 1)
    pooled = []
    for cell, v in zip(cells, sampling, strict=True):
        y = cell.estimate
        b = v / (v + between)
        careful = b * (k - 3) / (k - 1)
        variance = v * (1 - careful) + (b * error) ** 2 + 2 / (k - 3) * (careful * (y - c)) ** 2
        estimate = min(max(c + (1 - b) * (y - c), min(y, c)), max(y, c))  # rounding must not pass either end
        half = t * math.sqrt(variance)
        pooled.append(
            Interval(
                estimate, max(0.0, estimate - half), min(1.0, estimate + half), stderr=math.sqrt(variance), n=cell.n
            )
        )
    return pooled


def between_variance(estimates: Sequence[float], variances: Sequence[float], centre: float) -> float:
    """Return tau², how much the truths behind k estimates differ around their centre: Paule & Mandel's.

    It is the tau² at which the weighted squares ``Σ (y - centre)² / (v + tau²)`` are what k - 1 degrees of freedom
    expect, k - 1; 0 where they are less without any. It needs no normality and no variance of the variances.

    Args:
        estimates: shape (k,), at least two.
        variances: shape (k,), of the sampling, each above 0.
        centre: what the estimates are drawn toward; their weighted mean gives the textbook's tau².

    Raises:
        ValueError: fewer than two estimates, other lengths, or a variance that is not above 0.

    References:
        Paule & Mandel 1982, J. Res. Natl. Bur. Stand. 87(5); DerSimonian & Kacker 2007, Contemp. Clin. Trials 28(2).
    """
    if len(estimates) < 2 or len(estimates) != len(variances) or not all(v > 0 for v in variances):
        msg = f"Got {len(estimates)} estimates and variances {list(variances)!r:.60}; expected two or more, above 0."
        raise ValueError(msg)
    squares = [(y - centre) ** 2 for y in estimates]
    between, expected = 0.0, len(estimates) - 1
    for _ in range(_STEPS):  # Newton's steps on a convex falling curve come from the left and never pass the root
        weights = [1 / (v + between) for v in variances]
        excess = sum(s * w for s, w in zip(squares, weights, strict=True)) - expected
        if excess <= 1e-12 * expected:
            break
        between += excess / sum(s * w * w for s, w in zip(squares, weights, strict=True))
    return between
