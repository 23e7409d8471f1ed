"""``codearena leaderboard``: any number of runs as one table."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from codearena_plugin.cli import options as opt
from codearena_plugin.errors import ConfigError, IncompleteRunError, unknown_name

_PAIRS = ("neighbours", "all", "none")


def leaderboard(  # noqa: PLR0913, PLR0917  one parameter an option
    runs: Annotated[list[Path] | None, typer.Argument(help="Run directories.", metavar="RUN...")] = None,
    published: Annotated[bool, typer.Option("--published", help="Set the runs among the paper's table.")] = False,
    by: Annotated[
        str | None, typer.Option(metavar="KIND", help="Also by class, sub_class, language, difficulty, …")
    ] = None,
    pairs: Annotated[str, typer.Option(help="Paired differences: neighbours, all or none.")] = "neighbours",
    style: Annotated[bool, typer.Option(help="Fit style control.")] = True,
    position: Annotated[bool, typer.Option("--position", help="Fit it on games, with the order as covariate.")] = False,
    pooled: Annotated[
        bool, typer.Option("--pooled", help="With --by: estimates shrunk toward the model's mean.")
    ] = False,
    min_n: Annotated[int, typer.Option(min=1, help="With --by: cells of fewer prompts stand in brackets.")] = 10,
    bootstraps: Annotated[int, typer.Option(help="Resamples of the prompts, shared by all models.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Of the resampling.")] = 0,
    form: Annotated[
        str | None,
        typer.Option("--format", metavar="NAME", help="Print json, markdown, latex or csv (its main table) instead."),
    ] = None,
    data: opt.Data = None,
) -> None:
    """Rank runs of one suite and one judge: scores, ranks that the data allow, paired differences, style control."""
    from codearena_plugin.cli.stored import read_runs
    from codearena_plugin.leaderboard.board import board_of
    from codearena_plugin.leaderboard.record import BoardOptions
    from codearena_plugin.report.console import open_console
    from codearena_plugin.report.standings import print_board, print_published
    from codearena_plugin.report.tables.write import FORMATS
    from codearena_plugin.runs.judge import now
    from codearena_plugin.runs.strata import ORDER

    if pairs not in _PAIRS:
        raise ConfigError(unknown_name("kind of pairs", pairs, _PAIRS))
    if form is not None and form not in FORMATS:
        raise ConfigError(unknown_name("format", form, FORMATS))
    if form is not None and published:
        msg = "--published prints tables for people; leave out --format, or --published."
        raise ConfigError(msg)
    if by is not None and by not in ORDER:
        raise ConfigError(unknown_name("kind of stratum", by, ORDER))
    console = open_console()
    if not runs:
        if not published:
            msg = "No run was given. Name run directories, or --published for the paper's table alone."
            raise ConfigError(msg)
        print_published(console, None, by_class=by == "class")
        return
    options = BoardOptions(
        n_bootstraps=bootstraps, seed=seed, min_n=min_n, style=style, position=position, pooled=pooled
    )
    stored = read_runs(runs)
    board = board_of(stored, options, data=data).to_json(created=now())
    if form is not None:
        sys.stdout.write(_as_text(form, board))  # not echo: that writes UTF-8 to a terminal that said it has none
    else:
        print_board(console, board, pairs=pairs, by=by)
        if published:
            print_published(console, board, by_class=by == "class")
    _stop_without_score(board)


def _as_text(form: str, board: Mapping[str, Any]) -> str:
    """Return the leaderboard in a format for other programs; of CSV, which has one table a file, the first table."""
    import json

    from codearena_plugin.report.board import board_facts
    from codearena_plugin.report.tables.named import tables_of
    from codearena_plugin.report.tables.text import comma_separated, latex, markdown

    if form == "json":
        return json.dumps(board, indent=1) + "\n"
    tables = tables_of(board, [])
    if form == "csv":
        return comma_separated(tables[0].cells)
    return latex(tables) if form == "latex" else markdown("Leaderboard", board_facts(board), tables) + "\n"


def _stop_without_score(board: Mapping[str, Any]) -> None:
    """End with exit code 3 if no run has a score.

    Raises:
        IncompleteRunError: naming the reasons.
    """
    if all(entry["score"] is None for entry in board["entries"]):
        reasons = "; ".join(f"{entry['name']}: {entry['withheld']}" for entry in board["entries"])
        msg = f"NO SCORE: {reasons}."
        raise IncompleteRunError(msg)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(leaderboard)
