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

_FEWEST_BOOTSTRAPS = 100


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
    scored = [match for match in found.matches if not match.run.result["withheld"]]
    ranked = _Ranked(found, scored, options, data) if scored else None
    entries = _entries(found, ranked)
    strata, cells = cells_of(entries, options)
    return Board(
        options=options,
        method="mean" if found.has_one_baseline else "bradley-terry",
        reference=found.reference,
        protocol=found.protocol,
        suite=runs[0].result["manifest"]["suite"],
        notices=tuple(dict.fromkeys(notice for run in runs for notice in notices(run.result["manifest"]))),
        notes=(*(ranked.notes if ranked else ()), *sampling_notes(runs)),
        manifests=[run.result["manifest"] for run in runs],
        entries=entries,
        pairs=ranked.standing.pairs if ranked else (),
        style=ranked.effects if ranked else "no run has a score",
        strata=strata,
        cells=cells,
        reliability=reliability_of(found.matches, data),
    )


def _check(runs: Sequence[StoredRun], options: BoardOptions) -> None:
    if not runs:
        msg = "No run was given, expected one run directory or more."
        raise ConfigError(msg)
    if options.n_bootstraps < _FEWEST_BOOTSTRAPS:
        msg = f"{options.n_bootstraps} bootstraps are too few for an interval, expected {_FEWEST_BOOTSTRAPS} or more."
        raise ConfigError(msg)
    orders = {str(run.result["manifest"]["judge"]["order"]) for run in runs}
    if options.position and orders != {"both"}:
        msg = f"The effect of position needs games in both orders; the runs have {', '.join(sorted(orders))}."
        raise ConfigError(msg)


class _Ranked:
    """The runs with a score, ranked: by their means or by a fit, and again with style taken out."""

    def __init__(self, found: Matches, scored: Sequence[Match], options: BoardOptions, data: str | None) -> None:
        outcomes = [stored_outcomes(match.run) for match in scored]
        players = [name for match in scored for name in (match.player, match.opponent)]
        self._names = [name for name in dict.fromkeys(players) if name != found.reference]
        self._scored = scored
        self._prompt_ids = list(dict.fromkeys(item.prompt_id for one in outcomes for item in one))
        self._weights = bootstrap_weights(len(self._prompt_ids), options.n_bootstraps, options.seed)
        self._means = [mean_scores(one) for one in outcomes]
        self.notes: list[str] = []
        if found.has_one_baseline:
            by_player = {match.player: one for match, one in zip(scored, outcomes, strict=True)}
            self.standing = standing_of(by_player, self._prompt_ids, self._weights)
        else:
            compared = [[Compared(*item) for item in means.items()] for means in self._means]
            rows = rows_of(scored, compared, self._names, self._prompt_ids)
            self.standing, self.notes = standing_by_fit(rows, self._names, self._weights)
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
            compared = [games_with_position(m.run.games, c) for m, c in zip(self._scored, contrasts, strict=True)]
        else:
            compared = [
                (Compared(prompt_id, score, of_run[prompt_id]) for prompt_id, score in means.items())
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
    """Return all players: those with a score, the highest first, then those without."""
    by_player: dict[str, list[Match]] = {}
    for match in found.matches:
        by_player.setdefault(match.player, []).append(match)
    scores = ranked.standing.scores if ranked else {}
    with_score = [_scored_entry(name, by_player.get(name, []), ranked) for name in scores if ranked]
    without = [_entry(name, matches) for name, matches in by_player.items() if name not in {*scores, found.reference}]
    with_score.sort(key=lambda entry: (-entry.score.estimate if entry.score else 0.0, entry.name))
    return (*with_score, *without)


def _entry(name: str, matches: Sequence[Match]) -> Entry:
    first = matches[0].run if matches else None
    withheld = next((str(m.run.result["withheld"]) for m in matches if m.run.result["withheld"]), None)
    return Entry(
        name=name,
        model=first.model if first else name,
        baseline=", ".join(dict.fromkeys(match.opponent for match in matches)) or None,
        runs=tuple(str(match.run.path) for match in matches),
        withheld=withheld,
        result=first.result if first else None,
    )


def _scored_entry(name: str, matches: Sequence[Match], ranked: _Ranked) -> Entry:
    standing, controlled = ranked.standing, ranked.controlled
    return replace(
        _entry(name, matches),
        withheld=None,
        score=standing.scores[name],
        bootstrap=standing.bootstrap[name],
        place=standing.places[name],
        controlled=controlled.scores[name] if controlled else None,
        controlled_place=controlled.places[name] if controlled else None,
    )
