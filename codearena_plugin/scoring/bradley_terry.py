"""Bradley–Terry with covariates: strengths on one scale, whoever met whom, with what style explains taken out.

``logit E(score) = strength[model] - strength[opponent] + covariates @ coefficients``; the reference has strength 0. A
score is any number in [0, 1], so this is a quasi-likelihood: estimates are exact maxima of it, and uncertainty comes
from the spread between prompts (a sandwich, or resampling) and not from the model's own variance. With one opponent
and no covariates, strength = logit(mean score).

Where no finite maximum exists a stated, recorded penalty makes one; see ``Fit``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from codearena_plugin.scoring.logistic.design import Comparisons, Design, design_of, with_ties
from codearena_plugin.scoring.logistic.existence import (
    collinear_columns,
    is_separated,
    linked_in_replicates,
    separates,
)
from codearena_plugin.scoring.logistic.newton import Solution, dense, maximise
from codearena_plugin.scoring.logistic.replicates import refit
from codearena_plugin.scoring.resample import Array, refuse_wild_weights

__all__ = ["RIDGES", "Comparisons", "Fit", "NotConnectedError", "bootstrap_fit", "fit"]

# The penalties that are tried, the smallest first, where covariates separate wins from losses.
RIDGES = (0.01, 0.1, 1.0, 10.0, 100.0, 1000.0)
# Log-odds beyond which a solution may be on its way to infinity: 6 in a million. Then the exact test decides.
_SUSPICIOUS = 12.0


class NotConnectedError(ValueError):
    """Models that no comparison of weight > 0 connects with the reference, not even through others.

    Attributes:
        models: their indices, ascending.
    """

    def __init__(self, models: tuple[int, ...]) -> None:
        """Say which."""
        self.models = models
        super().__init__(
            f"No comparison of weight > 0 connects model(s) {', '.join(map(str, models))} with the reference, directly "
            "or through others; leave them out or add comparisons."
        )


@dataclass(frozen=True, eq=False)
class Fit:
    """The maximum of the (penalised) log-likelihood.

    Attributes:
        strengths: in log-odds against the reference, shape (M,).
        coefficients: in log-odds per unit of a covariate, shape (k,).
        covariance: of strengths, then coefficients, shape (M + k, M + k): ``H^-1 (C / (C - 1) sum_c g_c g_c') H^-1``,
            ``g_c`` what prompt ``c`` adds to the gradient, ``C`` the number of prompts. Each pairing of two models,
            and each coefficient, is credited with at least the spread of one prompt a full point from what was
            expected: equal scores do not show that the next one is equal too.
        gradient_norm: largest absolute value of the gradient there.
        iterations: Newton steps.
        penalised: models without a finite maximum: those that are not linked to the reference by wins and ties in
            both directions; with one opponent these won or lost everything. Each was given one tie of weight 1 with
            the reference, covariates 0, which counts as a prompt of its own in the covariance.
        ridge: 0.0; or, where covariates separate wins from losses, the smallest of ``RIDGES`` times
            ``sum(coefficients²) / 2`` with which no row's covariates claim more than ``log(2 W + 1)`` log-odds: what
            ``W``, the weight of all rows, would claim as wins in a row with one tie added.
    """

    strengths: Array
    coefficients: Array
    covariance: Array
    gradient_norm: float
    iterations: int
    penalised: tuple[int, ...]
    ridge: float


def fit(rows: Comparisons) -> Fit:
    """Return the exact maximum-likelihood fit, penalised only where no finite maximum exists (see ``Fit``).

    Raises:
        NotConnectedError: models that nothing connects with the reference, even through others.
        ValueError: no row has weight; covariates are collinear or repeat the models; or Newton's method did not
            converge.

    References:
        Bradley & Terry 1952, Biometrika 39(3/4); Liang & Zeger 1986, Biometrika 73(1) (clustered sandwich).

    >>> rows = Comparisons(
    ...     model=np.zeros(4, int), opponent=np.full(4, -1), score=np.array([1.0, 1.0, 1.0, 0.0]),
    ...     cluster=np.arange(4), covariates=np.zeros((4, 0)), weight=np.ones(4), n_models=1, n_clusters=4)
    >>> round(float(np.exp(fit(rows).strengths[0])), 9)
    3.0
    """
    design = design_of(rows)
    apart, unlinked = (flags[0] for flags in linked_in_replicates(design, np.ones((1, rows.n_clusters))))
    if apart.any():
        raise NotConnectedError(tuple(np.flatnonzero(apart).tolist()))
    penalised = np.flatnonzero(unlinked)
    if penalised.size:
        design = design_of(with_ties(rows, penalised))
    _refuse_collinear(design)
    solution, ridge = _solve(design, np.zeros(rows.n_models + rows.covariates.shape[1]), 0.0)
    return Fit(
        strengths=solution.parameters[: rows.n_models],
        coefficients=solution.parameters[rows.n_models :],
        covariance=_sandwich(design, solution),
        gradient_norm=solution.gradient_norm,
        iterations=solution.iterations,
        penalised=tuple(penalised.tolist()),
        ridge=ridge,
    )


def bootstrap_fit(rows: Comparisons, start: Fit, weights: Array) -> Array:
    """Return strengths and coefficients of each replicate, shape (B, M + k).

    Every replicate is a maximum of its own likelihood (gradient at most 1e-6 of the weight behind each parameter,
    and at most 1e-4 standard errors from it), penalised by the same rules as ``fit``. Where covariates are collinear
    in a replicate, the smallest ridge makes its maximum unique. A strength is NaN where a replicate holds nothing
    that connects the model with the reference, and all is NaN where it holds no comparison at all. Of a model that
    won or lost everything all replicates are alike: their spread says nothing, the covariance of ``start`` does.

    Args:
        rows: what ``start`` was fitted to.
        start: ``fit(rows)``.
        weights: how often each replicate holds each prompt, shape (B, P) (``resample.bootstrap_weights``).

    Raises:
        ValueError: ``weights`` has another shape or wild values, or a replicate did not converge.
    """
    if weights.ndim != 2 or weights.shape[1] != rows.n_clusters:
        msg = f"Weights have shape {weights.shape}; expected (B, {rows.n_clusters}), one column per prompt."
        raise ValueError(msg)
    refuse_wild_weights(weights=weights)
    empty = weights @ np.bincount(rows.cluster, rows.weight, rows.n_clusters) == 0
    weights = np.where(empty[:, None], 1.0, weights)
    apart, unlinked = linked_in_replicates(design_of(rows), weights)
    tied = np.flatnonzero(unlinked.any(axis=0))
    rows = with_ties(rows, tied)
    found = _refit_together(rows, start, np.concatenate([weights, unlinked[:, tied]], axis=1))
    found[:, : rows.n_models][apart] = np.nan
    found[empty] = np.nan
    return found


def _refit_together(rows: Comparisons, start: Fit, weights: Array) -> Array:
    """Return all replicates' parameters: together where that works, and by themselves where it does not."""
    design = design_of(rows)
    at = np.concatenate([start.strengths, start.coefficients])
    found = refit(design, weights, at, start.ridge)
    rest = np.flatnonzero(~found.done)
    if start.ridge == 0 and rest.size and start.coefficients.size:
        poor = rest[[_needs_ridge(rows, design, weights[b], found.last[b]) for b in rest]]
        again = refit(design, weights[poor], at, RIDGES[0])
        found.parameters[poor] = again.parameters
        found.done[poor] = [
            done and _is_modest(design, parameters, weights[b])
            for b, done, parameters in zip(poor, again.done, again.parameters, strict=True)
        ]
    for b in np.flatnonzero(~found.done):
        alone = design_of(_held(rows, weights[b]))
        least = max(start.ridge, RIDGES[0]) if any(collinear_columns(alone)) else start.ridge
        found.parameters[b] = _solve(alone, at, least)[0].parameters
    return found.parameters


def _held(rows: Comparisons, held: Array) -> Comparisons:
    """Return a replicate's rows."""
    return replace(rows, weight=rows.weight * held[rows.cluster])


def _needs_ridge(rows: Comparisons, design: Design, held: Array, last: Array) -> bool:
    """Return whether a replicate's covariates separate its rows or are collinear there, as its last step suggests."""
    return separates(design, last, held) or any(collinear_columns(design_of(_held(rows, held))))


def _is_modest(design: Design, parameters: Array, held: Array | None = None) -> bool:
    """Return whether no row's covariates claim more log-odds than all rows could support; see ``Fit.ridge``."""
    weight = design.weight if held is None else design.weight * held[design.cluster]
    claimed = np.abs(design.covariates[weight > 0] @ parameters[design.n_models :]).max()
    return bool(claimed <= np.log(2 * weight.sum() + 1))


def _refuse_collinear(design: Design) -> None:
    repeats, sums = collinear_columns(design)
    if repeats:
        msg = f"Covariate(s) {_listed(repeats)} do not vary between rows of the same models; leave them out."
        raise ValueError(msg)
    if sums:
        msg = f"Covariates {_listed(sums)} are collinear (given the models); leave one of them out."
        raise ValueError(msg)


def _listed(columns: tuple[int, ...]) -> str:
    return ", ".join(map(str, columns))


def _solve(design: Design, start: Array, ridge: float) -> tuple[Solution, float]:
    """Return the maximum and the penalty that it needed, at least ``ridge``."""
    if ridge == 0:
        solution = maximise(design, start, 0.0)
        is_finite = solution.largest <= _SUSPICIOUS or not (
            separates(design, solution.last) or (design.covariates.shape[1] and is_separated(design))
        )
        if solution.converged and is_finite:
            return solution, 0.0
        if is_finite:
            msg = (
                f"The fit did not converge: gradient {solution.gradient_norm:.1e} after {solution.iterations} Newton "
                "steps; are covariates of very different sizes? Divide them by their standard deviations."
            )
            raise ValueError(msg)
    for penalty in RIDGES:
        if penalty >= ridge:
            solution = maximise(design, start, penalty)
            if solution.converged and _is_modest(design, solution.parameters):
                return solution, penalty
    msg = f"Covariates separate wins from losses, and no penalty up to {RIDGES[-1]:g} holds them; leave some out."
    raise ValueError(msg)


def _sandwich(design: Design, solution: Solution) -> Array:
    whole = dense(design, solution.hessian)[0]
    gradients = design.cluster_gradients(solution.parameters)
    n_clusters = np.unique(design.cluster).size
    correction = n_clusters / max(1, n_clusters - 1)
    spread = gradients.T @ gradients * correction
    m = design.n_models
    lacking, n_cells = _lacking_spread(design, solution, correction)
    spread[:m, :m] += lacking
    least = 4 * np.diag(whole)[m:] * design.weight.sum() / n_cells**2
    effects = np.arange(m, len(spread))
    spread[effects, effects] = np.maximum(spread[effects, effects], least)
    inverse = np.linalg.inv(whole)
    covariance = inverse @ spread @ inverse
    symmetric: Array = (covariance + covariance.T) / 2
    return symmetric


def _lacking_spread(design: Design, solution: Solution, correction: float) -> tuple[Array, int]:
    """Return what the spread of the strengths' gradient lacks to that of one prompt a full point off, shape (M, M).

    That is asked of every two who met, for a model's other opponents say nothing about one against whom its results
    were all equal. The second value is on how many prompts they met, summed over all of them.
    """
    met, first, group = np.unique(np.abs(design.incidence), axis=0, return_index=True, return_inverse=True)
    group = group.reshape(-1)  # of the pairings: two where comparisons are told from either side
    signs = (design.incidence * design.incidence[first][group]).sum(axis=1) > 0
    row = design.cluster * len(met) + group[design.pairing]
    shape = (design.n_clusters, len(met))
    residuals = np.where(signs[design.pairing], 1.0, -1.0) * design.residuals(solution.parameters)
    own = (np.bincount(row, residuals, design.n_clusters * len(met)).reshape(shape) ** 2).sum(axis=0) * correction
    n_cells = (np.bincount(row, minlength=design.n_clusters * len(met)).reshape(shape) > 0).sum(axis=0)
    weight = np.bincount(group, design.within(design.weight), len(met))
    information = np.bincount(group, solution.hessian.pairings[0], len(met))
    # 4 p (1 - p) is 1, a full point, where what was expected is a tie, and less where it is nearly certain
    lacking = np.maximum(0.0, 4 * information * weight / n_cells**2 - own)
    incidence = design.incidence[first]
    return incidence.T @ (lacking[:, None] * incidence), int(n_cells.sum())
