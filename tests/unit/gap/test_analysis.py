"""The gap of runs: who is matched with what, on which axis, against which line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from unit_runs import write_run

from codearena_plugin.errors import CodeArenaError, ConfigError, DataError
from codearena_plugin.gap.analysis import Inputs, gap_of
from codearena_plugin.gap.execution import Execution, counted
from codearena_plugin.gap.matching import match_results, read_match
from codearena_plugin.gap.preference import preferences_of, published_preferences
from codearena_plugin.gap.record import GapOptions
from codearena_plugin.gap.reference import shipped
from codearena_plugin.leaderboard.published import published
from codearena_plugin.report.gap.cells import is_outside
from codearena_plugin.report.gap.tables import pair_note

QUICK = GapOptions(n_bootstraps=200)
WON = dict(zip("abcdefg", (2, 6, 10, 15, 20, 25, 29), strict=True))
WORDS = {name: "w" * won + "t" * 8 + "l" * (32 - won) for name, won in WON.items()}


def result(model: str, passed: int, benchmark: str = "humaneval+", n: int = 100, **more) -> Execution:
    return Execution(model, benchmark, passed / n, counted(passed, n), n, "engine 1", "file", **more)


RESULTS = [result(name, passed) for name, passed in zip("abcdefg", (30, 45, 50, 66, 70, 85, 90), strict=True)]


@pytest.fixture
def preferences(tmp_path: Path):
    return preferences_of([write_run(tmp_path, name, word) for name, word in WORDS.items()], "score")


def test_a_run_s_rate_is_the_one_that_its_result_holds(tmp_path: Path) -> None:
    run = write_run(tmp_path, "m", "wwttlf-w")
    for rate in ("score", "win_rate"):
        [one] = preferences_of([run], rate)
        assert one.measured is not None
        found, stored = one.measured.interval(0.95), run.result["metrics"][rate]
        assert [found.estimate, found.low, found.high, found.n] == pytest.approx(
            [stored["estimate"], stored["low"], stored["high"], stored["n"]]
        )
        assert one.n_prompts == 8


def test_published_rates_are_those_of_the_corrected_table() -> None:
    rows = {row.model: row.total for row in published()}
    for rate in ("score", "win_rate"):
        for one in published_preferences(rate):
            assert one.measured is not None
            assert one.measured.interval(0.95) == getattr(rows[one.name], rate)


def test_seven_runs_have_correlations_a_line_and_places(preferences) -> None:
    gap = gap_of(Inputs(preferences, RESULTS), QUICK)
    assert [model.preference.name for model in gap.models] == list("gfedcba")
    assert (gap.axis, gap.basis) == ("humaneval+", "yours")
    [found] = gap.correlations
    assert found.spearman is not None
    assert (found.spearman.estimate, found.n) == (1.0, 7)
    assert not isinstance(gap.line, str)
    assert gap.line.slope > 0
    assert all(model.residual and model.places and model.places.places == 0 for model in gap.models)
    json.dumps(gap.to_json(created="now"), allow_nan=False)


def test_the_order_of_runs_and_results_changes_no_number(preferences) -> None:
    a = gap_of(Inputs(preferences, RESULTS), QUICK).to_json(created="now")
    b = gap_of(Inputs(preferences[::-1], RESULTS[::-1]), QUICK).to_json(created="now")
    assert a["models"] == b["models"]
    assert a["correlations"] == b["correlations"]


def test_one_run_among_the_published_is_held_to_their_line_and_bends_none(preferences) -> None:
    reference = shipped("paper")
    alone = gap_of(Inputs(published_results=reference), QUICK)
    gap = gap_of(Inputs(preferences[:1], RESULTS, published_results=reference), QUICK)
    assert str(gap.line) == str(alone.line)
    assert {m.preference.name: m.residual for m in gap.models if m.preference.group == "published"} == {
        m.preference.name: m.residual for m in alone.models
    }
    [own] = [model for model in gap.models if model.preference.group == "yours"]
    assert own.residual is not None
    assert own.places is not None
    assert own.places.on_x == 31.0, "HumanEval+ 30.0 is below all 30"
    assert [c.n for c in gap.correlations if c.benchmark == "humaneval+"] == [30]
    assert any("several engines" in note for note in gap.notes)


@pytest.mark.parametrize("named", ["by its run", "by its results"])
def test_a_run_of_a_published_model_is_held_to_the_line_of_the_others(tmp_path: Path, named: str) -> None:
    reference, model = shipped("paper"), "CodeLlama-7B-Instruct"
    name = model if named == "by its run" else "mine"
    runs = preferences_of([write_run(tmp_path, name, "w" * 5 + "l" * 35)], "score")
    said = [] if named == "by its run" else [("mine", model)]
    gap = gap_of(Inputs(runs, reference, said, published_results=reference), QUICK)
    [own] = [one for one in gap.models if one.preference.group == "yours"]
    [twin] = [one for one in gap.models if one.preference.group == "published" and one.preference.model == model]
    others = [one for one in reference if one.model != model]
    without = gap_of(Inputs(runs, reference, said, published_results=others), QUICK)
    assert own.residual is not None
    assert [own.residual] == [one.residual for one in without.models if one.preference.group == "yours"]
    assert twin.residual is not None
    assert twin.residual.expected == pytest.approx(own.residual.expected), "both are held to the same line"


def test_a_score_of_nothing_is_not_outside_by_being_nothing(tmp_path: Path) -> None:
    """0 of 40 prompts, where 1 % is expected: zero is infinitely far out on the logit scale, and quite likely."""
    weak = preferences_of([write_run(tmp_path, "weak", "l" * 40)], "score")
    gap = gap_of(Inputs(weak, [result("weak", 20)], published_results=shipped("paper")), QUICK)
    plain = gap.to_json(created="now")
    [own] = [model for model in plain["models"] if model["group"] == "yours"]
    assert own["residual"]["p_value"] > 0.05
    assert not is_outside(own)
    assert own["residual"]["gap"] == -own["residual"]["expected"]


def test_it_is_told_of_how_many_equal_pairs_those_apart_are(preferences) -> None:
    equal = [result(name, 30) for name in "abc"]
    gap = gap_of(Inputs(preferences[:3], equal), QUICK)
    assert (gap.n_equal, len(gap.pairs)) == (3, 3)
    alike = [replace(one, name=name, model=name) for one, name in zip([preferences[0]] * 3, "abc", strict=True)]
    gap = gap_of(Inputs([*alike, preferences[6]], [*equal, result("g", 30)]), QUICK)
    assert (gap.n_equal, len(gap.pairs)) == (6, 3), "three are the same run"
    assert "6 pairs are" in pair_note(gap.to_json(created="now"))


def test_a_withheld_run_is_listed_without_a_number(tmp_path: Path, preferences) -> None:
    bad = preferences_of([write_run(tmp_path, "h", "w" + "-" * 39)], "score")
    gap = gap_of(Inputs([*preferences, *bad], [*RESULTS, result("h", 99)]), QUICK)
    last = gap.models[-1]
    assert last.preference.name == "h"
    assert last.preference.withheld
    assert (last.residual, last.places) == (None, None)
    assert gap.to_json(created="now")["models"][-1]["preference"] is None
    assert gap.correlations[0].n == 7


def test_few_runs_have_both_axes_and_a_reason_for_the_rest(preferences) -> None:
    gap = gap_of(Inputs(preferences[:2], RESULTS), QUICK)
    assert isinstance(gap.line, str)
    assert "at least 5 models" in gap.line
    assert gap.correlations[0].spearman is None
    assert gap.unused == ("c", "d", "e", "f", "g")


def test_the_axis_is_what_most_runs_have_unless_another_is_asked_for(preferences) -> None:
    more = [result(name, 50, "mbpp", 378) for name in "ab"]
    assert gap_of(Inputs(preferences, [*RESULTS, *more]), QUICK).axis == "humaneval+"
    assert gap_of(Inputs(preferences[:2], [*RESULTS[:1], *more]), QUICK).axis == "mbpp"
    assert gap_of(Inputs(preferences, [*RESULTS, *more]), replace(QUICK, benchmark="mbpp")).axis == "mbpp"
    with pytest.raises(ConfigError, match="Did you mean 'mbpp'"):
        gap_of(Inputs(preferences, [*RESULTS, *more]), replace(QUICK, benchmark="mbp"))


def test_a_benchmark_of_unknown_size_has_correlations_and_no_line() -> None:
    gap = gap_of(Inputs(published_results=shipped("paper")), replace(QUICK, benchmark="livecodebench"))
    assert isinstance(gap.line, str)
    assert "on how many problems" in gap.line
    [found] = [one for one in gap.correlations if one.benchmark == "livecodebench"]
    assert found.spearman is not None
    assert found.spearman.other_prompts is None
    assert all(model.places is None or model.places.low is None for model in gap.models)


def test_one_scored_prompt_or_one_problem_has_no_residual_and_bends_no_line(tmp_path: Path, preferences) -> None:
    one = preferences_of([write_run(tmp_path, "h", "w")], "score")
    gap = gap_of(Inputs([*preferences, *one], [*RESULTS, result("h", 99)]), QUICK)
    assert str(gap.line) == str(gap_of(Inputs(preferences, RESULTS), QUICK).line)
    [alone] = [model for model in gap.models if model.preference.name == "h"]
    assert alone.residual is None
    assert alone.places is not None
    few = gap_of(Inputs(one, [result("h", 1, n=1)]), QUICK)
    assert "how many problems" in str(few.line)
    json.dumps(few.to_json(created="now"), allow_nan=False)


def test_what_a_source_says_is_noted(preferences) -> None:
    noted = replace(RESULTS[0], notes=("a remark",))
    assert "a, HumanEval+: a remark" in gap_of(Inputs(preferences, [noted, *RESULTS[1:]]), QUICK).notes


def test_a_result_on_a_part_of_the_problems_is_placed_and_places_nobody_unless_asked_for(preferences) -> None:
    partly = replace(result("a", 10, n=20), n_expected=100)
    inputs = Inputs(preferences, [partly, *RESULTS[1:]])
    gap, others = gap_of(inputs, QUICK), gap_of(Inputs(preferences[1:], RESULTS[1:]), QUICK)
    [note] = gap.notes
    assert note.startswith("not in line, correlations and pairs")
    assert note.endswith("HumanEval+, a (20 of 100)")
    assert str(gap.line) == str(others.line)
    assert gap.correlations == others.correlations
    found, without = ({m.preference.name: m for m in one.models} for one in (gap, others))
    assert found["a"].residual is not None
    assert found["a"].places is not None
    assert {name: found[name].residual for name in without} == {n: m.residual for n, m in without.items()}
    everything = gap_of(inputs, replace(QUICK, partial=True))
    assert everything.correlations[0].n == 7
    assert not any("not in line" in note for note in everything.notes)


def test_partial_results_are_in_no_pair(preferences) -> None:
    same = [result(name, 80) for name in "abcdefg"]
    gap = gap_of(Inputs(preferences, [*same[:-1], replace(same[-1], n_expected=164)]), QUICK)
    assert ("f", "a") in {(pair.a, pair.b) for pair in gap.pairs}
    assert not any("g" in (pair.a, pair.b) for pair in gap.pairs)


def test_partial_results_alone_have_no_line_and_say_how_many_count(preferences) -> None:
    gap = gap_of(Inputs(preferences, [replace(one, n_expected=164) for one in RESULTS]), QUICK)
    assert isinstance(gap.line, str)
    assert "here are 0" in gap.line
    assert gap.correlations[0].n == 0
    assert all(model.residual is None and model.places is None for model in gap.models)
    json.dumps(gap.to_json(created="now"), allow_nan=False)


def test_equal_pass_at_1_has_no_order_and_no_line(preferences) -> None:
    gap = gap_of(Inputs(preferences, [result(name, 80) for name in "abcdefg"]), QUICK)
    assert "no more than the noise" in str(gap.line)
    assert (gap.correlations[0].n, gap.correlations[0].spearman, gap.correlations[0].kendall) == (7, None, None)
    assert {model.places.on_x for model in gap.models if model.places} == {4.0}
    json.dumps(gap.to_json(created="now"), allow_nan=False)


def test_one_run_alone_has_both_axes_and_nothing_to_be_compared_with(preferences) -> None:
    gap = gap_of(Inputs(preferences[:1], RESULTS[:1]), QUICK)
    assert "at least 5 models" in str(gap.line)
    assert (gap.models[0].residual, gap.models[0].places, gap.pairs) == (None, None, ())


def test_names_that_differ_in_case_alone_are_not_joined_and_the_way_to_join_them_is_said(preferences) -> None:
    gap = gap_of(Inputs(preferences[:2], [result("A", 50), result("b", 50)]), QUICK)
    assert gap.lacking == ("a",)
    assert gap.unused == ("A",)
    assert "a and the results of A differ in case alone; --match 'a=A' joins them" in gap.notes


def test_equals_on_tests_that_differ_in_preference_are_pairs_within_a_group_only(preferences) -> None:
    same = [result(name, 80) for name in "abcdefg"]
    gap = gap_of(Inputs(preferences, same, published_results=shipped("paper")), QUICK)
    names = {(pair.a, pair.b) for pair in gap.pairs}
    assert ("g", "a") in names
    assert not any(len(a) == 1 < len(b) or len(b) == 1 < len(a) for a, b in names)
    assert [pair.difference for pair in gap.pairs] == sorted((p.difference for p in gap.pairs), reverse=True)


# matching


def test_names_are_matched_exactly_and_never_by_likeness(preferences) -> None:
    found = match_results(preferences, [result("A", 50), result("a ", 50), result("b", 50)])
    assert set(found.found["b"]) == {"humaneval+"}
    assert found.found["a"] == {}
    assert found.unused == ("A", "a ")


def test_what_is_said_replaces_the_name_and_may_join_two_files(preferences) -> None:
    results = [result("a", 10), result("org/he", 50), result("org/mbpp", 60, "mbpp+")]
    found = match_results(preferences, results, [("a", "org/he"), ("a", "org/mbpp")])
    assert {name: one.model for name, one in found.found["a"].items()} == {"humaneval+": "org/he", "mbpp+": "org/mbpp"}
    assert found.unused == ("a",)


@pytest.mark.parametrize(
    ("said", "message"),
    [([("z", "a")], "Unknown run in --match 'z'"), ([("a", "org")], "Unknown name of results in --match 'org'")],
)
def test_a_match_of_nobody_is_refused_with_the_names_that_exist(preferences, said, message) -> None:
    with pytest.raises(ConfigError, match=message):
        match_results(preferences, RESULTS, said)


def test_two_results_of_one_model_on_one_benchmark_are_refused_with_both_sources(preferences) -> None:
    twice = [result("a", 10), replace(result("a", 20), source="other file")]
    with pytest.raises(DataError, match=r"'a' has two results on HumanEval\+: in 'file' and in 'other file'"):
        match_results(preferences, twice)


@pytest.mark.parametrize("text", ["", "a", "=b", "a=", " = "])
def test_a_match_has_two_names(text: str) -> None:
    with pytest.raises(ConfigError, match="run name=results name"):
        read_match(text)


@pytest.mark.parametrize(
    ("results", "options", "message"),
    [
        ([result("x", 50)], QUICK, "No run has execution results. Runs: 'a', .* Results in files: 'x'"),
        ([result("x", 50, is_reference=True)], QUICK, "None of the published models has such a name"),
        (RESULTS, GapOptions(n_bootstraps=99), "100 or more"),
        (RESULTS, GapOptions(n_bootstraps=100, seed=-1), "seed"),
    ],
)
def test_what_gives_no_gap_is_refused(preferences, results, options, message) -> None:
    with pytest.raises(CodeArenaError, match=message) as caught:
        gap_of(Inputs(preferences, results), options)
    assert caught.value.exit_code == 2
