"""Runs, as commands take and leave them: the answers in one, and an exit code that says whether it is complete."""

from __future__ import annotations

import gc
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from codearena_plugin.errors import IncompleteRunError
from codearena_plugin.runs.files import ANSWERS, StoredRun, load_run
from codearena_plugin.runs.incomplete import incomplete_line


def answers_file(path: Path) -> Path:
    """Return the answers of a run for its directory, or for OpenCompass' file of results beside it.

    Any other path comes back as it is; so does a directory of OpenCompass' predictions.
    """
    for place in (path, path.with_suffix("")):
        if (place.expanduser() / ANSWERS).is_file():
            return place / ANSWERS
    is_run = path.expanduser().is_dir() and not any(path.expanduser().glob("*.json"))
    return path / ANSWERS if is_run else path


def read_runs(paths: Sequence[Path]) -> list[StoredRun]:
    """Return stored runs, out of the garbage collector's sight.

    They hold no cycles and stay as long as the command runs, and the collector would walk all their games again and
    again: a third of the time of reading 40 runs, measured. A process of our own may do that, a library may not.

    Raises:
        DataError: one of them cannot be read.
    """
    gc.disable()
    try:
        runs = [load_run(path) for path in paths]
    finally:
        gc.enable()
    gc.freeze()
    return runs


def stop_if_incomplete(result: Mapping[str, Any], path: Path, *, was_asked: bool = True) -> None:
    """End with exit code 3, saying what failed and what to do, if a result is not complete.

    Args:
        result: in its JSON form.
        path: where the run lies.
        was_asked: by the command that ends here; if not, running it again asks nothing either.

    Raises:
        IncompleteRunError: the score is withheld, or asking stopped before all games were played.
    """
    line = incomplete_line(result, path, was_asked=was_asked)
    if line is not None:
        raise IncompleteRunError(line)
