"""The parts of a leaderboard: models by class and language, and how far the judge can be relied on where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from codearena_plugin.errors import DataError
from codearena_plugin.leaderboard.players import Match, Matches
from codearena_plugin.leaderboard.record import BoardOptions, Cell
from codearena_plugin.records import Game, Interval
from codearena_plugin.runs.strata import ORDER, strata_of_run
from codearena_plugin.scoring.pooling import shrink
from codearena_plugin.scoring.reliability import Reliability, reliability, reliability_by

Strata = dict[str, tuple[str, ...]]
Cells = dict[str, dict[str, dict[str, Cell]]]

_RELIABILITY_BY = ("class", "language")


def cells_of(found: Matches, players: Sequence[str], options: BoardOptions) -> tuple[Strata, Cells]:
    """Return the names of the strata by kind, in fixed order, and kind -> run -> stratum -> cell.

    Runs are in the order of ``players``, those without a score last.
    """
    place = {name: i for i, name in enumerate(players)}
    matches = sorted(found.scored, key=lambda match: place.get(match.player, len(place)))
    results = {found.label(match): match.run.result for match in (*matches, *found.withheld)}
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


def reliability_of(matches: Sequence[Match], data: str | None) -> tuple[dict[str, dict[str, Reliability]], list[str]]:
    """Return what the games say about the judge: as a whole, by model, and by class and language where known.

    The second value says which runs could not be taken apart, and why.
    """
    by_model: dict[str, list[Sequence[Game]]] = {}
    for match in matches:
        by_model.setdefault(match.player, []).append(match.run.games)
    runs = [match.run.games for match in matches]
    found = {
        "all": {"all": reliability(runs)},
        "model": {name: reliability(played) for name, played in by_model.items()},
    }
    strata, notes = _strata_of(matches, data)
    for kind, names in strata.items():
        part = [[game for game in games if game.prompt_id in names] for games in runs]
        found[kind] = dict(reliability_by(part, names, ORDER[kind]))
    return found, notes


def _strata_of(matches: Sequence[Match], data: str | None) -> tuple[dict[str, dict[str, Sequence[str]]], list[str]]:
    """Return the strata of all prompts that are known, by kind; runs share prompts, so few files are read."""
    known: dict[str, dict[str, Sequence[str]]] = {kind: {} for kind in _RELIABILITY_BY}
    notes = []
    for match in matches:
        if all(answer.prompt_id in known[kind] for answer in match.run.answers for kind in _RELIABILITY_BY):
            continue
        try:
            strata = strata_of_run(match.run, data)
        except DataError as exc:
            notes.append(str(exc))
            continue
        for kind in _RELIABILITY_BY:
            known[kind].update(strata[kind] if strata else {})
    return known, notes
