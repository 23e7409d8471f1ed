"""The tables as files: the leaderboard's numbers in every format, and no text that a reader's program obeys."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hostile_runs import write_hostile_runs
from many_runs import Judge, a_large_suite, write_run, write_runs
from pages import parts_of

from codearena_plugin.errors import DataError
from codearena_plugin.report.board import board_facts
from codearena_plugin.report.facts import Cells
from codearena_plugin.report.tables.named import NamedRun, Table, cost_cells, coverage_cells, reason_cells, tables_of
from codearena_plugin.report.tables.text import comma_separated, csv_text, latex, latex_text, markdown, markdown_text
from codearena_plugin.report.tables.write import FORMATS, write_tables

Parts = tuple[dict[str, Any], list[Table]]


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    board, _, tables = parts_of(write_runs(tmp_path_factory.mktemp("runs"), 3, 80))
    return board, tables


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def table(parts: Parts, name: str) -> Table:
    return next(table for table in parts[1] if table.name == name)


def test_all_tables_of_the_report_are_there(parts: Parts) -> None:
    assert [table.name for table in parts[1]] == [
        *("leaderboard", "differences", "by_class", "by_language", "by_difficulty", "by_sub_class"),
        *("style", "controlled", "reliability_all", "reliability_model", "reliability_class", "reliability_language"),
        *("coverage", "failures", "cost"),
    ]
    for table in parts[1]:
        assert all(len(row) == len(table.cells.columns) for row in table.cells.rows), table.name


def test_csv_holds_the_leaderboard_s_numbers_one_a_cell(parts: Parts) -> None:
    board = parts[0]
    found = rows(comma_separated(table(parts, "leaderboard").cells))
    for row, entry in zip(found, board["entries"], strict=True):
        score = entry["score"]
        assert row["model"] == entry["name"]
        assert [float(row[name]) for name in ("score", "score low", "score high")] == pytest.approx(
            [100 * score[end] for end in ("estimate", "low", "high")], abs=0.051
        )
    differences = rows(comma_separated(table(parts, "differences").cells))
    assert [float(row["points low"]) for row in differences] == pytest.approx(
        [100 * pair["difference"]["low"] for pair in board["pairs"]], abs=0.051
    )


def test_strata_are_a_row_a_cell_in_csv_with_their_n(parts: Parts) -> None:
    board, found = parts[0], table(parts, "by_class")
    assert found.long is not None
    shown = rows(comma_separated(found.long))
    cells = board["strata"]["class"]["cells"]
    assert len(shown) == sum(map(len, cells.values()))
    for row in shown:
        cell = cells[row["model"]][row["class"]]
        assert row["scored"] == str(cell["n_scored"])
        assert row["few"] == ("yes" if cell["small"] else "no")
        assert float(row["score estimate"]) == pytest.approx(100 * cell["score"]["estimate"], abs=0.051)


def test_few_models_are_columns_of_a_table_of_strata(parts: Parts) -> None:
    shown = table(parts, "by_difficulty").cells
    assert [row[0] for row in shown.rows] == ["easy", "medium", "hard"]
    assert list(shown.columns[1:]) == [entry["name"] for entry in parts[0]["entries"]]


def test_shrunk_scores_are_called_so_in_every_format(tmp_path: Path) -> None:
    board, material, plain = parts_of(write_runs(tmp_path, 2, 40), style=False)
    words = "shrunk toward the model's own mean (partial pooling); kinds with fewer than four cells are not shrunk"
    assert words not in markdown("t", [], plain)
    pooled = tables_of({**board, "options": {**board["options"], "pooled": True}}, material.named_runs)
    n_kinds = sum(found.name.startswith("by_") for found in pooled)
    assert n_kinds > 1
    assert markdown("t", [], pooled).count(words) == latex(pooled).count(words) == n_kinds


def test_sums_of_coverage_and_cost_are_those_of_the_rows(parts: Parts) -> None:
    coverage = table(parts, "coverage").cells
    games = coverage.columns.index("games")
    *each, together = coverage.rows
    assert together[0] == "all together"
    assert int(together[games]) == sum(int(row[games]) for row in each) == 3 * 160


def spent(**more: Any) -> dict[str, Any]:
    numbers = dict.fromkeys(("http_requests", "replies", "stored_games", "prompt_tokens", "completion_tokens"), 1000)
    return {**numbers, "cost_usd": 1.5, "wall_s": 2.0, "is_remote": True, **more}


def test_a_cost_that_is_not_known_is_never_part_of_a_sum() -> None:
    def cost(*found: Any) -> list[tuple[str, ...]]:
        return cost_cells([NamedRun(f"m{i}", {"spending": one}) for i, one in enumerate(found)]).rows

    assert cost(spent(), spent())[-1] == ("all together", *["2,000"] * 5, "4.0", "$3.00")
    assert cost(spent(), spent(cost_usd=None))[-1][-1] == "unknown"
    assert cost(spent(), None)[-1][1:] == (*["–"] * 6, "unknown")
    assert cost(spent(is_remote=False))[0][1:] == ("none", "1,000", "0", "–", "–", "2.0", "none")


def test_why_games_failed_and_why_a_score_is_withheld_is_listed(tmp_path: Path) -> None:
    bad = write_run(tmp_path / "bad", a_large_suite(30), "bad", 0.0, Random(0), Judge(failing=0.6))
    result = json.loads((bad / "result.json").read_text())
    found = reason_cells([NamedRun("bad", result)]).rows
    assert {row[1] for row in found} == {"unparsable", "withheld"}
    assert sum(int(row[3]) for row in found if row[3]) == result["statuses"]["unparsable"]
    assert coverage_cells([NamedRun("bad", result)]).rows[0][2] == f"{result['metrics']['n_scored']} of 30"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("=1+1", "'=1+1"), ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"), ("@SUM(A1)", "'@SUM(A1)"), ("-2+3", "'-2+3"),
        ("\t=1", "'=1"), ("\r\n=1", "'=1"), ("-5.4", "-5.4"), ("+12.0", "+12.0"), ("−3", "-3"), ("1,234", "1234"),
        ("a=1", "a=1"), ("\ud800", "<U+D800>"),
    ],
)  # fmt: skip
def test_no_cell_of_a_csv_is_a_formula(text: str, shown: str) -> None:
    assert csv_text(text) == shown


def test_a_csv_cell_with_commas_quotes_and_lines_stays_one_cell() -> None:
    made = comma_separated(Cells(("model", "95 % interval"), [('a, "b"\nc', "1.0 – 2.0"), ("d", "–")]))
    assert list(csv.reader(io.StringIO(made))) == [
        ["model", "model low", "model high"], ['a, "b" c', "1.0", "2.0"], ["d", "", ""],
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text", ["<b>", "[a](javascript:x)", "![i](http://x)", "a|b", "`c`", "*e*", "_u_", "# h", "~~s~~", "$x$"]
)
def test_markdown_shows_and_does_not_obey_text(text: str) -> None:
    from markdown_it import MarkdownIt

    made = MarkdownIt("gfm-like", {"linkify": False}).render(f"x {markdown_text(text)} y")
    assert made == f"<p>x {text.replace('<', '&lt;').replace('>', '&gt;')} y</p>\n"


def test_markdown_tables_parse_to_as_many_cells_as_there_are(parts: Parts) -> None:
    from markdown_it import MarkdownIt

    board, tables = parts
    html = MarkdownIt("commonmark").enable("table").render(markdown("Title", board_facts(board), tables))
    assert html.count("<table>") == len(tables)
    assert html.count("<td") == sum(len(table.cells.rows) * len(table.cells.columns) for table in tables)


@pytest.mark.parametrize("text", ["\\input{/etc/passwd}", "a_b^c", "50 % & $x$ #1 ~", "{", "}", "\\", "[x]"])
def test_latex_has_no_command_of_a_text(text: str) -> None:
    made = latex_text(text)
    known = r"\\(textbackslash|textasciitilde|textasciicircum|textless|textgreater|textbar|textquotedbl|ldots)\{\}"
    rest = re.sub(rf"{known}|\\[&%$#_{{}}]|\$-\$|\$\\(pm|times)\$", "", made)
    assert not set(rest.replace("{[x]}", "")) & set("\\{}$&%#_^~")
    assert not made.startswith("[")


def test_latex_tables_are_balanced_and_have_as_many_cells(parts: Parts) -> None:
    made = latex(parts[1])
    for name in ("table", "tabular"):
        assert made.count(f"\\begin{{{name}}}") == made.count(f"\\end{{{name}}}") == len(parts[1])
    lines = [line for line in made.splitlines() if line.endswith(r" \\")]
    assert len(lines) == sum(len(table.cells.rows) + 1 for table in parts[1])
    labels = re.findall(r"\\label\{([^}]+)\}", made)
    assert len(labels) == len(set(labels))


def test_hostile_names_pass_through_every_format(tmp_path: Path) -> None:
    board, _, tables = parts_of(write_hostile_runs(tmp_path))
    written = write_tables(tmp_path / "out", board, tables, FORMATS)
    names = {path.name for path in written}
    assert {"tables.md", "tables.tex", "leaderboard.json", "leaderboard.csv"} <= names
    for path in written:
        text = path.read_bytes().decode("utf-8")
        assert "\x00" not in text
        assert "\u202e" not in text or path.suffix == ".json", "in JSON it is an escape"
        if path.suffix == ".csv":
            cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
            assert not [cell for cell in cells if cell.startswith(("=", "@")) or re.match(r"[+-][^\d]", cell)]
    assert json.loads((tmp_path / "out" / "leaderboard.json").read_text(encoding="ascii")) == json.loads(
        json.dumps(board)
    )
    assert "<script>" not in re.sub(r"\\<", "", (tmp_path / "out" / "tables.md").read_text())


def test_only_the_chosen_formats_are_written(parts: Parts, tmp_path: Path) -> None:
    board, tables = parts
    assert [path.name for path in write_tables(tmp_path, board, tables, ["latex"])] == ["tables.tex"]
    csvs = write_tables(tmp_path / "c", board, tables, ["csv"])
    assert [path.stem for path in csvs] == [table.name for table in tables]


def test_a_directory_that_cannot_be_made_is_one_line(parts: Parts, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="The tables cannot be written"):
        write_tables(tmp_path / "file", *parts, ["csv"])


def test_tables_without_a_row_are_left_out(parts: Parts) -> None:
    board = {**parts[0], "style": {"why_absent": "not asked for", "coefficients": []}, "pairs": [], "reliability": {}}
    entries = [{**entry, "controlled": None} for entry in board["entries"]]
    names = [table.name for table in tables_of({**board, "entries": entries}, [])]
    assert names == ["leaderboard", "by_class", "by_language", "by_difficulty", "by_sub_class"]
