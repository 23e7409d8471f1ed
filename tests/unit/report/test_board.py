from __future__ import annotations

from pathlib import Path

import pytest
from unit_runs import a_suite, write_run

from codearena_plugin.leaderboard.board import board_of
from codearena_plugin.leaderboard.record import BoardOptions
from codearena_plugin.report import board as cells
from codearena_plugin.report.console import open_console
from codearena_plugin.report.standings import print_board, print_published

FEW = BoardOptions(n_bootstraps=100)


def a_board(folder: Path, *words: str, **options: object) -> dict:
    runs = [write_run(folder, f"m{i}", word) for i, word in enumerate(words)]
    return board_of(runs, BoardOptions(n_bootstraps=100, **options)).to_json(created="now")  # type: ignore[arg-type]


def printed(board: dict, **options: object) -> str:
    console = open_console()
    with console.capture() as capture:
        print_board(console, board, **options)  # type: ignore[arg-type]
    return capture.get()


def test_the_table_shows_rank_score_interval_rates_and_what_they_rest_on(tmp_path: Path) -> None:
    found = cells.leaderboard_cells(a_board(tmp_path, "wwwl", "wt-l", style=False))
    assert found.columns == ("model", "rank", "score", "95 % interval", "win", "tie", "scored")
    assert [(row[0], row[2], row[4], row[5], row[6]) for row in found.rows] == [
        ("m0", "75.0", "75.0", "0.0", "4"),
        ("m1", "50.0", "33.3", "33.3", "3 of 4"),
    ]


def test_a_withheld_score_is_a_word_and_its_reason_is_given(tmp_path: Path) -> None:
    board = a_board(tmp_path, "wwwl", "----", style=False)
    row = cells.leaderboard_cells(board).rows[-1]
    assert row[:4] == ("m1", "–", "withheld", "")
    assert cells.withheld_facts(board) == [("m1", "none of 4 prompts was scored; games that failed: 4 unparsable")]
    text = printed(board)
    assert "withheld" in text
    assert "none of 4 prompts was scored" in text


def test_the_board_reads_well_at_100_columns(tmp_path: Path) -> None:
    board = a_board(tmp_path, "wwwl" * 12, "wtll" * 12, "tlwl" * 12, pooled=True)
    for by in (None, "language", "class"):
        lines = printed(board, pairs="all", by=by).splitlines()
        assert max(map(len, lines)) <= 100
        assert not any("…" in line for line in lines)


def test_neighbours_are_one_pair_less_than_models_and_all_are_all(tmp_path: Path) -> None:
    board = a_board(tmp_path, "wwww", "wwtl", "wtll", "llll", style=False)
    assert [row[0] for row in cells.difference_cells(board, neighbours_only=True).rows] == [
        "m0 − m1",
        "m1 − m2",
        "m2 − m3",
    ]
    assert len(cells.difference_cells(board).rows) == 6


def test_a_small_cell_stands_in_brackets(tmp_path: Path) -> None:
    board = a_board(tmp_path, "w" * 10, min_n=6)
    assert cells.strata_cells(board, "language").rows == [("m0", "(100.0 [5])", "(100.0 [5])")]
    assert cells.strata_cells(board, "natural_language").rows == [("m0", "100.0 [10]")]


def test_a_hostile_model_name_cannot_steer_the_terminal(tmp_path: Path) -> None:
    run = write_run(tmp_path, "m\x1b[31m[bold]evil[/]\u202e", "wl", folder="x")
    text = printed(board_of([run], FEW).to_json(created="now"))
    assert "\x1b" not in text
    assert "␛[31m[bold]evil[/]<U+202E>" in text


def test_why_there_is_no_style_control_is_said(tmp_path: Path) -> None:
    run = write_run(tmp_path, "long", "wl", texts=lambda i: "word " * (i + 3))
    board = board_of([run], FEW).to_json(created="now")
    assert cells.style_facts(board)[0][1] == "none: 2 scored prompts are too few for 1 effects, expected 10 or more"
    assert cells.style_facts(a_board(tmp_path / "a", "wl"))[0][1].startswith("none: no feature of style varies")
    assert cells.style_facts(a_board(tmp_path / "b", "wl", style=False)) == [("style control", "none: not asked for")]


@pytest.mark.parametrize(
    ("low", "high", "effect"),
    [(0.1, 0.3, "more is preferred"), (-0.3, -0.1, "less is preferred"), (-0.1, 0.1, "none shown")],
)
def test_an_effect_is_named_only_where_its_interval_leaves_out_zero(low: float, high: float, effect: str) -> None:
    one = {"name": "code_length", "estimate": (low + high) / 2, "low": low, "high": high, "n": 9}
    (row,) = cells.style_cells({"style": {"coefficients": [one]}}).rows
    assert (row[0], row[3]) == ("length of code", effect)


def test_the_paper_s_table_holds_the_user_s_models_and_says_what_does_not_compare(tmp_path: Path) -> None:
    run = write_run(tmp_path, "mine", "wwtl" * 10, suite=a_suite(40))
    board = board_of([run], FEW).to_json(created="now")
    console = open_console()
    with console.capture() as capture:
        print_published(console, board)
    lines = capture.get().splitlines()
    assert max(map(len, lines)) <= 100
    place = {line.split()[0]: n for n, line in enumerate(lines) if line.strip()}
    mine = next(n for n, line in enumerate(lines) if "▶ mine" in line)
    assert place["Qwen2.5-32B-Instruct"] < mine < place["Qwen2.5-Coder-14B-Instruct"]  # 62.7, 62.5, 60.6
    assert any("NO: " in line for line in lines)
    assert sum("DIFFERS" in line for line in lines) >= 4
