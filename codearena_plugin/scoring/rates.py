"""Means of bounded values, with intervals that stay honest at the ends and when prompts repeat.

Two games of a prompt, or several answers to it, are not independent: the unit of every uncertainty is the prompt
(the cluster). Treating games as independent made a peer's nominal 90 % intervals cover 58-66 %.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable, Sequence
from typing import NamedTuple

from codearena_plugin.records import Interval

# The least squared spread that a sample is credited with: that of one cluster a full point from all others. Equal
# values do not show that the next one is equal too. A full and not half a point (the smallest step of a score): five
# equal half-point differences then give p = 0.07 as the sign test does (0.06), where half a point would give 0.008.
SPREAD_FLOOR = 1.0


class ClusteredMean(NamedTuple):
    """A mean and its spread between clusters.

    Attributes:
        mean: sum of values / number of values.
        spread: n_clusters² times the squared standard error, before any floor; 0.0 for one cluster.
        n_clusters: at least 1.
    """

    mean: float
    spread: float
    n_clusters: int

    @property
    def stderr(self) -> float | None:
        """Standard error, never below that of ``SPREAD_FLOOR``; ``None`` for one cluster, which shows no spread."""
        return math.sqrt(max(self.spread, SPREAD_FLOOR)) / self.n_clusters if self.n_clusters > 1 else None


def clustered_mean(values: Sequence[float], clusters: Sequence[Hashable] | None = None) -> ClusteredMean:
    """Return the mean of ``values``, shape (n,), with ``se = sqrt(Σ_c (S_c - m N_c)² · C/(C-1)) / ΣN``.

    ``S_c`` and ``N_c`` are the sum and the number of the values of cluster ``c``, ``C`` the number of clusters;
    without ``clusters`` each value is its own.

    Raises:
        ValueError: no values, a value that is not finite, or ``clusters`` of another length.

    References:
        Liang & Zeger 1986, Biometrika 73(1); Miller 2024, arXiv:2411.00640 (clustered standard errors of evaluations).
    """
    if len(values) == 0:
        msg = "No values: a mean needs at least one scored prompt."
        raise ValueError(msg)
    if clusters is not None and len(clusters) != len(values):
        msg = f"{len(clusters)} clusters for {len(values)} values; expected one cluster name per value."
        raise ValueError(msg)
    if not all(map(math.isfinite, values)):
        msg = f"A value is {next(value for value in values if not math.isfinite(value))}; expected finite numbers only."
        raise ValueError(msg)
    # fsum rounds once, so the same outcomes in another order give the same last digit
    mean = math.fsum(values) / len(values)
    if clusters is None:
        n_clusters = len(values)
        squares = math.fsum([(value - mean) ** 2 for value in values])
    else:
        groups = _grouped(values, clusters)
        n_clusters = len(groups)
        squares = math.fsum([(math.fsum(group) - mean * len(group)) ** 2 for group in groups])
    if n_clusters == 1:
        return ClusteredMean(mean, 0.0, 1)
    return ClusteredMean(mean, squares * n_clusters / (n_clusters - 1) * (n_clusters / len(values)) ** 2, n_clusters)


def mean_interval(
    values: Sequence[float],
    *,
    clusters: Sequence[Hashable] | None = None,
    confidence: float = 0.95,
    bounds: tuple[float, float] = (0.0, 1.0),
) -> Interval:
    """Return the mean of bounded values with a clustered Wilson interval.

    The interval is Wilson's with an effective number of prompts ``n_eff = m(1-m) / se²`` and Student's t with C-1
    degrees of freedom in place of z. Near the ends both parts of ``n_eff`` vanish, so one cluster's worth of a full
    point is added to each: ``n_eff = C · (C m(1-m) + 1) / (C² se² + 1)``, which goes to C where all values are equal
    to a bound and stays finite where all are equal elsewhere (all ties). The width is therefore never zero, and
    nothing is NaN; one cluster gives ``stderr`` ``None`` and the bounds themselves.

    Args:
        values: shape (n,), each within ``bounds``.
        clusters: shape (n,); equal names belong together (prompt ids). Default: each value is its own.
        confidence: in (0, 1); the probability that the interval covers the true mean.
        bounds: the least and the greatest possible value; estimate and interval never leave them.

    Returns:
        All in the unit of ``values``; ``n`` is the number of clusters.

    Raises:
        ValueError: no values, a value that is NaN or out of bounds, or a wrong ``confidence`` or ``clusters``.

    References:
        Wilson 1927, JASA 22(158); Korn & Graubard 1998, Survey Methodology 24(2) (effective sample size and t, there
        with Clopper-Pearson); Franco et al. 2019, J. Survey Statistics and Methodology 7(3) (why Wilson's form).

    >>> interval = mean_interval([1.0] * 28)
    >>> interval.estimate, round(interval.low, 3), interval.high
    (1.0, 0.869, 1.0)
    """
    low, high = bounds
    width = high - low
    for value in values:
        if not low <= value <= high:  # NaN is neither
            msg = f"A value is {value}; expected {low} to {high}."
            raise ValueError(msg)
    return _interval(clustered_mean([(value - low) / width for value in values], clusters), confidence, bounds)


def share_interval(parts: Sequence[int], wholes: Sequence[int], *, confidence: float = 0.95) -> Interval:
    """Return what ``mean_interval`` does for values that are 0 or 1, counted per cluster already.

    Args:
        parts: shape (n_clusters,); how many values of each cluster are 1.
        wholes: shape (n_clusters,); how many values each cluster has, at least 1.
        confidence: in (0, 1).

    Raises:
        ValueError: no clusters, sequences of different lengths, a part that is not from 0 to its whole, or a wrong
            ``confidence``.

    >>> share_interval([2, 0], [2, 2]) == mean_interval([1.0, 1.0, 0.0, 0.0], clusters="aabb")
    True
    """
    if not wholes or len(parts) != len(wholes):
        msg = f"{len(parts)} parts of {len(wholes)} wholes; expected one of each per cluster, and a cluster."
        raise ValueError(msg)
    for part, whole in zip(parts, wholes, strict=True):
        if not 0 <= part <= whole or whole < 1:
            msg = f"A part is {part} of {whole}; expected 0 to {whole}, of at least 1."
            raise ValueError(msg)
    n, n_clusters = sum(wholes), len(wholes)
    mean = sum(parts) / n
    if n_clusters == 1:
        return _interval(ClusteredMean(mean, 0.0, 1), confidence, (0.0, 1.0))
    squares = math.fsum((part - mean * whole) ** 2 for part, whole in zip(parts, wholes, strict=True))
    spread = squares * n_clusters / (n_clusters - 1) * (n_clusters / n) ** 2
    return _interval(ClusteredMean(mean, spread, n_clusters), confidence, (0.0, 1.0))


def _interval(unit: ClusteredMean, confidence: float, bounds: tuple[float, float]) -> Interval:
    """Return the interval of a mean in the unit of ``bounds``; ``unit`` is in that of [0, 1]."""
    low, high = bounds
    width = high - low
    estimate = min(max(low + width * unit.mean, low), high)
    if unit.stderr is None:
        check_confidence(confidence)
        return Interval(estimate, low, high, stderr=None, n=1)
    t = student_t(confidence, unit.n_clusters - 1)
    binary = unit.n_clusters * unit.mean * (1 - unit.mean)
    n_eff = unit.n_clusters * (binary + SPREAD_FLOOR) / (unit.spread + SPREAD_FLOOR)
    wilson_low, wilson_high = _wilson(unit.mean, n_eff, t)
    return Interval(
        estimate,
        # rounding must not push an end past the estimate or the bound
        low=max(low, min(estimate, low + width * wilson_low)),
        high=min(high, max(estimate, low + width * wilson_high)),
        stderr=width * unit.stderr,
        n=unit.n_clusters,
    )


def student_t(confidence: float, degrees: int) -> float:
    """Return the two-sided quantile of Student's t: the half-width of an interval in standard errors."""
    from scipy.special import stdtrit  # 0.2 s to import; scipy.stats would take longer still

    check_confidence(confidence)
    return -float(stdtrit(degrees, (1 - confidence) / 2))  # the lower tail keeps its digits near confidence 1


def check_confidence(confidence: float) -> None:
    """Refuse a confidence outside (0, 1), such as 95."""
    if not 0 < confidence < 1:
        msg = f"confidence is {confidence!r}; expected a number between 0 and 1, such as 0.95."
        raise ValueError(msg)


def _grouped(values: Sequence[float], clusters: Sequence[Hashable]) -> Collection[list[float]]:
    members: dict[Hashable, list[float]] = {}
    for name, value in zip(clusters, values, strict=True):
        members.setdefault(name, []).append(value)
    return members.values()


def _wilson(mean: float, n: float, z: float) -> tuple[float, float]:
    shrink = 1 + z * z / n
    centre = (mean + z * z / (2 * n)) / shrink
    half = z / shrink * math.sqrt(max(0.0, mean * (1 - mean)) / n + (z / (2 * n)) ** 2)
    return centre - half, centre + half
