"""Put our result beside lm-eval's own files: ``codearena…_<date>.json`` next to ``results_<date>.json``."""

from __future__ import annotations

import functools
import logging
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from codearena_plugin.runs.files import RESULT

_log = logging.getLogger("lm_eval.codearena")
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
    """Let lm-eval also copy our results when it has saved its own."""
    after_saving(tracker, "codearena_beside", _copy)


def after_saving(tracker: Any, mark: str, then: Callable[[Any, dict[str, Any]], None]) -> None:
    """Let ``EvaluationTracker.save_results_aggregated`` also call ``then(tracker, results)`` at its end.

    Args:
        tracker: the class.
        mark: what this is known by; a second call with it changes nothing.
        then: what comes after lm-eval's own work, and after what was marked earlier.
    """
    if getattr(tracker, mark, False):
        return
    original = tracker.save_results_aggregated

    @functools.wraps(original)
    def save(self: Any, results: dict[str, Any], samples: Any) -> Any:
        done = original(self, results, samples)
        then(self, results)
        return done

    tracker.save_results_aggregated = save
    setattr(tracker, mark, True)


def saved_at(tracker: Any) -> tuple[Path, str] | None:
    """Return the directory that lm-eval has just written to, and the date in its files' names; ``None``: it wrote none.

    The directory is by its own rule: a path that ends in .json is a file.
    """
    if not tracker.output_path or not getattr(tracker, "date_id", None):
        return None
    path = Path(tracker.output_path)
    is_file = path.suffix == ".json"
    folder = path.parent if is_file else path / str(tracker.general_config_tracker.model_name_sanitized)
    return folder, str(tracker.date_id)


def _copy(tracker: Any, results: dict[str, Any]) -> None:
    saved = saved_at(tracker)
    if saved is None:
        return
    folder, date = saved
    for task in results.get("results", {}):
        place, files = _finished.get(task, (None, {}))
        name = task if task.startswith("codearena") else f"codearena_{task}"
        for file, ending in files.items():
            if place is not None and (place / file).exists():
                _copy_one(place / file, folder / f"{name}_{date}{ending}")


def _copy_one(file: Path, to: Path) -> None:
    try:
        shutil.copyfile(file, to)
    except OSError as exc:  # lm-eval's table must come all the same
        _log.warning("%s cannot be written: %s. The same lies in %s.", to, exc.strerror or exc, file)
