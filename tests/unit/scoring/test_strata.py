from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codearena_plugin.records import Outcome
from codearena_plugin.scoring.strata import by_stratum
from codearena_plugin.scoring.summary import summarise

STRATA = {"1": ["java", "python"], "2": ["python"], "3": [], "4": ["zig"], "5": ["ada"]}
ROWS = [Outcome(prompt_id, 1.0 if prompt_id < "3" else None, None, None) for prompt_id in STRATA]


@given(st.permutations(ROWS))
def test_rows_come_in_the_fixed_order_then_alphabetically_whatever_comes_first_in_the_data(rows: list[Outcome]) -> None:
    found = by_stratum(rows, STRATA, order=["python", "cobol", "java"])
    assert [row.name for row in found] == ["python", "java", "ada", "zig"]


def test_a_prompt_counts_in_each_of_its_languages() -> None:
    found = dict(by_stratum(ROWS, STRATA, order=[]))
    assert (found["python"].n_prompts, found["java"].n_prompts) == (2, 1)
    assert found["python"] == summarise(ROWS[:2])


def test_a_stratum_whose_prompts_all_failed_is_shown_with_coverage_0() -> None:
    assert dict(by_stratum(ROWS, STRATA, order=["zig"]))["zig"].coverage == 0.0


def test_a_name_given_twice_counts_once() -> None:
    found = by_stratum(ROWS[:1], {"1": ["java", "java"]}, order=["java", "java"])
    assert [(row.name, row.summary.n_prompts) for row in found] == [("java", 1)]


def test_a_prompt_that_the_strata_do_not_know_is_an_error_that_names_it() -> None:
    with pytest.raises(ValueError, match="'1' has no strata"):
        by_stratum(ROWS, {}, order=[])


def test_no_outcomes_have_no_rows() -> None:
    assert by_stratum([], STRATA, order=["python"]) == []
