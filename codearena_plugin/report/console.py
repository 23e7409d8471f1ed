"""Where output goes: a console on which data is never taken for markup, wide enough for our tables when piped."""

from __future__ import annotations

import os
from typing import Any

from rich.console import Console

PIPED_WIDTH = 100
LEAST_WIDTH = 76  # narrower, our tables do not fit whatever is broken, and no score stands without its n


class _Console(Console):
    """A console that cuts nothing off, whose reader may go away (``| head``)."""

    def print(self, *objects: Any, **options: Any) -> None:
        """Print as rich does; what is wider than the terminal is left to the terminal."""
        super().print(*objects, **{"crop": False, **options})

    def on_broken_pipe(self) -> None:
        """Raise what Python raises: it is no failure, and rich would end the process with 1, our code for a bug."""
        raise BrokenPipeError


def open_console(*, stderr: bool = False) -> Console:
    """Return a console for standard output or standard error, as they are now."""
    console = _Console(stderr=stderr, markup=False, highlight=False, emoji=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = PIPED_WIDTH
    console.width = max(console.width, LEAST_WIDTH)
    return console
