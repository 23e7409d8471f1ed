"""``codearena report``: runs as one HTML page in which every verdict can be opened, and as tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from codearena_plugin.cli import options as opt
from codearena_plugin.errors import ConfigError, IncompleteRunError, MissingExtraError, unknown_name

if TYPE_CHECKING:
    from codearena_plugin.gap.asking import Asked
    from codearena_plugin.gap.record import GapOptions
    from codearena_plugin.report.page.gather import Material
    from codearena_plugin.report.tables.named import Table
    from codearena_plugin.runs.files import StoredRun

_PAGE = "html"
_NEEDED = ("markdown_it", "matplotlib", "nh3", "pygments")
_DEFAULT = Path("codearena-report.html")
_GAP = "Preference beside execution"
_EPOCH = "SOURCE_DATE_EPOCH"


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
    execution: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RESULTS", help="Results of running code: adds the gap; as in codearena gap.", rich_help_panel=_GAP
        ),
    ] = None,
    match: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RUN=RESULTS", help="Name of a run and of its results, where they differ.", rich_help_panel=_GAP
        ),
    ] = None,
    published: Annotated[
        bool, typer.Option("--published", help="Set the runs among the published models.", rich_help_panel=_GAP)
    ] = False,
    benchmark: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Axis of execution, as humaneval+ or mbpp+.", rich_help_panel=_GAP),
    ] = None,
    data: opt.Data = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace files that are no older report; never those of a run.")
    ] = False,
) -> None:
    """Write a page for reading: leaderboard, differences, style, judge, and every verdict with its texts.

    The page is one file that needs no network. Without --format it is all that is written, unless --tables is given.
    With --execution it also sets preference beside what running code has shown, as codearena gap does.
    With SOURCE_DATE_EPOCH in the environment its date is that, and the same runs make the same file.
    """
    chosen = _chosen(forms, has_directory=tables is not None)
    if _PAGE in chosen:
        _check_extra()

    from codearena_plugin.cli.stored import read_runs
    from codearena_plugin.cli.written import check_page, check_tables
    from codearena_plugin.gap.asking import Asked
    from codearena_plugin.gap.record import GapOptions
    from codearena_plugin.leaderboard.board import board_of
    from codearena_plugin.leaderboard.record import BoardOptions
    from codearena_plugin.report.gap.tables import tables_of_gap
    from codearena_plugin.report.page.gather import gather
    from codearena_plugin.report.tables.named import tables_of
    from codearena_plugin.report.tables.write import write_tables

    created = _created()
    stored = read_runs(runs)
    place = output.expanduser()
    directory = (tables or output.with_name(f"{output.stem}-tables")).expanduser()
    others = [form for form in chosen if form != _PAGE]
    if _PAGE in chosen:
        check_page(place, stored, runs, force=force)
    if others:
        check_tables(directory, place, stored, force=force)
    options = BoardOptions(
        n_bootstraps=bootstraps, seed=seed, min_n=min_n, style=style, position=position, pooled=pooled
    )
    board = board_of(stored, options, data=data).to_json(created=created)
    asked = Asked(execution=execution or (), match=match or (), published=published, data=data)
    gap = _gap(stored, asked, GapOptions(benchmark=benchmark, n_bootstraps=bootstraps, seed=seed, min_n=min_n), created)
    material = replace(gather(stored, [entry["name"] for entry in board["entries"]], data=data), gap=gap)
    found = tables_of(board, material.named_runs) + (tables_of_gap(gap) if gap else [])
    written: list[Path] = []
    if _PAGE in chosen:
        _write_page(place, board, found, material, texts=texts)
        written.append(place)
    if others:
        written += write_tables(directory, board, found, others, gap=gap)
    _say(written)
    _stop_without_score(board)


def _say(written: Sequence[Path]) -> None:
    from codearena_plugin.report.console import open_console
    from codearena_plugin.report.untrusted import visible

    console = open_console()
    for path in written:
        console.print(visible(f"{path}  {_size(path.stat().st_size)}"), soft_wrap=True)


def _stop_without_score(board: Mapping[str, Any]) -> None:
    """End with exit code 3 if no model has a score.

    Raises:
        IncompleteRunError: naming the reasons.
    """
    if all(entry["score"] is None for entry in board["entries"]):
        reasons = "; ".join(f"{entry['name']}: {entry['withheld']}" for entry in board["entries"])
        msg = f"NO SCORE: {reasons}. The report shows what failed."
        raise IncompleteRunError(msg)


def _gap(stored: Sequence[StoredRun], asked: Asked, options: GapOptions, created: str) -> dict[str, Any] | None:
    """Return the gap of the runs as plain data, by language too; ``None`` where nothing of it was asked for."""
    if not (asked.execution or asked.match or asked.published or options.benchmark):
        return None
    from codearena_plugin.gap.analysis import gap_of
    from codearena_plugin.gap.asking import inputs_of

    options = replace(options, by_language=True)
    return gap_of(inputs_of(stored, asked, options), options).to_json(created=created)


def _check_extra() -> None:
    """Make sure that what the page is made with is installed, before any of it is imported.

    Raises:
        MissingExtraError: naming the extra.
    """
    if any(find_spec(name) is None for name in _NEEDED):
        feature = "The HTML report"
        raise MissingExtraError(feature, "report")


def _chosen(forms: Sequence[str] | None, *, has_directory: bool) -> list[str]:
    from codearena_plugin.report.tables.write import FORMATS

    known = (_PAGE, *FORMATS)
    for form in forms or ():
        if form not in known:
            raise ConfigError(unknown_name("format", form, known))
    if forms:
        return list(dict.fromkeys(forms))
    return list(known) if has_directory else [_PAGE]


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:.2f} MB" if n_bytes >= 100_000 else f"{n_bytes / 1e3:.1f} kB"


def _created() -> str:
    """Return when the report is made: now, or as SOURCE_DATE_EPOCH says, for a file that is the same every time.

    Raises:
        ConfigError: SOURCE_DATE_EPOCH is no time.
    """
    import datetime as dt
    import os

    from codearena_plugin.runs.judge import now

    given = os.environ.get(_EPOCH)
    if not given:
        return now()
    try:
        return dt.datetime.fromtimestamp(int(given), dt.timezone.utc).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError) as exc:
        msg = f"{_EPOCH}={given[:80]!r}: expected seconds since 1970, as 1767225600. Unset it, or correct it."
        raise ConfigError(msg) from exc


def _write_page(
    path: Path, board: Mapping[str, Any], tables: Sequence[Table], material: Material, *, texts: bool
) -> None:
    from codearena_plugin.report.page.write import write_page

    path = path.resolve()  # of a link the file that it names is replaced, not the link
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
