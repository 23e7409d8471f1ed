"""Style control: what part of a preference goes with length, comments, headings and the like, and the score without.

The model is a logistic one, ``logit P(the answer wins) = strength[model] + contrasts @ effects``. A contrast is 0 where
an answer is styled like the baseline's; contrasts are divided by their standard deviation and not centred, so a
controlled score is what the model would get at the baseline's own style.

References:
    Chiang et al. 2024, arXiv:2403.04132 (Bradley–Terry with clustered uncertainty); the "style control" of Chatbot
    Arena adds contrasts as covariates in the same way (blog of 2024-08-28), for prose; these are for code.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from codearena_plugin.leaderboard.record import CONFIDENCE, Place, StyleEffects
from codearena_plugin.leaderboard.rows import POSITION, Array, Row, comparisons_of, prompts_met
from codearena_plugin.leaderboard.standing import places_of_fit
from codearena_plugin.records import Interval
from codearena_plugin.scoring.bradley_terry import Comparisons, Fit, NotConnectedError, bootstrap_fit, fit
from codearena_plugin.scoring.logistic.design import design_of
from codearena_plugin.scoring.logistic.existence import collinear_columns
from codearena_plugin.scoring.rates import student_t

_LEAST_PER_EFFECT = 10  # Peduzzi et al. 1996, J. Clinical Epidemiology 49(12): ten events per variable
_NO_DEVIATION = 1e-9


@dataclass(frozen=True)
class Controlled:
    """Controlled scores and their places, by model, and the effects that were taken out."""

    scores: Mapping[str, Interval]
    places: Mapping[str, Place]
    effects: StyleEffects


def control(
    rows: Sequence[Row], names: Sequence[str], features: Sequence[str], weights: Array, *, unit: str
) -> Controlled | str:
    """Return the controlled scores, or why there are none.

    Args:
        rows: of all models; indices of models as in ``names``, of prompts below ``weights.shape[1]``.
        names: of the models, shape (M,).
        features: of the contrasts, shape (k,); ``POSITION`` stays in its own unit, first against second.
        weights: resamples of the prompts, shape (B, P), for the places.
        unit: what one row is, for the record.
    """
    raw = np.array([row.contrasts for row in rows], dtype=np.float64).reshape(len(rows), len(features))
    scales, left_out = _scales_of(raw, features)
    n_prompts = len({row.prompt for row in rows})
    if not scales:
        return "no feature of style varies between answers"
    too_few = _too_few(rows, n_prompts, len(scales))
    if too_few:
        return too_few
    columns = [features.index(name) for name in scales]
    covariates = raw[:, columns] / np.array(list(scales.values()))
    comparisons = comparisons_of(rows, covariates, n_models=len(names), n_prompts=weights.shape[1])
    comparisons, told = _without_collinear(comparisons, list(scales))
    scales = {name: scale for name, scale in scales.items() if name not in told}
    try:
        found = fit(comparisons)
        replicates = bootstrap_fit(comparisons, found, weights)[:, : len(names)]
    except NotConnectedError as exc:
        return f"{', '.join(names[m] for m in exc.models)} never met the others, directly or through others"
    except ValueError as exc:
        return str(exc)
    at_position = list(scales).index(POSITION) if POSITION in scales else None
    met = prompts_met(rows, len(names))
    scores = {name: _controlled_score(found, m, at_position, n=met[m]) for m, name in enumerate(names)}
    effects = StyleEffects(
        coefficients={
            name: _interval(float(found.coefficients[j]), stderr_of(found, len(names) + j), n=n_prompts)
            for j, name in enumerate(scales)
        },
        scales=scales,
        left_out=left_out | told,
        gradient_norm=found.gradient_norm,
        iterations=found.iterations,
        penalised=tuple(names[m] for m in found.penalised),
        ridge=found.ridge,
        unit=unit,
        n_rows=len(rows),
        n_prompts=n_prompts,
    )
    places = places_of_fit(found, names, replicates, met)
    return Controlled(scores, places, effects)


def _too_few(rows: Sequence[Row], n_prompts: int, n_effects: int) -> str | None:
    """Return why so many effects cannot be fitted to so few prompts, or to so few wins or losses; ``None`` if they can.

    A tie is half of each. Models that win nearly always say little on what decides, however many prompts they met.
    """
    needed = _LEAST_PER_EFFECT * n_effects
    wins = math.fsum(row.score for row in rows)
    rarer = min(wins, len(rows) - wins)
    if n_prompts < needed:
        return f"{n_prompts} scored prompts are too few for {n_effects} effects, expected {needed} or more"
    if rarer < needed:
        return (
            f"{rarer:g} wins or losses, the rarer ones, are too few for {n_effects} effects, expected {needed} or more"
        )
    return None


def _scales_of(raw: Array, features: Sequence[str]) -> tuple[dict[str, float], dict[str, str]]:
    """Return the unit of each feature that varies, and why the others are left out."""
    scales: dict[str, float] = {}
    left_out: dict[str, str] = {}
    for name, column in zip(features, raw.T, strict=True):
        deviation = float(column.std())
        if deviation > _NO_DEVIATION:
            scales[name] = 1.0 if name == POSITION else deviation
        elif abs(float(column.mean())) > _NO_DEVIATION:
            left_out[name] = "differs from the baseline's alike in all answers: one with the models' strength"
        else:
            left_out[name] = "never differs from the baseline's"
    return scales, left_out


def _controlled_score(found: Fit, model: int, at_position: int | None, *, n: int) -> Interval:
    """Return the score of a model at the baseline's own style; with a position effect, the mean of both places.

    The mean of both places and not the place between them: averaging after the curve keeps a model's mean score where
    style plays no part.
    """
    strength = float(found.strengths[model])
    if at_position is None:
        return as_score(strength, stderr_of(found, model), n=n)
    effect = float(found.coefficients[at_position])
    first, second = _sigmoid(strength + effect / 2), _sigmoid(strength - effect / 2)
    mean = (first + second) / 2
    slopes = np.array([first * (1 - first), second * (1 - second)])
    gradient = np.array([slopes.sum() / 2, (slopes[0] - slopes[1]) / 4])
    places = [model, len(found.strengths) + at_position]
    variance = float(gradient @ found.covariance[np.ix_(places, places)] @ gradient)
    on_log_odds = math.log(mean / (1 - mean))
    return as_score(on_log_odds, math.sqrt(max(0.0, variance)) / (mean * (1 - mean)), n=n)


def _without_collinear(rows: Comparisons, features: Sequence[str]) -> tuple[Comparisons, dict[str, str]]:
    """Leave out what no fit can tell apart: features that only repeat the models, and the later of those in step."""
    kept = list(features)
    told: dict[str, str] = {}
    while kept:
        repeats, sums = collinear_columns(design_of(rows))
        if not repeats and not sums:
            break
        place = (repeats or sums)[-1]
        why = "is the same in all answers of a model" if repeats else "goes in step with the other features"
        told[kept.pop(place)] = why
        rows = replace(rows, covariates=np.delete(rows.covariates, place, axis=1))
    return rows, told


def as_score(strength: float, stderr: float, *, n: int) -> Interval:
    """Return a strength in log-odds as an expected score in [0, 1]; the ends go through the same curve."""
    on_log_odds = _interval(strength, stderr, n=n)
    estimate = _sigmoid(strength)
    return Interval(
        estimate,
        low=_sigmoid(on_log_odds.low),
        high=_sigmoid(on_log_odds.high),
        stderr=estimate * (1 - estimate) * stderr,
        n=n,
    )


def _interval(estimate: float, stderr: float, *, n: int) -> Interval:
    half = stderr * student_t(CONFIDENCE, max(1, n - 1))
    return Interval(estimate, estimate - half, estimate + half, stderr=stderr, n=n)


def stderr_of(found: Fit, position: int) -> float:
    """Return the clustered standard error of a parameter of a fit, in log-odds; strengths come before coefficients."""
    return math.sqrt(max(0.0, float(found.covariance[position, position])))


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))
