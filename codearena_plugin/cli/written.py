"""What a command may write over: never a file of a run that it reads, nothing else that it does not know as its own."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Sequence
from pathlib import Path

from codearena_plugin.errors import ConfigError
from codearena_plugin.evidence.files import EVIDENCE
from codearena_plugin.interchange.imports import SUITE_FILE
from codearena_plugin.runs.files import ANSWERS, GAMES, RESULT, StoredRun
from codearena_plugin.runs.strata import STRATA_FILE
from codearena_plugin.runs.style import STYLE

_RUN_FILES = frozenset({ANSWERS, GAMES, RESULT, STRATA_FILE, STYLE, SUITE_FILE, EVIDENCE})
_TABLES = re.compile(
    r"tables\.(md|tex)|(leaderboard|gap)\.json|"
    r"(leaderboard|differences|by_\w+|style|controlled|reliability_\w+|coverage|failures|cost|gap(_\w+)?)\.csv"
)


def check_page(path: Path, runs: Sequence[StoredRun], given: Collection[Path], *, force: bool) -> None:
    """Refuse to write a page where something else lies; an older page of ours is replaced.

    Args:
        path: of the page.
        runs: that it is made of; their files are never replaced.
        given: what the user named as those runs.
        force: replace any other file.

    Raises:
        ConfigError: says what is there.
    """
    from codearena_plugin.report.page.write import is_page  # needs the extra "report", which tables and exports do not

    if path.is_dir():
        msg = f"--output {str(path)!r} is a directory, expected a file such as report.html."
        raise ConfigError(msg)
    refuse_no_file(path, "--output")
    refuse_run_files(path, runs, given)
    if path.exists() and not force and not is_page(path):
        msg = f"--output {str(path)!r} is there and is no report; choose another, or replace it with --force."
        raise ConfigError(msg)


def check_tables(directory: Path, page: Path, runs: Sequence[StoredRun], *, force: bool) -> None:
    """Refuse to replace files of our tables' names in a directory that also holds what is not ours.

    Args:
        directory: for the tables; it need not exist.
        page: may lie there too.
        runs: their files are never replaced.
        force: replace them all the same.

    Raises:
        ConfigError: says what is there.
    """
    if directory.exists() and not directory.is_dir():
        msg = f"--tables {str(directory)!r} is no directory, expected one, or a name that is free."
        raise ConfigError(msg)
    there = sorted(directory.iterdir()) if directory.is_dir() else []
    ours = [path for path in there if _TABLES.fullmatch(path.name)]
    for path in ours:
        refuse_no_file(path, "the table")
        refuse_run_files(path, runs, ())
    others = [path for path in there if path not in ours and not _same(path, page)]
    if ours and others and not force:
        msg = (
            f"--tables {str(directory)!r} holds {ours[0].name!r} beside {others[0].name!r}, which is no table of ours; "
            "choose another directory, or replace the tables with --force."
        )
        raise ConfigError(msg)


def refuse_run_files(path: Path, runs: Sequence[StoredRun], given: Collection[Path]) -> None:
    """Refuse a path that is, or would be taken for, a file of one of these runs; nothing overrides this.

    Args:
        path: to be written, be it a link or another name of such a file.
        runs: as they were loaded.
        given: what the user named as those runs: directories, or a harness' copy of a result.

    Raises:
        ConfigError: naming the run.
    """
    for run in runs:
        own = [run.path / name for name in _RUN_FILES]
        is_there = _real(path).parent == _real(run.path) and _real(path).name.lower() in _RUN_FILES
        if is_there or any(_same(path, file) for file in own):
            msg = (
                f"{str(path)!r} is a file of the run {str(run.path)!r} and is never replaced. Choose another --output."
            )
            raise ConfigError(msg)
        if _same(path, run.path) or _real(path) in _real(run.path).parents:
            msg = (
                f"{str(path)!r} is, or holds, the run {str(run.path)!r} and is never replaced. Choose another --output."
            )
            raise ConfigError(msg)
    for named in given:
        result = named.expanduser()
        if result.is_file() and _same(path, result):
            msg = f"{str(path)!r} is the result of a run and is never replaced. Choose another --output."
            raise ConfigError(msg)


def refuse_no_file(path: Path, what: str) -> None:
    """Refuse what is there and is no regular file, as a device, a pipe, or a link to one or to nothing.

    Raises:
        ConfigError: naming it.
    """
    if (path.exists() or path.is_symlink()) and not path.is_file():
        msg = f"{what} {str(path)!r} is there and is no regular file. Choose another."
        raise ConfigError(msg)


def _same(a: Path, b: Path) -> bool:
    """Return whether two paths mean one file, be it by a link of either kind."""
    if a.exists() and b.exists():
        return a.samefile(b)
    return _real(a) == _real(b)


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))  # which, unlike Path.resolve, takes links that lead to themselves
