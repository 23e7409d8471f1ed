"""Newton's method for a logistic log-likelihood: exact, or an error."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from codearena_plugin.scoring.logistic.design import Design, Hessian, State
from codearena_plugin.scoring.resample import Array

_MOST_ITERATIONS = 100
_MOST_HALVINGS = 40
_LONGEST = 5.0  # change of a row's log-odds in one step; a longer one can end where the curvature is gone
# of the largest gradient, per weight of all rows: where it stops falling, rounding is all that is left
_TOLERANCE = 1e-10


class Solution(NamedTuple):
    """Where Newton's method ended, and whether that is a maximum.

    Attributes:
        parameters: strengths and coefficients, shape (M + k,).
        gradient_norm: largest absolute value of the gradient of the (penalised) log-likelihood.
        iterations: Newton steps that were taken.
        converged: the gradient fell to rounding error.
        largest: largest absolute log-odds of a row; beyond 12 or so the maximum may be at infinity ...
        last: ... and this, the last step, is then the way to it; shape (M + k,).
        hessian: there, with the penalty; B = 1.
    """

    parameters: Array
    gradient_norm: float
    iterations: int
    converged: bool
    largest: float
    last: Array
    hessian: Hessian


def maximise(design: Design, start: Array, ridge: float) -> Solution:
    """Return the maximum of the log-likelihood minus ``ridge / 2 * sum(coefficients²)``.

    A step is cut where it would change a row's log-odds by more than 5, and halved until it does not lower the
    likelihood, which is concave: so it gets there from anywhere. Steps go on until the gradient stops falling, so a
    fit that converged is exact up to rounding.
    """
    tolerance = _TOLERANCE * float(design.weight.sum())
    parameters, state = start, _penalised(design, start, ridge)
    norm, iterations, step = _norm(state.gradient), 0, np.zeros_like(start)
    while iterations < _MOST_ITERATIONS:
        towards = steps(design, state.hessian, state.gradient[None])[0]
        if not np.isfinite(towards).all():
            break
        step = towards / max(1.0, float(np.abs(design.log_odds(towards)).max()) / _LONGEST)
        moved = _forward(design, parameters, state, step, ridge)
        if moved is None:
            break
        candidate, reached = moved
        iterations += 1
        reached_norm = _norm(reached.gradient)
        if norm <= tolerance and reached_norm > norm / 2:
            break
        parameters, state, norm = candidate, reached, reached_norm
    return Solution(parameters, norm, iterations, norm <= tolerance, state.largest, step, state.hessian)


def steps(design: Design, hessian: Hessian, gradient: Array) -> Array:
    """Return the Newton steps of B log-likelihoods, shape (B, M + k), for their gradients, likewise.

    With one opponent the strengths' block of the Hessian is diagonal and is eliminated: what is solved has size k.
    With several it is the Laplacian of the graph of pairings, and all is solved at once. Where there is no step (a
    singular Hessian), the row is not finite.
    """
    with np.errstate(all="ignore"):
        if not design.is_star:
            return _solve(dense(design, hessian), gradient)
        by_model, on_effects = gradient[:, : design.n_models], gradient[:, design.n_models :]
        ratio = hessian.cross / hessian.pairings[:, :, None]
        schur = hessian.coefficients - np.swapaxes(ratio, 1, 2) @ hessian.cross
        effects = _solve(schur, on_effects - np.einsum("bgk,bg->bk", ratio, by_model))
        strengths = by_model / hessian.pairings - np.einsum("bgk,bk->bg", ratio, effects)
        return np.concatenate([strengths, effects], axis=1)


def dense(design: Design, hessian: Hessian) -> Array:
    """Return whole Hessians, shape (B, M + k, M + k)."""
    m, incidence = design.n_models, design.incidence
    k = hessian.coefficients.shape[1]
    whole = np.empty((len(hessian.pairings), m + k, m + k))
    whole[:, :m, :m] = incidence.T @ (hessian.pairings[:, :, None] * incidence)
    whole[:, :m, m:] = incidence.T @ hessian.cross
    whole[:, m:, :m] = np.swapaxes(whole[:, :m, m:], 1, 2)
    whole[:, m:, m:] = hessian.coefficients
    return whole


def with_ridge(hessian: Hessian, ridge: float) -> Hessian:
    """Return the Hessians with the penalty's part added."""
    k = hessian.coefficients.shape[1]
    return hessian._replace(coefficients=hessian.coefficients + ridge * np.eye(k))


def _penalised(design: Design, parameters: Array, ridge: float) -> State:
    state = design.state(parameters)
    effects = parameters[design.n_models :]
    pull = np.concatenate([np.zeros(design.n_models), ridge * effects])
    return state._replace(
        value=state.value - ridge / 2 * float(effects @ effects),
        gradient=state.gradient - pull,
        hessian=with_ridge(state.hessian, ridge),
    )


def _forward(design: Design, parameters: Array, state: State, step: Array, ridge: float) -> tuple[Array, State] | None:
    """Return the first point along ``step``, halved as needed, where the log-likelihood is no lower (but rounding)."""
    slack = 1e-12 * (1 + abs(state.value))
    for halving in range(_MOST_HALVINGS):
        candidate = parameters + step / 2**halving
        reached = _penalised(design, candidate, ridge)
        if reached.value >= state.value - slack:
            return candidate, reached
    return None


def _solve(matrices: Array, vectors: Array) -> Array:
    """Solve B systems; where a matrix is singular the solution is NaN, and the others are not touched."""
    try:
        return np.asarray(np.linalg.solve(matrices, vectors[:, :, None])[:, :, 0])
    except np.linalg.LinAlgError:
        if len(matrices) == 1:
            return np.full(vectors.shape, np.nan)
        pairs = zip(matrices[:, None], vectors[:, None], strict=True)
        return np.concatenate([_solve(matrix, vector) for matrix, vector in pairs])


def _norm(gradient: Array) -> float:
    return float(np.abs(gradient).max())
