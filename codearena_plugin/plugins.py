"""Find plugins, and resolve a name to what it offers."""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pluggy

from codearena_plugin import hookspecs
from codearena_plugin.errors import ConfigError, unknown_name
from codearena_plugin.hookspecs import Offer

GROUP = "codearena"
Kind = Literal["suites", "judges", "backends", "executors", "scorers", "reporters"]
KINDS: tuple[Kind, ...] = ("suites", "judges", "backends", "executors", "scorers", "reporters")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Plugin:
    """One registered plugin: a distribution's entry point, or our own built-ins."""

    name: str
    version: str
    problem: str = ""


@functools.cache
def manager() -> pluggy.PluginManager:
    """Return the plugin manager with built-ins and everything installed under the group ``codearena``.

    A plugin that cannot be imported is named in a warning and in ``codearena plugins``, and skipped.
    """
    found = pluggy.PluginManager(GROUP)
    found.add_hookspecs(hookspecs)
    found.register(importlib.import_module("codearena_plugin.builtin"), name="built-in")
    for entry in importlib.metadata.entry_points(group=GROUP):
        version = entry.dist.version if entry.dist else "?"
        try:
            found.register(entry.load(), name=entry.name)
        except Exception as exc:  # the boundary to strangers' code: name it, go on without it
            problem = f"{type(exc).__name__}: {exc}"
            _log.warning("plugin %r (%s) cannot be loaded and is skipped: %s", entry.name, entry.value, problem)
            _plugins.append(Plugin(entry.name, version, problem))
        else:
            _plugins.append(Plugin(entry.name, version))
    return found


_plugins: list[Plugin] = []


def plugins() -> list[Plugin]:
    """Return the third-party plugins that were found, the broken ones with their problem."""
    manager()
    return list(_plugins)


def offers(kind: Kind) -> dict[str, Offer]:
    """Return all offers of one kind by name, built-ins first.

    Raises:
        ConfigError: two plugins offer the same name; neither can win silently.
    """
    found: dict[str, Offer] = {}
    for offer in _each(kind):
        if offer.name in found and offer != found[offer.name]:
            msg = (
                f"Two plugins offer {kind[:-1]} {offer.name!r}: {found[offer.name].target} and {offer.target}. "
                "Uninstall one of them."
            )
            raise ConfigError(msg)
        found[offer.name] = offer
    return found


def _each(kind: Kind) -> Iterator[Offer]:
    hook = getattr(manager().hook, f"codearena_{kind}")
    for offered in reversed(hook()):  # pluggy calls the last registered first; built-ins come first here
        yield from offered


def resolve(kind: Kind, name: str) -> Any:
    """Import and return the object that is offered under a name.

    Raises:
        ConfigError: nobody offers the name, or its target cannot be imported.
    """
    known = offers(kind)
    if name not in known:
        raise ConfigError(unknown_name(kind[:-1], name, known))
    target = known[name].target
    module, _, attribute = target.partition(":")
    try:
        return functools.reduce(getattr, attribute.split("."), importlib.import_module(module))
    except (ImportError, AttributeError) as exc:
        msg = f"The {kind[:-1]} {name!r} points at {target!r}, which cannot be imported: {exc}."
        raise ConfigError(msg) from exc


def task_dirs() -> list[Path]:
    """Return every directory with lm-eval task YAML, ours first."""
    return [Path(path) for paths in reversed(manager().hook.codearena_task_dirs()) for path in paths]
