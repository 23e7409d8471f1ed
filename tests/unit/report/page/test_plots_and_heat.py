"""Plots and heat maps: safe, the same every time, and colour only where a number may be compared."""

from __future__ import annotations

import copy
import itertools
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hostile_runs import MODELS
from many_runs import write_runs
from pages import plain_board

from codearena_plugin.report.facts import interval_cells
from codearena_plugin.report.page import heat, plots
from codearena_plugin.report.untrusted import one_line


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return plain_board(write_runs(tmp_path_factory.mktemp("runs"), 4, 80))


def figures(html: str) -> list[ET.Element]:
    return list(ET.fromstring(f"<all>{html}</all>"))


def test_a_plot_has_no_style_no_script_no_address_and_no_fixed_colour(board: dict[str, Any]) -> None:
    for made in (plots.forest(board), plots.effects(board), plots.judge(board)):
        assert made
        for node in (node for figure in figures(made) for node in figure.iter()):
            assert node.tag in {"svg", "g", "path", "text", "defs", "use", "clipPath", "rect", "title"}
            assert not [name for name in node.attrib if name == "style" or name.startswith("on")]
            assert node.attrib.get("href", "#").startswith("#")
            assert node.attrib.get("fill") in {None, "none"}
            assert node.attrib.get("stroke") in {None, "none"}


def test_ids_of_all_plots_of_a_page_differ_and_every_reference_has_its_target(board: dict[str, Any]) -> None:
    html = "".join(str(made) for made in (plots.forest(board), plots.effects(board), plots.judge(board)))
    ids = re.findall(r' id="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', html)) | set(re.findall(r"url\(#([^)]+)\)", html)) <= set(ids)


def test_a_plot_is_the_same_every_time(board: dict[str, Any]) -> None:
    assert plots.forest(board) == plots.forest(board)


@pytest.mark.parametrize("name", [*MODELS, "$\\frac{", "@1", "\x00\ud800", "模型 🚀"])
def test_a_name_in_a_plot_is_text_whatever_it_is(board: dict[str, Any], name: str) -> None:
    changed = copy.deepcopy(board)
    changed["entries"][0]["name"] = name
    made = plots.forest(changed)
    assert made
    words = [node.text for figure in figures(made) for node in figure.iter("text")]
    assert one_line(name, 34) in words
    assert any(one_line(name) in (node.text or "") for figure in figures(made) for node in figure.iter("title"))


def test_every_score_stands_where_its_number_says(board: dict[str, Any]) -> None:
    """The axis is read back from its ticks; the marks of all models lie on it at their scores."""
    made = plots.forest(board)
    assert made
    wide = figures(made)[0]
    ticks = [
        (float(node.text.replace("−", "-")), float(node.attrib["x"]))
        for node in wide.iter("text")
        if node.text and re.fullmatch(r"−?[\d.]+", node.text)
    ]
    (a, x_a), (b, x_b) = ticks[0], ticks[-1]
    scores = [float(node.attrib["x"]) for node in wide.iter("use") if node.attrib.get("class") == "f-accent s-accent"]
    found = sorted(a + (x - x_a) * (b - a) / (x_b - x_a) for x in scores)
    expected = sorted(100 * entry["score"]["estimate"] for entry in board["entries"])
    assert found == pytest.approx(expected, abs=0.05)


def test_no_scores_no_plot(board: dict[str, Any]) -> None:
    assert plots.forest({**board, "entries": []}) is None
    assert plots.effects({**board, "style": {"why_absent": "x"}}) is None
    assert plots.judge({**board, "reliability": {}}) is None


class Cells(HTMLParser):
    """The cells of a table, each with its class and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self._open = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag == "td":
            self.found.append((dict(attrs).get("class") or "", ""))
            self._open = True

    def handle_endtag(self, tag: str) -> None:
        self._open = self._open and tag != "td"

    def handle_data(self, data: str) -> None:
        if self._open:
            self.found[-1] = (self.found[-1][0], f"{self.found[-1][1]} {data}".strip())


def test_every_cell_has_its_n_and_a_small_one_is_grey_and_has_no_colour(board: dict[str, Any]) -> None:
    kind = "class"
    names = board["strata"][kind]["names"]
    cells = Cells(heat.strata(board, kind, names, link=str)).found
    expected = [
        board["strata"][kind]["cells"][entry][name] for name in names for entry in board["strata"][kind]["cells"]
    ]
    assert len(cells) == len(expected)
    assert {cell["small"] for cell in expected} == {True, False}
    for (class_, text), cell in zip(cells, expected, strict=True):
        estimate, interval, _ = interval_cells(cell["score"])
        assert text == f"{estimate} {interval} {cell['n_scored']}".replace(" – ", "\u202f–\u202f")
        assert (class_ == "grey") == cell["small"]
        score = cell["score"]["estimate"]
        if not cell["small"]:
            assert class_[:1] == ("p" if score > 0.53125 else "n" if score < 0.46875 else "")


def test_many_models_have_their_intervals_in_the_titles(board: dict[str, Any]) -> None:
    changed = copy.deepcopy(board)
    rows = changed["strata"]["class"]["cells"]
    first = next(iter(rows.values()))
    rows |= {f"more {i}": first for i in range(6)}
    name = changed["strata"]["class"]["names"][0]
    made = heat.strata(changed, "class", [name], link=str)
    _, interval, n = interval_cells(first[name]["score"])
    assert f'title="{interval}"' in made
    assert (f"{100 * first[name]['score']['estimate']:.1f} {n}") in [text for _, text in Cells(made).found]


def test_a_pooled_cell_has_the_raw_score_in_its_title(board: dict[str, Any]) -> None:
    changed = copy.deepcopy(board)
    changed["options"]["pooled"] = True
    name = changed["strata"]["class"]["names"][0]
    cells = [row[name] for row in changed["strata"]["class"]["cells"].values()]
    for cell in cells:
        cell["pooled"] = {**cell["score"], "estimate": 0.5, "low": 0.4, "high": 0.6}
    made = heat.strata(changed, "class", [name], link=str)
    for cell in cells:
        assert 'title="raw {} ({})"'.format(*interval_cells(cell["score"])) in made
    assert [text.split()[0] for _, text in Cells(made).found] == ["50.0"] * 4


def test_a_stratum_without_a_score_is_a_dash_with_its_n(board: dict[str, Any]) -> None:
    changed = copy.deepcopy(board)
    entry = next(iter(changed["strata"]["difficulty"]["cells"].values()))
    entry["easy"] |= {"score": None, "n_scored": 0}
    assert ("none", "– 0") in Cells(heat.strata(changed, "difficulty", ["easy", "hard"], link=str)).found


def test_a_matrix_is_antisymmetric_and_coloured_only_where_the_test_tells_two_apart(board: dict[str, Any]) -> None:
    board = copy.deepcopy(board)
    board["pairs"][0] |= {"p_value": 0.001, "p_holm": 0.06}
    board["pairs"][1] |= {"p_value": 0.001, "p_holm": 0.04}
    made = heat.matrix(board, link=str)
    assert made
    names = [entry["name"] for entry in board["entries"]]
    cells = Cells(made).found
    n = len(names)
    assert len(cells) == n * n
    pairs = {(pair["a"], pair["b"]): pair for pair in board["pairs"]}
    for i, j in itertools.combinations(range(n), 2):
        upper, lower = cells[i * n + j], cells[j * n + i]
        pair = pairs[names[i], names[j]]
        points = f"{100 * pair['difference']['estimate']:+.1f}".replace("-", "−")
        assert upper[1].split()[0] == points
        assert lower[1].split()[0].strip("+−") == points.strip("+−")
        assert bool(upper[0]) == bool(lower[0]) == (pair["p_holm"] < 0.05)
        if upper[0]:
            assert {upper[0][0], lower[0][0]} == {"p", "n"}
    assert [cells[i * n + i] for i in range(n)] == [("self", "")] * n


def test_two_models_need_no_matrix_and_forty_get_one_that_fits(board: dict[str, Any], tmp_path: Path) -> None:
    assert heat.matrix({**board, "entries": board["entries"][:2]}, link=str) is None
    large = plain_board(write_runs(tmp_path, 14, 30), style=False)
    made = heat.matrix(large, link=str)
    assert made
    assert "fine" in made
    texts = {text for class_, text in Cells(made).found if class_ != "self"}
    assert all(re.fullmatch(r"·|−?\d{1,2}", text) for text in texts), "whole points, or a dot where nothing is shown"


def test_the_bar_of_an_entry_is_as_wide_as_its_rates(board: dict[str, Any]) -> None:
    made = heat.bar(board["entries"][0])
    widths = [float(width) for width in re.findall(r'<rect [^>]*width="([\d.]+)"', made)]
    rates = [board["entries"][0][rate]["estimate"] for rate in ("win_rate", "tie_rate", "loss_rate")]
    assert widths == pytest.approx([120 * rate for rate in rates], abs=0.06)
    assert heat.bar({"win_rate": None, "tie_rate": None, "loss_rate": None}) == ""
