"""How lm-eval sees a result: metric names, one document's row, one number of a run, and what is said at the end."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from codearena_plugin.judging.play import Spending
from codearena_plugin.runs.incomplete import failed_games, incomplete_line
from codearena_plugin.runs.result import RATES, Result

VERDICT = "judgement"  # per sample: both games with their raw replies; in the table: the share of games scored
_SHARES = (*RATES, "order_consistency")
METRICS = (VERDICT, *_SHARES, *(f"{name}_stderr" for name in _SHARES), "coverage", "n_scored")
_log = logging.getLogger("lm_eval.codearena")


def row_values(outcome: Mapping[str, Any]) -> dict[str, float | int | None]:
    """Return one document's value of every metric but the verdict; ``None`` where it was not scored."""
    score, consistent = outcome["score"], outcome["consistent"]
    values = {
        "win_rate": None if score is None else float(score > 0.5),
        "tie_rate": None if score is None else float(score == 0.5),
        "loss_rate": None if score is None else float(score < 0.5),
        "score": score,
        "order_consistency": None if consistent is None else float(consistent),
        "coverage": float(score is not None),
        "n_scored": int(score is not None),
    }
    return {name: values.get(name) for name in METRICS if name != VERDICT}


def read_metric(result: Result, name: str) -> float:
    """Return one number of a result, or its standard error; NaN where it is withheld or undefined."""
    if name == "coverage":
        return result.summary.coverage
    if name == "n_scored":
        return result.summary.n_scored
    base = name.removesuffix("_stderr")
    interval = getattr(result.summary, base)
    if interval is None or (result.withheld and base in RATES):
        return float("nan")
    value = interval.stderr if name.endswith("_stderr") else interval.estimate
    return float("nan") if value is None else float(value)


def announce(result: Result, directory: Path) -> None:
    """Say in one loud line what failed and how to resume, or in a quiet one where everything lies."""
    for notice in (result.manifest["judge"]["notice"], result.manifest.get("evidence", {}).get("notice")):
        if notice:
            _log.warning("%s", notice)
    line = incomplete_line(result.to_json(), directory)
    if line is not None:
        _log.error("%s", line)
    else:
        failed = failed_games(result.statuses)
        _log.info("coverage %.4f, games that failed: %s. Run: %s", result.summary.coverage, failed, directory)


def spending_row(spending: Spending | None, stopped: str | None, seed: int | None = None) -> dict[str, Any]:
    """Return what one rank's judging took, as it travels to rank 0."""
    return {"spending": None if spending is None else asdict(spending), "stopped": stopped, "seed": seed}
