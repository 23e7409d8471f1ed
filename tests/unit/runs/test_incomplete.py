"""The last line of a run without a score says what happened and what really helps."""

from __future__ import annotations

from pathlib import Path

from codearena_plugin.runs.incomplete import incomplete_line

RUN = Path("runs/mine")


def line(**found: object) -> str | None:
    result = {"withheld": None, "stopped": None, "statuses": {"scored": 4, "unparsable": 0, "transport-error": 0}}
    return incomplete_line({**result, **found}, RUN)


def test_a_complete_run_has_no_such_line() -> None:
    assert line() is None


def test_failures_in_transport_advise_the_same_command_again() -> None:
    said = line(withheld="only 2 of 4", statuses={"scored": 2, "unparsable": 0, "transport-error": 2})
    assert said is not None
    assert said.startswith("NO SCORE: only 2 of 4; games that failed: 2 transport-error.")
    assert "run the same command again" in said
    assert str(RUN) in said


def test_unparsable_replies_advise_to_look_or_ask_again() -> None:
    said = line(withheld="only 2 of 4", statuses={"scored": 2, "unparsable": 2, "transport-error": 0})
    assert said is not None
    assert "judge_again=STATUS" in said
    assert "same command" not in said


def test_a_stop_above_the_bar_is_said_too() -> None:
    said = line(stopped="budget reached: max_calls=3")
    assert said is not None
    assert "NO SCORE" not in said
    assert "budget reached" in said
    assert "lowers the bar" not in said


def test_a_server_s_words_stay_on_one_printable_line() -> None:
    said = line(stopped="boom\x1b[31m\n\nred" + "x" * 1000)
    assert said is not None
    assert said.isprintable()
    assert len(said) < 700
