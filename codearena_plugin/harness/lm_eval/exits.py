"""What lm-eval's own command line does not do: one line for a user's mistake, and exit codes that mean something.

Inside ``simple_evaluate`` of somebody's program our errors are ordinary exceptions; only the command line is told.
"""

from __future__ import annotations

import functools
import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from codearena_plugin.errors import CodeArenaError, ConfigError, IncompleteRunError

_CLI_MODULE = "lm_eval._cli.run"
_NO_CONSENT = (
    "the tasks on HumanEval+ and MBPP+ run programs that the model wrote, in a sandbox. Say that they may: "
    "--confirm_run_unsafe_code."
)
_incomplete: list[str] = []
_at_end: list[Callable[[], None]] = []


@contextmanager
def plain_errors() -> Iterator[None]:
    """Under lm-eval's command line, turn a handled error into its one line and exit code."""
    try:
        yield
    except CodeArenaError as exc:
        if not _under_cli():
            raise
        print(f"codearena: {exc}", file=sys.stderr, flush=True)  # noqa: T201  the command line's own output
        raise SystemExit(exc.exit_code) from None


def note_incomplete(task: str) -> None:
    """Remember that a task ended without a score, or before all was asked, for the exit code."""
    _incomplete.append(task)


def incomplete() -> list[str]:
    """Return the tasks of this process that are incomplete."""
    return list(_incomplete)


def at_end(say: Callable[[], None]) -> None:
    """Call a function when lm-eval's command line has printed its tables; at once where it would not tell us."""
    command = getattr(sys.modules.get(_CLI_MODULE), "Run", None)
    if getattr(command, "codearena_patched", False) and _under_cli():
        _at_end.append(say)
    else:
        say()


def patch_cli(module: ModuleType) -> None:
    """Make ``lm_eval run`` end with exit code 3 when a run is incomplete, after all its files are written."""
    command: Any = module.Run
    if getattr(command, "codearena_patched", False):
        return
    original = command._execute  # noqa: SLF001  lm-eval 0.4.13 offers no other end-of-run place

    @functools.wraps(original)
    def execute(*args: Any, **options: Any) -> Any:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")  # lm-eval's arrows must not end a judged run
        try:
            done = original(*args, **options)
        except ValueError as exc:
            if "codearena" not in str(exc) or "confirm_run_unsafe_code" not in str(exc):
                raise
            print(f"codearena: {_NO_CONSENT}", file=sys.stderr, flush=True)  # noqa: T201
            raise SystemExit(ConfigError.exit_code) from None
        while _at_end:
            _at_end.pop(0)()
        if _incomplete:
            raise SystemExit(IncompleteRunError.exit_code)
        return done

    command._execute = staticmethod(execute)  # noqa: SLF001
    command.codearena_patched = True


def _under_cli() -> bool:
    frame = sys._getframe()  # noqa: SLF001
    while frame is not None:
        if frame.f_globals.get("__name__") == _CLI_MODULE:
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False
