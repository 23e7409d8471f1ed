"""``codearena import`` and ``codearena export``: verdicts that were given elsewhere, and verdicts that go elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codearena_plugin.cli import options as opt
from codearena_plugin.errors import ConfigError, IncompleteRunError, unknown_name

if TYPE_CHECKING:
    from codearena_plugin.interchange.imports import Import, Kept
    from codearena_plugin.interchange.reading import ImportOptions
    from codearena_plugin.runs.files import StoredRun

_FROM = ("arena-hard", "lm-eval-samples")
_MODEL_WIDTH = 12
_TO = ("jsonl", "parquet", "datasets")


def import_(  # noqa: PLR0913  one parameter per option that a user can give
    form: Annotated[str, typer.Argument(metavar="FORMAT", help=f"{' or '.join(_FROM)}.")],
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files, or folders with such files.")],
    *,
    output: Annotated[Path, typer.Option(metavar="DIR", help="Where the runs go, each in a folder of its own.")],
    answers: Annotated[
        Path | None, typer.Option(metavar="PATH", help="File or folder with the answers that were judged.")
    ] = None,
    suite: Annotated[str | None, typer.Option(metavar="NAME", help="Suite that the prompts belong to.")] = None,
    data: opt.Data = None,
    baseline: Annotated[str | None, typer.Option(metavar="NAME", help="The opponent, where no line says it.")] = None,
    judge_model: Annotated[str | None, typer.Option(metavar="NAME", help="Who judged, where no line says it.")] = None,
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="Who answered, where the samples do not say it.")
    ] = None,
    min_coverage: opt.MinCoverage = None,
) -> None:
    """Make runs of verdicts that were given elsewhere, one per model; no call is made.

    Exit code 3 if one of them has no score.
    """
    from codearena_plugin.interchange.imports import keep_imports
    from codearena_plugin.interchange.reading import ImportOptions
    from codearena_plugin.judging.options import read_options

    asked, _ = read_options({"judge_min_coverage": min_coverage}, environ={})
    options = ImportOptions(baseline, judge_model, model, suite, data, answers, asked.get("min_coverage"))
    imports = _read(form, paths, options)
    directory = output.expanduser()
    kept = keep_imports(imports, directory)
    _print(imports, kept, directory)
    _stop_without_score(kept)


def _read(form: str, paths: Sequence[Path], options: ImportOptions) -> list[Import]:
    from codearena_plugin.interchange.arena_hard import import_arena_hard
    from codearena_plugin.interchange.lm_eval_samples import import_samples

    if form not in _FROM:
        raise ConfigError(unknown_name("format", form, _FROM))
    if form == "lm-eval-samples":
        return import_samples(paths, options)
    if options.model is not None:
        msg = f"--model {options.model!r}: arena-hard's lines and files name their models. Leave it out."
        raise ConfigError(msg)
    return import_arena_hard(paths, options)


def _print(imports: Sequence[Import], kept: Sequence[Kept], directory: Path) -> None:
    from rich.text import Text

    from codearena_plugin.report.console import open_console
    from codearena_plugin.report.facts import Cells, caveats, interval_cells, percent
    from codearena_plugin.report.table import cells_table, facts_table
    from codearena_plugin.report.untrusted import one_line, visible

    several_judges = len({found.judge["model"] for found in imports}) > 1
    texts = ["not in the import" if found.answers[0].is_absent else "known" for found in imports]
    several_texts = len(set(texts)) > 1
    rows: list[tuple[str, ...]] = []
    for found, run, text in zip(imports, kept, texts, strict=True):
        metrics = run.result["metrics"]
        score, interval, _ = interval_cells(metrics["score"]) if metrics["score"] else ("withheld", "", "")
        share = f"{metrics['n_scored']} of {metrics['n_prompts']}"
        n_read = found.agreement.counts.total()
        read = f"{found.agreement.disagreements} of {n_read}" if n_read else "–"
        who = (one_line(found.model, 60), *([one_line(str(found.judge["model"]), 60)] if several_judges else []))
        known = [text] if several_texts else []
        rows.append((*who, score, interval, percent(metrics["coverage"]), share, *known, read))
    console = open_console()
    facts = list(dict.fromkeys(fact for run in kept for fact in caveats(run.result["manifest"])))
    console.print(facts_table(facts if several_texts else [*facts, ("answers", texts[0])]))
    names = ("model", "judge") if several_judges else ("model",)
    columns = ("score", "95 % interval", "coverage", "n", *(["answers"] if several_texts else []), "read otherwise")
    console.print(cells_table(Cells((*names, *columns), rows), min_width=_MODEL_WIDTH))
    if any(found.agreement.disagreements for found in imports):
        console.print("Verdicts are those of the file; in so many replies our own parser reads another one, or none.")
    lie = f"run: {kept[0].path}" if len(kept) == 1 else f"{len(kept)} runs in {directory}"
    if len({found.model for found in imports}) < len(imports):
        for found, run in zip(imports, kept, strict=True):  # a model has several: which of them lies where
            of = f"{one_line(found.model, 60)} by {one_line(str(found.judge['model']), 60)}"
            console.print(Text(f"{of}: {visible(str(run.path))}"), soft_wrap=True)
    console.print(Text(visible(lie)), soft_wrap=True)


def _stop_without_score(kept: Sequence[Kept]) -> None:
    withheld = [run for run in kept if run.result["withheld"]]
    if withheld:
        first = withheld[0]
        msg = (
            f"NO SCORE for {len(withheld)} of {len(kept)} imported runs, as {first.path}: {first.result['withheld']}. "
            "All are kept: codearena show RUN lists the games, codearena rescore RUN --min-coverage lowers the bar"
        )
        raise IncompleteRunError(msg)


def export(
    runs: Annotated[list[Path], typer.Argument(help="Run directories.", metavar="RUN...")],
    *,
    output: Annotated[Path, typer.Option(metavar="PATH", help="The file, - for stdout; for datasets a directory.")],
    form: Annotated[str, typer.Option("--format", metavar="|".join(_TO), help="How the rows are written.")] = "jsonl",
    data: opt.Data = None,
    replies: Annotated[bool, typer.Option("--replies", help="With the judge's texts.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace what is there; never a run's files.")] = False,
) -> None:
    """Write the verdicts of runs as rows, one per game (schema codearena-verdicts/1)."""
    from codearena_plugin.cli.stored import read_runs
    from codearena_plugin.cli.written import refuse_run_files
    from codearena_plugin.interchange.export import jsonl_lines, run_names, verdict_rows, write_jsonl
    from codearena_plugin.interchange.tables import write_dataset, write_parquet
    from codearena_plugin.report.console import open_console
    from codearena_plugin.report.untrusted import visible
    from codearena_plugin.runs.compare import refuse_repeated
    from codearena_plugin.runs.strata import strata_of_run

    if form not in _TO:
        raise ConfigError(unknown_name("format", form, _TO))
    place, is_stream = output.expanduser(), str(output) == "-"
    if is_stream and form != "jsonl":
        msg = f"--output - is standard output, which takes jsonl only, got --format {form}. Name a file."
        raise ConfigError(msg)
    loaded = read_runs(runs)
    refuse_repeated(loaded)
    if not is_stream:
        refuse_run_files(place, loaded, runs)
        _check_free(place, form, force=force)
    strata = [strata_of_run(run, data) for run in loaded]
    _say_unknown([run for run, found in zip(loaded, strata, strict=True) if found is None])
    rows = [
        row
        for run, of, name in zip(loaded, strata, run_names(loaded), strict=True)
        for row in verdict_rows(run, of, replies=replies, name=name)
    ]
    if is_stream:
        sys.stdout.writelines(jsonl_lines(rows))
    elif form == "jsonl":
        write_jsonl(place, rows)
    else:
        (write_parquet if form == "parquet" else write_dataset)(place, rows)
    where = "standard output" if is_stream else visible(str(place))
    line = f"{_counted(len(rows), 'game')} of {_counted(len(loaded), 'run')}: {where}"
    open_console(stderr=is_stream).print(line, soft_wrap=True)


def _counted(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _check_free(place: Path, form: str, *, force: bool) -> None:
    """Refuse to write over anything that was not named for it, and ever over what is no export; make the directory."""
    from codearena_plugin.interchange.tables import is_dataset

    if not place.exists() and not place.is_symlink():
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            msg = f"--output {str(place)!r}: its directory cannot be made ({exc.strerror or exc}). Choose another."
            raise ConfigError(msg) from exc
        return
    if not force:
        msg = f"{str(place)!r} exists. Choose another --output, or --force to replace it."
        raise ConfigError(msg)
    if is_dataset(place) if form == "datasets" else place.is_file():
        return
    expected = "a directory that an export made" if form == "datasets" else "a file"
    msg = f"{str(place)!r} is not {expected}, and --force replaces nothing else. Choose another --output."
    raise ConfigError(msg)


def _say_unknown(runs: Sequence[StoredRun]) -> None:
    from codearena_plugin.report.console import open_console
    from codearena_plugin.report.untrusted import one_line

    if runs:
        which = f"{_counted(len(runs), 'run')}, as {runs[0].path}"
        line = f"note: no suite is at hand for {which}: their classes and languages are null"
        open_console(stderr=True).print(one_line(line, 500), soft_wrap=True)


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("import")(import_)
    app.command()(export)
