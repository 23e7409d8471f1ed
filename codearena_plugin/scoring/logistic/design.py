"""The rows of a fit, sorted by pairing, and the sums that its gradient and Hessian are made of.

A *pairing* is one model against one opponent. A row reaches the strengths only through the difference of its pairing,
so every sum is taken within pairings first; G pairings and k covariates stand for R rows and M + k parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from codearena_plugin.scoring.resample import Array, IntArray, refuse_wild_weights


@dataclass(frozen=True, eq=False)
class Comparisons:
    """Comparisons of models, one a row; ``logit E(score) = strength[model] - strength[opponent] + covariates @ c``.

    Attributes:
        model: index of the model whose score it is, in [0, n_models), shape (R,).
        opponent: index of the other one; -1 is the reference, whose strength is 0; shape (R,).
        score: in [0, 1]; 1 the model won, 0.5 a tie, 0 it lost; shape (R,).
        cluster: index of the prompt, in [0, n_clusters), shape (R,).
        covariates: shape (R, k), k may be 0; of the order of 1, so that a penalty means the same for each.
        weight: at least 0, shape (R,).
        n_models: M.
        n_clusters: P.

    Raises:
        ValueError: no rows, shapes that differ, an index or a score out of range, a value that is not finite.
    """

    model: IntArray
    opponent: IntArray
    score: Array
    cluster: IntArray
    covariates: Array
    weight: Array
    n_models: int
    n_clusters: int

    def __post_init__(self) -> None:
        """Refuse what would turn into a wrong number further down."""
        n_rows = self.score.size
        shapes = [array.shape for array in (self.model, self.opponent, self.score, self.cluster, self.weight)]
        if n_rows == 0 or set(shapes) != {(n_rows,)} or self.covariates.ndim != 2 or len(self.covariates) != n_rows:
            msg = (
                f"Shapes of model, opponent, score, cluster, weight are {shapes}, of covariates "
                f"{self.covariates.shape}; expected (R,) five times and (R, k), with R at least 1."
            )
            raise ValueError(msg)
        _check_index("model", self.model, 0, self.n_models)
        _check_index("opponent", self.opponent, -1, self.n_models)
        _check_index("cluster", self.cluster, 0, self.n_clusters)
        refuse_wild_weights(weights=self.weight)
        if not ((self.score >= 0) & (self.score <= 1)).all():  # NaN is neither
            msg = "A score is outside 0 to 1 or NaN; leave comparisons without a score out."
            raise ValueError(msg)
        if not np.isfinite(self.covariates).all():
            msg = f"A covariate is not finite, in column {int(np.argwhere(~np.isfinite(self.covariates))[0, 1])}."
            raise ValueError(msg)
        if (self.model == self.opponent).any():
            msg = f"Model {int(self.model[self.model == self.opponent][0])} is compared with itself."
            raise ValueError(msg)


def _check_index(name: str, index: IntArray, least: int, end: int) -> None:
    if not np.issubdtype(index.dtype, np.integer) or index.min() < least or index.max() >= end:
        msg = (
            f"{name} holds {index.dtype} values from {index.min()} to {index.max()}; "
            f"expected whole numbers in [{least}, {end})."
        )
        raise ValueError(msg)


def with_ties(rows: Comparisons, models: IntArray) -> Comparisons:
    """Return ``rows`` and a tie with the reference for each of ``models``: weight 1, covariates 0, its own cluster."""
    n, k = models.size, rows.covariates.shape[1]
    return Comparisons(
        model=np.concatenate([rows.model, models]),
        opponent=np.concatenate([rows.opponent, np.full(n, -1)]),
        score=np.concatenate([rows.score, np.full(n, 0.5)]),
        cluster=np.concatenate([rows.cluster, rows.n_clusters + np.arange(n)]),
        covariates=np.concatenate([rows.covariates, np.zeros((n, k))]),
        weight=np.concatenate([rows.weight, np.ones(n)]),
        n_models=rows.n_models,
        n_clusters=rows.n_clusters + n,
    )


class Hessian(NamedTuple):
    """Minus the second derivatives of B log-likelihoods, in blocks.

    Attributes:
        pairings: information about the difference of strengths of each pairing, shape (B, G).
        cross: of that difference with each coefficient, shape (B, G, k).
        coefficients: shape (B, k, k).
    """

    pairings: Array
    cross: Array
    coefficients: Array


class State(NamedTuple):
    """A log-likelihood at one point: its value, gradient (M + k,) and Hessian, and the largest |log-odds| of a row."""

    value: float
    gradient: Array
    hessian: Hessian
    largest: float


@dataclass(frozen=True, eq=False)
class Design:
    """The rows with weight > 0, sorted by pairing.

    Attributes:
        pairing: pairing of each row, ascending, shape (R,).
        first: first row of each pairing, shape (G,).
        incidence: +1 at the model of a pairing and -1 at its opponent, shape (G, M).
        is_star: every opponent is the reference and every model has rows; ``incidence`` is then the identity.
    """

    covariates: Array
    score: Array
    weight: Array
    cluster: IntArray
    pairing: IntArray
    first: IntArray
    incidence: Array
    is_star: bool
    n_clusters: int

    @property
    def n_models(self) -> int:
        """M."""
        return int(self.incidence.shape[1])

    @property
    def bounds(self) -> list[tuple[int, int]]:
        """First row and end of each pairing."""
        ends = [*self.first[1:].tolist(), self.score.size]
        return list(zip(self.first.tolist(), ends, strict=True))

    def within(self, values: Array) -> Array:
        """Return the sums of ``values``, shape (R, ...), within pairings, shape (G, ...)."""
        sums: Array = np.add.reduceat(values, self.first, axis=0)
        return sums

    def log_odds(self, parameters: Array) -> Array:
        """Return the log-odds of each row at strengths and coefficients, shape (M + k,)."""
        differences = self.incidence @ parameters[: self.n_models]
        found: Array = differences[self.pairing] + self.covariates @ parameters[self.n_models :]
        return found

    def value(self, log_odds: Array) -> float:
        """Return the log-likelihood."""
        return float(self.weight @ (self.score * log_odds - np.logaddexp(0.0, log_odds)))

    def state(self, parameters: Array) -> State:
        """Return the log-likelihood and its derivatives at strengths and coefficients, shape (M + k,)."""
        log_odds = self.log_odds(parameters)
        tanh = np.tanh(log_odds / 2)  # 2 p - 1; unlike exp it never overflows
        residual = self.weight * (2 * self.score - 1 - tanh) / 2
        information = self.weight * (1 - tanh) * (1 + tanh) / 4
        scaled = information[:, None] * self.covariates
        return State(
            self.value(log_odds),
            np.concatenate([self.incidence.T @ self.within(residual), residual @ self.covariates]),
            Hessian(self.within(information)[None], self.within(scaled)[None], (scaled.T @ self.covariates)[None]),
            float(np.abs(log_odds).max()),
        )

    def residuals(self, parameters: Array) -> Array:
        """Return weight * (score - what was expected) of each row, shape (R,)."""
        found: Array = self.weight * (2 * self.score - 1 - np.tanh(self.log_odds(parameters) / 2)) / 2
        return found

    def cluster_gradients(self, parameters: Array) -> Array:
        """Return what each cluster adds to the gradient, shape (P, M + k)."""
        residual = self.residuals(parameters)
        on_effects = [np.bincount(self.cluster, residual * x, self.n_clusters) for x in self.covariates.T]
        return np.column_stack([self.by_cluster(residual) @ self.incidence, *on_effects])

    def by_cluster(self, values: Array) -> Array:
        """Return the sums of ``values``, shape (R,), within clusters and pairings, shape (P, G)."""
        n_pairings = len(self.incidence)
        places = self.cluster * n_pairings + self.pairing
        found = np.bincount(places, values, minlength=self.n_clusters * n_pairings)
        return found.astype(np.float64).reshape(self.n_clusters, n_pairings)

    def behind(self, amounts: Array) -> Array:
        """Return what lies behind each parameter of ``amounts`` by pairing, shape (n, G), as shape (n, M + k).

        That is what a model took part in for a strength, and everything for a coefficient.
        """
        total = np.repeat(amounts.sum(axis=1, keepdims=True), self.covariates.shape[1], axis=1)
        return np.concatenate([amounts @ np.abs(self.incidence), total], axis=1)


def design_of(rows: Comparisons) -> Design:
    """Return the rows with weight > 0, sorted by pairing.

    Raises:
        ValueError: no row has a weight above 0.
    """
    kept = np.flatnonzero(rows.weight > 0)
    if kept.size == 0:
        msg = "No comparison has a weight above 0."
        raise ValueError(msg)
    codes = (rows.model[kept].astype(np.int64)) * (rows.n_models + 1) + rows.opponent[kept] + 1
    kept, codes = kept[order := np.argsort(codes, kind="stable")], codes[order]
    _, first, pairing = np.unique(codes, return_index=True, return_inverse=True)
    model, opponent = rows.model[kept[first]], rows.opponent[kept[first]]
    incidence = np.zeros((first.size, rows.n_models))
    incidence[np.arange(first.size), model] = 1.0
    met = np.flatnonzero(opponent >= 0)
    incidence[met, opponent[met]] = -1.0
    return Design(
        covariates=rows.covariates[kept].astype(np.float64),
        score=rows.score[kept].astype(np.float64),
        weight=rows.weight[kept].astype(np.float64),
        cluster=rows.cluster[kept].astype(np.int64),
        pairing=pairing.astype(np.int64),
        first=first.astype(np.int64),
        incidence=incidence,
        is_star=met.size == 0 and first.size == rows.n_models,
        n_clusters=rows.n_clusters,
    )
