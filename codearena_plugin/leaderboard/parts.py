"""The parts of a leaderboard: models by class and language, and how far the judge can be relied on where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from codearena_plugin.leaderboard.players import Match
from codearena_plugin.leaderboard.record import BoardOptions, Cell, Entry
from codearena_plugin.records import Game, Interval
from codearena_plugin.runs.strata import ORDER, strata_of_run
from codearena_plugin.scoring.pooling import shrink
from codearena_plugin.scoring.reliability import Reliability, reliability, reliability_by

Strata = dict[str, tuple[str, ...]]
Cells = dict[str, dict[str, dict[str, Cell]]]

_RELIABILITY_BY = ("class", "language")


def cells_of(entries: Sequence[Entry], options: BoardOptions) -> tuple[Strata, Cells]:
    """Return the names of the strata by kind, in fixed order, and kind -> entry -> stratum -> cell.

    An entry of several runs shows its first; one without a run, a baseline, has no cells.
    """
    results = {entry.name: entry.result for entry in entries if entry.result}
    strata: Strata = {}
    cells: Cells = {}
    for kind, order in ORDER.items():
        rows = {name: _row(result, kind, options) for name, result in results.items()}
        present = {stratum for row in rows.values() for stratum in row}
        fixed = [stratum for stratum in order if stratum in present]
        strata[kind] = (*fixed, *sorted(present.difference(fixed)))
        cells[kind] = rows
    return strata, cells


def _row(result: Mapping[str, Any], kind: str, options: BoardOptions) -> dict[str, Cell]:
    rows = result["strata"].get(kind, [])
    scores = [Interval(**row["score"]) if row["score"] else None for row in rows]
    whole = result["metrics"]["score"]
    pooled = _pooled(scores, Interval(**whole)) if options.pooled and whole else [None] * len(rows)
    return {
        str(row["name"]): Cell(
            n_prompts=row["n_prompts"],
            n_scored=row["n_scored"],
            coverage=row["coverage"],
            score=score,
            pooled=shrunk,
            small=row["n_scored"] < options.min_n,
        )
        for row, score, shrunk in zip(rows, scores, pooled, strict=True)
    }


def _pooled(scores: Sequence[Interval | None], centre: Interval) -> list[Interval | None]:
    """Return each cell shrunk toward the model's whole score; a cell without a score stays without."""
    usable = {i: score for i, score in enumerate(scores) if score is not None}
    found = dict(zip(usable, shrink(list(usable.values()), centre), strict=True))
    return [found.get(i) for i in range(len(scores))]


def reliability_of(matches: Sequence[Match], data: str | None) -> dict[str, dict[str, Reliability]]:
    """Return what the games say about the judge: as a whole, by model, and by class and language where known."""
    games: list[Game] = [game for match in matches for game in match.run.games]
    by_model: dict[str, list[Game]] = {}
    for match in matches:
        by_model.setdefault(match.player, []).extend(match.run.games)
    found = {
        "all": {"all": reliability(games)},
        "model": {name: reliability(played) for name, played in by_model.items()},
    }
    for kind, names in _strata_of(matches, data).items():
        part = [game for game in games if game.prompt_id in names]
        found[kind] = dict(reliability_by(part, names, ORDER[kind]))
    return found


def _strata_of(matches: Sequence[Match], data: str | None) -> dict[str, dict[str, Sequence[str]]]:
    """Return the strata of all prompts that are known, by kind; runs share prompts, so few files are read."""
    known: dict[str, dict[str, Sequence[str]]] = {kind: {} for kind in _RELIABILITY_BY}
    for match in matches:
        if any(answer.prompt_id not in known[kind] for answer in match.run.answers for kind in _RELIABILITY_BY):
            strata = strata_of_run(match.run, data) or {kind: {} for kind in _RELIABILITY_BY}
            for kind in _RELIABILITY_BY:
                known[kind].update(strata[kind])
    return known
