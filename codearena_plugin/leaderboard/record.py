"""A leaderboard as a record: what was compared, who stands where, and how sure that is.

Its plain form, ``Board.to_json``, has schema ``codearena-leaderboard/1``; tables, pages and files are made from that.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import codearena_plugin
from codearena_plugin.records import STATUSES, Interval
from codearena_plugin.scoring.reliability import Reliability

SCHEMA = "codearena-leaderboard/1"
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class BoardOptions:
    """What a user may choose about a leaderboard.

    Attributes:
        n_bootstraps: resamples of the prompts, shared by all models; at least 100.
        seed: of the resampling.
        min_n: a cell of a stratum with fewer scored prompts is greyed and never ranked.
        style: fit style control.
        position: fit it on games instead of outcomes, with "was shown first" as one more covariate.
        pooled: give shrunk estimates beside the raw ones in the cells of strata.
    """

    n_bootstraps: int = 1000
    seed: int = 0
    min_n: int = 10
    style: bool = True
    position: bool = False
    pooled: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """A rank, 1 the best, with the ranks that the data cannot rule out."""

    rank: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a leaderboard.

    Attributes:
        name: unique on the board.
        runs: directories of the runs that it rests on; none for a baseline that only others were compared with.
        baseline: whom its answers were compared with; several where the board has several baselines.
        withheld: why it has no score; then every number below is absent.
        score: expected share of the points against the board's reference, in [0, 1].
        controlled: the score if its answers were styled like the reference's; ``None`` without style control.
        results: of its runs as in ``result.json``. Rates against different baselines are not one rate, so they are
            given only where the board has one baseline; counts are added up.
    """

    name: str
    model: str
    baseline: str | None
    runs: tuple[str, ...]
    withheld: str | None
    score: Interval | None = None
    place: Place | None = None
    controlled: Interval | None = None
    controlled_place: Place | None = None
    results: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Pair:
    """A paired difference of scores: how much higher ``a`` stands than ``b``.

    Attributes:
        p_holm: the p-value corrected for all pairs of the board.
        n_common: prompts that the difference rests on; ``None`` where it comes from a fit over several baselines.
    """

    a: str
    b: str
    difference: Interval
    p_value: float
    p_holm: float
    n_common: int | None
    only_a: int = 0
    only_b: int = 0


@dataclass(frozen=True, slots=True)
class StyleEffects:
    """What style control found: by how much the log-odds of winning change with one standard deviation of a contrast.

    Attributes:
        coefficients: name -> estimate in log-odds, with a clustered interval; n is the number of prompts.
        scales: name -> the standard deviation that is one unit of its coefficient.
        left_out: features that have no effect to be fitted -> why.
        gradient_norm: of the log-likelihood at the fit; 0 at the exact maximum.
        penalised: models that won or lost everything and were given one pseudo-comparison.
        ridge: the quadratic penalty that was needed for the fit to exist; 0.0 if none was.
        unit: what one row of the fit is, "outcome" or "game".
        n_rows: rows of the fit.
        n_prompts: clusters of the fit.
    """

    coefficients: Mapping[str, Interval]
    scales: Mapping[str, float]
    left_out: Mapping[str, str]
    gradient_norm: float
    iterations: int
    penalised: tuple[str, ...]
    ridge: float
    unit: str
    n_rows: int
    n_prompts: int


@dataclass(frozen=True, slots=True)
class Cell:
    """One model in one stratum; ``small`` where too few prompts were scored to be read as a rank."""

    n_prompts: int
    n_scored: int
    coverage: float
    score: Interval | None
    pooled: Interval | None
    small: bool


@dataclass(frozen=True)
class Board:
    """A leaderboard.

    Attributes:
        method: "mean" with one baseline, where the mean score is the maximum-likelihood strength; else
            "bradley-terry".
        reference: whom a score of 0.5 equals.
        protocol: what is equal in all runs.
        notices: what every output must carry: that a suite is for trying, what a judge is not.
        notes: what a reader should know about this comparison.
        manifests: of all runs.
        entries: by score, then those without one.
        pairs: of all entries with a score, the one that stands higher first.
        style: effects, or a reason why there are none.
        cells: kind of stratum -> run, by the name of its entry (and its baseline's where there are several) -> stratum
            -> cell.
        strata: kind of stratum -> names in fixed order.
        reliability: of the judge: "all", "model", "class" and "language" -> name -> numbers.
    """

    options: BoardOptions
    method: str
    reference: str
    protocol: Mapping[str, str]
    suite: Mapping[str, Any]
    notices: tuple[str, ...]
    notes: tuple[str, ...]
    manifests: Sequence[Mapping[str, Any]]
    entries: tuple[Entry, ...]
    pairs: tuple[Pair, ...]
    style: StyleEffects | str
    strata: Mapping[str, tuple[str, ...]]
    cells: Mapping[str, Mapping[str, Mapping[str, Cell]]]
    reliability: Mapping[str, Mapping[str, Reliability]]

    def to_json(self, *, created: str) -> dict[str, Any]:
        """Return the board as plain data; what is withheld or undefined is ``null``, never a number.

        Args:
            created: when, ISO 8601.
        """
        return {
            "schema": SCHEMA,
            "created": created,
            "package": {"name": "codearena-plugin", "version": codearena_plugin.__version__},
            "options": {"confidence": CONFIDENCE, **dataclasses.asdict(self.options)},
            "method": self.method,
            "reference": self.reference,
            "protocol": dict(self.protocol),
            "suite": dict(self.suite),
            "notices": list(self.notices),
            "notes": list(self.notes),
            "entries": [_entry_to_json(entry, is_mean=self.method == "mean") for entry in self.entries],
            "pairs": [dataclasses.asdict(pair) for pair in self.pairs],
            "separability": separability_of(self.pairs),
            "style": _style_to_json(self.style),
            "strata": {
                kind: {
                    "names": list(names),
                    "cells": {
                        entry: {name: dataclasses.asdict(cell) for name, cell in row.items()}
                        for entry, row in self.cells[kind].items()
                    },
                }
                for kind, names in self.strata.items()
            },
            "reliability": {
                part: {name: reliability_to_json(found) for name, found in rows.items()}
                for part, rows in self.reliability.items()
            },
            "manifests": [dict(manifest) for manifest in self.manifests],
        }


def separability_of(pairs: Sequence[Pair], *, level: float = 1 - CONFIDENCE) -> dict[str, int]:
    """Return how many pairs there are, and how many the paired test tells apart, each for itself and all together."""
    return {
        "n_pairs": len(pairs),
        "told_apart": sum(pair.p_value < level for pair in pairs),
        "told_apart_holm": sum(pair.p_holm < level for pair in pairs),
    }


def reliability_to_json(found: Reliability) -> dict[str, Any]:
    """Return the reliability of a judge as plain data."""
    return {**dataclasses.asdict(found), "statuses": dict(found.statuses)}


_RATES = ("win_rate", "tie_rate", "loss_rate", "order_consistency")


def _entry_to_json(entry: Entry, *, is_mean: bool) -> dict[str, Any]:
    has_rates = is_mean and len(entry.results) == 1
    n_prompts, n_scored = (_added(entry, "metrics", name) for name in ("n_prompts", "n_scored"))
    return {
        "name": entry.name,
        "model": entry.model,
        "baseline": entry.baseline,
        "runs": list(entry.runs),
        "withheld": entry.withheld,
        "rank": dataclasses.asdict(entry.place) if entry.place else None,
        "score": _interval_to_json(entry.score),
        "controlled": _interval_to_json(entry.controlled),
        "controlled_rank": dataclasses.asdict(entry.controlled_place) if entry.controlled_place else None,
        **{name: entry.results[0]["metrics"][name] if has_rates else None for name in _RATES},
        "coverage": n_scored / n_prompts if n_prompts else None,
        "n_prompts": n_prompts if entry.results else None,
        "n_scored": n_scored if entry.results else None,
        "statuses": {status: _added(entry, "statuses", status) for status in STATUSES} if entry.results else {},
    }


def _added(entry: Entry, part: str, name: str) -> int:
    return sum(result[part][name] for result in entry.results)


def _interval_to_json(interval: Interval | None) -> dict[str, Any] | None:
    return dataclasses.asdict(interval) if interval else None


def _style_to_json(style: StyleEffects | str) -> dict[str, Any]:
    if isinstance(style, str):
        return {"why_absent": style}
    plain = dataclasses.asdict(style)
    plain["coefficients"] = [
        {"name": name, "scale": style.scales[name], **dataclasses.asdict(interval)}
        for name, interval in style.coefficients.items()
    ]
    del plain["scales"]
    return {"why_absent": None, **plain}
