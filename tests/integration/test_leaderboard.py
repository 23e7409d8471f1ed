"""``codearena leaderboard`` as a user types it: what it prints, what it refuses, how it ends."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from many_runs import write_runs
from unit_runs import write_run

from codearena_plugin.cli.main import main


@pytest.fixture(scope="module")
def four_runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return the runs of four models over 120 prompts, the weakest first."""
    return write_runs(tmp_path_factory.mktemp("four"), 4, 120)


@pytest.fixture
def codearena(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def run(*arguments: object) -> tuple[int, str, str]:
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def test_four_runs_make_a_leaderboard_with_style_and_reliability(codearena, four_runs) -> None:
    code, out, err = codearena("leaderboard", *four_runs, "--bootstraps", 200)
    assert (code, err) == (0, "")
    places = [out.index(f"\n {name} ") for name in ("m03", "m02", "m01", "m00")]
    assert places == sorted(places)
    for word in ("told apart", "m03 − m02", "length of code", "first wins", "largest gradient"):
        assert word in out
    assert max(map(len, out.splitlines())) <= 100


def test_strata_pooling_and_position_can_be_asked_for(codearena, four_runs) -> None:
    code, out, _ = codearena(
        *(
            "leaderboard",
            *four_runs,
            "--by",
            "language",
            "--pooled",
            "--position",
            "--bootstraps",
            100,
            "--pairs",
            "all",
        )
    )
    assert code == 0
    for word in (
        "by language",
        "shrunk toward",
        "shown first",
        "games of 120 prompts",
        "m03 − m00",
        "judge by language",
    ):
        assert word in out


def test_the_published_table_needs_no_run(codearena) -> None:
    code, out, err = codearena("leaderboard", "--published")
    assert (code, err) == (0, "")
    assert "Qwen2.5-SynCoder" in out
    assert "60.4" in out
    assert "the paper prints score/win in place of win/tie" in out


def test_a_run_set_among_the_published_is_said_not_to_compare(codearena, four_runs) -> None:
    code, out, _ = codearena("leaderboard", four_runs[0], "--published", "--bootstraps", 100)
    assert code == 0
    assert "▶ m00" in out
    assert "comparable?" in out
    assert "NO: " in out


def test_runs_are_set_among_the_published_by_class_too(codearena, four_runs) -> None:
    code, out, _ = codearena("leaderboard", *four_runs, "--published", "--by", "class", "--bootstraps", 100)
    assert code == 0
    assert all(f"▶ m0{i}" in out for i in range(4))
    assert "Qwen2.5-SynCoder" in out


@pytest.mark.parametrize("form", ["json", "markdown", "csv", "latex"])
def test_every_format_holds_every_model(codearena, four_runs, form) -> None:
    code, out, err = codearena("leaderboard", *four_runs, "--format", form, "--bootstraps", 100)
    assert (code, err) == (0, "")
    assert all(f"m0{i}" in out for i in range(4))
    if form == "json":
        board = json.loads(out)
        assert board["schema"] == "codearena-leaderboard/1"
        assert [entry["name"] for entry in board["entries"]] == ["m03", "m02", "m01", "m00"]
        assert board["separability"]["n_pairs"] == 6
    if form == "csv":
        assert out.splitlines()[0].startswith("model,rank,score")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "No run was given. Name run directories, or --published"),
        (("--by", "colour", "RUN"), "Unknown kind of stratum 'colour'"),
        (("--pairs", "some", "RUN"), "Unknown kind of pairs 'some'"),
        (("--bootstraps", "3", "RUN"), "3 bootstraps cannot be used"),
        (("--format", "xml", "RUN"), "Unknown format 'xml'"),
        (("--format", "csv", "--published", "RUN"), "leave out --format"),
        (("RUN", "RUN"), "is given twice"),
        (("nowhere",), "'nowhere' is no finished run"),
    ],
)
def test_a_wrong_call_ends_with_one_line_and_code_2(codearena, four_runs, arguments, message) -> None:
    code, out, err = codearena("leaderboard", *(four_runs[0] if one == "RUN" else one for one in arguments))
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert message in err


def test_a_folder_of_runs_is_no_run_and_the_way_to_name_them_is_said(codearena, four_runs) -> None:
    code, _, err = codearena("leaderboard", four_runs[0].parent)
    assert code == 2
    assert f"It holds runs: give {four_runs[0].parent}/*." in err


def test_another_suite_is_refused_with_what_differs(codearena, four_runs, tmp_path) -> None:
    other = write_run(tmp_path, "other", "wl")
    code, _, err = codearena("leaderboard", four_runs[0], other.path)
    assert code == 2
    assert "do not compare" in err
    assert "suite" in err


def test_runs_without_any_score_end_with_code_3_and_no_rate(codearena, tmp_path) -> None:
    runs = [write_run(tmp_path, name, "----") for name in ("a", "b")]
    code, out, err = codearena("leaderboard", *(run.path for run in runs))
    assert code == 3
    assert "NO SCORE: a: none of 4 prompts was scored; b: none of 4 prompts was scored." in err
    assert out.count("withheld") == 2


def test_games_that_were_replaced_are_refused(codearena, four_runs, tmp_path) -> None:
    run = tmp_path / "run"
    shutil.copytree(four_runs[0], run)
    text = (run / "games.jsonl").read_text()
    (run / "games.jsonl").write_text(text.replace('"A>B"', '"B>A"', 1))
    code, _, err = codearena("leaderboard", run)
    assert code == 2
    assert "are not of one run" in err


def test_a_games_file_that_was_laid_out_anew_is_still_the_same(codearena, four_runs, tmp_path) -> None:
    run = tmp_path / "run"
    shutil.copytree(four_runs[0], run)
    text = (run / "games.jsonl").read_text()
    (run / "games.jsonl").write_text(text.replace('", "', '",  "'))
    assert codearena("leaderboard", run, "--no-style", "--bootstraps", 100)[0] == 0
