"""Where output goes: a console on which data is never taken for markup, wide enough for our tables when piped."""

from __future__ import annotations

import os

from rich.console import Console

PIPED_WIDTH = 100
LEAST_WIDTH = 76  # narrower, the tables would lose the column with n, and no score stands without it


def open_console(*, stderr: bool = False) -> Console:
    """Return a console for standard output or standard error, as they are now."""
    console = Console(stderr=stderr, markup=False, highlight=False, emoji=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = PIPED_WIDTH
    console.width = max(console.width, LEAST_WIDTH)
    return console
