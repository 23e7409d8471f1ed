"""``codearena compare``: paired differences between runs of one suite and one judge, or flips between two judges."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def compare(
    runs: Annotated[list[Path], typer.Argument(help="Two or more run directories.", metavar="RUN RUN...")],
    *,
    flips: Annotated[
        bool,
        typer.Option("--flips", help="Two judgements of the same answers: which verdicts another judge turns round."),
    ] = False,
) -> None:
    """Compare runs prompt by prompt."""
    from codearena_plugin.cli.stored import read_runs
    from codearena_plugin.report.comparison import print_comparison, print_flips
    from codearena_plugin.report.console import open_console
    from codearena_plugin.runs.compare import compare_runs, flips_of

    if flips:
        read = read_runs(runs)
        print_flips(open_console(), read, flips_of(read))
        return
    named, pairs = compare_runs(read_runs(runs))
    print_comparison(open_console(), named, pairs)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(compare)
