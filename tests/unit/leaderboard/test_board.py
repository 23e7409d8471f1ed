from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from many_runs import Judge, write_runs
from scipy.optimize import minimize

from codearena_plugin.errors import ConfigError, DataError
from codearena_plugin.leaderboard.board import board_of
from codearena_plugin.leaderboard.record import BoardOptions
from codearena_plugin.runs.compare import compare_runs, stored_outcomes
from codearena_plugin.runs.files import RESULT, load_run
from codearena_plugin.runs.style import style_of
from codearena_plugin.style import FEATURES

FEW = BoardOptions(n_bootstraps=100)


def test_scores_are_means_with_their_own_intervals_and_ranks_follow_them(make_run) -> None:
    runs = [make_run("weak", "wlll" * 5), make_run("strong", "wwwl" * 5), make_run("middle", "wtlw" * 5)]
    board = board_of(runs, FEW)
    assert [entry.name for entry in board.entries] == ["strong", "middle", "weak"]
    assert [entry.score.estimate for entry in board.entries] == [0.75, 0.625, 0.25]
    assert [entry.place.rank for entry in board.entries] == [1, 2, 3]
    assert all(entry.place.low <= entry.place.rank <= entry.place.high for entry in board.entries)
    for entry, run in zip(board.entries, (runs[1], runs[2], runs[0]), strict=True):
        assert entry.score.low == pytest.approx(run.result["metrics"]["score"]["low"], abs=1e-12)
    assert (board.method, board.reference) == ("mean", "base")


def test_the_differences_are_those_of_compare(make_run) -> None:
    runs = [make_run("a", "wwtl-wwt"), make_run("b", "wltlww-t"), make_run("c", "llllwwww")]
    pairs = {frozenset((pair.a, pair.b)): pair for pair in board_of(runs, FEW).pairs}
    _, compared = compare_runs(runs)
    assert len(pairs) == len(compared) == 3
    for found in compared:
        pair = pairs[frozenset((found.a, found.b))]
        sign = 1 if pair.a == found.a else -1
        assert pair.difference.estimate == pytest.approx(sign * found.found.difference.estimate)
        assert (pair.p_value, pair.p_holm) == pytest.approx((found.found.p_value, found.p_holm))
        assert pair.n_common == found.found.n_common


def test_one_model_is_a_leaderboard_of_one(make_run) -> None:
    board = board_of([make_run("only", "wwtl")], FEW).to_json(created="now")
    assert board["entries"][0]["rank"] == {"rank": 1, "low": 1, "high": 1}
    assert (board["pairs"], board["separability"]["n_pairs"]) == ([], 0)


def test_all_ties_have_a_width_and_are_told_apart_by_nobody(make_run) -> None:
    board = board_of([make_run("a", "t" * 20), make_run("b", "t" * 20)], FEW)
    assert [entry.score.estimate for entry in board.entries] == [0.5, 0.5]
    assert all(entry.score.low < 0.5 < entry.score.high for entry in board.entries)
    assert board.entries[0].place == board.entries[1].place
    assert board.pairs[0].p_value == 1.0


def test_a_run_without_a_score_is_listed_without_a_number(make_run) -> None:
    board = board_of([make_run("good", "wwtl"), make_run("failed", "----", folder="f")], FEW).to_json(created="now")
    good, failed = board["entries"]
    assert (good["name"], good["withheld"]) == ("good", None)
    assert failed["withheld"] == "none of 4 prompts was scored"
    assert [failed[key] for key in ("score", "rank", "controlled", "win_rate")] == [None] * 4
    assert failed["statuses"]["unparsable"] == 4
    assert board["pairs"] == []


def test_runs_that_all_failed_make_a_board_without_any_number(make_run) -> None:
    board = board_of([make_run("a", "---"), make_run("b", "---")], FEW).to_json(created="now")
    assert [entry["score"] for entry in board["entries"]] == [None, None]
    assert board["style"]["why_absent"] == "no run has a score"
    assert '"estimate"' not in json.dumps([board["entries"], board["strata"], board["pairs"]])


def test_a_run_below_its_coverage_is_not_ranked(make_run) -> None:
    board = board_of([make_run("thin", "ww--", min_coverage="0.9"), make_run("full", "wlwl")], FEW)
    assert [(entry.name, entry.place is None) for entry in board.entries] == [("full", False), ("thin", True)]


def test_other_judges_and_suites_are_refused_and_what_differs_is_named(make_run) -> None:
    runs = [make_run("a", "wwtl"), make_run("b", "wwtl", model="other-judge")]
    with pytest.raises(DataError, match="judge model 'j' and 'other-judge'"):
        board_of(runs, FEW)
    with pytest.raises(DataError, match=r"suite .*questions"):
        board_of([runs[0], make_run("c", "wwtlw")], FEW)


def test_the_same_run_twice_is_refused_and_one_model_twice_is_two_rows(make_run) -> None:
    first, again = make_run("m", "wwtl", folder="one"), make_run("m", "wltl", folder="two")
    with pytest.raises(ConfigError, match="given twice"):
        board_of([first, first], FEW)
    assert {entry.name for entry in board_of([first, again], FEW).entries} == {"m [one]", "m [two]"}


def test_no_run_and_too_few_bootstraps_are_refused(make_run) -> None:
    with pytest.raises(ConfigError, match="No run was given"):
        board_of([], FEW)
    with pytest.raises(ConfigError, match="7 bootstraps cannot be used, expected 100"):
        board_of([make_run("a", "wl")], BoardOptions(n_bootstraps=7))


def test_nan_in_a_result_is_refused(make_run) -> None:
    run = make_run("a", "wwtl")
    text = (run.path / RESULT).read_text().replace('"coverage": 1.0', '"coverage": NaN', 1)
    (run.path / RESULT).write_text(text)
    with pytest.raises(DataError, match="is not JSON: it holds NaN"):
        load_run(run.path)


def test_runs_with_no_common_scored_prompt_are_refused(make_run) -> None:
    with pytest.raises(DataError, match="'a' and 'b' cannot be compared: No prompt is scored in both"):
        board_of([make_run("a", "ww--"), make_run("b", "--ww")], FEW)


def test_the_same_seed_gives_the_same_board_and_the_order_of_runs_is_irrelevant(make_run) -> None:
    runs = [make_run("a", "wwtl" * 6), make_run("b", "wltl" * 6), make_run("c", "lltw" * 6)]
    first, again, turned = (board_of(r, FEW).to_json(created="x") for r in (runs, runs, runs[::-1]))
    assert first == again
    assert [entry["rank"] for entry in turned["entries"]] == [entry["rank"] for entry in first["entries"]]


def test_small_cells_are_marked_and_pooled_ones_lie_between_their_own_score_and_the_whole(tmp_path: Path) -> None:
    runs = [load_run(path) for path in write_runs(tmp_path / "r", 3, 60)]
    board = board_of(runs, BoardOptions(n_bootstraps=100, min_n=8, pooled=True))
    whole = {entry.name: entry.score.estimate for entry in board.entries}
    cells = [(name, cell) for name, row in board.cells["sub_class"].items() for cell in row.values() if cell.score]
    assert {cell.small for _, cell in cells} == {True}
    assert {cell.small for row in board.cells["difficulty"].values() for cell in row.values()} == {False}
    for name, cell in cells:
        low, high = sorted((cell.score.estimate, whole[name]))
        assert low - 1e-9 <= cell.pooled.estimate <= high + 1e-9


def test_the_judge_s_reliability_is_counted_as_a_whole_and_in_parts(make_run) -> None:
    """20 prompts: 5 ties of two first places each, 15 consistent wins; one judge call of the other run failed."""
    board = board_of([make_run("a", "fwww" * 5), make_run("b", "w" * 19 + "-")], FEW)
    found = board.reliability["model"]["a"]
    assert (found.n_games, found.order_consistency.estimate) == (40, 0.75)
    assert found.first_position.estimate == pytest.approx((10 + 15) / 40)
    assert board.reliability["model"]["b"].statuses["unparsable"] == 1
    assert board.reliability["all"]["all"].n_games == 80
    assert {name: one.n_games for name, one in board.reliability["language"].items()} == {"Python": 40, "Rust": 40}


def test_the_effect_of_position_is_found_and_needs_both_orders(tmp_path: Path, make_run) -> None:
    runs = [load_run(path) for path in write_runs(tmp_path / "r", 4, 150, judge=Judge(first_bonus=1.0))]
    board = board_of(runs, BoardOptions(n_bootstraps=100, style=False, position=True))
    effect = board.style.coefficients["shown_first"]
    assert effect.low > 0
    assert (board.style.unit, list(board.style.coefficients)) == ("game", ["shown_first"])
    with pytest.raises(ConfigError, match="both orders; the runs have baseline_first"):
        board_of([make_run("x", "ww", order="baseline_first")], BoardOptions(position=True))


def test_taking_the_position_out_of_balanced_games_leaves_the_score_alone(make_run) -> None:
    """Every outcome here is as its games are, so the mean game is the mean outcome, position effect or not."""
    runs = [make_run("a", "ffwwlw" * 10), make_run("b", "fflwll" * 10), make_run("c", "ffffwl" * 10)]
    board = board_of(runs, BoardOptions(n_bootstraps=100, style=False, position=True))
    assert board.style.coefficients["shown_first"].estimate > 0.5
    for entry in board.entries:
        assert entry.controlled.estimate == pytest.approx(entry.score.estimate, abs=1e-9)


def test_a_game_of_a_prompt_without_a_score_is_in_no_controlled_score(make_run) -> None:
    """Of a prompt with one failed game the other one, a loss, is not counted either."""
    runs = [make_run("a", "w-ll" * 15), make_run("b", "wlwl" * 15)]
    board = board_of(runs, BoardOptions(n_bootstraps=100, style=False, position=True))
    (entry,) = (entry for entry in board.entries if entry.name == "a")
    assert (entry.controlled.n, entry.score.n) == (45, 45)
    assert entry.controlled.estimate == pytest.approx(entry.score.estimate, abs=1e-9)


def test_a_feature_that_differs_alike_in_all_answers_is_said_to_be_one_with_the_strength(make_run) -> None:
    runs = [make_run("a", "wl" * 30, texts=lambda i: "# head\n" + "word " * (i % 7 + 1))]
    left_out = board_of(runs, FEW).style.left_out
    assert left_out["headings"].startswith("differs from the baseline's alike in all answers")
    assert left_out["bold"] == "never differs from the baseline's"


def test_a_damaged_file_of_strata_costs_the_strata_and_not_the_board(make_run) -> None:
    run = make_run("a", "wwtl")
    (run.path / "strata.json").write_text("{")
    board = board_of([run], FEW)
    assert board.reliability["class"] == {}
    assert any("strata.json" in note for note in board.notes)


def test_style_of_other_prompts_is_no_style_of_the_run(make_run) -> None:
    run = make_run("a", "wwtl")
    stored = json.loads((run.path / "style.json").read_text())
    stored["prompts"] = {f"other-{key}": value for key, value in stored["prompts"].items()}
    (run.path / "style.json").write_text(json.dumps(stored))
    assert "is not of this run" in board_of([run], FEW).style


def test_each_model_s_own_style_explains_its_own_outcomes(make_run) -> None:
    """Long answers win for both models, on different prompts: a mix-up of their styles would hide the effect."""
    longer = {"a": "llwwll" * 12, "b": "wwllww" * 12}
    runs = [
        make_run(
            name,
            "".join(won if i % 7 else "wl"[i % 2] for i, won in enumerate(word)),
            texts=lambda i, word=word: "word " * (12 if word[i] == "w" else 2) + "tail " * (i % 3),
        )
        for name, word in longer.items()
    ]
    effect = board_of(runs, FEW).style.coefficients["prose_length"]
    assert effect.estimate > 1
    assert effect.low > 0


def test_controlled_scores_are_those_of_an_independent_fit(tmp_path: Path) -> None:
    """The whole way from run directories, against scipy's optimiser on outcomes and contrasts put together here."""
    runs = [load_run(path) for path in write_runs(tmp_path / "r", 4, 100, seed=3)]
    board = board_of(runs, FEW)
    features = list(board.style.coefficients)
    places = [FEATURES.index(name) for name in features]
    rows = [
        (m, outcome.score, [style_of(run)[outcome.prompt_id][place] for place in places])
        for m, run in enumerate(runs)
        for outcome in stored_outcomes(run)
        if outcome.score is not None
    ]
    model, score = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    contrasts = np.array([row[2] for row in rows])

    def loss(parameters: np.ndarray) -> float:
        logit = parameters[:4][model] + contrasts @ parameters[4:]
        return float(np.sum(np.logaddexp(0, logit) - score * logit))

    found = minimize(loss, np.zeros(4 + len(features)), method="BFGS", options={"gtol": 1e-7}).x
    controlled = {entry.name: entry.controlled.estimate for entry in board.entries}
    for m, run in enumerate(runs):
        assert controlled[run.model] == pytest.approx(1 / (1 + np.exp(-found[m])), abs=1e-5)
    for place, name in enumerate(features):
        per_unit = board.style.coefficients[name].estimate / board.style.scales[name]
        assert per_unit == pytest.approx(found[4 + place], abs=1e-3)


def test_a_run_of_the_baseline_s_own_model_stands_beside_the_baseline(make_run) -> None:
    """A check of the judge that people make: its score should be near 50."""
    runs = [
        make_run("base", "wtltft" * 12, texts=lambda i: "word " * (i % 7 + 1)),
        make_run("other", "wwltwl" * 12, texts=lambda i: "word " * (i % 5 + 1)),
    ]
    board = board_of(runs, FEW)
    assert {entry.name for entry in board.entries} == {"base [run]", "other"}
    assert all(entry.controlled is not None for entry in board.entries)
