"""What ``codearena judge`` does: read, estimate, check that the judge is there, ask, print."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from codearena_plugin.cli.stored import answers_file, stop_if_incomplete
from codearena_plugin.judging.play import preflight
from codearena_plugin.judging.settings import JudgeSettings, resolve_settings
from codearena_plugin.prompts.answers import read_answers
from codearena_plugin.prompts.suite import Suite, SuiteOptions, answered_part, load_suite
from codearena_plugin.records import Answer
from codearena_plugin.report.console import open_console
from codearena_plugin.report.facts import caveats
from codearena_plugin.report.progress import judging_progress
from codearena_plugin.report.table import facts_table, print_result
from codearena_plugin.runs.ahead import describe, look_ahead
from codearena_plugin.runs.files import made, new_run_dir, refuse_foreign_run
from codearena_plugin.runs.judge import Run, judge_answers, manifest_of, plan_run
from codearena_plugin.runs.options import default_judge, resolve_options


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
    suite = load_suite(suite_name, _as_asked(chosen.suite, options))
    answers = read_answers(answers_file(path), suite, model=model, allow_missing=chosen.only_answered)
    suite = answered_part(suite, {answer.prompt_id for answer in answers})
    manifest = manifest_of(suite, answers, settings, {})
    if chosen.output is not None:
        refuse_foreign_run(chosen.output, manifest)
    ahead = look_ahead(plan_run(suite, answers, settings), settings)
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
    directory = made(chosen.output) if chosen.output else new_run_dir(suite.name, answers[0].model)
    result = _judge(suite, answers, settings, directory, path).result.to_json()
    print_result(open_console(), result, path=directory, tables=tables)
    stop_if_incomplete(result, directory)


def _as_asked(options: SuiteOptions, given: Mapping[str, Any]) -> SuiteOptions:
    """Return the suite options with what this command line says, which no suite may pass over in silence."""
    asked = {"data": given.get("codearena_data"), "baseline": given.get("codearena_baseline")}
    return replace(options, **{name: value for name, value in asked.items() if value})


def _judge(suite: Suite, answers: Sequence[Answer], settings: JudgeSettings, directory: Path, path: Path) -> Run:
    harness = {"name": "codearena judge", "answers": str(path)}
    try:
        with judging_progress(say=_say) as observe:
            return judge_answers(suite, answers, settings, directory, harness=harness, observe=observe)
    except KeyboardInterrupt:
        msg = (
            f"interrupted; answers are kept in {directory}, every reply that came in {settings.store}. "
            "Run the same command again: it asks only what was not answered."
        )
        raise KeyboardInterrupt(msg) from None


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201  the bar of a run that is not on a terminal
