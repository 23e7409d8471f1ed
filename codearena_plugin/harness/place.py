"""Where a run inside a harness is kept: chosen and tried before generation, never over another run."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from codearena_plugin.errors import DataError
from codearena_plugin.judging.urls import without_credentials
from codearena_plugin.runs.files import RESULT, made, new_run_dir, refuse_foreign_run, stamp

_ASIDE = re.compile(r".+-\d{8}T\d{6}\.\d+")  # as ``stamp`` writes it
_OURS = ("suite", "benchmark", "style", "version", "config_source")  # what task files say
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


def cleared_place(directory: Path, manifest: Mapping[str, Any], log: logging.Logger) -> Path:
    """Return the directory, made, and free or holding this very run: another run in it moves aside, and a line says so.

    For harnesses whose own results lie beside it under its name: run and results must belong together.

    Raises:
        DataError: the other run cannot be moved.
    """
    try:
        refuse_foreign_run(directory, manifest)
    except DataError as exc:
        aside = directory.with_name(f"{directory.name}-{stamp()}")
        try:
            directory.rename(aside)
        except OSError as failed:
            msg = f"{exc} It cannot be moved aside: {failed.strerror or failed}."
            raise DataError(msg) from failed
        log.warning("%s The earlier run was moved to %s.", str(exc).removesuffix(" Choose another directory."), aside)
    return made(directory)


def is_aside(directory: Path) -> bool:
    """Return whether a directory holds a run that ``cleared_place`` moved aside.

    >>> is_aside(Path("codearena-20260102T030405.123456")), is_aside(Path("codearena-2026"))
    (True, False)
    """
    return _ASIDE.fullmatch(directory.name) is not None


def shown_arguments(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return lm-eval's model arguments as it merged them into the metadata, without ours and without secrets."""
    return {
        str(key): without_credentials(value) if isinstance(value, str) and value.startswith("http") else value
        for key, value in metadata.items()
        if isinstance(value, (str, int, float, bool)) and not _is_hidden(str(key))
    }


def _is_hidden(key: str) -> bool:
    return key in _OURS or key.startswith(("judge", "codearena")) or bool(_SECRET.search(key))
