"""``codearena report``: what it writes where, and what it refuses in one line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
import typer
from many_runs import Judge, a_large_suite, write_run, write_runs

from codearena_plugin.cli import report
from codearena_plugin.errors import ConfigError, IncompleteRunError, MissingExtraError, UsageError

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


def test_a_small_file_is_counted_in_kilobytes(
    runs: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(*runs, "--format", "csv", "--tables", tmp_path / "t")
    size = (tmp_path / "t" / "leaderboard.csv").stat().st_size
    printed = capsys.readouterr().out
    assert f"leaderboard.csv  {size / 1e3:.1f} kB" in printed
    assert "0.00 MB" not in printed


def test_a_page_takes_the_place_of_an_older_one_and_of_nothing_else(runs: list[Path], tmp_path: Path) -> None:
    page, link = tmp_path / "r.html", tmp_path / "link.html"
    run(*runs, "--output", page, "--no-texts")
    link.symlink_to(page)
    run(*runs, "--output", link)
    assert link.is_symlink()
    assert 'id="chunk-0"' in page.read_text(), "the page that the link names was written anew"
    for mine in (tmp_path / "mine", runs[0] / "games.jsonl", runs[0] / "result.json"):
        before = mine.read_bytes() if mine.exists() else b"mine"
        mine.write_bytes(before)
        with pytest.raises(ConfigError):
            run(*runs, "--output", mine)
        assert mine.read_bytes() == before
    run(*runs, "--output", tmp_path / "mine", "--force", "--no-texts")
    assert (tmp_path / "mine").read_text().startswith("<!doctype html>")


def test_tables_are_not_written_over_what_others_wrote(runs: list[Path], tmp_path: Path) -> None:
    for name in ("leaderboard.json", "notes.txt"):
        (tmp_path / name).write_text("mine")
    with pytest.raises(ConfigError, match="is no table of ours"):
        run(*runs, "--format", "json", "--tables", tmp_path)
    assert (tmp_path / "leaderboard.json").read_text() == "mine"
    run(*runs, "--format", "json", "--tables", tmp_path, "--force")
    assert (tmp_path / "leaderboard.json").read_text() != "mine"


def test_with_a_fixed_date_a_report_is_the_same_byte_for_byte(
    runs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    made = []
    for time in ("2030", "2031"):
        monkeypatch.setattr("codearena_plugin.runs.judge.now", lambda year=time: f"{year}-01-01T00:00:00+00:00")
        run(*runs, "--output", tmp_path / f"{time}.html", "--tables", tmp_path / time)
        made.append([(tmp_path / f"{time}.html").read_bytes(), (tmp_path / time / "leaderboard.json").read_bytes()])
    assert made[0] == made[1]
    assert b"on 2023-11-14T22:13:20+00:00" in made[0][0]


def test_a_date_that_is_none_is_refused(runs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in ("today", "1e9", "9" * 30):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", wrong)
        with pytest.raises(ConfigError, match=r"SOURCE_DATE_EPOCH=.* expected seconds since 1970"):
            run(*runs, "--output", tmp_path / "r.html")


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
    monkeypatch.setattr(report, "_NEEDED", ("no_such_package_at_all",))
    with pytest.raises(MissingExtraError, match=r"The HTML report needs .*pip install 'codearena-plugin\[report\]'"):
        run(tmp_path / "no run at all")
    run(*runs, "--format", "csv", "--tables", tmp_path / "t")
    assert "leaderboard.csv" in names(tmp_path / "t")


HIDDEN = """
import sys
from importlib.abc import MetaPathFinder
import importlib.util as util
hidden = {"nh3", "matplotlib"}
class Hide(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in hidden:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Hide())
real = util.find_spec
util.find_spec = lambda name, package=None: None if name in hidden else real(name, package)
from codearena_plugin.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("report", "RUN", "RUN2"), 2),
        (("report", "RUN", "RUN2", "--format", "csv", "--tables", "TABLES"), 0),
        (("leaderboard", "RUN", "RUN2", "--format", "markdown"), 0),
        (("export", "RUN", "--output", "-"), 0),
    ],
)
def test_only_the_page_needs_the_packages_of_the_extra(
    runs: list[Path], tmp_path: Path, arguments: tuple[str, ...], code: int
) -> None:
    """As where the packages are truly absent: one line before any import of them."""
    places = {"RUN": str(runs[0]), "RUN2": str(runs[1]), "TABLES": str(tmp_path / "tables")}
    command = [sys.executable, "-c", HIDDEN, *(places.get(one, one) for one in arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert ("codearena-plugin[report]" in done.stderr) == (code == 2)


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
