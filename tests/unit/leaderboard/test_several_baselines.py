from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from unit_runs import a_suite

from codearena_plugin.errors import DataError
from codearena_plugin.leaderboard.board import board_of
from codearena_plugin.leaderboard.players import matches_of
from codearena_plugin.leaderboard.record import BoardOptions
from codearena_plugin.prompts.suite import Suite, fingerprint
from codearena_plugin.records import Answer, Prompt

FEW = BoardOptions(n_bootstraps=100, style=False)


def suite_against(n: int, baseline: str, texts: str) -> Suite:
    """Return the same questions with another baseline, whose answers are ``texts`` filled with the prompt's number."""
    plain = a_suite(n)
    prompts = tuple(
        Prompt(p.id, p.messages, p.languages, baselines={baseline: texts.format(i)})
        for i, p in enumerate(plain.prompts)
    )
    return replace(plain, baseline=baseline, prompts=prompts, fingerprint=fingerprint(prompts, baseline))


def test_two_baselines_are_joined_by_the_models_that_met_both(make_run) -> None:
    """Model m beats x 3 : 1 and loses to y 1 : 3, so y beats x; the strengths add up in log-odds."""
    x, y = suite_against(40, "x", "x says {}"), suite_against(40, "y", "y says {}")
    runs = [
        make_run("m", "wwwl" * 10, suite=x, folder="m-x"),
        make_run("m", "lllw" * 10, suite=y, folder="m-y"),
        make_run("k", "wl" * 20, suite=x, folder="k-x"),
    ]
    board = board_of(runs, FEW)
    assert (board.method, board.reference) == ("bradley-terry", "x")
    scores = {entry.name: entry.score.estimate for entry in board.entries}
    assert scores["m"] == pytest.approx(0.75)
    assert scores["k"] == pytest.approx(0.5)
    assert scores["y"] == pytest.approx(1 / (1 + math.exp(-2 * math.log(3))))
    assert [entry.name for entry in board.entries] == ["y", "m", "k"]
    assert board.entries[1].runs == (str(runs[0].path), str(runs[1].path))
    assert board.entries[0].runs == ()
    assert "largest gradient" in board.notes[0]


def test_a_baseline_that_is_also_a_model_of_another_run_is_one_player(make_run) -> None:
    """The answers of model m are the baseline of the second suite: no two names for one player."""
    x, m = suite_against(20, "x", "x says {}"), suite_against(20, "m", "m says {}")
    runs = [
        make_run("m", "wwwl" * 5, suite=x, texts="m says {}".format, folder="m-x"),
        make_run("k", "wwwl" * 5, suite=m, folder="k-m"),
    ]
    found = matches_of(runs)
    assert [(match.player, match.opponent) for match in found.matches] == [("m", "x"), ("k", "m")]
    scores = {entry.name: entry.score.estimate for entry in board_of(runs, FEW).entries}
    assert scores["k"] == pytest.approx(1 / (1 + math.exp(-2 * math.log(3))))


def test_other_answers_under_the_same_name_are_another_player(make_run) -> None:
    x, m = suite_against(20, "x", "x says {}"), suite_against(20, "m", "an older m says {}")
    runs = [
        make_run("m", "wwwl" * 5, suite=x, texts="m says {}".format, folder="m-x"),
        make_run("k", "wwwl" * 5, suite=m, folder="k-m"),
        make_run("k", "wwll" * 5, suite=x, folder="k-x"),
    ]
    assert {match.opponent for match in matches_of(runs).matches} == {"x", "m"}
    assert {match.player for match in matches_of(runs).matches} == {"m [2]", "k"}


def test_groups_that_never_met_are_refused(make_run) -> None:
    runs = [
        make_run("a", "wwl", suite=suite_against(3, "x", "x{}"), folder="a"),
        make_run("b", "wll", suite=suite_against(3, "y", "y{}"), folder="b"),
    ]
    with pytest.raises(DataError, match="do not make one leaderboard: No comparison"):
        board_of(runs, FEW)


def test_a_model_that_won_everything_is_noted_and_gets_no_certainty(make_run) -> None:
    x, y = suite_against(12, "x", "x{}"), suite_against(12, "y", "y{}")
    runs = [
        make_run("top", "w" * 12, suite=x, folder="top"),
        make_run("m", "wl" * 6, suite=x, folder="m-x"),
        make_run("m", "lw" * 6, suite=y, folder="m-y"),
    ]
    board = board_of(runs, FEW)
    assert any("won or lost everything" in note and "top" in note for note in board.notes)
    top = board.entries[0]
    assert top.name == "top"
    assert top.score.low < top.score.estimate < 1
    assert np.isfinite(top.score.low)


def test_the_difference_of_two_models_is_antisymmetric_in_its_test(make_run) -> None:
    x, y = suite_against(30, "x", "x{}"), suite_against(30, "y", "y{}")
    runs = [
        make_run("a", "wwl" * 10, suite=x, folder="a-x"),
        make_run("b", "wll" * 10, suite=x, folder="b-x"),
        make_run("b", "wlw" * 10, suite=y, folder="b-y"),
    ]
    pair = next(p for p in board_of(runs, FEW).pairs if {p.a, p.b} == {"a", "b"})
    assert pair.difference.low <= pair.difference.estimate <= pair.difference.high
    assert (pair.p_value < 0.05) == (pair.difference.low > 0 or pair.difference.high < 0)
    assert pair.n_common is None


def test_runs_made_before_the_questions_were_hashed_compare_within_one_baseline_only(make_run) -> None:
    old = []
    for name, suite in (("a", suite_against(4, "x", "x{}")), ("b", suite_against(4, "y", "y{}"))):
        run = make_run(name, "wwtl", suite=suite)
        for key in ("questions_sha256", "baseline_sha256"):
            del run.result["manifest"]["suite"][key]
        old.append(run)
    with pytest.raises(DataError, match="rescore RUN --output"):
        board_of(old, FEW)
    other = make_run("c", "wwtl", suite=suite_against(4, "x", "x{}"))
    assert board_of([old[0], other], FEW).method == "mean"


def test_an_answer_s_own_hash_is_the_baseline_s_hash() -> None:
    """What makes one player of a model and a baseline: both are hashed alike."""
    from codearena_plugin.runs.files import answers_sha256
    from codearena_plugin.runs.judge import opponents

    suite = suite_against(5, "x", "x{}")
    assert opponents(suite)["baseline_sha256"] == answers_sha256([Answer(f"p{i}", "any", f"x{i}") for i in range(5)])
