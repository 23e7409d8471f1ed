"""``codearena report``: runs as one HTML page in which every verdict can be opened, and as tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from codearena_plugin.cli import options as opt
from codearena_plugin.errors import ConfigError, IncompleteRunError, unknown_name

if TYPE_CHECKING:
    from codearena_plugin.report.page.gather import Material
    from codearena_plugin.report.tables.named import Table

_PAGE = "html"
_DEFAULT = Path("codearena-report.html")


def report(  # noqa: PLR0913  one parameter an option
    runs: Annotated[list[Path], typer.Argument(help="Run directories.", metavar="RUN...")],
    *,
    output: Annotated[Path, typer.Option(metavar="FILE", help="The page.")] = _DEFAULT,
    tables: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Also write the tables there, as Markdown, CSV, JSON and LaTeX."),
    ] = None,
    forms: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="Only this: html, markdown, csv, json or latex; may be given again. All but html go into --tables, "
            "by default a directory beside the page.",
        ),
    ] = None,
    texts: Annotated[
        bool, typer.Option(help="Put questions, answers and replies into the page, or leave them out of it.")
    ] = True,
    style: Annotated[bool, typer.Option(help="Fit style control.")] = True,
    position: Annotated[bool, typer.Option("--position", help="Fit it on games, with the order as covariate.")] = False,
    pooled: Annotated[bool, typer.Option("--pooled", help="In parts: estimates shrunk to the model's mean.")] = False,
    min_n: Annotated[int, typer.Option(min=1, help="Cells of fewer prompts are greyed.")] = 10,
    bootstraps: Annotated[int, typer.Option(help="Resamples of the prompts, shared by all models.")] = 1000,
    seed: Annotated[int, typer.Option(help="Of the resampling.")] = 0,
    data: opt.Data = None,
) -> None:
    """Write a page for reading: leaderboard, differences, style, judge, and every verdict with its texts.

    The page is one file that needs no network. Without --format it is all that is written, unless --tables is given.
    """
    from codearena_plugin.cli.stored import read_runs
    from codearena_plugin.leaderboard.board import board_of
    from codearena_plugin.leaderboard.record import BoardOptions
    from codearena_plugin.report.console import open_console
    from codearena_plugin.report.page.gather import gather
    from codearena_plugin.report.page.write import check_extra
    from codearena_plugin.report.tables.named import tables_of
    from codearena_plugin.report.tables.write import write_tables
    from codearena_plugin.report.untrusted import visible
    from codearena_plugin.runs.judge import now

    chosen = _chosen(forms, has_directory=tables is not None)
    if _PAGE in chosen:
        check_extra()
    stored = read_runs(runs)
    options = BoardOptions(
        n_bootstraps=bootstraps, seed=seed, min_n=min_n, style=style, position=position, pooled=pooled
    )
    board = board_of(stored, options, data=data).to_json(created=now())
    material = gather(stored, [entry["name"] for entry in board["entries"]], data=data)
    found = tables_of(board, material.named_runs)
    written: list[Path] = []
    if _PAGE in chosen:
        _write_page(output.expanduser(), board, found, material, texts=texts)
        written.append(output.expanduser())
    others = [form for form in chosen if form != _PAGE]
    if others:
        directory = (tables or output.with_name(f"{output.stem}-tables")).expanduser()
        written += write_tables(directory, board, found, others)
    console = open_console()
    for path in written:
        console.print(visible(f"{path}  {path.stat().st_size / 1e6:.2f} MB"), soft_wrap=True)
    if all(entry["score"] is None for entry in board["entries"]):
        reasons = "; ".join(f"{entry['name']}: {entry['withheld']}" for entry in board["entries"])
        msg = f"NO SCORE: {reasons}. The report shows what failed."
        raise IncompleteRunError(msg)


def _chosen(forms: Sequence[str] | None, *, has_directory: bool) -> list[str]:
    from codearena_plugin.report.tables.write import FORMATS

    known = (_PAGE, *FORMATS)
    for form in forms or ():
        if form not in known:
            raise ConfigError(unknown_name("format", form, known))
    if forms:
        return list(dict.fromkeys(forms))
    return list(known) if has_directory else [_PAGE]


def _write_page(
    path: Path, board: Mapping[str, Any], tables: Sequence[Table], material: Material, *, texts: bool
) -> None:
    from codearena_plugin.report.page.write import write_page

    if path.is_dir():
        msg = f"--output {str(path)!r} is a directory, expected a file such as report.html."
        raise ConfigError(msg)
    with _progress() as observe:
        write_page(path, board, tables, material, with_texts=texts, observe=observe)


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None] | None]:
    """Yield what shows how many prompts are rendered: a bar that goes away, on a terminal; elsewhere nothing."""
    from rich.progress import Progress

    from codearena_plugin.report.console import open_console

    console = open_console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("rendering texts", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(report)
