"""Pages of runs, made as ``codearena report`` makes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from codearena_plugin.judging.settings import resolve_settings
from codearena_plugin.leaderboard.board import board_of
from codearena_plugin.leaderboard.record import BoardOptions
from codearena_plugin.prompts.answers import read_answers
from codearena_plugin.prompts.suite import SuiteOptions, load_suite
from codearena_plugin.report.page.gather import Material, gather
from codearena_plugin.report.page.write import write_page
from codearena_plugin.report.tables.named import Table, tables_of
from codearena_plugin.runs.files import load_run
from codearena_plugin.runs.judge import judge_answers

CREATED = "2026-01-01T00:00:00+00:00"


def plain_board(runs: Sequence[Path], **options: Any) -> dict[str, Any]:
    """Return the leaderboard of run directories as plain data."""
    stored = [load_run(path) for path in runs]
    return board_of(stored, BoardOptions(**{"n_bootstraps": 100, **options})).to_json(created=CREATED)


def parts_of(runs: Sequence[Path], **options: Any) -> tuple[dict[str, Any], Material, list[Table]]:
    """Return the leaderboard of run directories, the material for its page, and its tables."""
    board = plain_board(runs, **options)
    material = gather([load_run(path) for path in runs], [entry["name"] for entry in board["entries"]])
    return board, material, tables_of(board, material.named_runs)


def page_of(runs: Sequence[Path], file: Path, *, with_texts: bool = True, **options: Any) -> Path:
    """Write the page of run directories and return its file."""
    board, material, tables = parts_of(runs, **options)
    write_page(file, board, tables, material, with_texts=with_texts)
    return file


def judged_by_static(suite: str, data: Path | None, answers: Sequence[Path], root: Path) -> list[Path]:
    """Judge files of answers with the judge that needs no model, and return the run directories."""
    loaded = load_suite(suite, SuiteOptions(data=str(data) if data else None))
    runs = []
    for file in answers:
        directory = root / file.name.split(".jsonl")[0]
        directory.mkdir()
        settings = resolve_settings(
            {"judge": "static", "judge_store": str(root / "replies.sqlite3")}, default_judge="static", environ={}
        )
        judge_answers(loaded, read_answers(file, loaded), settings, directory)
        runs.append(directory)
    return runs
