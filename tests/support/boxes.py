"""Sandboxes for tests: which of them work here, and short ways to run a program in one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from codearena_plugin.execution.choose import executor_named
from codearena_plugin.execution.sandbox import Ending, Job, Limits, Sandbox, SandboxOptions, Step

ISOLATING = ("bubblewrap", "landlock")
SYSTEM_PYTHON = "/usr/bin/python3"
"""Where our own interpreter lies in a home that no other user may enter, this one may serve."""


def options_for(name: str, **changes: object) -> SandboxOptions:
    """Return options under which an executor works here; skips the test, with its reason, where it does not."""
    options = replace(SandboxOptions(name=name), **changes)  # type: ignore[arg-type]
    probe = executor_named(name).probe(options)
    if not probe.works and options.python is None and Path(SYSTEM_PYTHON).exists():
        options = replace(options, python=SYSTEM_PYTHON)
        probe = executor_named(name).probe(options)
    if not probe.works:
        pytest.skip(f"{name}: {probe.line}")
    return options


def opened(name: str, **changes: object) -> Sandbox:
    """Return an open sandbox, or skip the test."""
    options = options_for(name, **changes)
    return executor_named(name).open(options)


def python_job(
    program: str,
    *,
    stdin: bytes = b"",
    arguments: tuple[str, ...] = (),
    limits: Limits = Limits(),  # noqa: B008  frozen
    files: Mapping[str, bytes] | None = None,
    returns: tuple[str, ...] = (),
) -> Job:
    """Return a job of one Python program."""
    step = Step(("python", "main.py", *arguments), stdin=stdin, limits=limits)
    return Job((step,), {"main.py": program.encode(), **(files or {})}, returns=returns)


def ending_of(sandbox: Sandbox, program: str, **more: object) -> Ending:
    """Run one Python program and return how it ended."""
    return sandbox.run(python_job(program, **more)).last  # type: ignore[arg-type]
