"""How OpenCompass sees a run: a few numbers in percent for its table, one row of details for each prompt."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from codearena_plugin.records import Game, Prompt
from codearena_plugin.runs.result import RATES, outcomes_of


def metrics_of(result: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers of a result in its JSON form, rates in percent; a rate that is withheld is absent.

    The score comes first: OpenCompass takes the first for the main one.
    """
    metrics = result["metrics"]
    found: dict[str, float] = {}
    for name in ("score", *(rate for rate in RATES if rate != "score"), "order_consistency"):
        if metrics[name] is not None:
            found[name] = 100 * metrics[name]["estimate"]
    if metrics["score"] is not None:
        found["score_low"], found["score_high"] = (100 * metrics["score"][end] for end in ("low", "high"))
    return {**found, "coverage": 100 * metrics["coverage"], "n_scored": metrics["n_scored"]}


def details_of(
    prompts: Sequence[Prompt], games: Sequence[Game], judge: Mapping[str, Any], run: Path
) -> list[dict[str, Any]]:
    """Return one row for each prompt: what its games came to, and where the run with the judge's words lies."""
    of_prompt: dict[str, list[Game]] = defaultdict(list)
    for game in games:
        of_prompt[game.prompt_id].append(game)
    outcomes = outcomes_of(prompts, games, policy=judge["order"], mode=judge["mode"])
    verdicts = {
        prompt.id: {game.order: game.verdict.label or game.verdict.status for game in of_prompt[prompt.id]}
        for prompt in prompts
    }
    return [
        {
            "prompt_id": outcome.prompt_id,
            "score": outcome.score,
            "points": outcome.points,
            "consistent": outcome.consistent,
            "verdicts": verdicts[outcome.prompt_id],
            "run": str(run),
        }
        for outcome in outcomes
    ]
