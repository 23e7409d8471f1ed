"""The one line that a run without a trustworthy score ends with: what failed, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

_MAX_CHARS = 300


def incomplete_line(result: Mapping[str, Any], path: Path, *, was_asked: bool = True) -> str | None:
    """Return the line for a result in its JSON form; ``None`` if nothing is missing.

    Args:
        result: as in ``result.json``.
        path: where the run lies.
        was_asked: by the command that ends here; if not, running it again asks nothing either.
    """
    withheld, stopped, statuses = result["withheld"], result["stopped"], result["statuses"]
    if not withheld and not stopped:
        return None
    what = f"NO SCORE: {withheld}" if withheld else "asking stopped before all games were played"
    why = f" ({_plain(stopped)})" if stopped else ""
    if not was_asked:
        advice = f"No call was made; look at the games with codearena show {path}"
    elif stopped or statuses["transport-error"]:
        advice = "Replies are kept: run the same command again and only what was not answered is asked"
    else:
        advice = f"Look at the replies with codearena show {path}; judge_again=STATUS asks them once more"
    lower = "; judge_min_coverage lowers the bar" if withheld else ""
    return f"{what}{why}; games that failed: {failed_games(statuses)}. {advice}{lower}. Run: {path}"


def failed_games(statuses: Mapping[str, int]) -> str:
    """Return how many games failed, by status, in words.

    >>> failed_games({"scored": 5, "unparsable": 2, "skipped": 0})
    '2 unparsable'
    """
    return ", ".join(f"{n} {status}" for status, n in statuses.items() if n and status != "scored") or "none"


def _plain(text: str) -> str:
    """Return a server's words as one printable line."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line[:_MAX_CHARS] + "…" if len(line) > _MAX_CHARS else line
