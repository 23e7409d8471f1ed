"""Does a logistic likelihood have a maximum, and only one? If not, which rows or columns are the reason.

References:
    Ford 1957, American Mathematical Monthly 64(8) (strengths: every model reaches every other by wins);
    Albert & Anderson 1984, Biometrika 71(1) (covariates: no direction separates wins from losses).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from codearena_plugin.scoring.logistic.design import Design
from codearena_plugin.scoring.resample import Array

Flags = NDArray[np.bool_]

_COLLINEAR = 1e-9  # of a column's length: what is left of it without the others
_SEPARATED = 1e-4  # beyond what the tolerance of the linear programme can make up


def collinear_columns(design: Design) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return which covariates only repeat the models, and which are sums of multiples of others (and of the models).

    The first never differ between rows of one pairing (or are 0 throughout); of the second all are named that a
    dependence involves, for which of them to leave out is the caller's choice.
    """
    from scipy.linalg import qr

    covariates = design.covariates
    if covariates.shape[1] == 0:
        return (), ()
    n_rows = design.within(np.ones(design.score.size))
    laplacian = design.incidence.T @ (n_rows[:, None] * design.incidence)
    explained = np.linalg.lstsq(laplacian, design.incidence.T @ design.within(covariates), rcond=None)[0]
    left = covariates - (design.incidence @ explained)[design.pairing]
    lengths, left_lengths = np.linalg.norm(covariates, axis=0), np.linalg.norm(left, axis=0)
    repeats = left_lengths <= _COLLINEAR * lengths
    own = np.flatnonzero(~repeats)
    triangle, pivots = qr(left[:, own] / left_lengths[own], mode="r", pivoting=True)
    diagonal = np.abs(np.diag(triangle))
    rank = int((diagonal > _COLLINEAR).sum())
    shares = np.linalg.solve(triangle[:rank, :rank], triangle[:rank, rank:])
    in_sums = {*pivots[rank:].tolist(), *pivots[:rank][(np.abs(shares) > 1e-6).any(axis=1)].tolist()}
    return tuple(np.flatnonzero(repeats).tolist()), tuple(sorted(own[list(in_sums)].tolist()))


def separates(design: Design, direction: Array, held: Array | None = None) -> bool:
    """Return whether going along ``direction``, shape (M + k,), for ever explains no row worse and some better.

    Args:
        design: the rows.
        direction: in which Newton's method was last going; good to about 1e-5 of its length by then.
        held: weights of the clusters, shape (P,): rows of weight 0 do not count.
    """
    if not np.isfinite(direction).all():
        return False
    moves, score = design.log_odds(direction), design.score
    if held is not None:
        kept = held[design.cluster] > 0
        moves, score = moves[kept], score[kept]
    longest = np.abs(moves).max()
    against = np.where(score == 1, -moves, np.where(score == 0, moves, np.abs(moves)))
    return bool(longest > 0 and against.max() <= _SEPARATED * longest)


def is_separated(design: Design) -> bool:
    """Return whether some strengths and coefficients explain every row at least as well the larger they are.

    That is a direction ``d`` with ``rows @ d >= 0`` at wins, ``<= 0`` at losses, ``= 0`` at everything between, and
    not 0 throughout; a linear programme finds it or shows that there is none.
    """
    from scipy.optimize import linprog
    from scipy.sparse import csr_array, hstack

    rows = hstack([csr_array(design.incidence[design.pairing]), csr_array(design.covariates)], format="csr")
    sign = np.where(design.score == 1, 1.0, -1.0)
    decided = (design.score == 1) | (design.score == 0)
    towards = csr_array(rows[decided].multiply(sign[decided][:, None]))
    between = rows[~decided]
    found = linprog(
        -np.asarray(towards.sum(axis=0)).ravel(),
        A_ub=-towards,
        b_ub=np.zeros(towards.shape[0]),
        A_eq=between if between.shape[0] else None,
        b_eq=np.zeros(between.shape[0]) if between.shape[0] else None,
        bounds=(-1, 1),
        method="highs",
    )
    if found.status != 0:
        msg = f"Whether covariates separate the data could not be told: {found.message}"
        raise ValueError(msg)
    return bool(-found.fun > _SEPARATED)


def linked_in_replicates(design: Design, weights: Array) -> tuple[Flags, Flags]:
    """Return for each replicate which models never meet the reference, and which are not linked to it by wins.

    A model meets the reference itself or through others. It is linked if it beats the reference, or a model that does,
    and so on, and is beaten likewise; ties count both ways. Strengths have a finite maximum exactly if all are linked.

    Args:
        design: of all rows.
        weights: how often each replicate holds each cluster, shape (B, P); of ones for the data itself.

    Returns:
        Two arrays of shape (B, M).
    """
    won, lost = (weights @ _presence(design, rows) > 0 for rows in (design.score > 0, design.score < 1))
    if design.is_star:
        return ~(won | lost), ~(won & lost)
    patterns, inverse = np.unique(np.concatenate([won, lost], axis=1), axis=0, return_inverse=True)
    n_pairings = won.shape[1]
    found = [_not_linked(design.incidence, one[:n_pairings], one[n_pairings:]) for one in patterns]
    apart, unlinked = (np.array(flags)[inverse.ravel()] for flags in zip(*found, strict=True))
    return apart, unlinked


def _not_linked(incidence: Array, won: Flags, lost: Flags) -> tuple[Flags, Flags]:
    """Return the same for one graph, shape (M,) each.

    Args:
        incidence: of a design, shape (G, M).
        won: the model of the pairing won or tied a row there, shape (G,).
        lost: it lost or tied one.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n_models = incidence.shape[1]
    model = np.argmax(incidence, axis=1)
    met = (incidence < 0).any(axis=1)
    opponent = np.where(met, np.argmin(incidence, axis=1), n_models)  # the reference is the last node
    winner = np.concatenate([model[won], opponent[lost]])
    loser = np.concatenate([opponent[won], model[lost]])
    graph = coo_array((np.ones(winner.size), (winner, loser)), shape=(n_models + 1, n_models + 1))
    _, strong = connected_components(graph, directed=True, connection="strong")
    _, weak = connected_components(graph, directed=False)
    return weak[:-1] != weak[-1], strong[:-1] != strong[-1]


def _presence(design: Design, rows: Flags) -> Array:
    """Return whether a cluster has one of ``rows`` in a pairing, shape (P, G)."""
    found = np.zeros((design.n_clusters, len(design.incidence)))
    found[design.cluster[rows], design.pairing[rows]] = 1.0
    return found
