"""Where a run inside a harness is kept: chosen and tried before generation, never over another run."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from codearena_plugin.errors import DataError
from codearena_plugin.runs.files import RESULT, made, new_run_dir, refuse_foreign_run, stamp

_SECRET = re.compile(r"key|token|secret|password|auth", re.IGNORECASE)


def first_place(output: Path | None, task: str, model: str, rank: int) -> Path:
    """Return the directory of a run, made and proved writable; each rank has one of its own.

    Raises:
        DataError: it cannot be made or written: better known before generation than after it.
    """
    suffix = f"-rank{rank}" if rank else ""
    directory = made(output / f"{task}{suffix}") if output is not None else new_run_dir(task, f"{model}{suffix}")
    probe = directory / ".writable"
    try:
        probe.touch()
        probe.unlink()
    except OSError as exc:
        msg = f"Run directory {str(directory)!r} cannot be written: {exc.strerror or exc}. Choose codearena_output."
        raise DataError(msg) from exc
    return directory


def settled_place(directory: Path, manifest: Mapping[str, Any] | None, log: logging.Logger) -> Path:
    """Return the directory if it is free or holds this very run; else a fresh one beside it, and say so.

    Args:
        directory: as first chosen.
        manifest: of the run to be written; ``None`` if it is not known whole (several ranks).
        log: of the harness, where people look.
    """
    if not (directory / RESULT).exists():
        return directory
    why = f"{str(directory)!r} holds another run."
    if manifest is not None:
        try:
            refuse_foreign_run(directory, manifest)
        except DataError as exc:
            why = str(exc)
        else:
            return directory
    fresh = made(directory.with_name(f"{directory.name}-{stamp()}"))
    log.warning("%s This run goes to %s.", why, fresh)
    return fresh


def shown_arguments(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return lm-eval's model arguments as it merged them into the metadata, without ours and without secrets."""
    ours = ("judge", "codearena", "suite", "version", "config_source")
    return {
        str(key): value
        for key, value in metadata.items()
        if not str(key).startswith(ours) and not _SECRET.search(str(key)) and isinstance(value, (str, int, float, bool))
    }
