"""pass@k from the samples of each problem, with an interval that is clustered by problem."""

from __future__ import annotations

import math
from collections.abc import Sequence

from codearena_plugin.records import Interval
from codearena_plugin.scoring.rates import mean_interval


def pass_at_k(n: int, passed: int, k: int) -> float:
    """Return the chance that at least one of ``k`` samples, drawn from ``n`` without replacement, passes.

    It is 1 − C(n − passed, k) / C(n, k), unbiased for every n >= k; for k = 1 the share that passed. The naive
    1 − (1 − passed/n)^k is biased downward.

    Args:
        n: samples of one problem, at least ``k``.
        passed: how many of them passed, 0 to ``n``.
        k: at least 1.

    Raises:
        ValueError: numbers outside these ranges.

    References:
        Chen et al. 2021, arXiv:2107.03374, eq. 1.

    >>> pass_at_k(10, 3, 1), round(pass_at_k(10, 3, 5), 4), pass_at_k(5, 1, 5)
    (0.3, 0.9167, 1.0)
    """
    if not 1 <= k <= n or not 0 <= passed <= n:
        msg = f"{passed} of {n} samples passed and k is {k}; expected 0 to n of them, and a k from 1 to n."
        raise ValueError(msg)
    if k == 1:
        return passed / n
    return 1 - math.comb(n - passed, k) / math.comb(n, k)


def pass_at_k_interval(passed: Sequence[int], samples: Sequence[int], k: int, *, confidence: float = 0.95) -> Interval:
    """Return the mean pass@k over problems with its interval; the samples of a problem are one cluster.

    Args:
        passed: samples that passed, shape (n_problems,).
        samples: samples of each problem, shape (n_problems,), at least ``k`` each.
        k: at least 1.
        confidence: in (0, 1).

    Returns:
        Shares in [0, 1]; ``n`` is the number of problems. See ``rates.mean_interval`` for the interval.

    Raises:
        ValueError: no problem, sequences of different lengths, or numbers that ``pass_at_k`` refuses.

    >>> interval = pass_at_k_interval([0, 1, 2], [2, 2, 2], 1)
    >>> interval.estimate, interval.n
    (0.5, 3)
    """
    if len(passed) != len(samples):
        msg = f"{len(passed)} counts of passed samples for {len(samples)} problems; expected one each."
        raise ValueError(msg)
    values = [pass_at_k(n, c, k) for c, n in zip(passed, samples, strict=True)]
    return mean_interval(values, confidence=confidence)
