"""From runs to a leaderboard: who stands where and how sure that is, with and without style, whole and in parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from codearena_plugin.errors import ConfigError, DataError
from codearena_plugin.leaderboard.controlled import Controlled, control
from codearena_plugin.leaderboard.parts import cells_of, reliability_of
from codearena_plugin.leaderboard.players import Match, Matches, matches_of
from codearena_plugin.leaderboard.record import Board, BoardOptions, Entry
from codearena_plugin.leaderboard.rows import POSITION, Compared, games_with_position, rows_of
from codearena_plugin.leaderboard.several import standing_by_fit
from codearena_plugin.leaderboard.standing import standing_of
from codearena_plugin.runs.caveats import notices
from codearena_plugin.runs.compare import sampling_notes, stored_outcomes
from codearena_plugin.runs.files import StoredRun
from codearena_plugin.runs.style import style_of
from codearena_plugin.scoring.paired import mean_scores
from codearena_plugin.scoring.resample import bootstrap_weights
from codearena_plugin.style import FEATURES

_FEWEST_BOOTSTRAPS, _MOST_BOOTSTRAPS = 100, 20_000


def board_of(runs: Sequence[StoredRun], options: BoardOptions | None = None, *, data: str | None = None) -> Board:
    """Return the leaderboard of runs over the same questions and the same judge.

    A run whose score is withheld is listed without a number and without a rank.

    Args:
        runs: at least one.
        options: what a user chose.
        data: where the suite's file lies now, for runs that do not keep what is needed of it.

    Raises:
        ConfigError: no run, one of them twice, or options that cannot be used.
        DataError: the runs do not compare; says what differs.
    """
    options = options or BoardOptions()
    _check(runs, options)
    found = matches_of(runs)
    ranked = _Ranked(found, options, data) if found.scored else None
    entries = _entries(found, ranked)
    strata, cells = cells_of(found, [entry.name for entry in entries], options)
    judged, unknown = reliability_of(found.all, data)
    return Board(
        options=options,
        method="mean" if found.has_one_baseline else "bradley-terry",
        reference=found.reference,
        protocol=found.protocol,
        suite=runs[0].result["manifest"]["suite"],
        notices=tuple(dict.fromkeys(notice for run in runs for notice in notices(run.result["manifest"]))),
        notes=(*found.notes, *(ranked.notes if ranked else ()), *unknown, *sampling_notes(runs)),
        manifests=[run.result["manifest"] for run in runs],
        entries=entries,
        pairs=ranked.standing.pairs if ranked else (),
        style=ranked.effects if ranked else "no run has a score",
        strata=strata,
        cells=cells,
        reliability=judged,
    )


def _check(runs: Sequence[StoredRun], options: BoardOptions) -> None:
    if not runs:
        msg = "No run was given, expected one run directory or more."
        raise ConfigError(msg)
    if not _FEWEST_BOOTSTRAPS <= options.n_bootstraps <= _MOST_BOOTSTRAPS:
        expected = f"{_FEWEST_BOOTSTRAPS} (fewer show no rank) to {_MOST_BOOTSTRAPS:,} (more show nothing new)"
        msg = f"{options.n_bootstraps} bootstraps cannot be used, expected {expected}."
        raise ConfigError(msg)
    if options.seed < 0:
        msg = f"The seed is {options.seed}, expected 0 or more."
        raise ConfigError(msg)
    orders = {str(run.result["manifest"]["judge"]["order"]) for run in runs}
    if options.position and orders != {"both"}:
        msg = f"The effect of position needs games in both orders; the runs have {', '.join(sorted(orders))}."
        raise ConfigError(msg)


class _Ranked:
    """The runs with a score, ranked: by their means or by a fit, and again with style taken out."""

    def __init__(self, found: Matches, options: BoardOptions, data: str | None) -> None:
        self._scored = found.scored
        outcomes = [stored_outcomes(match.run) for match in found.scored]
        players = [name for match in found.scored for name in (match.player, match.opponent)]
        self._names = [name for name in dict.fromkeys(players) if name != found.reference]
        self._means = [mean_scores(one) for one in outcomes]
        self._prompt_ids = list(dict.fromkeys(prompt_id for means in self._means for prompt_id in means))
        self._weights = bootstrap_weights(len(self._prompt_ids), options.n_bootstraps, options.seed)
        self.notes: list[str] = []
        if found.has_one_baseline:
            by_player = {match.player: one for match, one in zip(found.scored, outcomes, strict=True)}
            self.standing = standing_of(by_player, self._prompt_ids, self._weights)
        else:
            compared = [[Compared(*item) for item in means.items()] for means in self._means]
            rows = rows_of(found.scored, compared, self._names, self._prompt_ids)
            self.standing, self.notes = standing_by_fit(rows, self._names, self._weights)
        if any(pair.only_a or pair.only_b for pair in self.standing.pairs):
            self.notes.append(
                "prompts that are scored for one model of a pair only are in no difference between the two"
            )
        found_style = self._control(options, data)
        self.controlled = found_style if isinstance(found_style, Controlled) else None
        self.effects = found_style.effects if isinstance(found_style, Controlled) else found_style

    def _control(self, options: BoardOptions, data: str | None) -> Controlled | str:
        """Return the controlled scores, or why there are none."""
        if not options.style and not options.position:
            return "not asked for"
        features = FEATURES if options.style else ()
        try:
            contrasts = [self._contrasts(match.run, options, data) for match in self._scored]
        except DataError as exc:
            return str(exc)
        compared: list[Iterable[Compared]]
        if options.position:
            compared = [
                games_with_position(match.run.games, of_run, means)
                for match, of_run, means in zip(self._scored, contrasts, self._means, strict=True)
            ]
        else:
            compared = [
                [Compared(prompt_id, score, of_run[prompt_id]) for prompt_id, score in means.items()]
                for means, of_run in zip(self._means, contrasts, strict=True)
            ]
        rows = rows_of(self._scored, compared, self._names, self._prompt_ids)
        unit = "game" if options.position else "outcome"
        columns = (*features, POSITION) if options.position else features
        return control(rows, self._names, columns, self._weights, unit=unit)

    def _contrasts(self, run: StoredRun, options: BoardOptions, data: str | None) -> Mapping[str, tuple[float, ...]]:
        if not options.style:
            return {answer.prompt_id: () for answer in run.answers}
        return style_of(run, data=data)


def _entries(found: Matches, ranked: _Ranked | None) -> tuple[Entry, ...]:
    """Return all players with a score, the highest first, then the runs without one."""
    by_player: dict[str, list[Match]] = {}
    for match in found.scored:
        by_player.setdefault(match.player, []).append(match)
    with_score = (
        [_ranked_entry(name, by_player.get(name, []), ranked) for name in ranked.standing.scores] if ranked else []
    )
    with_score.sort(key=lambda entry: (-entry.score.estimate if entry.score else 0.0, entry.name))
    without = [
        replace(_entry(found.label(match), [match]), withheld=str(match.run.result["withheld"]))
        for match in found.withheld
    ]
    return (*with_score, *without)


def _entry(name: str, matches: Sequence[Match]) -> Entry:
    return Entry(
        name=name,
        model=matches[0].run.model if matches else name,
        baseline=", ".join(dict.fromkeys(match.opponent for match in matches)) or None,
        runs=tuple(str(match.run.path) for match in matches),
        withheld=None,
        results=tuple(match.run.result for match in matches),
    )


def _ranked_entry(name: str, matches: Sequence[Match], ranked: _Ranked) -> Entry:
    standing, controlled = ranked.standing, ranked.controlled
    return replace(
        _entry(name, matches),
        score=standing.scores[name],
        place=standing.places[name],
        controlled=controlled.scores[name] if controlled else None,
        controlled_place=controlled.places[name] if controlled else None,
    )
