"""``codearena gap``: preference beside execution, from files that exist."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from codearena_plugin.cli import options as opt
from codearena_plugin.errors import ConfigError, IncompleteRunError, unknown_name

if TYPE_CHECKING:
    from codearena_plugin.gap.preference import Rate

_LANGUAGE = "language"


def gap(  # noqa: PLR0913, PLR0917  one parameter an option
    runs: Annotated[list[Path] | None, typer.Argument(help="Run directories.", metavar="RUN...")] = None,
    execution: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RESULTS",
            help="What codearena passk wrote, its directory or execution.json; EvalPlus' eval_results.json; lm-eval's "
            "results_*.json; a CSV or JSON of pass@1 with n and engine; or the published numbers of 'paper' or "
            "'evalplus'. May be given several times.",
        ),
    ] = None,
    match: Annotated[
        list[str] | None,
        typer.Option(metavar="RUN=RESULTS", help="Name of a run and of its results, where they differ."),
    ] = None,
    published: Annotated[bool, typer.Option("--published", help="Set the runs among the published models.")] = False,
    benchmark: Annotated[
        str | None, typer.Option(metavar="NAME", help="Axis of execution, as humaneval+ or mbpp+.")
    ] = None,
    rate: Annotated[str, typer.Option(metavar="score|win_rate", help="Axis of preference.")] = "score",
    bootstraps: Annotated[int, typer.Option(metavar="N", help="Resamples of prompts and problems.")] = 2000,
    seed: Annotated[int, typer.Option(metavar="N", help="Of the resampling.")] = 0,
    form: Annotated[
        str | None,
        typer.Option("--format", metavar="NAME", help="Print json, markdown, latex or csv (its main table) instead."),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option("--by", metavar="language", help="Also set both axes side by side, language by language."),
    ] = None,
    min_n: Annotated[
        int, typer.Option(metavar="N", min=1, help="By language: fewer prompts or problems stand in brackets.")
    ] = 10,
    partial: Annotated[
        bool, typer.Option("--partial", help="Let results on a part of a benchmark into line, correlations and pairs.")
    ] = False,
    data: opt.Data = None,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Also draw it, as .svg or .png.")] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write it as a page; with runs see codearena report.")
    ] = None,
) -> None:
    """Set preference beside execution: correlations, and which models are preferred more than pass@1 leads to expect.

    No code is run here: pass@1 is read from files, or from what others published.
    """
    from codearena_plugin.gap.analysis import gap_of
    from codearena_plugin.gap.asking import Asked, inputs_of
    from codearena_plugin.gap.record import GapOptions
    from codearena_plugin.report.gap.page import check_gap_page, write_gap_page
    from codearena_plugin.report.gap.plot import check_plot, write_plot
    from codearena_plugin.report.tables.write import FORMATS
    from codearena_plugin.report.untrusted import visible
    from codearena_plugin.runs.files import load_run
    from codearena_plugin.runs.judge import now

    if form is not None and form not in FORMATS:
        raise ConfigError(unknown_name("format", form, FORMATS))
    if by is not None and by != _LANGUAGE:
        raise ConfigError(unknown_name("part in --by", by, [_LANGUAGE]))
    if plot is not None:
        check_plot(plot)
    if html is not None:
        check_gap_page(html)
    options = GapOptions(
        benchmark=benchmark,
        rate=_rate(rate),
        n_bootstraps=bootstraps,
        seed=seed,
        partial=partial,
        by_language=by is not None,
        min_n=min_n,
    )
    asked = Asked(execution=execution or (), match=match or (), published=published, data=data)
    inputs = inputs_of([load_run(path) for path in runs or ()], asked, options)
    found = gap_of(inputs, options).to_json(created=now())
    _show(found, form)
    for what, path, write in (("plot", plot, write_plot), ("page", html, write_gap_page)):
        if path is not None and any(model["preference"] for model in found["models"]):
            write(path, found)
            sys.stderr.write(f"{what}: {visible(str(path))}\n")
    _stop_without_score(found)


def _rate(name: str) -> Rate:
    from codearena_plugin.gap.preference import RATES

    rate = next((rate for rate in RATES if rate == name), None)
    if rate is None:
        raise ConfigError(unknown_name("rate", name, RATES))
    return rate


def _show(found: Mapping[str, Any], form: str | None) -> None:
    import json

    from codearena_plugin.report.console import open_console
    from codearena_plugin.report.gap.cells import gap_facts
    from codearena_plugin.report.gap.console import print_gap
    from codearena_plugin.report.gap.tables import tables_of_gap
    from codearena_plugin.report.tables.text import comma_separated, latex, markdown

    if form is None:
        print_gap(open_console(), found)
        return
    tables = tables_of_gap(found)
    match form:
        case "json":
            text = json.dumps(found, indent=1, allow_nan=False) + "\n"
        case "csv":
            text = comma_separated(tables[0].long or tables[0].cells)
        case "latex":
            text = latex(tables)
        case _:
            text = markdown("Preference and execution", gap_facts(found), tables) + "\n"
    sys.stdout.write(text)  # not echo: that writes UTF-8 to a terminal that said it has none


def _stop_without_score(found: Mapping[str, Any]) -> None:
    """End with exit code 3 if runs were given and none of them has a score.

    Raises:
        IncompleteRunError: naming the reasons.
    """
    own = [model for model in found["models"] if model["group"] == "yours"]
    if own and all(model["preference"] is None for model in own):
        reasons = "; ".join(f"{model['name']}: {model['withheld']}" for model in own)
        msg = f"NO SCORE: {reasons}."
        raise IncompleteRunError(msg)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(gap)
