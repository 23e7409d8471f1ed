from __future__ import annotations

import json
from typing import get_args

import pytest
from judging_runs import a_suite

from codearena_plugin.prompts.suite import Suite
from codearena_plugin.records import STATUSES, Game, Label, Order, ReadingMode, Reply, Status, Verdict
from codearena_plugin.runs.result import RATES, Result, make_result

SUITE = a_suite(20)


def games(labels: dict[tuple[str, Order], Label], failed: Status = "unparsable") -> list[Game]:
    """Return both games of every prompt: a win of the answer, unless told otherwise."""
    found = []
    for prompt in SUITE.prompts:
        for order in get_args(Order):
            label = labels.get((prompt.id, order), "B>A" if order == "baseline_first" else "A>B")
            verdict = Verdict("scored", label) if label else Verdict(failed, reason="because")
            found.append(Game(prompt.id, order, ("key",), (Reply(text="said"),), verdict))
    return found


def result(
    played: list[Game], suite: Suite = SUITE, mode: ReadingMode = "default", min_coverage: float = 0.95
) -> Result:
    return make_result(suite, played, {}, policy="both", mode=mode, min_coverage=min_coverage)


FAIL: Label = ""  # type: ignore[assignment]


def test_coverage_at_the_threshold_is_enough() -> None:
    found = result(games({("p000", "baseline_first"): FAIL}))
    assert (found.summary.n_scored, found.summary.coverage, found.withheld) == (19, 0.95, None)


@pytest.mark.parametrize("status", [status for status in STATUSES if status != "scored"])
def test_below_the_threshold_every_rate_is_absent_everywhere(status: Status) -> None:
    found = result(games({("p000", "baseline_first"): FAIL, ("p001", "answer_first"): FAIL}, status))
    assert "coverage 0.9000, required 0.95" in str(found.withheld)
    data = json.loads(json.dumps(found.to_json(), allow_nan=False))
    rows = [row for rows in data["strata"].values() for row in rows]
    assert len(rows) == 5
    for table in [data["metrics"], *rows]:
        assert all(table[rate] is None for rate in RATES)
        assert (table["n_prompts"], table["n_scored"], table["coverage"]) == (20, 18, 0.9)
    assert data["statuses"][status] == 2
    assert data["problems"] == {status: {"because": 2}}


def test_one_failed_game_leaves_its_prompt_unscored_and_is_no_tie() -> None:
    found = result(games({("p000", "baseline_first"): FAIL}))
    assert found.summary.tie_rate is not None
    assert found.summary.win_rate is not None
    assert (found.summary.tie_rate.estimate, found.summary.win_rate.estimate) == (0.0, 1.0)


def test_a_prompt_without_games_lowers_the_coverage() -> None:
    found = result(games({})[4:])
    assert found.summary.coverage == 0.9


@pytest.mark.parametrize("mode", ["default", "reference"])
def test_without_one_scored_prompt_there_is_no_score_even_if_none_is_required(mode: ReadingMode) -> None:
    nothing = {(prompt.id, order): FAIL for prompt in SUITE.prompts for order in get_args(Order)}
    found = result(games(nothing), mode=mode, min_coverage=0)
    assert found.withheld == "none of 20 prompts was scored"
    assert found.to_json()["metrics"]["score"] is None


def test_reference_mode_counts_failed_games_as_nothing_but_not_as_covered() -> None:
    found = result(
        games({("p000", "baseline_first"): FAIL, ("p001", "answer_first"): FAIL}), mode="reference", min_coverage=0
    )
    assert found.summary.score is not None
    assert (found.summary.score.n, found.summary.score.estimate) == (20, 1.0)
    assert (found.summary.n_scored, found.summary.coverage) == (18, 0.9)
    for rows in found.strata.values():
        assert [(row.summary.n_scored, row.summary.coverage) for row in rows] == [(18, 0.9)]


def test_only_the_most_frequent_reasons_are_listed() -> None:
    played = [
        Game(g.prompt_id, g.order, (), (), Verdict("transport-error", reason=f"reason {min(i, 5)}"))
        for i, g in enumerate(games({}))
    ]
    reasons = result(played).problems["transport-error"]
    assert len(reasons) == 3
    assert next(iter(reasons.items())) == ("reason 5", 35)
