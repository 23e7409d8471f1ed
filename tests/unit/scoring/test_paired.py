from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codearena_plugin.records import Outcome
from codearena_plugin.scoring.paired import PairedDifference, difference_of_scores, holm, mean_scores

pairs = st.lists(st.tuples(*[st.sampled_from([0.0, 0.5, 1.0])] * 2), min_size=1, max_size=40)
p_values = st.lists(st.floats(0, 1), max_size=12)


def run(scores: list[float | None], first: int = 0) -> list[Outcome]:
    return [Outcome(f"p{i}", score, None, None) for i, score in enumerate(scores, start=first)]


def compared(a: list[Outcome], b: list[Outcome], confidence: float = 0.95) -> PairedDifference:
    return difference_of_scores(mean_scores(a), mean_scores(b), confidence=confidence)


@given(pairs)
def test_swapping_the_runs_negates_the_difference_and_keeps_the_p_value(rows: list[tuple[float, float]]) -> None:
    a, b = run([x for x, _ in rows]), run([y for _, y in rows])
    there, back = compared(a, b), compared(b, a)
    assert (back.difference.low, back.difference.high) == (-there.difference.high, -there.difference.low)
    assert back.p_value == there.p_value


@given(pairs, st.sampled_from([0.8, 0.9, 0.95]))
def test_the_interval_leaves_out_zero_exactly_where_the_test_rejects(
    rows: list[tuple[float, float]], confidence: float
) -> None:
    found = compared(run([x for x, _ in rows]), run([y for _, y in rows]), confidence=confidence)
    assert -1 <= found.difference.low <= found.difference.estimate <= found.difference.high <= 1
    assert found.difference.low < found.difference.high
    leaves_out_zero = found.difference.low > 0 or found.difference.high < 0
    if abs(found.p_value - (1 - confidence)) > 1e-9:
        assert leaves_out_zero == (found.p_value < 1 - confidence)


@given(pairs, st.randoms())
def test_the_order_of_the_prompts_is_irrelevant(rows: list[tuple[float, float]], random) -> None:
    a, b = run([x for x, _ in rows]), run([y for _, y in rows])
    assert compared(random.sample(a, len(a)), random.sample(b, len(b))) == compared(a, b)


def test_a_worked_example_equals_the_paired_t_test() -> None:
    """Differences 1, 1, 0, .5, 1, 0, .5, -.5: mean .4375, sd .5630, t = 2.1979 with 7 degrees, p = .0639 (R)."""
    found = compared(run([1, 1, 1, 1, 1, 0, 0.5, 0]), run([0, 0, 1, 0.5, 0, 0, 0, 0.5]))
    assert found.difference.estimate == 0.4375
    assert found.difference.stderr == pytest.approx(0.19905, abs=1e-5)
    assert found.p_value == pytest.approx(0.0639, abs=1e-4)


def test_only_prompts_scored_in_both_runs_are_compared_and_the_others_are_counted() -> None:
    a, b = run([1.0, 1.0, None, 0.0, 1.0]), run([0.0, None, 1.0, 0.0], first=0) + run([None], first=9)
    found = compared(a, b)
    assert (found.n_common, found.only_a, found.only_b) == (2, 2, 1)
    assert found.difference.estimate == 0.5


def test_runs_that_agree_on_every_prompt_are_not_shown_to_be_equal() -> None:
    found = compared(run([1.0, 0.5, 0.0]), run([1.0, 0.5, 0.0]))
    assert found.p_value == 1.0
    assert found.difference.low < 0 < found.difference.high


def test_five_equal_half_point_differences_are_as_weak_as_the_sign_test_says() -> None:
    found = compared(run([1.0] * 5), run([0.5] * 5))
    assert found.difference.estimate == 0.5
    assert found.p_value == pytest.approx(2 * 0.5**5, abs=0.01)


def test_one_common_prompt_says_nothing() -> None:
    found = compared(run([1.0]), run([0.0]))
    assert (found.difference.low, found.difference.high, found.difference.stderr) == (-1.0, 1.0, None)
    assert found.p_value == 1.0


def test_repeated_answers_enter_as_their_mean() -> None:
    found = compared(run([1.0, 0.0]) + run([0.0, 0.0]), run([0.0, 0.0]))
    assert (found.difference.estimate, found.n_common) == (0.25, 2)


@pytest.mark.parametrize(("a", "b"), [([], []), ([1.0], [None]), ([None], [1.0])])
def test_runs_without_a_common_scored_prompt_are_not_compared(a: list[float | None], b: list[float | None]) -> None:
    with pytest.raises(ValueError, match="No prompt is scored in both runs"):
        compared(run(a), run(b))


def test_a_score_of_nan_is_refused() -> None:
    with pytest.raises(ValueError, match="nan"):
        compared(run([math.nan, 1.0]), run([1.0, 1.0]))


def test_holm_reproduces_the_textbook() -> None:
    """R: p.adjust(c(0.01, 0.02, 0.03, 0.04, 0.05), "holm") and a shuffled, tied case."""
    assert holm([0.01, 0.02, 0.03, 0.04, 0.05]) == pytest.approx([0.05, 0.08, 0.09, 0.09, 0.09])
    assert holm([0.5, 0.001, 0.5]) == pytest.approx([1.0, 0.003, 1.0])


@given(p_values)
def test_holm_keeps_the_ranking_and_lies_between_the_raw_value_and_bonferroni(values: list[float]) -> None:
    adjusted = holm(values)
    for raw, new in zip(values, adjusted, strict=True):
        assert raw <= new <= min(1.0, len(values) * raw) + 1e-12
    assert [new for _, new in sorted(zip(values, adjusted, strict=True))] == sorted(adjusted)


@pytest.mark.parametrize("bad", [math.nan, -0.1, 1.1])
def test_holm_refuses_what_is_no_p_value(bad: float) -> None:
    with pytest.raises(ValueError, match="A p-value is"):
        holm([0.5, bad])
