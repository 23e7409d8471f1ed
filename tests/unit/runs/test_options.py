from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from codearena_plugin.errors import ConfigError
from codearena_plugin.runs.options import OPTIONS, default_judge, resolve_options


def test_an_option_beats_the_environment() -> None:
    environ = {"CODEARENA_DATA": "env.jsonl", "CODEARENA_OUTPUT": "~/out"}
    chosen = resolve_options({"codearena_data": "option.jsonl"}, "codearena", environ=environ)
    assert chosen.suite.data == "option.jsonl"
    assert chosen.output == Path("~/out").expanduser()
    assert resolve_options({}, "codearena", environ=environ).suite.data == "env.jsonl"
    assert resolve_options({"codearena_data": ""}, "codearena", environ=environ).suite.data == "env.jsonl"


@pytest.mark.parametrize("key", OPTIONS)
def test_nothing_chosen_is_nothing(key: str) -> None:
    assert resolve_options({key: None}, "codearena", environ={key.upper(): ""}) == resolve_options(
        {}, "codearena", environ={}
    )


def test_a_suite_that_is_its_own_data_takes_none() -> None:
    chosen = resolve_options({"codearena_data": "x", "codearena_baseline": "b"}, "codearena_mini", environ={})
    assert (chosen.suite.data, chosen.suite.baseline) == (None, None)


@pytest.mark.parametrize("value", ["many", "1.5", [1], float("inf"), float("nan")])
def test_a_wrong_number_of_words_is_named(value: Any) -> None:
    with pytest.raises(ConfigError, match="codearena_max_words="):
        resolve_options({"codearena_max_words": value}, "codearena", environ={})


def test_zero_words_are_not_taken_for_no_choice() -> None:
    assert resolve_options({"codearena_max_words": 0}, "codearena", environ={}).suite.max_words == 0


def test_an_unknown_option_suggests_the_nearest() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'codearena_baseline'"):
        resolve_options({"codearena_basline": 1}, "codearena", environ={})


def test_other_options_are_not_ours() -> None:
    assert resolve_options({"judge_model": "m", "x": 1}, "codearena", environ={}).suite.data is None


@pytest.mark.parametrize(
    ("task", "judge"), [("codearena", "codearena"), ("codearena_mini", "static"), ("a-strangers", "codearena")]
)
def test_a_suite_names_its_judge(task: str, judge: str) -> None:
    assert default_judge(task) == judge


def test_running_code_is_an_option_of_its_own_and_off_by_default() -> None:
    assert resolve_options({}, "codearena", environ={}).execute is False
    chosen = resolve_options(
        {"codearena_execute": "true", "codearena_sandbox": "unsafe-local", "codearena_workers": "3"},
        "codearena",
        environ={"CODEARENA_EVIDENCE": "found"},
    )
    assert (chosen.execute, chosen.sandbox.name, chosen.sandbox.allow_unsafe) == (True, "unsafe-local", True)
    assert (chosen.workers, str(chosen.evidence)) == (3, "found")


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("codearena_execute", "maybe", "codearena_execute='maybe' cannot be used: expected true or false"),
        ("codearena_workers", "0", "codearena_workers=0 cannot be used"),
        ("codearena_workers", "many", "codearena_workers='many' cannot be used"),
        ("codearena_sandbox", "bublewrap", "bubblewrap"),
    ],
)
def test_an_option_of_running_code_that_cannot_be_used_is_named(key: str, value: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        resolve_options({key: value}, "codearena", environ={})
