"""The same fit to many resamples of the prompts, all at once.

Replicates differ from the data by a standard error or so, so Newton's method starts at the data's own maximum. All
replicates of a block take their steps together: what is done per row is done by matrix products over the block.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codearena_plugin.scoring.logistic.design import Design, Hessian
from codearena_plugin.scoring.logistic.newton import dense, steps, with_ridge
from codearena_plugin.scoring.resample import Array

Flags = NDArray[np.bool_]

# Replicates of a block: as many as keep a product (its multiplications) within what OpenBLAS does on one thread. Its
# threads wait for each other by spinning; for products of this size that was measured to cost 2 to 7 times the work.
_PRODUCT = 1 << 18
_FEWEST = 8  # but for pairings of very many rows
# Newton's method walks about one unit of log-odds a look towards a maximum at infinity: this is far enough to tell.
_MOST_LOOKS = 16
_LOOKS_WITHOUT_HESSIAN = (1, 2)  # most replicates are all but there by then
_TOO_FAR = 1e3  # log-odds: a step that only a singular Hessian suggests
# A replicate is done when its gradient is below this part of the weight behind it ...
_GRADIENT = 1e-6
# ... and the step that is left, in standard errors and squared. The gradient alone would also vanish on the way to a
# maximum at infinity; this does not.
_LEFT = 1e-8


class _Rows(NamedTuple):
    """What does not change between looks: by row, weights times columns.

    Attributes:
        halves: weight / 2 times 1 and the covariates, shape (R, 1 + k).
        quarters: weight / 4 times 1, the covariates, and the products of two of them, (1 + k)(2 + k) / 2 columns; in
            slices of 1 + k, filled up with zeros: shape (R, S, 1 + k).
        half_covariates: shape (R, k).
        signs: 2 score - 1, shape (R, 1).
    """

    halves: Array
    quarters: Array
    half_covariates: Array
    signs: Array


class Refits(NamedTuple):
    """The end of each replicate's steps.

    Attributes:
        parameters: strengths and coefficients, shape (B, M + k).
        done: whether they are the maximum, shape (B,).
        last: the last step, shape (B, M + k); where a replicate is not done, it shows the way that it was going.
    """

    parameters: Array
    done: Flags
    last: Array


def refit(design: Design, weights: Array, start: Array, ridge: float) -> Refits:
    """Return the maximum of each replicate's penalised log-likelihood, or where it was when patience ended.

    Args:
        design: all rows; every model has rows of weight in every replicate.
        weights: how often each replicate holds each cluster, shape (B, P).
        start: the maximum for the data itself, shape (M + k,).
        ridge: as in ``newton.maximise``.
    """
    rows = _rows_of(design)
    # the first step of all replicates is one product: each cluster's part of the gradient at the common start
    whole = dense(design, with_ridge(design.state(start).hessian, ridge))[0]
    gradients = weights @ design.cluster_gradients(start) - _pull(design, ridge) * start
    last = np.linalg.solve(whole, gradients.T).T
    found = Refits(start + last, np.zeros(len(weights), dtype=np.bool_), last)
    masses = design.behind(weights @ design.by_cluster(design.weight))
    widest = max(end - begin for begin, end in design.bounds)
    size = max(_FEWEST, _PRODUCT // (widest * rows.halves.shape[1]))
    for begin in range(0, len(weights), size):
        block = slice(begin, begin + size)
        part = Refits(found.parameters[block], found.done[block], found.last[block])  # views: changed in place
        _refine(design, rows, (weights[block], masses[block]), part, ridge)
    return found


def _rows_of(design: Design) -> _Rows:
    columns = np.concatenate([np.ones((len(design.score), 1)), design.covariates], axis=1)
    left, right = np.triu_indices(design.covariates.shape[1])
    products = design.covariates[:, left] * design.covariates[:, right]
    fill = np.zeros((len(columns), -products.shape[1] % columns.shape[1]))
    quarters = np.concatenate([columns, products, fill], axis=1) * (design.weight / 4)[:, None]
    return _Rows(
        halves=columns * (design.weight / 2)[:, None],
        quarters=quarters.reshape(len(columns), -1, columns.shape[1]),
        half_covariates=design.covariates / 2,
        signs=(2 * design.score - 1)[:, None],
    )


def _pull(design: Design, ridge: float) -> Array:
    return np.concatenate([np.zeros(design.n_models), np.full(design.covariates.shape[1], ridge)])


def _refine(design: Design, rows: _Rows, behind: tuple[Array, Array], found: Refits, ridge: float) -> None:
    """Take steps until each replicate is done or goes nowhere; ``found`` is changed in place."""
    weights, masses = behind
    active, counts = np.arange(len(weights)), np.ascontiguousarray(weights.T)
    pull = _pull(design, ridge)
    hessian: Hessian | None = None
    for look in range(_MOST_LOOKS):
        here = found.parameters[active]
        gradient, hessian = _look(design, rows, counts, here, hessian if look in _LOOKS_WITHOUT_HESSIAN else None)
        gradient -= pull * here
        step = steps(design, with_ridge(hessian, ridge), gradient)
        left = np.einsum("bp,bp->b", step, gradient)
        sane = np.abs(step).max(axis=1) < _TOO_FAR  # NaN is not
        ready = sane & (left <= _LEFT) & (np.abs(gradient) <= _GRADIENT * masses[active]).all(axis=1)
        found.parameters[active[sane]] += step[sane]
        found.last[active] = step
        found.done[active[ready]] = True
        going = sane & ~ready
        if not going.any():
            break
        if not going.all():
            active, counts = active[going], np.ascontiguousarray(counts[:, going])
            hessian = Hessian(*(part[going] for part in hessian))


def _look(
    design: Design, rows: _Rows, counts: Array, parameters: Array, hessian: Hessian | None
) -> tuple[Array, Hessian]:
    """Return gradients of b replicates at their parameters, shape (b, M + k), and Hessians: those given, or new ones.

    Args:
        counts: how often each cluster is held, shape (P, b).
        parameters: shape (b, M + k).
    """
    n_models, k = design.n_models, design.covariates.shape[1]
    n_pairings, b = len(design.incidence), len(parameters)
    differences = design.incidence @ parameters[:, :n_models].T / 2
    effects = np.ascontiguousarray(parameters[:, n_models:].T)
    slopes = np.empty((n_pairings, 1 + k, b))
    curvatures = np.empty((n_pairings, *rows.quarters.shape[1:], b))
    for i, (begin, end) in enumerate(design.bounds):
        held = counts[design.cluster[begin:end]]
        tanh = rows.half_covariates[begin:end] @ effects
        tanh += differences[i]
        np.tanh(tanh, out=tanh)
        if hessian is None:
            information = 1 - tanh * tanh
            information *= held
            np.matmul(rows.quarters[begin:end].transpose(1, 2, 0), information, out=curvatures[i])
        np.subtract(rows.signs[begin:end], tanh, out=tanh)
        tanh *= held
        np.matmul(rows.halves[begin:end].T, tanh, out=slopes[i])
    gradient = np.concatenate([slopes[:, 0].T @ design.incidence, slopes[:, 1:].sum(axis=0).T], axis=1)
    return gradient, _hessian_of(curvatures.reshape(n_pairings, -1, b), k) if hessian is None else hessian


def _hessian_of(curvatures: Array, k: int) -> Hessian:
    """Return the blocks from sums by pairing of the columns of ``_Rows.quarters``, shape (G, S (1 + k), b)."""
    left, right = np.triu_indices(k)
    coefficients = np.empty((curvatures.shape[2], k, k))
    coefficients[:, left, right] = coefficients[:, right, left] = curvatures[:, 1 + k : 1 + k + left.size].sum(axis=0).T
    return Hessian(
        np.ascontiguousarray(curvatures[:, 0].T),
        np.ascontiguousarray(np.moveaxis(curvatures[:, 1 : 1 + k], 2, 0)),
        coefficients,
    )
