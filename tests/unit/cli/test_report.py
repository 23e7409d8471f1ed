"""``codearena report``: what it writes where, and what it refuses in one line."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
import typer
from many_runs import Judge, a_large_suite, write_run, write_runs

from codearena_plugin.cli import report
from codearena_plugin.errors import ConfigError, IncompleteRunError, MissingExtraError, UsageError
from codearena_plugin.report.page import write

TABLES = {"tables.md", "tables.tex", "leaderboard.json"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_runs(tmp_path_factory.mktemp("runs"), 2, 30)


def run(*arguments: object) -> None:
    app = typer.Typer()
    report.add_to(app)
    app([*map(str, arguments), "--bootstraps", "100"], standalone_mode=False)


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def test_the_page_alone_is_written_and_named(
    runs: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "new" / "report.html"
    run(*runs, "--output", page)
    assert names(page.parent) == {"report.html"}
    printed = capsys.readouterr().out
    assert str(page) in printed
    assert f"{page.stat().st_size / 1e6:.2f} MB" in printed


def test_a_directory_for_tables_gets_all_formats_beside_the_page(runs: list[Path], tmp_path: Path) -> None:
    run(*runs, "--output", tmp_path / "r.html", "--tables", tmp_path / "t")
    assert (tmp_path / "r.html").exists()
    assert names(tmp_path / "t") > TABLES
    assert "differences.csv" in names(tmp_path / "t")


def test_a_format_is_all_that_is_written_and_has_a_place_of_its_own(runs: list[Path], tmp_path: Path) -> None:
    run(*runs, "--output", tmp_path / "r.html", "--format", "latex", "--format", "markdown", "--format", "latex")
    assert names(tmp_path) == {"r-tables"}
    assert names(tmp_path / "r-tables") == {"tables.tex", "tables.md"}


def test_an_unknown_format_suggests_the_nearest(runs: list[Path]) -> None:
    with pytest.raises(ConfigError, match=r"Unknown format 'htm'\. Did you mean 'html'\?"):
        run(*runs, "--format", "htm")


def test_a_page_that_is_a_directory_is_refused(runs: list[Path], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"is a directory, expected a file such as report\.html"):
        run(*runs, "--output", tmp_path)


def test_without_the_extra_the_page_is_refused_at_once_and_tables_are_not(
    runs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write, "_NEEDED", ("no_such_package_at_all",))
    with pytest.raises(MissingExtraError):
        run(tmp_path / "no run at all")
    run(*runs, "--format", "csv", "--tables", tmp_path / "t")
    assert "leaderboard.csv" in names(tmp_path / "t")


def test_without_any_score_the_page_is_written_and_the_exit_code_says_so(tmp_path: Path) -> None:
    failing = write_run(tmp_path / "bad", a_large_suite(30), "broken", 0.0, Random(1), Judge(failing=0.6))
    with pytest.raises(IncompleteRunError, match=r"NO SCORE: broken: .*coverage") as caught:
        run(failing, "--output", tmp_path / "r.html")
    assert caught.value.exit_code == 3
    assert "Without a score" in (tmp_path / "r.html").read_text()


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no finished run"):
        run(tmp_path, "--output", tmp_path / "r.html")
    assert names(tmp_path) == set()
