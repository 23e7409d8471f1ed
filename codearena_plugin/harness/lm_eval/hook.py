"""How lm-eval comes to know our tasks and the replay model, as long as it does not read entry points itself.

The start-up shim (``startup/_codearena_autoload.py``) calls ``patch_index`` and ``register_models`` when lm-eval
imports the modules concerned. Everything here is additive: a name that lm-eval or ``--include_path`` brings wins.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import logging
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from codearena_plugin import paths, plugins
from codearena_plugin.harness.entry_points import entry_point_paths

TASK_GROUP = "lm_eval.tasks"
REPLAY_MODEL = "codearena-replay"
_REPLAY_TARGET = "codearena_plugin.harness.lm_eval.replay:ReplayModel"
_SHIM = "_codearena_autoload"

_log = logging.getLogger("lm_eval.codearena")  # lm-eval shows only what is below "lm_eval"


def task_dir() -> Path:
    """Return the directory with our task YAML; the value of our entry point in the group ``lm_eval.tasks``."""
    return paths.data_dir("tasks")


def patch_index(module: ModuleType) -> None:
    """Let ``TaskIndex.build`` of ``lm_eval.tasks._index`` also find the tasks of installed packages.

    Only an index with lm-eval's own tasks is added to, so ``TaskManager(include_defaults=False)`` stays what it was.
    """
    index: Any = module.TaskIndex
    if getattr(index, "codearena_patched", False):
        return
    original = index.build
    defaults = Path(str(module.__file__)).parent.resolve()  # its files may be links (uv), its directory is not

    @functools.wraps(original)
    def build(roots: Iterable[Path], *args: Any, **options: Any) -> dict[str, Any]:
        asked = list(roots)
        found: dict[str, Any] = original(asked, *args, **options)
        known = {Path(root).resolve() for root in asked}
        if defaults in known:
            for path in plugin_paths():
                if path not in known:
                    _add_missing(found, original([path], *args, **options), path)
        return found

    index.build = staticmethod(build)
    index.codearena_patched = True


def _add_missing(found: dict[str, Any], offered: dict[str, Any], path: Path) -> None:
    for name, entry in offered.items():
        if found.setdefault(name, entry) is not entry:
            _log.debug("task %r of %s is not used: another one has its name", name, path)


def register_models(_module: ModuleType | None = None) -> None:
    """Make ``--model codearena-replay`` known to an lm-eval that does not read the group ``lm_eval.models``."""
    registry: Any = importlib.import_module("lm_eval.api.registry")
    importlib.import_module("lm_eval.models")  # lm-eval adds its own models only to an empty registry
    if hasattr(registry, "import_plugins") or REPLAY_MODEL in registry.model_registry:
        return
    registry.model_registry.register(REPLAY_MODEL, target=_REPLAY_TARGET)


def plugin_paths() -> list[Path]:
    """Return every directory in which installed packages keep lm-eval task YAML: ours first, each one once.

    Read from the entry-point group ``lm_eval.tasks`` (a package, a path, or a callable that returns one or more paths)
    and from the hook ``codearena_task_dirs``. What cannot be read is named in a warning, and skipped.
    """
    found = dict.fromkeys([task_dir(), *_hooked_paths(), *entry_point_paths(TASK_GROUP, _log)])
    return list(dict.fromkeys(path.resolve() for path in found if _is_there(path)))


def _is_there(path: Path) -> bool:
    if path.exists():
        return True
    _log.warning("the task directory %s does not exist and is skipped", path)
    return False


def _hooked_paths() -> list[Path]:
    try:
        return plugins.task_dirs()
    except Exception as exc:  # the boundary to strangers' code
        _log.warning("a plugin's codearena_task_dirs failed and is skipped: %s: %s", type(exc).__name__, exc)
        return []


@dataclass(frozen=True, slots=True)
class Status:
    """How discovery stands in this interpreter.

    Attributes:
        pth: the ``.pth`` file that Python runs at start; ``None``: the package was not installed into a site directory.
        active: the shim waits for lm-eval, or has patched it.
        turned_off: ``CODEARENA_AUTOLOAD`` says so.
        native: this lm-eval seems to read the group ``lm_eval.tasks`` itself, so the shim has nothing to add.
    """

    pth: Path | None
    active: bool
    turned_off: bool
    native: bool

    @property
    def line(self) -> str:
        """One line for people: does a bare ``lm_eval --tasks codearena`` work, and if not, why."""
        if self.native:
            return "lm-eval reads the entry points itself; the start-up shim is idle"
        if self.turned_off:
            return 'turned off by CODEARENA_AUTOLOAD; use --include_path "$(codearena path lm-eval)"'
        if self.active:
            return f"active ({self.pth or 'installed by hand'})"
        if self.pth is None:
            return 'not installed in a site directory; use --include_path "$(codearena path lm-eval)"'
        return f"{self.pth} was not run by this Python (-S, or a directory on PYTHONPATH only)"


def is_active() -> bool:
    """Return whether the shim waits for lm-eval in this interpreter, or has patched it."""
    index = getattr(sys.modules.get("lm_eval.tasks._index"), "TaskIndex", None)
    waiting = any(type(finder).__module__ == _SHIM for finder in sys.meta_path)
    return waiting or bool(getattr(index, "codearena_patched", False))


def status() -> Status:
    """Return how discovery stands in this interpreter. Imports nothing of lm-eval."""
    shim = importlib.util.find_spec(_SHIM)
    pth = Path(shim.origin).with_name("codearena_plugin_autoload.pth") if shim and shim.origin else None
    off = os.environ.get("CODEARENA_AUTOLOAD", "").strip() == "0"
    return Status(pth if pth and pth.is_file() else None, is_active(), off, _reads_entry_points())


def _reads_entry_points() -> bool:
    """Guess from its source whether the installed lm-eval discovers tasks of installed packages."""
    spec = importlib.util.find_spec("lm_eval")
    for root in (spec.submodule_search_locations or []) if spec else []:
        manager = Path(root, "tasks", "manager.py")
        if manager.is_file() and "plugin" in manager.read_text(encoding="utf-8").lower():
            return True
    return False
