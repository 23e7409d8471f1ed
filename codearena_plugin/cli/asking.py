"""What ``codearena judge`` does: read, estimate, check that the judge is there, ask, print."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from codearena_plugin.cli.stored import answers_file, refuse_foreign_run, stop_if_incomplete
from codearena_plugin.errors import ConfigError
from codearena_plugin.judging.play import Estimate, Plan, check_limits, estimate, open_backend, preflight, run_async
from codearena_plugin.judging.settings import JudgeSettings, resolve_settings
from codearena_plugin.judging.store import ReplyStore
from codearena_plugin.prompts.answers import read_answers
from codearena_plugin.prompts.suite import Suite, SuiteOptions, load_suite
from codearena_plugin.records import Answer
from codearena_plugin.report.console import open_console
from codearena_plugin.report.progress import judging_progress
from codearena_plugin.report.table import dollars, print_result
from codearena_plugin.runs.files import made, new_run_dir
from codearena_plugin.runs.judge import Run, judge_answers, manifest_of, plan_run
from codearena_plugin.runs.options import default_judge, resolve_options


@dataclass(frozen=True, slots=True)
class Ahead:
    """What judging will take, and why it cannot begin if it cannot.

    Attributes:
        left: games that are still to be asked.
        is_remote: asking costs calls; not so with a stored run or the static judge.
    """

    estimate: Estimate
    left: int
    skipped: int
    is_remote: bool
    problem: ConfigError | None


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
    answers = read_answers(answers_file(path), suite, model=model)
    if chosen.output is not None:
        refuse_foreign_run(chosen.output, manifest_of(suite, answers, settings, {}))
    ahead = look_ahead(plan_run(suite, answers, settings), settings)
    if ahead.problem is not None and not dry_run:
        raise ahead.problem
    open_console(stderr=not dry_run).print(describe(ahead, settings), soft_wrap=True)
    if ahead.problem is not None:
        raise ahead.problem
    if dry_run:
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


def look_ahead(plans: Sequence[Plan], settings: JudgeSettings) -> Ahead:
    """Return what judging will take; nothing is asked, and no store is made where none is."""
    problem: ConfigError | None = None
    is_remote = True
    try:
        check_limits(settings)
        backend = open_backend(settings)
        is_remote = backend.is_remote
        run_async(backend.aclose())
    except ConfigError as exc:
        problem = exc
    skipped = sum(plan.skipped is not None for plan in plans)
    if is_remote and settings.store.exists():
        with ReplyStore(settings.store) as store:
            found = estimate(plans, settings, store)
    else:
        found = estimate(plans, settings, None)
    left = found.games - skipped - found.stored
    return Ahead(found, left=left, skipped=skipped, is_remote=is_remote, problem=problem)


def describe(ahead: Ahead, settings: JudgeSettings) -> str:
    """Return the estimate as one line."""
    found = ahead.estimate
    skipped = f", {ahead.skipped} skipped as too long for the judge" if ahead.skipped else ""
    begin = f"{found.games} games with {settings.model} ({settings.card.id})"
    if not ahead.is_remote:
        return f"{begin}{skipped}, no call: back end {settings.backend}"
    cost = "unknown" if found.cost_usd is None else f"about {dollars(found.cost_usd)}"
    return (
        f"{begin}: {found.stored} answered before{skipped}, "
        f"{ahead.left} to ask, about {found.prompt_tokens:,} + {found.completion_tokens:,} tokens, cost {cost}"
    )
