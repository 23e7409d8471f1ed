"""Put our result beside lm-eval's own files: ``codearena…_<date>.json`` next to ``results_<date>.json``."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from codearena_plugin.runs.files import RESULT

_JUDGED: Mapping[str, str] = {RESULT: ".json"}
_finished: dict[str, tuple[Path, Mapping[str, str]]] = {}


def note_run(task: str, directory: Path, files: Mapping[str, str] = _JUDGED) -> None:
    """Remember where the run of a task lies, until lm-eval saves its own results.

    Args:
        task: that ran.
        directory: of the run.
        files: to copy, with what their names end in there.
    """
    _finished[task] = directory, files


def forget_run(task: str) -> None:
    """Forget an earlier run of a task in this process: its result must not be taken for the next one's."""
    _finished.pop(task, None)


def judged_run(task: str) -> Path | None:
    """Return where the judged run of a task lies; ``None`` if it is no such task, or has not finished."""
    directory, files = _finished.get(task, (None, {}))
    return directory if RESULT in files else None


def patch_tracker(tracker: Any) -> None:
    """Let ``EvaluationTracker.save_results_aggregated`` also copy our results, after it did its own work."""
    if getattr(tracker, "codearena_patched", False):
        return
    original = tracker.save_results_aggregated

    @functools.wraps(original)
    def save(self: Any, results: dict[str, Any], samples: Any) -> Any:
        done = original(self, results, samples)
        if self.output_path and getattr(self, "date_id", None):
            _copy_into(directory_of(self), results, self.date_id)
        return done

    tracker.save_results_aggregated = save
    tracker.codearena_patched = True


def directory_of(tracker: Any) -> Path:
    """Return the directory that lm-eval has just written to, by its own rule (a path that ends in .json is a file)."""
    path = Path(tracker.output_path)
    return path.parent if path.suffix == ".json" else path / str(tracker.general_config_tracker.model_name_sanitized)


def _copy_into(directory: Path, results: dict[str, Any], date: str) -> None:
    for task in results.get("results", {}):
        place, files = _finished.get(task, (None, {}))
        name = task if task.startswith("codearena") else f"codearena_{task}"
        for file, ending in files.items():
            if place is not None and (place / file).exists():
                shutil.copyfile(place / file, directory / f"{name}_{date}{ending}")
