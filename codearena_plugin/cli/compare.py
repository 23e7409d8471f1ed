"""``codearena compare``: paired differences between runs of one suite and one judge."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def compare(
    runs: Annotated[list[Path], typer.Argument(help="Two or more run directories.", metavar="RUN RUN...")],
) -> None:
    """Compare runs prompt by prompt."""
    from codearena_plugin.cli.stored import read_runs
    from codearena_plugin.report.comparison import print_comparison
    from codearena_plugin.report.console import open_console
    from codearena_plugin.runs.compare import compare_runs

    named, pairs = compare_runs(read_runs(runs))
    print_comparison(open_console(), named, pairs)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(compare)
