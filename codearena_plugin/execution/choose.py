"""Which sandbox: the one that the user names, else the first isolating one that works here, else none."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from codearena_plugin import plugins
from codearena_plugin.errors import ConfigError, unknown_name
from codearena_plugin.execution.backends.interpreter import interpreter_for
from codearena_plugin.execution.sandbox import Executor, Probe, Sandbox, SandboxOptions

AUTO = "auto"
ORDER = ("bubblewrap", "landlock", "sandbox-fusion")
"""Tried in this order; an executor of a plugin is used only by its name."""
UNSAFE = "unsafe-local"
_HERE = (AUTO, "bubblewrap", "landlock", UNSAFE)
"""Names under which code runs on this machine, with its interpreter and its files."""
OPTIONS: Mapping[str, str] = {
    "sandbox": "name of an executor, or auto",
    "sandbox_python": "interpreter that runs Python code",
    "sandbox_url": "URL of a SandboxFusion service",
    "sandbox_read": "more paths that code may read, separated as PATH is",
}
"""Key in ``--metadata`` after ``codearena_`` -> what it is; the environment twin is the same in capitals."""


def resolve_sandbox(options: Mapping[str, Any], *, environ: Mapping[str, str] | None = None) -> SandboxOptions:
    """Return the sandbox options from ``codearena_sandbox…`` keys, else the environment.

    Raises:
        ConfigError: ``codearena_sandbox`` names no executor.
    """
    environ = os.environ if environ is None else environ

    def chosen(name: str) -> str | None:
        value = options.get(f"codearena_{name}") or environ.get(f"CODEARENA_{name.upper()}")
        return None if value in (None, "") else str(value)

    name = chosen("sandbox") or AUTO
    known = [AUTO, *plugins.offers("executors")]
    if name not in known:
        raise ConfigError(unknown_name("sandbox", name, known))
    return SandboxOptions(
        name=name,
        python=chosen("sandbox_python"),
        url=chosen("sandbox_url"),
        read_only=tuple(path for path in (chosen("sandbox_read") or "").split(os.pathsep) if path),
        allow_unsafe=name == UNSAFE,
    )


def probes(options: SandboxOptions) -> dict[str, Probe]:
    """Return what every executor says of this machine, in the order in which they are tried."""
    return {name: executor_named(name).probe(options) for name in _names()}


def executor_named(name: str) -> Executor:
    """Return an executor, of ours or of a plugin.

    Raises:
        ConfigError: there is none of that name.
    """
    return cast("Executor", plugins.resolve("executors", name))


def choose(options: SandboxOptions) -> tuple[str, Executor]:
    """Return the name of the executor to use, and the executor, probed.

    Raises:
        ConfigError: what was named does not work or is not here, or nothing that isolates does; says why, for each.
    """
    check(options)
    if options.name != AUTO:
        executor = executor_named(options.name)
        probe = executor.probe(options)
        if not probe.works:
            msg = f"The sandbox {options.name!r} does not work here: {probe.line}."
            raise ConfigError(msg)
        return options.name, executor
    found: list[str] = []
    for name in ORDER:
        executor = executor_named(name)
        probe = executor.probe(options)
        if probe.works:
            return name, executor
        found.append(f"{name}: {probe.line}")
    msg = (
        f"No sandbox works here, so no code was run ({'; '.join(found)}). "
        f"codearena_sandbox={UNSAFE} runs code without one, as you."
    )
    raise ConfigError(msg)


def check(options: SandboxOptions) -> None:
    """Refuse what the user named and is not there, before each sandbox says so in its own way.

    Raises:
        ConfigError: the interpreter, or a path to read.
    """
    if options.name not in _HERE:
        return
    if options.python:
        interpreter_for(options.python)
    for path in options.read_only:
        if not Path(path).exists():
            msg = f"codearena_sandbox_read names {path!r}, which does not exist."
            raise ConfigError(msg)


def open_sandbox(options: SandboxOptions) -> Sandbox:
    """Return a fresh sandbox of the executor that ``choose`` gives.

    Raises:
        ConfigError: none can be had.
    """
    return choose(options)[1].open(options)


def _names() -> list[str]:
    offered = plugins.offers("executors")
    return [*ORDER, *(name for name in offered if name not in ORDER and name != UNSAFE), UNSAFE]
