"""Stored runs, as commands need them: may one be written over, and did it end with a score."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from codearena_plugin.errors import DataError, IncompleteRunError
from codearena_plugin.report.table import failed_games
from codearena_plugin.report.untrusted import one_line
from codearena_plugin.runs.compare import protocol_of
from codearena_plugin.runs.files import ANSWERS, RESULT, load_run


def answers_file(path: Path) -> Path:
    """Return the answers of a run for its directory, any other path as it is."""
    return path / ANSWERS if path.expanduser().is_dir() else path


def refuse_foreign_run(directory: Path, manifest: Mapping[str, Any]) -> None:
    """Refuse to write over a finished run of other answers, another suite or another judge.

    Raises:
        DataError: the directory holds such a run; says what differs.
    """
    if not (directory / RESULT).exists():
        return
    there, ours = (_identity(found) for found in (load_run(directory).result["manifest"], manifest))
    differs = [f"{what} {there[what]!r}, now {ours[what]!r}" for what in ours if there[what] != ours[what]]
    if differs:
        msg = f"{str(directory)!r} holds another run: {'; '.join(differs)}. Choose another directory with --output."
        raise DataError(msg)


def _identity(manifest: Mapping[str, Any]) -> dict[str, str]:
    answers = f"sha256 {manifest['answers']['sha256'][:12]}"
    return {"model": str(manifest["model"]), "answers": answers, **protocol_of(manifest)}


def stop_if_incomplete(result: Mapping[str, Any], path: Path, *, was_asked: bool = True) -> None:
    """End with exit code 3, saying what failed and what to do, if a result is not complete.

    Args:
        was_asked: by the command that ends here; if not, running it again asks nothing either.

    Raises:
        IncompleteRunError: the score is withheld, or asking stopped before all games were played.
    """
    withheld, stopped, statuses = result["withheld"], result["stopped"], result["statuses"]
    if not withheld and not stopped:
        return
    what = f"NO SCORE: {withheld}" if withheld else "asking stopped before all games were played"
    why = f" ({one_line(stopped, 300)})" if stopped else ""
    if not was_asked:
        advice = f"No call was made; look at the games with codearena show {path}"
    elif stopped or statuses["transport-error"]:
        advice = "Replies are kept: run the same command again and only what was not answered is asked"
    else:
        advice = f"Look at the replies with codearena show {path}; --again STATUS asks them once more"
    failed = failed_games(statuses)
    msg = f"{what}{why}; games that failed: {failed}. {advice}; --min-coverage lowers the bar. Run: {path}"
    raise IncompleteRunError(msg)
