"""Simulated comparisons for tests of the fits: known strengths and effects, common prompts, ties, missing games."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codearena_plugin.scoring.bradley_terry import Comparisons


def a_league(
    strengths: Sequence[float],
    effects: Sequence[float] = (),
    *,
    n_prompts: int = 60,
    opponents: Sequence[int] = (-1,),
    games: int = 1,
    seed: int = 0,
) -> Comparisons:
    """Return every model against every opponent of a lower index, on every prompt, ``games`` times; 1 % is missing."""
    rng = np.random.default_rng(seed)
    pairs = np.array([(m, o) for m in range(len(strengths)) for o in opponents if o < m])
    number, prompt, _ = np.indices((len(pairs), n_prompts, games)).reshape(3, -1)
    model, opponent = pairs[number].T
    covariates = rng.standard_normal((model.size, len(effects)))
    known_strengths = np.array([*strengths, 0.0])  # the last is the reference's
    impression = known_strengths[model] - known_strengths[opponent] + covariates @ np.array(effects, dtype=float)
    impression += 0.5 * rng.standard_normal(n_prompts)[prompt] + rng.logistic(size=model.size)
    score = np.where(impression > 0.3, 1.0, np.where(impression < -0.3, 0.0, 0.5))
    kept = rng.random(model.size) > 0.01
    return Comparisons(
        model=model[kept],
        opponent=opponent[kept],
        score=score[kept],
        cluster=prompt[kept],
        covariates=covariates[kept],
        weight=np.ones(kept.sum()),
        n_models=len(strengths),
        n_clusters=n_prompts,
    )


def rows_of(*rows: tuple[int, int, float], covariates: Sequence[Sequence[float]] | None = None) -> Comparisons:
    """Return (model, opponent, score) as rows, each on a prompt of its own."""
    model, opponent, score = zip(*rows, strict=True)
    return Comparisons(
        model=np.array(model),
        opponent=np.array(opponent),
        score=np.array(score, dtype=float),
        cluster=np.arange(len(rows)),
        covariates=np.zeros((len(rows), 0)) if covariates is None else np.array(covariates, dtype=float),
        weight=np.ones(len(rows)),
        n_models=max(*model, *opponent) + 1,
        n_clusters=len(rows),
    )
