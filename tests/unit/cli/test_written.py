"""No command writes over what is not its own: the files of runs, devices, links to nothing, pages of others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from unit_runs import a_suite, write_run

from codearena_plugin.cli.written import check_page, check_tables, refuse_run_files
from codearena_plugin.errors import ConfigError
from codearena_plugin.report.page.write import generator
from codearena_plugin.runs.files import StoredRun

PAGE = f"<!doctype html>\n<html><head>{generator()}"


@pytest.fixture
def run(tmp_path: Path) -> StoredRun:
    return write_run(tmp_path, "m", "wtl", suite=a_suite(3))


def contents(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize(
    "name", ["answers.jsonl", "games.jsonl", "result.json", "strata.json", "style.json", "prompts.jsonl", "Games.JSONL"]
)
def test_a_file_of_a_run_is_never_replaced_be_it_there_or_not(run: StoredRun, name: str, *, force: bool) -> None:
    (run.path / "style.json").unlink()
    before = contents(run.path)
    with pytest.raises(ConfigError, match=r"is a file of the run .* never replaced"):
        check_page(run.path / name, [run], [run.path], force=force)
    assert contents(run.path) == before


def test_other_names_for_a_run_s_file_are_known_too(run: StoredRun, tmp_path: Path) -> None:
    (tmp_path / "soft").symlink_to(run.path / "games.jsonl")
    os.link(run.path / "games.jsonl", tmp_path / "hard")
    (tmp_path / "same").symlink_to(run.path)
    there = run.path / ".." / run.path.name / "games.jsonl"
    for path in (tmp_path / "soft", tmp_path / "hard", tmp_path / "same" / "games.jsonl", there):
        with pytest.raises(ConfigError, match="is a file of the run"):
            check_page(path, [run], [run.path], force=True)


def test_a_harness_copy_of_a_result_and_the_run_s_directory_are_safe(run: StoredRun, tmp_path: Path) -> None:
    copy = tmp_path / "results_2026.json"
    copy.write_bytes((run.path / "result.json").read_bytes())
    with pytest.raises(ConfigError, match="is the result of a run"):
        check_page(copy, [run], [copy], force=True)
    for path in (run.path, run.path.parent):
        with pytest.raises(ConfigError, match="is, or holds, the run"):
            refuse_run_files(path, [run], [run.path])


def test_a_page_beside_the_run_s_files_is_allowed(run: StoredRun) -> None:
    check_page(run.path / "report.html", [run], [run.path], force=False)


def test_what_is_no_regular_file_is_never_replaced(run: StoredRun, tmp_path: Path) -> None:
    (tmp_path / "to nothing").symlink_to(tmp_path / "absent")
    (tmp_path / "to itself").symlink_to(tmp_path / "to itself")
    (tmp_path / "to a device").symlink_to("/dev/null")
    os.mkfifo(tmp_path / "pipe")
    names = ("to nothing", "to itself", "to a device", "pipe")
    for path in (Path("/dev/null"), *(tmp_path / name for name in names)):
        with pytest.raises(ConfigError, match="is no regular file"):
            check_page(path, [run], [run.path], force=True)
    with pytest.raises(ConfigError, match="is a directory, expected a file"):
        check_page(tmp_path, [run], [run.path], force=True)


def test_an_older_page_is_replaced_and_any_other_file_only_by_force(run: StoredRun, tmp_path: Path) -> None:
    page = tmp_path / "r.html"
    page.write_text(PAGE)
    check_page(page, [run], [run.path], force=False)
    for other in ("", "mine", "<!doctype html>\n<html>", f"x{PAGE}", f"<!doctype html>{' ' * 5000}{generator()}"):
        page.write_text(other)
        with pytest.raises(ConfigError, match=r"is there and is no report; .* --force"):
            check_page(page, [run], [run.path], force=False)
        check_page(page, [run], [run.path], force=True)


def test_tables_replace_only_tables_unless_forced(run: StoredRun, tmp_path: Path) -> None:
    directory, page = tmp_path / "t", tmp_path / "t" / "r.html"
    check_tables(directory, page, [run], force=False)
    directory.mkdir()
    (directory / "mine.txt").write_text("")
    check_tables(directory, page, [run], force=False)
    (directory / "leaderboard.csv").write_text("")
    with pytest.raises(ConfigError, match=r"holds 'leaderboard\.csv' beside 'mine\.txt'"):
        check_tables(directory, page, [run], force=False)
    check_tables(directory, page, [run], force=True)
    (directory / "mine.txt").rename(page)
    check_tables(directory, page, [run], force=False)


def test_tables_are_no_way_to_a_run_s_file_or_a_device(run: StoredRun, tmp_path: Path) -> None:
    directory = tmp_path / "t"
    directory.mkdir()
    (directory / "tables.md").symlink_to(run.path / "games.jsonl")
    with pytest.raises(ConfigError, match="is a file of the run"):
        check_tables(directory, tmp_path / "r.html", [run], force=True)
    (directory / "tables.md").unlink()
    (directory / "tables.md").mkdir()
    with pytest.raises(ConfigError, match="is no regular file"):
        check_tables(directory, tmp_path / "r.html", [run], force=True)
    with pytest.raises(ConfigError, match="is no directory"):
        check_tables(run.path / "games.jsonl", tmp_path / "r.html", [run], force=True)
