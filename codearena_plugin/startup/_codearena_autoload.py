"""Start-up shim of codearena-plugin: bare ``lm_eval --tasks`` and ``opencompass --datasets codearena`` find our tasks.

Neither lm-eval 0.4.13 nor OpenCompass 0.5.4 has a way for an installed package to bring tasks. Python calls ``install``
when it starts (``codearena_plugin_autoload.pth``; from Python 3.15 on the ``.start`` file beside it). That only notes
which of their modules to wait for. Not before one of them is imported, ``codearena_plugin`` is imported and told.

``CODEARENA_AUTOLOAD=0`` turns it off. It prints nothing, changes no file and never raises.
"""

import os
import sys

TYPE_CHECKING = False  # importing typing would cost more than the whole shim
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

WATCHED = {  # a peer's module -> what is called with it after its import
    "lm_eval._cli.run": "codearena_plugin.harness.lm_eval.exits:patch_cli",
    "lm_eval.models": "codearena_plugin.harness.lm_eval.hook:register_models",
    "lm_eval.tasks._index": "codearena_plugin.harness.lm_eval.hook:patch_index",
    "opencompass.utils.run": "codearena_plugin.harness.opencompass.hook:patch_match",
}


def install() -> None:
    """Begin to watch, once; modules that are imported already are handed over now."""
    if turned_off() or _FINDER in sys.meta_path:
        return
    sys.meta_path.insert(0, _FINDER)
    for name, target in WATCHED.items():
        if name in sys.modules:
            _hand_over(sys.modules[name], target)


def turned_off() -> bool:
    """Return whether the user does not want the shim."""
    return os.environ.get("CODEARENA_AUTOLOAD", "").strip() == "0"


class _Finder:
    """A finder that finds nothing itself: it lets the others find a watched module, and waits for its end."""

    def __init__(self) -> None:
        self._asking: set[str] = set()  # another wrapping finder may ask us back

    def find_spec(
        self, name: str, path: "Sequence[str] | None" = None, target: "ModuleType | None" = None
    ) -> "ModuleSpec | None":
        if name not in WATCHED or name in self._asking:
            return None
        self._asking.add(name)
        try:
            spec = self._ask_others(name, path, target)
        finally:
            self._asking.discard(name)
        if spec is not None:
            _call_after(spec.loader, name)
        return spec

    def _ask_others(self, name: str, path: "Sequence[str] | None", target: "ModuleType | None") -> "ModuleSpec | None":
        for finder in sys.meta_path:
            find: Any = getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = find(name, path, target) if find and finder is not self else None
            if spec is not None:
                return spec
        return None


def _call_after(loader: "Any", name: str) -> None:
    """Make this one loader hand the module over once it has run it."""
    run = getattr(loader, "exec_module", None)
    if run is None or isinstance(loader, type):  # a class would be every module's loader
        return

    def exec_module(module: "ModuleType") -> None:
        run(module)
        if module.__name__ == name:  # one loader may serve several modules, as in a zip file
            _hand_over(module, WATCHED[name])

    try:
        loader.exec_module = exec_module
    except AttributeError:  # a loader with slots: leave it as it is
        return


def _hand_over(module: "ModuleType", target: str) -> None:
    try:
        import importlib

        where, _, function = target.partition(":")
        getattr(importlib.import_module(where), function)(module)
    except Exception as exc:  # whatever is wrong with us must not break the peer
        import logging

        logging.getLogger("lm_eval.codearena").warning(
            "codearena-plugin could not register itself with %s (%s: %s); what it adds there is missing. "
            "CODEARENA_AUTOLOAD=0 turns this off.",
            module.__name__,
            type(exc).__name__,
            exc,
        )


_FINDER: "Any" = _Finder()
