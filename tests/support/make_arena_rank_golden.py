"""Write what arena-rank makes of a small league: ``python tests/support/make_arena_rank_golden.py``.

arena-rank 0.1.1 needs Python 3.11, jax 0.8.1, numpy 2.3.3 and 600 MB, too much for every run of the tests: they compare
with the numbers that this script kept (and with arena-rank itself where it is installed).
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codearena_plugin.scoring.bradley_terry import Comparisons

KEPT = Path(__file__).parents[1] / "unit" / "scoring" / "golden_arena_rank.json"
_COLUMNS = ("model", "opponent", "score", "cluster", "weight", "covariates")


def arena_rank_fit(rows: Comparisons) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return strengths (the reference's is 0) and coefficients by arena-rank's maximum likelihood."""
    import jax.numpy as jnp
    from arena_rank.models.contextual_bradley_terry import ContextualBradleyTerry
    from arena_rank.utils.data_utils import ContextualPairDataset

    m, k = rows.n_models, rows.covariates.shape[1]
    pairs = np.column_stack([rows.model, np.where(rows.opponent < 0, m, rows.opponent)])
    columns = (pairs, rows.score, rows.covariates, rows.weight)
    dataset = ContextualPairDataset([str(i) for i in range(m + 1)], *map(jnp.array, columns))
    model = ContextualBradleyTerry(m + 1, k, reg=0.0, ftol=0.0, gtol=1e-10)
    model.fit(dataset)
    ratings = np.array(model.params["ratings"])
    return ratings[:m] - ratings[m], np.array(model.params["coeffs"])


def kept() -> tuple[Comparisons, NDArray[np.float64], NDArray[np.float64]]:
    """Return the league that was kept, and arena-rank's strengths and coefficients for it."""
    found = json.loads(KEPT.read_text())
    columns = {name: np.array(found[name]) for name in _COLUMNS}
    rows = Comparisons(**columns, n_models=found["n_models"], n_clusters=found["n_clusters"])
    return rows, np.array(found["strengths"]), np.array(found["coefficients"])


def main() -> None:
    """Draw a league of eight models, two of them baselines of the others, and keep it with arena-rank's answer."""
    from importlib.metadata import version

    from leagues import a_league

    drawn = a_league(np.linspace(-1.5, 1.5, 8), [0.4, -0.3, 0.1], n_prompts=30, opponents=(-1, 0), seed=1)
    columns = {
        "model": drawn.model,
        "opponent": drawn.opponent,
        "score": drawn.score,
        "cluster": drawn.cluster,
        "weight": np.where(drawn.cluster % 3 == 0, 3.0, 1.0),
        "covariates": drawn.covariates.round(2),
    }
    sizes = {"n_models": drawn.n_models, "n_clusters": drawn.n_clusters}
    strengths, coefficients = arena_rank_fit(Comparisons(**columns, **sizes))
    record = {
        "made_by": f"tests/support/make_arena_rank_golden.py with arena-rank {version('arena-rank')}",
        **sizes,
        **{name: values.tolist() for name, values in columns.items()},
        "strengths": strengths.tolist(),
        "coefficients": coefficients.tolist(),
    }
    KEPT.write_text(json.dumps(record) + "\n")


if __name__ == "__main__":
    main()
