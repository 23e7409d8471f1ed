"""What the command lines of harnesses do not do: one line for a user's mistake, and its exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from codearena_plugin.errors import CodeArenaError


@contextmanager
def one_line_where(is_command: Callable[[], bool], form: str) -> Iterator[None]:
    """Turn a handled error into one line on stderr and its exit code; in somebody's program it stays an exception.

    Args:
        is_command: whether a command line of the harness is what runs here.
        form: of the line, with ``{error}`` and ``{code}``.
    """
    try:
        yield
    except CodeArenaError as exc:
        if not is_command():
            raise
        say(form.format(error=exc, code=exc.exit_code))
        raise SystemExit(exc.exit_code) from None


def say(line: str) -> None:
    """Write one line to stderr, at once: the process may end with it."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201  the command line's own output


def is_called_from(module: str) -> bool:
    """Return whether a function of this module is waiting for us to return."""
    frame = sys._getframe()  # noqa: SLF001
    while frame is not None:
        if frame.f_globals.get("__name__") == module:
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False
