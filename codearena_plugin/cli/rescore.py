"""``codearena rescore``: read the stored replies of a run again; no call."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from codearena_plugin.cli import options as opt
from codearena_plugin.errors import ConfigError


def rescore(  # noqa: PLR0913, PLR0917  each is an option
    run: Annotated[Path, typer.Argument(help="Run directory, or its result.json.")],
    mode: opt.Mode = None,
    min_coverage: opt.MinCoverage = None,
    data: opt.Data = None,
    output: opt.Output = None,
    tables: opt.Tables = "main",
    form: Annotated[
        str | None, typer.Option("--format", help="json, markdown, or a plugin's; default: tables.")
    ] = None,
) -> None:
    """Read the replies of a run again; no call is made."""
    from codearena_plugin import plugins
    from codearena_plugin.cli.stored import stop_if_incomplete
    from codearena_plugin.evidence.files import copy_evidence
    from codearena_plugin.judging.options import read_options
    from codearena_plugin.report.console import open_console
    from codearena_plugin.report.table import print_result
    from codearena_plugin.runs.files import load_run, made, refuse_foreign_run, save_answers, save_result
    from codearena_plugin.runs.imported import has_answers, has_questions
    from codearena_plugin.runs.rescore import known_part, reread
    from codearena_plugin.runs.rescore import rescore as read_again
    from codearena_plugin.runs.strata import save_strata
    from codearena_plugin.runs.style import save_style

    kinds = opt.chosen_tables(tables)
    asked, _ = read_options({"judge_mode": mode, "judge_min_coverage": min_coverage}, environ={})
    reporter = plugins.resolve("reporters", form) if form else None
    stored = load_run(run)
    suite = known_part(stored, data)
    result = read_again(stored, suite, mode=asked.get("mode"), min_coverage=asked.get("min_coverage"))
    if output is not None:
        directory = Path(output).expanduser()
        if directory.resolve() == stored.path.resolve():
            msg = f"--output {output!r} is the run itself. Choose another directory, or leave it out to print only."
            raise ConfigError(msg)
        refuse_foreign_run(directory, result.manifest)
        save_answers(made(directory), stored.answers)
        if has_questions(result.manifest):
            save_strata(directory, suite.prompts)
        if has_questions(result.manifest) and has_answers(result.manifest):
            save_style(directory, suite, stored.answers)
        copy_evidence(stored.path, directory)
        save_result(directory, reread(stored.games, result.manifest["judge"]["mode"]), result)
    path = Path(output).expanduser() if output else stored.path
    if reporter is not None:
        sys.stdout.write(f"{reporter(result)}\n")  # not echo: that writes UTF-8 to a terminal that said it has none
    else:
        print_result(open_console(), result.to_json(), path=path, tables=kinds)
    stop_if_incomplete(result.to_json(), path, was_asked=False)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(rescore)
