"""Places of models on two measures, and by how many places they differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from codearena_plugin.scoring.rates import check_confidence
from codearena_plugin.scoring.resample import Array


class Shift(NamedTuple):
    """Where a model stands on both measures.

    Attributes:
        on_x: place on the first measure, 1 the best; equal models share the mean of their places.
        on_y: on the second.
        places: ``on_x`` − ``on_y``: so many places higher on the second.
        low: with ``high`` what resampled clusters give; ``None`` where there are no replicates.
    """

    on_x: float
    on_y: float
    places: float
    low: float | None
    high: float | None


def rank_shift(
    model: int,
    among: Sequence[int],
    x: Array,
    y: Array,
    *,
    noisy: tuple[Array, Array] | None = None,
    confidence: float = 0.95,
) -> Shift:
    """Return where a model stands among others on two measures.

    Args:
        model: its index.
        among: indices of the others; the model itself is left out if it is among them.
        x: the higher the better, shape (M,).
        y: shape (M,).
        noisy: replicates of both, shape (B, M) each; percentiles of the shift in them, stretched to hold the estimate.
        confidence: in (0, 1).

    Raises:
        ValueError: ``confidence`` is outside (0, 1).

    >>> rank_shift(0, [0, 1, 2], np.array([0.9, 0.8, 0.7]), np.array([0.2, 0.5, 0.1]))
    Shift(on_x=1.0, on_y=2.0, places=-1.0, low=None, high=None)
    """
    check_confidence(confidence)
    others = [other for other in among if other != model]
    on_x, on_y = (float(_place(values, model, others)) for values in (x, y))
    if noisy is None:
        return Shift(on_x, on_y, on_x - on_y, None, None)
    shifts = _place(noisy[0], model, others) - _place(noisy[1], model, others)
    tail = (1 - confidence) / 2
    low = float(np.nanquantile(shifts, tail, method="lower"))  # places are no shares of a place
    high = float(np.nanquantile(shifts, 1 - tail, method="higher"))
    return Shift(on_x, on_y, on_x - on_y, min(low, on_x - on_y), max(high, on_x - on_y))


def _place(values: Array, model: int, others: Sequence[int]) -> Array:
    """Return the mid-rank of a model among others, shape (...) for values of shape (..., M)."""
    own, rest = values[..., model, None], values[..., list(others)]
    found: Array = 1 + (rest > own).sum(axis=-1) + 0.5 * (rest == own).sum(axis=-1)
    return found
