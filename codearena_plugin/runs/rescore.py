"""Read a stored run again: its suite, its replies, a new result. No call is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import codearena_plugin
from codearena_plugin.errors import DataError
from codearena_plugin.judging.parse import read_verdict
from codearena_plugin.prompts.suite import Suite, SuiteOptions, fingerprint, load_suite
from codearena_plugin.records import Game, ReadingMode
from codearena_plugin.runs.files import StoredRun
from codearena_plugin.runs.judge import now
from codearena_plugin.runs.result import Result, make_result


def suite_of(run: StoredRun, data: str | None = None) -> Suite:
    """Return the suite that a run was made with, restricted to the prompts that it asked.

    Args:
        data: where the suite's file lies now; ``None``: where the run found it, else the suite's own place.

    Raises:
        UsageError: it cannot be loaded. Whether it is the same suite, its fingerprint tells the caller.
    """
    made_with = run.result["manifest"]["suite"]
    if data is None and made_with["file"] and Path(made_with["file"]).is_file():
        data = made_with["file"]
    taxonomy = None if made_with["taxonomy"] == "built-in" else str(made_with["taxonomy"])
    options = SuiteOptions(data=data, baseline=str(made_with["baseline"]), taxonomy=taxonomy)
    suite = load_suite(str(made_with["name"]), options)
    asked = {answer.prompt_id for answer in run.answers}
    prompts = tuple(prompt for prompt in suite.prompts if prompt.id in asked)
    left_out = tuple(made_with["left_out"])
    return replace(suite, prompts=prompts, left_out=left_out, fingerprint=fingerprint(prompts, suite.baseline))


def rescore(
    run: StoredRun, suite: Suite, *, mode: ReadingMode | None = None, min_coverage: float | None = None
) -> Result:
    """Read the stored replies of a run again and return the new result; no call is made.

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
    judge["mode"] = mode or judge["mode"]
    judge["min_coverage"] = judge["min_coverage"] if min_coverage is None else min_coverage
    return make_result(
        suite,
        reread(run.games, judge["mode"]),
        {**manifest, "judge": judge, "rescored": {"version": codearena_plugin.__version__, "at": now()}},
        policy=judge["order"],
        mode=judge["mode"],
        min_coverage=judge["min_coverage"],
    )


def reread(games: Sequence[Game], mode: ReadingMode) -> tuple[Game, ...]:
    """Return the games with their verdicts read again; a game that was never asked keeps its reason."""
    return tuple(replace(g, verdict=read_verdict(g.replies, mode=mode)) if g.replies else g for g in games)
