"""Evaluations that a partitioner has split: judged side by side, joined by whichever ends last.

OpenCompass merges split predictions, but not split results; its summarizers then show "-". Each part is a run of its
own, ``codearena_0``, ``codearena_1``, …; once they make up the suite, the run and the results of ``codearena`` are
written as one evaluation would have written them.
"""

from __future__ import annotations

import json
import logging
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from codearena_plugin.atomic import write_atomically
from codearena_plugin.errors import DataError
from codearena_plugin.harness.opencompass.suites.numbers import details_of, metrics_of
from codearena_plugin.harness.place import cleared_place
from codearena_plugin.harness.spending import sum_of
from codearena_plugin.judging.settings import JudgeSettings
from codearena_plugin.prompts.suite import Suite
from codearena_plugin.runs.files import RESULT, StoredRun, load_run, protocol_of, save_answers, save_result
from codearena_plugin.runs.judge import manifest_of, sealed
from codearena_plugin.runs.result import make_result
from codearena_plugin.runs.strata import save_strata
from codearena_plugin.runs.style import save_style

_log = logging.getLogger("codearena.opencompass")
_PART = re.compile(r"(?P<whole>.+)_(?P<number>\d+)")


def join(directory: Path, suite: Suite, settings: JudgeSettings, log: logging.Logger = _log) -> Path | None:
    """Write the whole run and OpenCompass' results for it, if this part and those beside it make up the suite.

    Args:
        directory: of the part that was judged just now.
        suite: all of it.
        settings: with which the parts were judged.
        log: of the harness; told why nothing is joined.
    """
    found = _PART.fullmatch(directory.name)
    if found is None:
        log.warning("%s holds less than the suite and is no part of a split: nothing to join.", directory)
        return None
    whole = directory.with_name(found["whole"])
    runs = _parts(whole)
    answers = {answer.prompt_id: answer for run in runs for answer in run.answers}
    problem = _problem(runs)
    if problem is None and answers.keys() != suite.by_id.keys():
        problem = f"{len(runs)} parts have answers to {len(answers)} of {len(suite.by_id)} prompts so far"
    if problem is not None:
        log.warning("The parts of %s are not joined: %s.", whole, problem)
        return None
    in_order = [answers[prompt.id] for prompt in suite.prompts]
    order = {prompt.id: place for place, prompt in enumerate(suite.prompts)}
    games = sorted((game for run in runs for game in run.games), key=lambda game: order[game.prompt_id])
    harness = {**runs[0].result["manifest"]["harness"], "dataset": whole.name, "parts": len(runs)}
    seeds = [seed for run in runs for seed in run.result["manifest"].get("order_seeds", [])]
    result = make_result(
        suite,
        games,
        sealed(manifest_of(suite, in_order, settings, harness), games, whole, seeds=seeds),
        policy=settings.order,
        mode=settings.mode,
        min_coverage=settings.min_coverage,
    )
    result = replace(result, spending=sum_of([run.result["spending"] for run in runs]))
    cleared_place(whole, result.manifest, log)
    save_answers(whole, in_order)
    save_strata(whole, suite.prompts)
    save_style(whole, suite, in_order)
    save_result(whole, games, result)
    details = details_of(suite.prompts, games, result.manifest["judge"], whole)
    results = {**metrics_of(result.to_json()), "details": as_opencompass_groups(details, whole.name)}
    write_atomically(whole.with_name(f"{whole.name}.json"), json.dumps(results, indent=4, ensure_ascii=True))
    return whole


def unjoined(work_dir: Path) -> list[str]:
    """Return a line for each whole below a work directory that has results of parts and none of its own: why not."""
    parts: dict[Path, list[Path]] = defaultdict(list)
    for file in sorted(work_dir.glob("results/*/*.json")):
        found = _PART.fullmatch(file.stem)
        if found and (file.with_suffix("") / RESULT).is_file():  # else not ours
            parts[file.with_name(found["whole"])].append(file)
    return [
        f"{whole.parent.name}/{whole.name}: NO SCORE: {len(files)} of its parts have results, the whole has none: "
        f"{_why_not(whole)} (opencompass … -m eval -r)."
        for whole, files in parts.items()
        if not whole.with_name(f"{whole.name}.json").exists()
    ]


def as_opencompass_groups(details: Sequence[Mapping[str, Any]], abbr: str) -> list[dict[str, Any]]:
    """Return details as OpenCompass writes them: each value in a list, one entry for each repetition."""
    return [
        {"example_abbr": f"{abbr}_{place}", **{name: [value] for name, value in row.items()}}
        for place, row in enumerate(details)
    ]


def _parts(whole: Path) -> list[StoredRun]:
    """Return the finished runs of all parts, in order."""
    runs: list[StoredRun] = []
    for place in sorted(whole.parent.glob(f"{whole.name}_*"), key=_number):
        if _number(place) != len(runs):
            break
        try:
            run = load_run(place)
        except DataError:
            break
        if run.result["withheld"] or run.result["stopped"]:
            break
        runs.append(run)
    return runs


def _problem(runs: Sequence[StoredRun]) -> str | None:
    """Return why runs cannot be pieces of one."""
    how = [_how(run) for run in runs]
    differs = [name for name in how[0] if len({one[name] for one in how}) > 1] if how else []
    if differs:
        name = differs[0]
        return f"they differ in {name}: {' / '.join(sorted({one[name] for one in how}))}"
    ids = [answer.prompt_id for run in runs for answer in run.answers]
    return "a prompt is in two of them" if len(set(ids)) != len(ids) else None


def _why_not(whole: Path) -> str:
    """Return why there is no whole, and what to do."""
    problem = _problem(_parts(whole))
    if problem is None:
        return "a part has no score yet, or a test_range leaves prompts out; evaluate again what is missing"
    return f"{problem}; delete {whole.name}_*.json there and evaluate all parts again, with one judge"


def _number(place: Path) -> int:
    found = _PART.fullmatch(place.name)
    return int(found["number"]) if found and place.is_dir() else 1 << 30


def _how(run: StoredRun) -> dict[str, str]:
    """Return what must be equal between parts: all of the protocol but the suite, of which each has another piece."""
    manifest = run.result["manifest"]
    protocol = {name: value for name, value in protocol_of(manifest).items() if name != "suite"}
    judge = manifest["judge"]
    asked = {"sampling": json.dumps(judge["sampling"], sort_keys=True), "back end": str(judge["backend"])}
    return {**protocol, **asked, "suite": manifest["suite"]["name"], "model": str(manifest["model"])}
