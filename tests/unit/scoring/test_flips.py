"""Two judgements of the same answers, side by side."""

from __future__ import annotations

import pytest

from codearena_plugin.records import Outcome
from codearena_plugin.scoring.flips import SCORES, flips

LETTERS = {"w": 1.0, "t": 0.5, "l": 0.0, "-": None}


def outcomes(word: str) -> list[Outcome]:
    return [Outcome(f"p{i}", LETTERS[letter], None, None) for i, letter in enumerate(word)]


def test_every_prompt_is_in_one_cell() -> None:
    found = flips(outcomes("wwwttl-w"), outcomes("wtlwtlw-"))
    cells = {(x, y): n for (x, y), n in found.table.items() if n}
    assert cells == {(1.0, 1.0): 1, (1.0, 0.5): 1, (1.0, 0.0): 1, (0.5, 1.0): 1, (0.5, 0.5): 1, (0.0, 0.0): 1}
    assert set(found.table) == {(x, y) for x in SCORES for y in SCORES}
    assert (found.flipped.estimate, found.flipped.n) == (0.5, 6)
    assert found.reversed.estimate == pytest.approx(1 / 6)
    assert (found.change.only_a, found.change.only_b) == (1, 1)


def test_the_change_is_the_second_minus_the_first() -> None:
    assert flips(outcomes("llll"), outcomes("wwtl")).change.difference.estimate == pytest.approx(0.625)


def test_swapping_the_judges_turns_the_table_and_the_change() -> None:
    one, other = flips(outcomes("wwtll"), outcomes("wtltw")), flips(outcomes("wtltw"), outcomes("wwtll"))
    assert {(y, x): n for (x, y), n in one.table.items()} == other.table
    assert one.flipped == other.flipped
    assert one.change.difference.estimate == -other.change.difference.estimate


def test_no_flip_at_all_still_has_an_interval() -> None:
    found = flips(outcomes("wtlw" * 10), outcomes("wtlw" * 10))
    assert found.flipped.estimate == 0
    assert 0 < found.flipped.high < 0.15


def test_nothing_in_common_is_an_error() -> None:
    with pytest.raises(ValueError, match="No prompt is scored in both"):
        flips(outcomes("w-"), outcomes("-w"))
