"""What ``codearena judge`` does: read, estimate, check that the judge is there, ask, print."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from codearena_plugin.cli.stored import answers_file, stop_if_incomplete
from codearena_plugin.errors import ConfigError
from codearena_plugin.evidence.found import Consent, Evidence, Wanted, compute_evidence, evidence_for, known_rows
from codearena_plugin.evidence.record import RULES
from codearena_plugin.judging.play import preflight
from codearena_plugin.judging.settings import JudgeSettings, resolve_settings
from codearena_plugin.prompts.answers import read_answers
from codearena_plugin.prompts.suite import Suite, SuiteOptions, answered_part, load_suite
from codearena_plugin.records import Answer
from codearena_plugin.report.console import open_console
from codearena_plugin.report.facts import caveats
from codearena_plugin.report.progress import judging_progress, running_progress
from codearena_plugin.report.table import facts_table, print_result
from codearena_plugin.runs.ahead import describe, look_ahead
from codearena_plugin.runs.files import made, new_run_dir, refuse_foreign_run
from codearena_plugin.runs.judge import Run, judge_answers, manifest_of, plan_run, visible
from codearena_plugin.runs.options import RunOptions, default_judge, resolve_options

_NOT_WHOLE = (
    "Note: some evidence lies beside the answers, but not of both sides of every prompt with the same tools: the judge "
    "is shown none. Run: codearena execute ANSWERS."
)


def judge_file(
    path: Path,
    suite_name: str,
    options: Mapping[str, Any],
    *,
    model: str | None,
    tables: Sequence[str],
    dry_run: bool,
) -> None:
    """Judge the answers in a file and print the result.

    Raises:
        UsageError: nothing was asked: a wrong option, file, key, URL or model.
        IncompleteRunError: the score is withheld, or asking stopped early; the result was printed without it.
    """
    chosen = resolve_options(options, suite_name)
    settings = resolve_settings(options, default_judge=default_judge(suite_name))
    suite = load_suite(suite_name, as_asked(chosen.suite, options))
    file = answers_file(path)
    answers = read_answers(file, suite, model=model, allow_missing=chosen.only_answered)
    suite = answered_part(suite, {answer.prompt_id for answer in answers})
    manifest = manifest_of(suite, answers, settings, {})
    evidence = _evidence(suite, answers, settings, chosen, file)
    wants_run = settings.card.prompt.evidence != "none" and evidence is None and chosen.execute
    if evidence is not None or wants_run:
        manifest["evidence"] = evidence.describe() if evidence else {"rules": RULES}
    if chosen.output is not None:
        refuse_foreign_run(chosen.output, manifest)
    directory: Path | None = None
    if wants_run:
        if dry_run:
            msg = (
                "The judge is shown what the code does when it is run, and --dry-run runs nothing. "
                "Run it first: codearena execute ANSWERS."
            )
            raise ConfigError(msg)
        directory = _directory(suite, answers, chosen)
        evidence = run_code(suite, answers, chosen, [file], directory)
    ahead = look_ahead(plan_run(suite, answers, settings, evidence), settings)
    if ahead.problem is not None and not dry_run:
        raise ahead.problem
    console = open_console(stderr=not dry_run)
    console.print(describe(ahead, settings), soft_wrap=True)
    if dry_run and (found := caveats(manifest)):
        console.print(facts_table(found))
    if dry_run:
        if ahead.problem is not None:
            console.print(f"A run would stop here: {ahead.problem}", soft_wrap=True)
        return
    if ahead.left:
        preflight(settings)
    directory = directory or _directory(suite, answers, chosen)
    result = _judge(suite, answers, settings, directory, path, evidence).result.to_json()
    print_result(open_console(), result, path=directory, tables=tables)
    stop_if_incomplete(result, directory)


def _evidence(
    suite: Suite, answers: Sequence[Answer], settings: JudgeSettings, chosen: RunOptions, file: Path
) -> Evidence | None:
    """Return the evidence that is there already; say so if some is there that cannot be used."""
    beside = (file, *filter(None, [chosen.output, Path(settings.replay) if settings.replay else None]))
    wanted = Wanted(chosen.evidence, beside, will_run=chosen.execute)
    found = evidence_for(settings.card, suite, visible(answers), wanted)
    if found is None and settings.card.prompt.evidence == "used" and not chosen.execute and known_rows(beside):
        _say(_NOT_WHOLE)
    return found


def run_code(
    suite: Suite, answers: Sequence[Answer], chosen: RunOptions, places: Sequence[Path], directory: Path
) -> Evidence:
    """Return the evidence of both sides, running what is missing; rows are on disk as they are found.

    Args:
        places: where rows may lie already, beside what the user named and the directory itself.
    """
    places = [*filter(None, [chosen.evidence]), *places]
    try:
        with running_progress(say=_say) as observe:
            consent = Consent(chosen.sandbox, chosen.workers, observe=lambda state: observe(state.done, state.total))
            return compute_evidence(suite, visible(answers), places, directory, consent)
    except KeyboardInterrupt:
        msg = f"interrupted; what was run is kept in {directory}. The same command with that --output runs the rest."
        raise KeyboardInterrupt(msg) from None


def as_asked(options: SuiteOptions, given: Mapping[str, Any]) -> SuiteOptions:
    """Return the suite options with what this command line says, which no suite may pass over in silence."""
    asked = {"data": given.get("codearena_data"), "baseline": given.get("codearena_baseline")}
    return replace(options, **{name: value for name, value in asked.items() if value})


def _directory(suite: Suite, answers: Sequence[Answer], chosen: RunOptions) -> Path:
    return made(chosen.output) if chosen.output else new_run_dir(suite.name, answers[0].model)


def _judge(
    suite: Suite,
    answers: Sequence[Answer],
    settings: JudgeSettings,
    directory: Path,
    path: Path,
    evidence: Evidence | None,
) -> Run:
    harness = {"name": "codearena judge", "answers": str(path)}
    try:
        with judging_progress(say=_say) as observe:
            return judge_answers(
                suite, answers, settings, directory, harness=harness, observe=observe, evidence=evidence
            )
    except KeyboardInterrupt:
        msg = (
            f"interrupted; answers are kept in {directory}, every reply that came in {settings.store}. "
            "Run the same command again: it asks only what was not answered."
        )
        raise KeyboardInterrupt(msg) from None


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201  the bar of a run that is not on a terminal
