"""Rank correlations of two measures over the same models, with the two uncertainties that they have.

They are different questions. *Other models*: what is the correlation among all such models, of which these are a
sample? The noise of measuring them is in the numbers already. *Other prompts*: what would these very models have on
average, measured on as many other prompts and problems? These are resampled, models stay.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from codearena_plugin.scoring.rates import check_confidence
from codearena_plugin.scoring.resample import Array

Kind = Literal["spearman", "kendall"]
Ends: TypeAlias = tuple[float, float]

FEWEST_MODELS = 5
"""Below this a correlation is not given: four models in order happen by chance in one of 24 cases."""

# Kendall's z has the variance 0.437 / (n - 4) if both measures are normal (Fieller et al. 1957). pass@1 and scores have
# ties and longer tails: with 0.437, intervals of 8 to 15 simulated models covered as little as 84 % for 95 %.
_KENDALL_VARIANCE = 0.5
_MOST_SIGNS = 1_000_000


class RankCorrelation(NamedTuple):
    """A rank correlation in [−1, 1].

    Attributes:
        other_models: interval over models.
        other_prompts: interval over prompts and problems, the models kept; ``None`` where their number is unknown.
        n: models.
    """

    estimate: float
    other_models: Ends
    other_prompts: Ends | None
    n: int


def rank_correlation(kind: Kind, x: Array, y: Array) -> Array:
    """Return the rank correlation of each row of ``x`` with that of ``y``, in [−1, 1].

    Spearman's ρ is the correlation of mid-ranks; Kendall's is τ-b, which corrects for ties.

    Args:
        kind: "spearman" or "kendall".
        x: shape (..., M), any unit; only its order counts.
        y: of the same shape.

    Returns:
        Shape (...); NaN where a row holds a NaN or all its values are equal: no order, no correlation.

    Raises:
        ValueError: shapes that differ.

    References:
        Kendall 1945, Biometrika 33(3) (ties); Spearman 1904, American Journal of Psychology 15(1).

    >>> x = np.array([1.0, 2.0, 3.0, 4.0])
    >>> y = np.array([1.0, 3.0, 2.0, 4.0])
    >>> [round(float(rank_correlation(kind, x, y)), 4) for kind in ("spearman", "kendall")]
    [0.8, 0.6667]
    """
    if x.shape != y.shape:
        msg = f"Shapes {x.shape} and {y.shape}; expected the same models in both."
        raise ValueError(msg)
    per_row = x.shape[-1] ** 2
    if x.ndim == 2 and x.size * x.shape[1] > _MOST_SIGNS >= per_row:  # many replicates: in pieces, to spare memory
        rows = range(0, len(x), _MOST_SIGNS // per_row)
        return np.concatenate([rank_correlation(kind, *(v[i : i + rows.step] for v in (x, y))) for i in rows])
    found = [np.sign(values[..., :, None] - values[..., None, :]) for values in (x, y)]
    if kind == "spearman":  # the sum of a model's signs is its mid-rank, centred and doubled
        found = [signs.sum(axis=-1)[..., None] for signs in found]
    xy, xx, yy = (np.sum(a * b, axis=(-2, -1)) for a, b in (found, found[:1] * 2, found[1:] * 2))
    with np.errstate(invalid="ignore"):
        correlation: Array = xy / np.sqrt(xx * yy)
    return correlation.clip(-1, 1)


def rank_correlation_interval(
    kind: Kind,
    x: Array,
    y: Array,
    *,
    noisy: tuple[Array, Array] | None = None,
    confidence: float = 0.95,
) -> RankCorrelation | None:
    """Return a rank correlation with its intervals; ``None`` for fewer than ``FEWEST_MODELS``, or if one has no order.

    Over models the interval is Fisher's: normal on the scale of artanh. Resampling models would not do: every resample
    of five models in perfect order is in perfect order, too.

    Over prompts it is one of percentiles. Measuring again adds noise to numbers that hold noise already, which lowers a
    correlation: it is therefore shifted by the distance of its median from the estimate.

    Args:
        kind: "spearman" or "kendall".
        x: shape (M,).
        y: shape (M,), the same models.
        noisy: replicates of both, shape (B, M) each, from resampled problems and prompts.
        confidence: in (0, 1).

    Raises:
        ValueError: shapes that differ, or a ``confidence`` outside (0, 1).

    References:
        Bonett & Wright 2000, Psychometrika 65(1) (Spearman); Fieller, Hartley & Pearson 1957, Biometrika 44(3/4)
        (Kendall); Efron & Tibshirani 1993, An Introduction to the Bootstrap, ch. 13.
    """
    check_confidence(confidence)
    estimate = float(rank_correlation(kind, x, y))
    if x.size < FEWEST_MODELS or np.isnan(estimate):
        return None
    prompts = None
    if noisy is not None:
        again = rank_correlation(kind, *noisy)
        shift = estimate - float(np.nanmedian(again))
        low, high = _percentiles(again, confidence)
        prompts = _holding(estimate, (low + shift, high + shift))
    return RankCorrelation(
        estimate, _holding(estimate, _over_models(kind, estimate, x.size, confidence)), prompts, x.size
    )


def _over_models(kind: Kind, estimate: float, n: int, confidence: float) -> Ends:
    """Return Fisher's interval; a perfect order counts as half a swap of neighbours less, so that it has one too."""
    from scipy.special import ndtri

    half_a_swap = 6 / (n * (n**2 - 1)) if kind == "spearman" else 2 / (n * (n - 1))
    inner = min(max(estimate, half_a_swap - 1), 1 - half_a_swap)
    variance = (1 + inner**2 / 2) / (n - 3) if kind == "spearman" else _KENDALL_VARIANCE / (n - 4)
    half = float(ndtri((1 + confidence) / 2)) * math.sqrt(variance)
    return math.tanh(math.atanh(inner) - half), math.tanh(math.atanh(inner) + half)


def _percentiles(values: Array, confidence: float) -> Ends:
    tail = (1 - confidence) / 2
    low, high = np.nanquantile(values, (tail, 1 - tail))
    return float(low), float(high)


def _holding(estimate: float, ends: Ends) -> Ends:
    """Return an interval within [−1, 1] that holds the estimate."""
    return max(-1.0, min(ends[0], estimate)), min(1.0, max(ends[1], estimate))
