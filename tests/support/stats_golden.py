"""The golden numbers of a peer's statistics (shared data of the project): 40 models, 397 prompts, two games each."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from codearena_plugin.records import LABELS, ORDERS
from codearena_plugin.scoring.bradley_terry import Comparisons
from codearena_plugin.scoring.points import game_points

GOLDEN = Path(__file__).resolve().parents[3] / "shared" / "data" / "stats_golden"
needs_golden = pytest.mark.skipif(not GOLDEN.is_dir(), reason=f"{GOLDEN} is not here (shared data of the project)")


def golden_numbers() -> dict[str, NDArray[np.float64]]:
    """Return what the peer's data should give: score, style (controlled scores), wi and wc (half-widths in points)."""
    found: dict[str, Any] = json.loads((GOLDEN / "golden_ours.json").read_text())
    return {name: np.array(found[name]) for name in ("score", "style", "wi", "wc")}


def golden_rows() -> Comparisons:
    """Return the scored games of prompts with both, in arena-hard-auto's convention, with its style contrasts.

    A strong verdict weighs 3. Contrasts are (a - b) / (a + b) of the lengths in tokens, and (a - b) / (a + b + 1) of
    headings, list items and bold passages per token, where the divisor is the number of tokens + 1; they are centred
    and divided by their standard deviation over games, by weight.
    """
    models = json.loads((GOLDEN / "golden_ours.json").read_text())["models"]
    styles = {}
    for row in _lines("model_answer_metadata.jsonl.gz"):
        counts = row["metadata"]
        marks = [sum(counts[name].values()) for name in ("header_count", "list_count", "bold_count")]
        styles[row["model"], row["uid"]] = [counts["token_len"], *(n / (counts["token_len"] + 1) for n in marks)]
    games = []
    for row in _lines("arena_hard_v2_format_397x40x2.jsonl.gz"):
        labels = [game and game["score"] for game in row["games"]]
        if all(label in LABELS for label in labels):
            place = (models.index(row["model"]), int(row["uid"]))
            contrasts = [*styles[row["model"], row["uid"]], *styles[row["baseline"], row["uid"]]]
            for label, order in zip(labels, ORDERS, strict=True):
                points = game_points(label, order)
                games.append([*place, (np.sign(points) + 1) / 2, 3 if abs(points) == 2 else 1, *contrasts])
    table = np.array(games, dtype=float)
    own, baseline, weight = table[:, 4:8], table[:, 8:], table[:, 3]
    contrasts = (own - baseline) / (own + baseline + np.array([0, 1, 1, 1]))
    centred = contrasts - np.average(contrasts, axis=0, weights=weight)
    index = table[:, :2].astype(int)
    return Comparisons(
        model=index[:, 0],
        opponent=np.full(len(table), -1),
        score=table[:, 2],
        cluster=index[:, 1],
        covariates=centred / np.sqrt(np.average(centred**2, axis=0, weights=weight)),
        weight=weight,
        n_models=len(models),
        n_clusters=int(index[:, 1].max()) + 1,
    )


def _lines(name: str) -> list[dict[str, Any]]:
    with gzip.open(GOLDEN / name, "rt") as lines:
        return [json.loads(line) for line in lines]
