from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codearena_plugin.records import Outcome
from codearena_plugin.scoring.summary import Summary, summarise, withheld_reason

PUBLISHED = Path(__file__).resolve().parents[4] / "shared" / "data" / "published" / "codearena_table.csv"
maybe_scores = st.lists(st.sampled_from([0.0, 0.5, 1.0, None]), max_size=50)


def outcomes(scores: list[float | None]) -> list[Outcome]:
    return [one(str(i), score) for i, score in enumerate(scores)]


def one(prompt_id: str, score: float | None, *, consistent: bool | None = None) -> Outcome:
    points = None if score is None else round(2 * score - 1)
    return Outcome(prompt_id, score=score, points=points, consistent=consistent)


def counted(wins: int, ties: int, n: int) -> Summary:
    return summarise(outcomes([1.0] * wins + [0.5] * ties + [0.0] * (n - wins - ties)))


def percent(summary: Summary) -> tuple[float, float, float]:
    assert summary.win_rate is not None
    assert summary.tie_rate is not None
    assert summary.score is not None
    rates = (summary.win_rate.estimate, summary.tie_rate.estimate, summary.score.estimate)
    return tuple(round(100 * rate, 1) for rate in rates)  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("wins", "ties", "n", "published"),
    [(192, 87, 390, (49.2, 22.3, 60.4)), (271, 71, 392, (69.1, 18.1, 78.2))],
    ids=["Qwen2.5-SynCoder", "GPT-4o-2024-08-06"],
)
def test_the_papers_counts_give_the_papers_rates(
    wins: int, ties: int, n: int, published: tuple[float, float, float]
) -> None:
    """Yang et al. 2024, Table 3 (win / tie) and the score of the published script."""
    assert percent(counted(wins, ties, n)) == published


@pytest.mark.skipif(not PUBLISHED.is_file(), reason=f"{PUBLISHED} is not here (shared data of the project)")
def test_the_six_rows_that_print_score_and_win_are_recomputed_from_their_counts() -> None:
    """Six rows of Table 3 print score / win where win / tie is meant; ``*_recomputed`` holds win / tie."""
    table = csv.DictReader(PUBLISHED.read_text().splitlines())
    rows = [row for row in table if row["erratum_inferred"].startswith("printed Avg is score/win")]
    assert len(rows) == 6
    for row in rows:
        n, wins, ties = (int(row[key]) for key in ("n_questions_inferred", "wins_inferred", "ties_inferred"))
        win, tie, score = percent(counted(wins, ties, n))
        assert (win, tie) == (float(row["win_recomputed"]), float(row["tie_recomputed"])), row["model"]
        assert (score, win) == (float(row["codearena_win"]), float(row["codearena_tie"])), row["model"]


@given(maybe_scores)
def test_rates_add_up_to_one_and_failures_are_in_none_of_them(scores: list[float | None]) -> None:
    found = summarise(outcomes(scores))
    scored = [score for score in scores if score is not None]
    assert (found.n_prompts, found.n_scored) == (len(scores), len(scored))
    rates = (found.win_rate, found.tie_rate, found.loss_rate)
    if not scored:
        assert rates == (None, None, None)
        assert found.score is None
        return
    assert found == summarise(outcomes(scores))
    assert sum(rate.estimate for rate in rates if rate) == pytest.approx(1)
    assert found.score is not None
    assert found.score.estimate == pytest.approx(sum(scored) / len(scored))
    assert found.score.n == len(scored)


@given(maybe_scores, st.randoms())
def test_the_order_of_the_outcomes_is_irrelevant(scores: list[float | None], random) -> None:
    rows = outcomes(scores)
    assert summarise(random.sample(rows, len(rows))).score == summarise(rows).score


def test_a_failed_prompt_lowers_the_coverage_and_not_the_score() -> None:
    found = summarise(outcomes([1.0, 1.0, None, None]))
    assert found.coverage == 0.5
    assert found.score is not None
    assert found.score.estimate == 1.0


def test_an_empty_run_has_no_rate_and_no_coverage() -> None:
    assert summarise([]) == Summary(0, 0, 0.0, None, None, None, None, None)


def test_order_consistency_counts_only_prompts_with_two_scored_games() -> None:
    rows = [one("a", 1.0, consistent=True), one("b", 0.5, consistent=False), one("c", 1.0), one("d", None)]
    found = summarise(rows).order_consistency
    assert found is not None
    assert (found.estimate, found.n) == (0.5, 2)
    assert summarise([one("c", 1.0)]).order_consistency is None


def test_repeated_answers_to_a_prompt_count_as_one_prompt_in_the_interval() -> None:
    rows = outcomes([1.0, 0.0, 1.0, 0.5])
    once, thrice = summarise(rows), summarise(rows * 3)
    assert thrice.n_prompts == 12
    assert thrice.score == once.score


def test_a_score_of_nan_is_refused() -> None:
    with pytest.raises(ValueError, match="nan"):
        summarise([one("a", 1.0), Outcome("b", score=math.nan, points=None, consistent=None)])


def test_a_score_is_withheld_below_the_coverage_asked_for() -> None:
    found = summarise(outcomes([1.0] * 18 + [None] * 2))
    assert withheld_reason(found, 0.95) == "only 18 of 20 prompts were scored (coverage 0.9000, required 0.95)"
    assert withheld_reason(found, 0.9) is None


def test_a_coverage_of_exactly_the_threshold_is_enough() -> None:
    assert withheld_reason(summarise(outcomes([1.0] * 19 + [None])), 0.95) is None


@pytest.mark.parametrize("scores", [[], [None, None]])
def test_a_score_is_withheld_where_nothing_was_scored_even_if_no_coverage_is_asked_for(
    scores: list[float | None],
) -> None:
    assert withheld_reason(summarise(outcomes(scores)), 0.0) == f"none of {len(scores)} prompts was scored"


@pytest.mark.parametrize("threshold", [-0.1, 95, math.nan])
def test_a_coverage_threshold_that_is_no_share_is_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match="min_coverage"):
        withheld_reason(summarise(outcomes([1.0])), threshold)
