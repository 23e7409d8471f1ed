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
FEW_WITH_STYLE = BoardOptions(n_bootstraps=100)


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
    assert [(match.player, match.opponent) for match in found.all] == [("m", "x"), ("k", "m")]
    board = board_of(runs, FEW)
    assert board.reference == "m"  # of the two baselines the first by name
    assert {entry.name: entry.score.estimate for entry in board.entries} == pytest.approx({"k": 0.75, "x": 0.25})


def test_other_answers_under_the_same_name_are_another_player(make_run) -> None:
    x, m = suite_against(20, "x", "x says {}"), suite_against(20, "m", "an older m says {}")
    runs = [
        make_run("m", "wwwl" * 5, suite=x, texts="m says {}".format, folder="m-x"),
        make_run("k", "wwwl" * 5, suite=m, folder="k-m"),
        make_run("k", "wwll" * 5, suite=x, folder="k-x"),
    ]
    assert {match.opponent for match in matches_of(runs).all} == {"x", "m"}
    assert {match.player for match in matches_of(runs).all} == {"m [2]", "k"}


def test_groups_that_never_met_are_refused(make_run) -> None:
    runs = [
        make_run("a", "wwl", suite=suite_against(3, "x", "x{}"), folder="a"),
        make_run("b", "wll", suite=suite_against(3, "y", "y{}"), folder="b"),
    ]
    with pytest.raises(DataError, match="do not make one leaderboard: b, y never met the reference"):
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


def test_the_reference_s_own_run_is_seen_from_the_other_side(make_run) -> None:
    """x beats y 3 : 1 as a run of x, and x is the reference, so y's score is 1/4."""
    x, y = suite_against(20, "x", "x says {}"), suite_against(20, "y", "y says {}")
    runs = [
        make_run("x", "wwwl" * 5, suite=y, texts="x says {}".format, folder="x-y"),
        make_run("a", "wl" * 10, suite=x, folder="a-x"),
        make_run("b", "wl" * 10, suite=x, folder="b-x"),
    ]
    board = board_of(runs, FEW)
    assert board.reference == "x"
    assert {entry.name: round(entry.score.estimate, 9) for entry in board.entries} == {"a": 0.5, "b": 0.5, "y": 0.25}


def test_a_league_told_from_either_side_has_the_same_style_effects(make_run) -> None:
    """Contrasts turn with the row: who is the run and who the baseline is a matter of telling."""

    def of(name: str):
        return lambda i: f"{name} {i} " + "word " * ((i * (7 if name == "x" else 3)) % 11 + (4 if name == "y" else 0))

    def against(name: str):
        plain = a_suite(60)
        prompts = tuple(replace(p, baselines={name: of(name)(i)}) for i, p in enumerate(plain.prompts))
        return replace(plain, baseline=name, prompts=prompts, fingerprint=fingerprint(prompts, name))

    word, turned = "wwlwtl" * 10, "llwltw" * 10
    third = [
        make_run("k", "wltl" * 15, suite=against("x"), texts=of("k"), folder="k-x"),
        make_run("j", "wwtl" * 15, suite=against("x"), texts=of("j"), folder="j-x"),
    ]
    told = make_run("y", word, suite=against("x"), texts=of("y"), folder="y-x")
    retold = make_run("x", turned, suite=against("y"), texts=of("x"), folder="x-y")
    one, other = (board_of([run, *third], FEW_WITH_STYLE) for run in (told, retold))
    assert (one.method, other.method) == ("mean", "bradley-terry")
    for name, effect in one.style.coefficients.items():
        per_unit, other_per_unit = (
            board.style.coefficients[name].estimate / board.style.scales[name] for board in (one, other)
        )
        assert effect.n == 60
        assert other_per_unit == pytest.approx(per_unit, abs=1e-6)
    controlled = {entry.name: entry.controlled.estimate for entry in one.entries}
    assert {entry.name: entry.controlled.estimate for entry in other.entries} == pytest.approx(controlled, abs=1e-6)


def test_a_baseline_that_no_run_is_of_has_its_own_n(make_run) -> None:
    x, y = suite_against(60, "x", "x says {}"), suite_against(60, "y", "y says {} " + "word " * 3)
    texts = [lambda i: "word " * (i % 9), lambda i: "word " * (i % 5)]
    runs = [
        make_run("m", "wwwl" * 15, suite=x, texts=texts[0], folder="m-x"),
        make_run("m", "lwlw" * 15, suite=y, texts=texts[0], folder="m-y"),
        make_run("k", "wl" * 30, suite=x, texts=texts[1], folder="k-x"),
    ]
    (second,) = (entry for entry in board_of(runs, FEW_WITH_STYLE).entries if entry.name == "y")
    assert second.controlled.n == second.score.n == 60
    assert second.controlled.high - second.controlled.low < 0.6


def test_a_withheld_run_of_a_league_is_listed_and_is_no_reference(make_run) -> None:
    x, y = suite_against(4, "x", "x{}"), suite_against(4, "y", "y{}")
    failed = [make_run(name, "----", suite=x, folder=f"{name}-x") for name in ("a", "b")]
    good = make_run("a", "wwtl", suite=y, folder="a-y")
    board = board_of([*failed, good], FEW)
    assert (board.reference, board.method) == ("y", "mean")
    assert [(entry.name, entry.withheld is None) for entry in board.entries] == [
        ("a", True),
        ("a against x", False),
        ("b against x", False),
    ]
    assert sum("is not in the fit: none of 4 prompts was scored" in note for note in board.notes) == 2


def test_a_run_of_the_baseline_s_own_answers_is_left_out_of_a_league_and_named(make_run) -> None:
    x, y = suite_against(8, "x", "x{}"), suite_against(8, "y", "y{}")
    runs = [
        make_run("x", "tttttttt", suite=x, texts="x{}".format, folder="x-x"),
        make_run("m", "wwtlwwtl", suite=x, folder="m-x"),
        make_run("m", "wltlwwtl", suite=y, folder="m-y"),
    ]
    board = board_of(runs, FEW)
    assert {entry.name for entry in board.entries} == {"m", "y"}
    assert any("x was judged against its own answers" in note for note in board.notes)


def test_the_same_answers_twice_against_one_baseline_are_refused_in_a_league(make_run) -> None:
    x, y = suite_against(4, "x", "x{}"), suite_against(4, "y", "y{}")
    runs = [
        make_run("k", "wwtl", suite=x, folder="k1"),
        make_run("k", "wltl", suite=x, folder="k2"),
        make_run("k", "wltl", suite=y, folder="k-y"),
    ]
    with pytest.raises(DataError, match="judged the same answers of 'k' against the same baseline 'x'"):
        board_of(runs, FEW)


def test_a_player_is_a_set_of_answers_whatever_it_is_called(make_run) -> None:
    x, m = suite_against(8, "x", "x{}"), suite_against(8, "org/m", "m says {}")
    runs = [
        make_run("m", "wwwlwwwl", suite=x, texts="m says {}".format, folder="m-x"),
        make_run("k", "wwwlwwwl", suite=m, folder="k-m"),
    ]
    found = matches_of(runs)
    assert len({name for match in found.all for name in (match.player, match.opponent)}) == 3
    assert any("gave the same answers" in note for note in found.notes)


def test_rates_against_different_baselines_are_not_mixed_and_counts_are_added(make_run) -> None:
    x, y = suite_against(4, "x", "x{}"), suite_against(4, "y", "y{}")
    runs = [
        make_run("m", "wwtl", suite=x, folder="m-x"),
        make_run("m", "w-tl", suite=y, folder="m-y"),
        make_run("k", "wltl", suite=y, folder="k-y"),
    ]
    board = board_of(runs, FEW).to_json(created="now")
    (entry,) = (entry for entry in board["entries"] if entry["name"] == "m")
    assert [entry[rate] for rate in ("win_rate", "tie_rate", "order_consistency")] == [None, None, None]
    assert (entry["n_scored"], entry["n_prompts"], entry["coverage"]) == (7, 8, 7 / 8)
    assert entry["statuses"]["scored"] == 15
    assert list(board["strata"]["language"]["cells"]) == ["m against x", "m against y", "k against y"]


def test_the_reference_does_not_depend_on_the_order_of_the_runs(make_run) -> None:
    x, y = suite_against(4, "x", "x{}"), suite_against(4, "y", "y{}")
    runs = [make_run("m", "wwtl", suite=y, folder="m-y"), make_run("m", "wltl", suite=x, folder="m-x")]
    assert board_of(runs, FEW).reference == board_of(runs[::-1], FEW).reference == "x"
