"""Preference and execution of one command line: where both were measured of the same model, the gap is told at the end.

lm-eval evaluates one model at a time, so a judged run and pass@1 of one process are of the same model, whatever either
calls it. The published models stand beside it only where they can: against the real suite, on the released tests.
"""

from __future__ import annotations

import functools
import json
import logging
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from codearena_plugin.atomic import write_atomically
from codearena_plugin.errors import CodeArenaError
from codearena_plugin.harness.lm_eval import beside, exits
from codearena_plugin.harness.passing.checking import Style
from codearena_plugin.harness.passing.run import PassRun, executions_of
from codearena_plugin.runs.files import StoredRun, load_run, stamp

_log = logging.getLogger("lm_eval.codearena")
_passed: dict[str, tuple[Style, PassRun]] = {}


def note_run(task: str, style: Style, run: PassRun) -> None:
    """Remember a finished run of a benchmark until lm-eval saves its own results."""
    _passed[task] = style, run


def forget_run(task: str) -> None:
    """Forget an earlier run of a task in this process."""
    _passed.pop(task, None)


def patch_tracker(tracker: Any) -> None:
    """Let lm-eval also write the gap when it has saved its own results."""
    beside.after_saving(
        tracker, "codearena_gap", lambda saving, results: tell(results.get("results", {}), beside.saved_at(saving))
    )


def tell(tasks: Iterable[str], place: tuple[Path, str] | None) -> None:
    """Write the gap of each judged run among the tasks, and print it once lm-eval has printed its tables.

    Args:
        tasks: of this evaluation.
        place: directory and date of lm-eval's own files; ``None``: it writes none, so ours lies with the run.
    """
    tasks = list(tasks)
    passed = [_passed[task] for task in tasks if task in _passed]
    judged = {task: directory for task in tasks if (directory := beside.judged_run(task)) is not None}
    if not passed or not judged:
        return
    for task, directory in judged.items():
        name = "codearena_gap" if len(judged) == 1 else f"codearena_gap_{task}"
        folder, date = place or (passed[0][1].path, stamp())
        try:
            run = load_run(directory)
            if run.result["manifest"]["judge"]["backend"] == "lm-eval":
                continue  # judge_codearena: lm-eval's model is the judge there, and not the one that answered
            found = gap_of_run(run, passed)
            path = folder / f"{name}_{date}.json"
            write_atomically(path, json.dumps(found, indent=1, allow_nan=False) + "\n")
        except (CodeArenaError, OSError) as exc:
            _log.warning("no gap for %s: %s", task, exc)
            continue
        exits.at_end(functools.partial(_show, found, path))


def gap_of_run(run: StoredRun, passed: Sequence[tuple[Style, PassRun]]) -> dict[str, Any]:
    """Return the gap of one model in its plain form (``codearena-gap/1``).

    Args:
        run: judged.
        passed: benchmarks of the same model. Where one was asked in both styles, the chat style counts.

    Raises:
        DataError: no benchmark has a score.
    """
    from codearena_plugin.gap.analysis import Inputs, gap_of
    from codearena_plugin.gap.preference import preferences_of
    from codearena_plugin.gap.reading import read_results
    from codearena_plugin.runs.judge import now

    counting: dict[str, PassRun] = {}
    for style in ("base", "chat"):
        counting |= {one.result.benchmark: one for its, one in passed if its == style and not one.withheld}
    with_both = len({(one.result.benchmark, its) for its, one in passed}) > len({o.result.benchmark for _, o in passed})
    manifest = run.result["manifest"]
    can_stand_beside = not manifest["suite"]["is_demo"] and all(one.result.version for one in counting.values())
    notes = [
        *(f"{one.result.label} has no score: {one.withheld}" for _, one in passed if one.withheld),
        *(["a benchmark was asked in both styles: pass@1 is that of the chat style"] if with_both else []),
        *([] if can_stand_beside else [f"published models are left out: {_why_alone(manifest)}"]),
    ]
    inputs = Inputs(
        preferences=preferences_of([run], "score"),
        results=[execution for one in counting.values() for execution in executions_of(one, run.model)],
        published_results=read_results(["paper"]) if can_stand_beside and counting else None,
        manifests=[manifest],
        notes=notes,
    )
    return gap_of(inputs).to_json(created=now())


def _why_alone(manifest: Mapping[str, Any]) -> str:
    if manifest["suite"]["is_demo"]:
        return f"they answered CodeArena and not {manifest['suite']['name']}"
    return "they were tested on the released files of EvalPlus, and this model on other ones"


def _show(found: Mapping[str, Any], path: Path) -> None:
    """Print the user's own model, with the line that it is held to; the others are in the file."""
    from codearena_plugin.report.console import open_console
    from codearena_plugin.report.gap.console import print_gap

    own = [model for model in found["models"] if model["group"] == "yours"]
    left_out = len(found["models"]) - len(own)
    sys.stdout.flush()
    print_gap(open_console(), {**found, "models": own, "pairs": []})
    _log.info("gap%s: %s", f", with the {left_out} published models" if left_out else "", path)
