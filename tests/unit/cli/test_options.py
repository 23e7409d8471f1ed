from __future__ import annotations

import re

import pytest

from codearena_plugin import paths
from codearena_plugin.cli.main import app
from codearena_plugin.judging.options import OPTIONS
from codearena_plugin.runs import options as run_options

MINI = paths.data_dir("tasks") / "codearena_mini" / "data" / "answers_careful.jsonl"
ONLY_BY_SET = {"judge_top_p", "judge_seed", "judge_attempts", "judge_context_tokens"}


def _parameters_of_judge() -> set[str]:
    command = next(command for command in app.registered_commands if command.callback.__name__ == "judge")
    return set(command.callback.__annotations__)


def test_every_judge_option_has_a_flag_or_is_known_to_need_set():
    assert {option.key for option in OPTIONS} - _parameters_of_judge() == ONLY_BY_SET


def test_no_parameter_names_an_option_that_does_not_exist():
    known = {option.key for option in OPTIONS} | set(run_options.OPTIONS)
    ours = {name for name in _parameters_of_judge() if re.match(r"judge(_|$)|codearena_", name)}
    assert ours <= known


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("judge_api_key=sk-very-secret", "CODEARENA_JUDGE_API_KEY"),
        ("api_key=sk-very-secret", "judge_…=value"),
        ("sk-very-secret", "judge_…=value"),
        ("judge_tpo_p=0.9", "Did you mean 'judge_top_p'?"),
        ("judge_top_p=2", "judge_top_p='2' cannot be used: expected a share from 0 to 1"),
    ],
)
def test_a_wrong_set_is_one_line_that_never_repeats_a_key(codearena, given, said):
    done = codearena("judge", MINI, "--suite", "codearena_mini", "--set", given)
    assert done.code == 2
    assert said in done.err
    assert done.err.count("\n") == 1
    assert "sk-very-secret" not in done.out + done.err


def test_an_option_given_in_both_ways_is_refused(codearena):
    done = codearena("judge", MINI, "--suite", "codearena_mini", "--order", "both", "--set", "judge_order=both")
    assert done.code == 2
    assert "judge_order is given twice" in done.err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--data", "./codearena_data"), "'./codearena_data' does not exist"),
        (("--judge", "codearena-evidence", "--evidence", "judge_model"), "--evidence='judge_model' is not there"),
        (("--judge", "codearena", "--reasoning", "--temperature", "1"), "Leave it out, or set --no-reasoning."),
        (("--judge", "codearena-evidence"), "or give --execute, which runs"),
        (("--set", "judge_ordr=both"), "Did you mean 'judge_order'?"),
    ],
)
def test_an_error_names_options_as_this_command_takes_them_and_leaves_the_user_s_words(codearena, given, said):
    url = ("--judge-base-url", "http://127.0.0.1:9/v1")
    done = codearena("judge", MINI, "--suite", "codearena" if "--data" in given else "codearena_mini", *given, *url)
    assert done.code == 2
    assert said in done.err
    assert "--execute=" not in done.err


def test_set_reaches_the_judge(codearena):
    options = ("--judge", "codearena", "--judge-base-url", "http://127.0.0.1:9/v1", "--set", "judge_context_tokens=256")
    done = codearena("judge", MINI, "--suite", "codearena_mini", "--dry-run", *options)
    assert done.code == 0
    assert "64 skipped as too long for the judge, 0 to ask" in done.out


@pytest.mark.parametrize(
    ("flag", "value", "said"),
    [
        ("--concurrency", "many", "--concurrency='many' cannot be used: expected a whole number of at least 1"),
        ("--min-coverage", "95", "expected a share from 0 to 1"),
        ("--order", "random", "both or baseline_first or answer_first"),
        ("--judge", "codarena", "Did you mean 'codearena'?"),
        ("--judge-backend", "opnai", "Did you mean 'openai'?"),
        ("--tables", "most", "Available: all, main, none"),
        ("--data", "elsewhere.jsonl", "is its own data"),
        ("--baseline", "gpt-5", "Unknown baseline 'gpt-5'"),
        ("--max-words", "few", "--max-words='few'"),
        ("--suite", "codearena_mimi", "Did you mean 'codearena_mini'?"),
    ],
)
def test_a_value_that_cannot_be_used_is_one_line(codearena, flag, value, said):
    done = codearena("judge", MINI, "--suite", "codearena_mini", flag, value)
    assert done.code == 2
    assert said in done.err
    assert done.err.count("\n") == 1


def test_a_dry_run_carries_the_demo_mark_and_the_judge_s_notice(codearena):
    done = codearena("judge", MINI, "--suite", "codearena_mini", "--dry-run")
    assert done.code == 0
    assert "DEMO: prompts of our own" in done.out
    assert "a smoke test, not a preference model" in done.out


def test_a_judge_without_a_network_is_said_to_have_made_no_call(codearena):
    done = codearena("judge", MINI, "--suite", "codearena_mini")
    assert "none, back end static;" in done.out
    assert "cost" not in done.out
