"""The line of preference over execution on the logit scale, with noise on both axes, and how far a model lies from it.

Shares are not subtracted from shares: pass@1 runs into its ceiling long before preference does, so equal steps of one
are not equal steps of the other. On the logit scale neither has a ceiling and the relation is a line.

The fit is regression calibration, a form of errors-in-variables:

1. the models' true logits of pass@1 have a mean and a variance ω², what is left of their spread once the noise of
   measuring is taken off (Paule and Mandel);
2. each measured x is drawn toward that mean by its reliability ω² / (ω² + noise²), which gives the expected true x;
3. y is regressed on that by weighted least squares, with the noise of y, what is uncertain about the true x, and a
   scatter τ² of the models about the line (Paule and Mandel again). τ² is the gap as a property of the whole set.

Total least squares would need the ratio of the two noises to be known and would leave no room for τ²; a regression on
the measured x has a slope that is too flat.

References:
    Carroll et al. 2006, Measurement Error in Nonlinear Models, ch. 4; Paule & Mandel 1982, Journal of Research of the
    NBS 87(5); Fuller 1987, Measurement Error Models, sec. 3.1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from codearena_plugin.records import Interval
from codearena_plugin.scoring.rates import student_t
from codearena_plugin.scoring.resample import Array

FEWEST_MODELS = 5
_MOST_ROUNDS = 200


class NoLineError(ValueError):
    """The models do not determine a line; the text says why."""


class Logit(NamedTuple):
    """A share on the logit scale, with the variance of measuring it."""

    value: float
    variance: float


class Point(NamedTuple):
    """One model: its pass@1 and its score, of at least 2 clusters each, with intervals of one confidence."""

    execution: Interval
    preference: Interval

    @property
    def x(self) -> Logit:
        """Execution on the logit scale."""
        return logit_of(self.execution)

    @property
    def y(self) -> Logit:
        """Preference on the logit scale."""
        return logit_of(self.preference)


class Residual(NamedTuple):
    """How much more a model is preferred than others with its execution; every share in [0, 1].

    Attributes:
        expected: share of the points that a model with this pass@1 is expected to get.
        expected_low: with ``expected_high`` a prediction interval: where the score of one more such model would lie,
            measured on as many prompts.
        gap: score less expected score; its ends are the interval of true score less true expected score, given that
            both axes and the line are uncertain.
        z: logit residual in standard errors of prediction.
        p_value: two-sided, of a model this far from the line if it belongs to the others.
    """

    expected: float
    expected_low: float
    expected_high: float
    gap: float
    gap_low: float
    gap_high: float
    z: float
    p_value: float


@dataclass(frozen=True, slots=True)
class Line:
    """A fitted line on the logit scale: preference = intercept + slope · execution.

    Attributes:
        scatter: τ, the standard deviation of models about the line beyond the noise of measuring them.
        mean: of the true logits of execution.
        spread: ω, their standard deviation.
        covariance: of intercept and slope, shape (2, 2).
        n: models.
    """

    intercept: float
    slope: float
    scatter: float
    mean: float
    spread: float
    covariance: Array
    n: int

    def residual(self, point: Point, confidence: float = 0.95) -> Residual:
        """Return how far a model that had no part in the fit lies from the line.

        The gap is a difference of two shares that err independently, the score and what is expected. Each has an
        interval of its own, and the two are joined so that the gap's keeps to what shares can be (Zou & Donner).

        Args:
            point: the model.
            confidence: in (0, 1), that of the model's own intervals; t with n − 2 degrees of freedom.

        References:
            Zou & Donner 2008, Statistics in Medicine 27(10); Newcombe 1998, Statistics in Medicine 17(8).
        """
        x, y, score = point.x, point.y, point.preference
        true_x, left = _calibrated(x, self.mean, self.spread**2)
        at = np.array([1.0, true_x])
        expected = self.intercept + self.slope * true_x
        of_line = self.slope**2 * left + float(at @ self.covariance @ at)
        error = math.sqrt(y.variance + of_line + self.scatter**2)
        t = student_t(confidence, self.n - 2)
        centre, gap = _share(expected), score.estimate - _share(expected)
        low, high = (_share(expected + side * t * math.sqrt(of_line)) for side in (-1, 1))
        one_low, one_high = (_observed(_share(expected + side * t * error), score.n) for side in (-1, 1))
        z = (y.value - expected) / error
        return Residual(
            expected=centre,
            expected_low=min(one_low, centre),
            expected_high=max(one_high, centre),
            gap=gap,
            gap_low=gap - math.hypot(score.estimate - score.low, high - centre),
            gap_high=gap + math.hypot(score.high - score.estimate, centre - low),
            z=z,
            p_value=_two_sided_p(z, self.n - 2),
        )


def logit_of(mean: Interval) -> Logit:
    """Return a mean in [0, 1] on the logit scale, with its variance by the delta method.

    Half a cluster is added to both sides, so that 0 and 1 are far out and not infinite (Haldane 1956, Anscombe 1956).

    Raises:
        ValueError: one cluster alone, which has no standard error.
    """
    if mean.stderr is None:
        msg = f"A mean over {mean.n} cluster has no standard error; expected at least 2."
        raise ValueError(msg)
    share = (mean.n * mean.estimate + 0.5) / (mean.n + 1)
    return Logit(math.log(share / (1 - share)), (mean.stderr / (share * (1 - share))) ** 2)


def fit_line(points: Sequence[Point]) -> Line:
    """Return the line of at least ``FEWEST_MODELS`` models.

    Raises:
        NoLineError: too few models, or their execution differs by no more than the noise of measuring it.
    """
    n = len(points)
    if n < FEWEST_MODELS:
        msg = f"a line needs at least {FEWEST_MODELS} models besides the one that is held to it, here are {n}"
        raise NoLineError(msg)
    x, x_variance, y, y_variance = np.array([(*point.x, *point.y) for point in points]).T
    ones = np.ones((n, 1))
    spread2 = _excess(ones, x, x_variance)
    if spread2 <= 0:
        msg = f"the execution of {n} models differs by no more than the noise of measuring it"
        raise NoLineError(msg)
    mean = float(_weighted(ones, x, x_variance + spread2)[0][0])
    calibrated = [_calibrated(point.x, mean, spread2) for point in points]
    true_x, left = np.array(calibrated).T
    design = np.column_stack([np.ones(n), true_x])
    intercept, slope, scatter2, covariance = _regression(design, y, y_variance)
    for _ in range(_MOST_ROUNDS):  # the slope decides how much an uncertain x adds to the noise of y
        before = slope
        intercept, slope, scatter2, covariance = _regression(design, y, y_variance + slope**2 * left)
        if abs(slope - before) <= 1e-9 * (1 + abs(slope)):
            break
    return Line(intercept, slope, math.sqrt(scatter2), mean, math.sqrt(spread2), covariance, n)


def _regression(design: Array, y: Array, noise: Array) -> tuple[float, float, float, Array]:
    """Return intercept, slope, the variance of models about the line beyond ``noise``, and the covariance."""
    scatter2 = _excess(design, y, noise)
    coefficients, covariance = _weighted(design, y, noise + scatter2)
    return float(coefficients[0]), float(coefficients[1]), scatter2, covariance


def _calibrated(x: Logit, mean: float, spread2: float) -> tuple[float, float]:
    """Return the expected true logit of a measured one, and the variance that is left about it."""
    reliability = spread2 / (spread2 + x.variance)
    return mean + reliability * (x.value - mean), spread2 * (1 - reliability)


def _weighted(design: Array, y: Array, variance: Array) -> tuple[Array, Array]:
    """Return coefficients and their covariance by weighted least squares."""
    weighted = design / variance[:, None]
    covariance: Array = np.linalg.inv(weighted.T @ design)
    return covariance @ (weighted.T @ y), covariance


def _excess(design: Array, y: Array, variance: Array) -> float:
    """Return the variance that must be added to ``variance`` for the squared residuals to be what they should be.

    Their weighted sum falls as it grows, so it is found by halving between 0 and the variance without weights.
    """

    def surplus(added: float) -> float:
        coefficients, _ = _weighted(design, y, variance + added)
        return float(np.sum((y - design @ coefficients) ** 2 / (variance + added))) - degrees

    degrees = int(len(y) - design.shape[1])
    if surplus(0.0) <= 0:
        return 0.0
    plain, _ = _weighted(design, y, np.ones(len(y)))
    low, high = 0.0, float(np.sum((y - design @ plain) ** 2)) / degrees
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if surplus(middle) > 0 else (low, middle)
    return (low + high) / 2


def _share(logit: float) -> float:
    return 0.5 * (1 + math.tanh(logit / 2))


def _observed(share: float, n: int) -> float:
    """Return the mean over ``n`` clusters that ``logit_of`` takes for this share, which may be 0 or 1."""
    return min(max(((n + 1) * share - 0.5) / n, 0.0), 1.0)


def _two_sided_p(t: float, degrees: int) -> float:
    from scipy.special import stdtr

    return float(2 * stdtr(degrees, -abs(t)))
