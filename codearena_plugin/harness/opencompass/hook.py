"""How OpenCompass comes to find our configs by name, although it reads no entry points.

The start-up shim (``startup/_codearena_autoload.py``) calls ``patch_match`` when OpenCompass imports its search for
configs. A name that OpenCompass or the user's ``--config-dir`` brings wins; only what they lack is looked for here.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from codearena_plugin.harness.entry_points import entry_point_paths

CONFIG_GROUP = "opencompass.configs"
CONFIG_MODULE = f"{__package__}.configs"
_log = logging.getLogger("codearena.opencompass")


def config_dir() -> Path:
    """Return the directory with our configs, for ``--config-dir``; the value of our entry point."""
    return Path(__file__).parent / "configs"


def patch_match(module: ModuleType) -> None:
    """Let ``match_cfg_file`` of ``opencompass.utils.run`` look into installed packages for what it does not find."""
    original: Any = getattr(module, "match_cfg_file", None)
    if original is None or getattr(original, "codearena_patched", False):
        return

    @functools.wraps(original)
    def match_cfg_file(workdir: str | list[str], pattern: str | list[str]) -> Any:
        try:
            return original(workdir, pattern)
        except ValueError:
            places = [workdir] if isinstance(workdir, str) else list(workdir)
            ours = _beside(places)
            if not any(_knows(place, pattern) for place in ours):
                raise
            return original([*places, *ours], pattern)

    match_cfg_file.codearena_patched = True  # type: ignore[attr-defined]
    module.match_cfg_file = match_cfg_file  # type: ignore[attr-defined]


def config_dirs() -> list[Path]:
    """Return every directory of configs that an installed package offers, each one once."""
    return list(dict.fromkeys(path.resolve() for path in entry_point_paths(CONFIG_GROUP, _log)))


def _beside(places: Sequence[str]) -> list[str]:
    """Return the folders of packages that hold what these folders hold: datasets, models, summarizers."""
    kinds = dict.fromkeys(Path(place).name for place in places)
    found = (directory / kind for directory in config_dirs() for kind in kinds)
    return [str(folder) for folder in found if folder.is_dir()]


def _knows(place: str, pattern: str | list[str]) -> bool:
    names = {name.removesuffix(".py").lower() for name in ([pattern] if isinstance(pattern, str) else pattern)}
    return any(path.stem.lower() in names for path in Path(place).rglob("*.py"))
