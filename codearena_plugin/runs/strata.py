"""Which strata a prompt belongs to, and the file that keeps it: ``strata.json`` in a run directory.

With it a stored run can be taken apart by class and language without its suite. Schema ``codearena-strata/1``:
``{"schema", "strata": {kind: {prompt id: [names]}}}``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from codearena_plugin.atomic import write_atomically
from codearena_plugin.errors import DataError, UsageError
from codearena_plugin.prompts.taxonomy import MAIN_CLASSES, SUB_CLASSES, UNCLASSIFIED
from codearena_plugin.records import DIFFICULTIES, Prompt

if TYPE_CHECKING:
    from codearena_plugin.runs.files import StoredRun

SCHEMA = "codearena-strata/1"
STRATA_FILE = "strata.json"
GENERAL = "general"

StrataOf = Mapping[str, Mapping[str, Sequence[str]]]
"""Kind of stratum -> prompt id -> the names that the prompt belongs to."""

ORDER: Mapping[str, tuple[str, ...]] = {
    "class": MAIN_CLASSES,
    "sub_class": tuple(category.sub_class for category in SUB_CLASSES),
    "language": (),
    "difficulty": DIFFICULTIES,
    "natural_language": ("en", "zh"),
}
"""Kind of stratum -> names in the order of the rows; names that are not in it follow alphabetically."""


def strata_of_prompts(prompts: Sequence[Prompt]) -> dict[str, dict[str, list[str]]]:
    """Return the strata of every prompt, by kind; every prompt is in at least one of each kind."""
    return {
        "class": {p.id: [p.category.main_class if p.category else UNCLASSIFIED] for p in prompts},
        "sub_class": {p.id: [p.category.sub_class if p.category else UNCLASSIFIED] for p in prompts},
        "language": {p.id: list(p.languages) or [GENERAL] for p in prompts},
        "difficulty": {p.id: [p.difficulty or "unstated"] for p in prompts},
        "natural_language": {p.id: [p.natural_language] for p in prompts},
    }


def save_strata(directory: Path, prompts: Sequence[Prompt]) -> None:
    """Write the strata of the prompts of a run.

    Raises:
        DataError: the file cannot be written.
    """
    path = directory / STRATA_FILE
    try:
        write_atomically(path, json.dumps({"schema": SCHEMA, "strata": strata_of_prompts(prompts)}) + "\n")
    except OSError as exc:
        msg = f"{str(path)!r} cannot be written: {exc.strerror or exc}. Free the disk or choose another directory."
        raise DataError(msg) from exc


def strata_of_run(run: StoredRun, data: str | None = None) -> StrataOf | None:
    """Return the strata of a run's prompts: from its directory, else from its suite; ``None`` if neither is at hand.

    Args:
        run: as it was loaded.
        data: where the suite's file lies now, if ``strata.json`` is absent.

    Raises:
        DataError: the file is there and cannot be read, or lacks a prompt of the run.
    """
    from codearena_plugin.runs.rescore import suite_of

    path = run.path / STRATA_FILE
    if not path.exists():
        try:
            suite = suite_of(run, data)
        except UsageError:
            return None
        is_the_same = suite.fingerprint == run.result["manifest"]["suite"]["fingerprint"]
        return strata_of_prompts(suite.prompts) if is_the_same else None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        strata: StrataOf = found["strata"]
        complete = found["schema"] == SCHEMA and all(
            _are_names(strata[kind][answer.prompt_id]) for kind in ORDER for answer in run.answers
        )
    except (OSError, ValueError, KeyError, TypeError) as exc:
        msg = f"{str(path)!r} cannot be read as {SCHEMA} ({type(exc).__name__}: {exc}). Delete it to use the suite."
        raise DataError(msg) from exc
    if not complete:
        msg = f"{str(path)!r} is not what {SCHEMA} says: lists of names. Delete it to use the suite."
        raise DataError(msg)
    return strata


def _are_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)
