"""Answers that OpenCompass generated, through the one path that all harnesses take, into a run directory.

A run without a trustworthy score is an error here: OpenCompass writes what an evaluator returns and never evaluates it
again, so only what raises is tried once more by ``-r``. What was answered is in the store by then.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from opencompass.utils import get_logger

from codearena_plugin.errors import ConfigError, DataError, IncompleteRunError
from codearena_plugin.harness.opencompass.suites.dataset import suite_of
from codearena_plugin.harness.opencompass.suites.numbers import details_of, metrics_of
from codearena_plugin.harness.place import cleared_place
from codearena_plugin.judging.play import preflight
from codearena_plugin.judging.settings import JudgeSettings
from codearena_plugin.prompts.suite import Suite, listed
from codearena_plugin.records import Answer
from codearena_plugin.report.progress import judging_progress
from codearena_plugin.runs.ahead import describe, look_ahead
from codearena_plugin.runs.incomplete import incomplete_line
from codearena_plugin.runs.judge import Run, judge_answers, manifest_of, plan_run

log = get_logger()


def answers_of(rows: Sequence[Mapping[str, Any]], texts: Sequence[Any], model: str) -> tuple[Answer, ...]:
    """Return the answers to rows, in their order.

    Raises:
        DataError: a prediction is no text (several sequences a prompt), or a prompt is asked twice.
    """
    odd = [row["id"] for row, text in zip(rows, texts, strict=True) if text is not None and not isinstance(text, str)]
    if odd:
        msg = f"{len(odd)} predictions are no text: {listed(odd)}; expected one each (num_return_sequences=1)."
        raise DataError(msg)
    if len({row["id"] for row in rows}) != len(rows):
        msg = f"{len(rows)} predictions are to {len({row['id'] for row in rows})} prompts; expected one each."
        raise DataError(msg)
    return tuple(Answer(row["id"], model, text or "") for row, text in zip(rows, texts, strict=True))


def judge_rows(
    rows: Sequence[Mapping[str, Any]],
    answers: Sequence[Answer],
    settings: JudgeSettings,
    directory: Path,
    harness: Mapping[str, Any],
) -> tuple[Run, Suite]:
    """Judge the answers to rows; return the run, and all of their suite.

    Raises:
        UsageError: nothing was asked; also for a judge that needs evidence.
    """
    if settings.card.prompt.evidence == "needed":
        msg = (
            f"Judge {settings.card.name!r} is shown what the answers' code does, and OpenCompass evaluations run none. "
            "Give the predictions to codearena execute, then to codearena judge."
        )
        raise ConfigError(msg)
    part, whole = suite_of(rows)
    by_id = {answer.prompt_id: answer for answer in answers}
    answers = [by_id[prompt.id] for prompt in part.prompts]
    directory = directory.resolve()
    work_dir = str(directory.parents[2])  # its configs/ say how the answers were generated
    about = {
        "name": "opencompass",
        "version": importlib.metadata.version("opencompass"),
        "work_dir": work_dir,
        **harness,
    }
    place = cleared_place(directory, manifest_of(part, answers, settings, about), log)
    ahead = look_ahead(plan_run(part, answers, settings), settings)
    if ahead.problem is not None:
        raise ahead.problem
    log.info("judging %s; the run is kept in %s", describe(ahead, settings), place)
    if ahead.left and settings.backend != "opencompass":
        preflight(settings)
    with judging_progress() as observe:
        return judge_answers(part, answers, settings, place, harness=about, observe=observe), whole


def results_of(
    run: Run, whole: Suite, rows: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, float], list[dict[str, Any]]]:
    """Return the numbers of a run, and details for each row.

    Raises:
        IncompleteRunError: there is no trustworthy score, or asking stopped early; says what failed, and that ``-r``
            asks only what was not answered.
    """
    result = run.result.to_json()
    line = incomplete_line(result, run.path)
    if line is not None:
        msg = f"{line} (opencompass … -r evaluates again)"
        raise IncompleteRunError(msg)
    prompts = [whole.by_id[row["id"]] for row in rows]
    return metrics_of(result), details_of(prompts, run.games, result["manifest"]["judge"], run.path)
