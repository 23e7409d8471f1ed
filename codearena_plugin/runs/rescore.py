"""Read a stored run again: its suite, its replies, a new result. No call is made."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import codearena_plugin
from codearena_plugin.errors import DataError
from codearena_plugin.judging.protocol.parse import read_verdict
from codearena_plugin.prompts.builtin import DATA_VARIABLE
from codearena_plugin.prompts.suite import Suite, SuiteOptions, answered_part, load_suite
from codearena_plugin.records import Game, ReadingMode
from codearena_plugin.runs.files import StoredRun
from codearena_plugin.runs.imported import bare_suite, has_questions
from codearena_plugin.runs.judge import now, opponents, sealed
from codearena_plugin.runs.result import STRATA, Result, make_result


def suite_of(run: StoredRun, data: str | None = None) -> Suite:
    """Return the suite that a run was made with, restricted to the prompts that it asked.

    Args:
        data: where the suite's file lies now; ``None``: where the run found it, else the suite's own place.

    Raises:
        UsageError: it cannot be loaded, or the run was imported without it. Whether it is the same suite, its
            fingerprint tells the caller. A file that is no longer where the run found it is named.
    """
    made_with = run.result["manifest"]["suite"]
    if not has_questions(run.result["manifest"]):
        msg = f"run {str(run.path)!r} was imported without its questions; import it again with --suite and --data"
        raise DataError(msg)
    if data is None and made_with["file"]:
        data = _where_it_was(str(made_with["file"]))
    taxonomy = None if made_with["taxonomy"] == "built-in" else str(made_with["taxonomy"])
    options = SuiteOptions(data=data, baseline=str(made_with["baseline"]), taxonomy=taxonomy)
    suite = load_suite(str(made_with["name"]), options)
    part = answered_part(suite, {answer.prompt_id for answer in run.answers})
    return replace(part, left_out=tuple(made_with["left_out"]))


def _where_it_was(file: str) -> str | None:
    """Return the suite's file where the run found it; ``None`` where the environment names one.

    Raises:
        DataError: it is no longer there. Nothing stands in for it: the published data would be other questions.
    """
    if Path(file).is_file():
        return file
    if os.environ.get(DATA_VARIABLE):
        return None
    msg = (
        f"suite file {file!r}, which the run was made with, is no longer there; say where it lies now with --data FILE"
    )
    raise DataError(msg)


def known_part(run: StoredRun, data: str | None = None) -> Suite:
    """Return what is needed of a run's suite to score it: the suite, or bare ids where it was imported without.

    Raises:
        UsageError: as ``suite_of``.
    """
    made_with = run.result["manifest"]["suite"]
    if data is not None or has_questions(run.result["manifest"]):
        return suite_of(run, data)
    ids = [answer.prompt_id for answer in run.answers]
    return bare_suite(str(made_with["name"]), ids, str(made_with["baseline"]), source=str(made_with["source"]))


def rescore(
    run: StoredRun,
    suite: Suite,
    *,
    mode: ReadingMode | None = None,
    min_coverage: float | None = None,
    directory: Path | None = None,
) -> Result:
    """Read the stored replies of a run again and return the new result; no call is made.

    Args:
        run: as it was loaded.
        suite: that it was made with (``known_part``).
        mode: how to read; ``None``: as before.
        min_coverage: below it no score; ``None``: as before.
        directory: where the new result will lie; ``None``: where the run lies.

    Raises:
        DataError: the run was not made with this suite.
    """
    manifest = run.result["manifest"]
    if manifest["suite"]["fingerprint"] != suite.fingerprint:
        msg = (
            f"Run {str(run.path)!r} was made with suite {manifest['suite']['name']!r} "
            f"({manifest['suite']['source']}), fingerprint {manifest['suite']['fingerprint'][:12]}; "
            f"the suite given has {suite.fingerprint[:12]}. Give the same data and baseline."
        )
        raise DataError(msg)
    judge = dict(manifest["judge"])
    again = {"version": codearena_plugin.__version__, "at": now(), "asked_in_mode": judge["mode"]}
    judge["mode"] = mode or judge["mode"]
    judge["min_coverage"] = judge["min_coverage"] if min_coverage is None else min_coverage
    knows_questions = has_questions(manifest)
    added = opponents(suite) if knows_questions else {}  # runs made before these hashes were kept
    with_opponents = {**manifest["suite"], **added}
    games = reread(run.games, judge["mode"])
    result = make_result(
        suite,
        games,
        sealed({**manifest, "suite": with_opponents, "judge": judge, "rescored": again}, games, directory or run.path),
        policy=judge["order"],
        mode=judge["mode"],
        min_coverage=judge["min_coverage"],
    )
    strata = result.strata if knows_questions else {kind: [] for kind in STRATA}
    return replace(result, stopped=run.result["stopped"], strata=strata)


def reread(games: Sequence[Game], mode: ReadingMode) -> tuple[Game, ...]:
    """Return the games with their verdicts read again; a game that was never asked keeps its reason."""
    return tuple(replace(g, verdict=read_verdict(g.replies, mode=mode)) if g.replies else g for g in games)
