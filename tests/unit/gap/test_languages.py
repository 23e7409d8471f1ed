"""Both axes by programming language: only where both sides exist, and with the number that each rests on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from unit_runs import write_run

from codearena_plugin.errors import DataError
from codearena_plugin.gap.analysis import Inputs, gap_of
from codearena_plugin.gap.asking import Asked, inputs_of
from codearena_plugin.gap.execution import Execution, counted
from codearena_plugin.gap.record import Gap, GapOptions, OfLanguage
from codearena_plugin.gap.reference import shipped
from codearena_plugin.report.gap.languages import language_cells, language_correlation_cells
from codearena_plugin.runs.files import StoredRun
from codearena_plugin.runs.strata import STRATA_FILE

QUICK = GapOptions(n_bootstraps=200, by_language=True)
MODELS = "abcdef"
WORDS = {name: "w" * 4 * i + "t" * 4 + "l" * (32 - 4 * i) for i, name in enumerate(MODELS, 1)}


def result(model: str, passed: int, language: str = "", benchmark: str = "multipl_e", n: int = 100) -> Execution:
    return Execution(model, benchmark, passed / n, counted(passed, n), n, "MultiPL-E", "file", language=language)


@pytest.fixture
def runs(tmp_path: Path) -> list[StoredRun]:
    """Return six runs over 36 prompts, 18 of Python and 18 of Rust."""
    return [write_run(tmp_path, name, word) for name, word in WORDS.items()]


def gap(runs: list[StoredRun], results: list[Execution], options: GapOptions = QUICK) -> Gap:
    return gap_of(replace(inputs_of(runs, Asked(execution=["evalplus"]), options), results=results), options)


def by_name(found: Gap) -> Mapping[str, OfLanguage]:
    assert found.languages is not None
    return {f"{one.language}, {one.benchmark}": one for one in found.languages}


def test_a_language_has_the_prompts_of_one_side_and_the_problems_of_the_other(runs) -> None:
    results = [result(m, 20 + 10 * i, language) for i, m in enumerate(MODELS) for language in ("Rust", "Lua")]
    wholes = [result(m, 30 + 10 * i, benchmark="humaneval+", n=164) for i, m in enumerate(MODELS)]
    found = gap(runs, [*results, *wholes])
    assert found.axis == "humaneval+"
    assert {*by_name(found)} == {"Rust, multipl_e", "Python, humaneval+"}, "HumanEval+ is all Python; no prompt is Lua"
    rust = by_name(found)["Rust, multipl_e"]
    assert [cell.model for cell in rust.cells] == [*"fedcba"]
    for cell in rust.cells:
        assert cell.preference is not None
        assert cell.preference.clusters == tuple(f"p{i}" for i in range(1, 36, 2))
        own = WORDS[cell.model][1::2]
        assert sum(cell.preference.values) == own.count("w") + own.count("t") / 2
    assert rust.correlation.n == 6
    assert rust.correlation.spearman is not None
    assert rust.correlation.spearman.estimate == 1.0
    assert any("MultiPL-E by language, without a prompt: Lua" in note for note in found.notes)


def test_without_being_asked_for_there_is_no_part_by_language(runs) -> None:
    options = replace(QUICK, by_language=False)
    found = gap(runs, [result(m, 50) for m in MODELS], options)
    assert found.languages is None
    assert found.to_json(created="now")["languages"] is None


def test_a_side_that_is_missing_is_no_number(runs) -> None:
    found = gap(runs, [*(result(m, 50) for m in MODELS), result("a", 40, "Rust")])
    [rust] = by_name(found).values()
    sides = {cell.model: cell.execution is not None for cell in rust.cells}
    assert sides == {name: name == "a" for name in MODELS}
    assert (rust.correlation.n, rust.correlation.spearman) == (1, None)
    plain = found.to_json(created="now")
    row = next(row for row in language_cells(plain).rows if row[2] == "b")
    assert row[6:] == ("–", "–", "–")
    assert next(one for one in plain["languages"][0]["models"] if one["name"] == "b")["execution"] is None
    assert language_correlation_cells(plain).rows == []
    assert any(note == "languages of prompts without results: Python" for note in found.notes)


def test_few_prompts_or_problems_are_bracketed_and_in_no_correlation(runs) -> None:
    results = [result(m, 2 + i, "Rust", n=15 if m == "a" else 20) for i, m in enumerate(MODELS)]
    whole = [result(m, 50) for m in MODELS]
    found = gap(runs, [*whole, *results], replace(QUICK, min_n=18))
    [rust] = by_name(found).values()
    assert rust.correlation.n == 5
    rows = {row[2]: row for row in language_cells(found.to_json(created="now")).rows}
    assert rows["a"][6].startswith("(")
    assert rows["a"][8] == "15"
    assert not rows["a"][3].startswith("("), "18 prompts are enough"
    assert not rows["b"][6].startswith("(")
    everything = gap(runs, [*whole, *results], replace(QUICK, min_n=19)).to_json(created="now")
    assert all(row[3].startswith("(") for row in language_cells(everything).rows)
    assert everything["languages"][0]["n"] == 0


def test_a_mean_over_parts_of_problems_is_no_result_of_the_whole(runs) -> None:
    results = [result(m, 20 + 10 * i, language) for i, m in enumerate(MODELS) for language in ("Rust", "Lua")]
    results[0] = replace(results[0], n_expected=158, notices=("ran without a sandbox",))
    results[1] = replace(results[1], notices=("another",))
    found = gap(runs, results)
    assert [one.n for one in found.correlations] == [5]
    assert any("a (some of its languages)" in note for note in found.notes)
    mean = next(model.executions["multipl_e"] for model in found.models if model.preference.name == "a")
    assert (mean.is_partial, mean.notices) == (True, ("ran without a sandbox", "another"))
    assert [one.n for one in gap(runs, results, replace(QUICK, partial=True)).correlations] == [6]


def test_a_withheld_run_has_no_score_in_any_language(tmp_path: Path) -> None:
    runs = [write_run(tmp_path, name, word) for name, word in {"a": "wl" * 10, "b": "w" + "-" * 19}.items()]
    found = gap(runs, [result(m, 50, language) for m in "ab" for language in ("", "Rust")])
    [rust] = by_name(found).values()
    assert {cell.model: cell.preference is None for cell in rust.cells} == {"a": False, "b": True}


def test_a_run_whose_prompts_languages_are_not_at_hand_is_named(runs) -> None:
    (runs[0].path / STRATA_FILE).unlink()
    found = gap(runs, [result(m, 50, language) for m in MODELS for language in ("", "Rust")])
    assert any(note.startswith("a: the languages of its prompts are not at hand") for note in found.notes)
    [rust] = by_name(found).values()
    assert next(cell for cell in rust.cells if cell.model == "a").preference is None


def test_results_by_language_alone_have_their_mean_as_the_whole_without_an_interval(runs) -> None:
    results = [result(m, 10 * i + j, x) for i, m in enumerate(MODELS, 1) for j, x in enumerate(("Rust", "Lua"))]
    found = gap(runs, results)
    assert found.axis == "multipl_e"
    one = found.models[-1].executions["multipl_e"]
    assert (one.estimate, one.measured, one.n_expected) == (pytest.approx(0.105), None, None)
    assert one.engine == "MultiPL-E, mean of 2 languages"
    assert one.notes == ("mean of 2 languages, each counted alike: Lua, Rust",)
    assert "on how many problems" in str(found.line)
    assert found.correlations[0].spearman is not None
    assert found.correlations[0].spearman.estimate == 1.0
    json.dumps(found.to_json(created="now"), allow_nan=False)


def test_a_mean_is_made_for_models_with_every_language_only(runs) -> None:
    results = [result(m, 50, x) for m in MODELS for x in ("Rust", "Lua") if (m, x) != ("a", "Lua")]
    found = {m.preference.name: m.executions for m in gap(runs, results).models}
    assert {name for name, executions in found.items() if "multipl_e" in executions} == set("bcdef")
    with pytest.raises(DataError, match=r"All results are by language.* same languages, or add rows"):
        gap(runs[:2], [result("a", 50, "Rust"), result("b", 50, "Lua")])


def test_a_mean_stands_beside_published_ones_over_the_same_languages_alone(runs) -> None:
    eight = [one.language for one in shipped("paper") if one.model == "o1-mini" and one.language]
    for languages, has_mean in ((eight, True), (eight[:7], False), ([*eight, "Rust"], False)):
        results = [result("a", 50, language) for language in languages]
        inputs = inputs_of(runs[:1], Asked(execution=["paper"], published=True), QUICK)
        found = gap_of(replace(inputs, results=results), QUICK)
        [own] = [model for model in found.models if model.preference.group == "yours"]
        assert ("multipl_e" in own.executions) is has_mean
        assert [c.n for c in found.correlations if c.benchmark == "multipl_e"] == [25]


def test_the_paper_s_languages_are_read_and_average_to_what_it_prints() -> None:
    parts = [one for one in shipped("paper") if one.language]
    assert {one.benchmark for one in parts} == {"multipl_e"}
    of_one = {one.language: one.estimate for one in parts if one.model == "Qwen2.5-SynCoder"}
    assert len(of_one) == 8
    whole = next(one for one in shipped("paper") if (one.model, one.benchmark) == ("Qwen2.5-SynCoder", "multipl_e"))
    assert whole.language == ""
    assert sum(of_one.values()) / 8 == pytest.approx(whole.estimate, abs=0.0005)
    assert all(one.measured is None for one in parts)
    assert gap_of(Inputs(published_results=shipped("paper")), QUICK).languages == ()
