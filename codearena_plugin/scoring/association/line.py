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
    """One model: execution ``x`` and preference ``y``."""

    x: Logit
    y: Logit


class Residual(NamedTuple):
    """How much more a model is preferred than others with its execution; every share in [0, 1].

    Attributes:
        expected: share of the points that a model with this pass@1 is expected to get.
        expected_low: with ``expected_high`` a prediction interval: where the score of one more such model would lie.
        gap: score less expected score; its ends are the interval of this model's own true gap, given that both axes
            and the line are uncertain.
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

        Args:
            point: the model.
            confidence: in (0, 1), of the interval of the gap and of the prediction; t with n − 2 degrees of freedom.
        """
        true_x, left = _calibrated(point.x, self.mean, self.spread**2)
        at = np.array([1.0, true_x])
        expected = self.intercept + self.slope * true_x
        measuring = point.y.variance + self.slope**2 * left + float(at @ self.covariance @ at)
        error = math.sqrt(measuring + self.scatter**2)
        t = student_t(confidence, self.n - 2)
        own, away = t * math.sqrt(measuring), point.y.value - expected
        centre = _share(expected)
        return Residual(
            expected=centre,
            expected_low=_share(expected - t * error),
            expected_high=_share(expected + t * error),
            gap=_share(expected + away) - centre,
            gap_low=_share(expected + away - own) - centre,
            gap_high=_share(expected + away + own) - centre,
            z=away / error,
            p_value=_two_sided_p(away / error, self.n - 2),
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


def left_out_residuals(points: Sequence[Point], confidence: float = 0.95) -> list[Residual]:
    """Return the residual of each model from the line of all others: no model bends the line that it is held to.

    Raises:
        NoLineError: the others do not determine a line.
    """
    return [fit_line([*points[:i], *points[i + 1 :]]).residual(point, confidence) for i, point in enumerate(points)]


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


def _two_sided_p(t: float, degrees: int) -> float:
    from scipy.special import stdtr

    return float(2 * stdtr(degrees, -abs(t)))
