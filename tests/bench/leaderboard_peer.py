"""What arena-rank needs for one contextual Bradley–Terry fit with its sandwich, on the outcomes and contrasts of runs.

A process of its own for ``bench_leaderboard.py``. Outcomes and contrasts are read with our own loader, since arena-rank
has none for our files; the time of that is part of both sides.
"""

from __future__ import annotations

import sys

import numpy as np
from arena_rank.models.contextual_bradley_terry import ContextualBradleyTerry
from arena_rank.utils.data_utils import ContextualPairDataset

from codearena_plugin.runs.compare import stored_outcomes
from codearena_plugin.runs.files import load_run
from codearena_plugin.runs.style import style_of


def main(paths: list[str]) -> None:
    """Fit, and print one strength per model, so that nothing can be left out."""
    models, scores, features = [], [], []
    for number, path in enumerate(paths, 1):
        run = load_run(path)
        contrasts = style_of(run)
        for outcome in stored_outcomes(run):
            if outcome.score is not None:
                models.append(number)
                scores.append(outcome.score)
                features.append(contrasts[outcome.prompt_id])
    found = np.array(features)
    spread = found.std(axis=0)
    found = found[:, spread > 0] / spread[spread > 0]
    data = ContextualPairDataset(
        competitors=["baseline", *paths],
        pairs=np.array([models, [0] * len(models)]).T,
        outcomes=np.array(scores),
        features=found,
        weights=np.ones(len(scores)),
    )
    model = ContextualBradleyTerry(len(paths) + 1, found.shape[1], reg=1e-8)
    result = model.compute_ratings_and_cis(data, significance_level=0.05)
    print(len(result["ratings"]))


if __name__ == "__main__":
    main(sys.argv[1:])
