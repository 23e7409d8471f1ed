"""Directories that installed packages offer under an entry-point group, for harnesses that look for none themselves."""

from __future__ import annotations

import importlib.metadata
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any


def entry_point_paths(group: str, log: logging.Logger) -> Iterator[Path]:
    """Yield the paths of a group: a value is a package, a path, or a callable that returns one or more paths.

    What cannot be read is named in a warning, and skipped.
    """
    for entry in importlib.metadata.entry_points(group=group):
        try:
            yield from _as_paths(entry.load())
        except Exception as exc:  # the boundary to strangers' code
            log.warning("entry point %s = %r cannot be used: %s: %s", entry.name, entry.value, type(exc).__name__, exc)


def _as_paths(value: Any) -> list[Path]:
    if isinstance(value, ModuleType):
        return [Path(place) for place in value.__path__]
    if callable(value):
        return _as_paths(value())
    if isinstance(value, str | os.PathLike):
        return [Path(value)]
    return [Path(item) for item in value]
