"""What lm-eval's own command line does not do: one line for a user's mistake, and exit codes that mean something.

Inside ``simple_evaluate`` of somebody's program our errors are ordinary exceptions; only the command line is told.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import io
import re
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import ModuleType
from typing import Any

from codearena_plugin.errors import ConfigError, IncompleteRunError
from codearena_plugin.harness.exits import is_called_from, one_line_where, say

_CLI_MODULE = "lm_eval._cli.run"
NO_CONSENT = "{task} runs code that the model wrote, in a sandbox. Say that it may: --confirm_run_unsafe_code."
_UNSAFE = re.compile(r"run task: (?P<task>\S+) which is marked as unsafe")
_TWICE = re.compile(r"Duplicate task '(?P<task>[^']*)': found in both '(?P<one>[^']*)' and '(?P<other>[^']*)'")
_ours: set[str] = set()
_incomplete: list[str] = []
_at_end: list[Callable[[], None]] = []


def plain_errors() -> AbstractContextManager[None]:
    """Under lm-eval's command line, turn a handled error into its one line and exit code."""
    return one_line_where(_under_cli, "codearena: {error}")


def note_task(name: str) -> None:
    """Remember a task as one of ours: what lm-eval has to say of it is said in one line."""
    _ours.add(name)


def note_incomplete(task: str) -> None:
    """Remember that a task ended without a score, or before all was asked, for the exit code."""
    _incomplete.append(task)


def incomplete() -> list[str]:
    """Return the tasks of this process that are incomplete."""
    return list(_incomplete)


def at_end(tell: Callable[[], None]) -> None:
    """Call a function when lm-eval's command line has printed its tables; at once where it would not tell us."""
    command = getattr(sys.modules.get(_CLI_MODULE), "Run", None)
    if getattr(command, "codearena_patched", False) and _under_cli():
        _at_end.append(tell)
    else:
        tell()


def patch_cli(module: ModuleType) -> None:
    """Make ``lm_eval run`` say our errors in one line, and end with 3 when a run is incomplete, after its last file."""
    command: Any = module.Run
    if getattr(command, "codearena_patched", False):
        return
    original = command._execute  # noqa: SLF001  lm-eval 0.4.13 offers no other end-of-run place

    @functools.wraps(original)
    def execute(*args: Any, **options: Any) -> Any:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")  # lm-eval's arrows must not end a judged run
        from codearena_plugin.harness.lm_eval import ahead  # which imports this module

        with contextlib.suppress(ImportError):  # a later lm-eval may have it elsewhere, and its runs must not end here
            ahead.patch_config(importlib.import_module("lm_eval.config.evaluate_config"))
        try:
            done = original(*args, **options)
        except ValueError as exc:
            line = _in_one_line(str(exc))
            if line is None:
                raise
            say(f"codearena: {line}")
            raise SystemExit(ConfigError.exit_code) from None
        while _at_end:
            _at_end.pop(0)()
        if _incomplete:
            raise SystemExit(IncompleteRunError.exit_code)
        return done

    command._execute = staticmethod(execute)  # noqa: SLF001
    command.codearena_patched = True


def _in_one_line(refusal: str) -> str | None:
    """Return what lm-eval's refusal of a task of ours comes to; ``None`` if it is not about one."""
    if (found := _UNSAFE.search(refusal)) and found["task"] in _ours:
        return NO_CONSENT.format(task=found["task"])
    if (found := _TWICE.search(refusal)) and found["task"] in _ours:
        task, one, other = found["task"], found["one"], found["other"]
        return f"{task} is asked twice, by {one!r} and by {other!r} in --tasks. Leave one of them out."
    return None


def _under_cli() -> bool:
    return is_called_from(_CLI_MODULE)
