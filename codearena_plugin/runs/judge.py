"""Judge a model's answers to a suite: the one path that every harness and the command line take."""

from __future__ import annotations

import datetime as dt
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import codearena_plugin
from codearena_plugin.evidence.found import Evidence
from codearena_plugin.judging.asking.engine import Progress
from codearena_plugin.judging.plan import Plan, plan_games
from codearena_plugin.judging.play import play
from codearena_plugin.judging.settings import JudgeSettings
from codearena_plugin.prompts.suite import Suite, questions_sha256
from codearena_plugin.reasoning import strip_reasoning
from codearena_plugin.records import Answer, Game
from codearena_plugin.runs.files import answers_sha256, games_sha256, save_answers, save_result
from codearena_plugin.runs.result import Result, make_result
from codearena_plugin.runs.strata import save_strata
from codearena_plugin.runs.style import save_style


@dataclass(frozen=True)
class Run:
    """A judged run: where it lies, its games and its result."""

    path: Path
    games: tuple[Game, ...]
    result: Result


def plan_run(
    suite: Suite, answers: Sequence[Answer], settings: JudgeSettings, evidence: Evidence | None = None
) -> list[Plan]:
    """Return the games of a run; the judge sees answers without their reasoning traces.

    Raises:
        ConfigError: the judge card needs evidence, and there is none.
    """
    shown = evidence.shown() if evidence is not None else None
    return plan_games(suite.prompts, suite.baseline, visible(answers), settings, shown)


def visible(answers: Sequence[Answer]) -> dict[str, Answer]:
    """Return prompt id -> answer as the judge sees it: without its reasoning trace."""
    return {answer.prompt_id: replace(answer, text=strip_reasoning(answer.text)[0]) for answer in answers}


def judge_answers(  # noqa: PLR0913  what is judged, how, where, and who watches
    suite: Suite,
    answers: Sequence[Answer],
    settings: JudgeSettings,
    directory: Path,
    *,
    harness: Mapping[str, Any] | None = None,
    observe: Callable[[Progress], None] | None = None,
    evidence: Evidence | None = None,
) -> Run:
    """Judge one answer for every prompt of the suite, and keep answers, games and result in a directory.

    Answers are on disk before the first question is asked. A failed call is counted in the result. Evidence is shown
    to a judge whose card takes it, and kept in the directory then.

    Raises:
        StoreError, ConfigError, DataError: nothing could be asked or kept; what was answered is in the store.
    """
    save_answers(directory, answers)
    save_strata(directory, suite.prompts)
    save_style(directory, suite, answers)
    shown = shown_evidence(evidence, settings)
    plans = plan_run(suite, answers, settings, shown)
    if shown is not None:
        shown.save(directory)
    played = play(plans, settings, observe=observe)
    result = make_result(
        suite,
        played.games,
        sealed(
            manifest_of(suite, answers, settings, harness or {}, shown), played.games, directory, seeds=[played.seed]
        ),
        policy=settings.order,
        mode=settings.mode,
        min_coverage=settings.min_coverage,
        played=played,
    )
    save_result(directory, played.games, result)
    return Run(directory, played.games, result)


def shown_evidence(evidence: Evidence | None, settings: JudgeSettings) -> Evidence | None:
    """Return the evidence that a judge is shown; ``None`` for one whose card takes none."""
    return None if settings.card.prompt.evidence == "none" else evidence


def sealed(
    manifest: Mapping[str, Any], games: Sequence[Game], directory: Path, *, seeds: Sequence[int] = ()
) -> dict[str, Any]:
    """Return the manifest of a run that was played.

    Args:
        manifest: as ``manifest_of`` makes it.
        games: all of them; their hash ties the verdict file to the result.
        directory: where the run lies.
        seeds: of the order in which prompts were asked, one per process that asked.
    """
    orders = {"order_seeds": list(seeds)} if seeds else {}
    return {**manifest, **orders, "run": str(directory.resolve()), "games_sha256": games_sha256(games)}


def manifest_of(
    suite: Suite,
    answers: Sequence[Answer],
    settings: JudgeSettings,
    harness: Mapping[str, Any],
    evidence: Evidence | None = None,
) -> dict[str, Any]:
    """Return everything needed to repeat a run, as plain data.

    Args:
        evidence: that the judge is shown; without it the manifest does not speak of any.
    """
    stripped = [strip_reasoning(answer.text) for answer in answers]
    return {
        "package": {"name": "codearena-plugin", "version": codearena_plugin.__version__},
        "created": now(),
        "model": ", ".join(sorted({answer.model for answer in answers})),
        "suite": suite_to_json(suite),
        "answers": {
            "n": len(answers),
            "sha256": answers_sha256(answers),
            "empty": sum(not text.strip() for text, _ in stripped),
            "reasoning_stripped": sum(was for _, was in stripped),
            "cut_at_token_limit": _n_cut(answers),
        },
        "judge": settings.describe(),
        **({"evidence": evidence.describe()} if evidence is not None else {}),
        "harness": dict(harness),
        "platform": {"python": platform.python_version(), "system": platform.platform()},
    }


def suite_to_json(suite: Suite, *, has_questions: bool = True) -> dict[str, Any]:
    """Return what a manifest says about a suite; of an import without its questions there is nothing to be hashed."""
    return {
        "name": suite.name,
        "version": suite.version,
        "source": suite.source,
        "file": suite.file,
        "revision": suite.revision,
        "fingerprint": suite.fingerprint,
        "baseline": suite.baseline,
        **(opponents(suite) if has_questions else {"questions": False}),
        "n_prompts": len(suite.prompts),
        "left_out": list(suite.left_out),
        "taxonomy": suite.taxonomy,
        "is_demo": suite.is_demo,
    }


def opponents(suite: Suite) -> dict[str, str]:
    """Return what tells suites with several baselines apart: the hash of the questions, and that of the baseline.

    The latter is ``answers_sha256`` of the baseline's answers, so that a run's model is known where it is the baseline
    of another run.
    """
    stored = [Answer(prompt.id, suite.baseline, prompt.baselines[suite.baseline]) for prompt in suite.prompts]
    return {"questions_sha256": questions_sha256(suite.prompts), "baseline_sha256": answers_sha256(stored)}


def _n_cut(answers: Sequence[Answer]) -> int | None:
    """Return how many answers the token limit cut; ``None`` where nobody said why they ended (lm-eval hides it)."""
    reasons = [answer.finish_reason for answer in answers if answer.finish_reason is not None]
    return sum(reason == "length" for reason in reasons) if reasons else None


def now() -> str:
    """Return the time in UTC, ISO 8601."""
    return dt.datetime.now(dt.timezone.utc).isoformat(timespec="seconds")
