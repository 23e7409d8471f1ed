"""Handled errors in OpenCompass' processes, and how its tasks ended."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from codearena_plugin.errors import ConfigError, IncompleteRunError
from codearena_plugin.harness.opencompass import environment, exits


def test_in_a_program_our_errors_are_exceptions() -> None:
    with pytest.raises(ConfigError), exits.plain_errors():
        raise ConfigError


def test_in_a_task_they_are_one_line_and_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    main = ModuleType("__main__")
    main.__file__ = "/somewhere/opencompass/tasks/openicl_eval.py"
    monkeypatch.setitem(sys.modules, "__main__", main)
    msg = "NO SCORE"
    with pytest.raises(SystemExit) as ended, exits.plain_errors():
        raise IncompleteRunError(msg)
    assert ended.value.code == 3
    assert capsys.readouterr().err == "codearena: NO SCORE (exit code 3)\n"


@pytest.mark.parametrize(("codes", "expected"), [((), 0), ((3,), 3), ((3, 2), 2), ((2, 137, 3), 1), ((1,), 1)])
def test_the_worst_task_decides_the_exit_code(codes: tuple[int, ...], expected: int) -> None:
    ended = exits.Ended()
    ended.failed = [(f"task {code}", code) for code in codes]
    assert ended.code == expected


def test_failed_tasks_are_noted_and_their_logs_are_read(tmp_path: Path) -> None:
    class Runner:
        def summarize(self, status: Any) -> str:
            return f"{len(status)} told"

    main: Any = SimpleNamespace(get_config_from_arg=lambda _args: {"work_dir": str(tmp_path)})
    ended = exits.watch(main, Runner)
    main.get_config_from_arg(None)
    told = Runner().summarize([("OpenICLEval[m/codearena]", 3), ("OpenICLEval[m/other]", 0), ("OpenICLInfer[m/x]", -9)])
    assert told == "3 told"
    assert ended.failed == [("OpenICLEval[m/codearena]", 3), ("OpenICLInfer[m/x]", -9)]
    assert ended.code == 1
    (tmp_path / "logs" / "eval" / "m").mkdir(parents=True)
    (tmp_path / "logs" / "eval" / "m" / "codearena.out").write_text("noise\ncodearena: NO SCORE: why (exit code 3)\n")
    assert ended.lines == ["NO SCORE: why", "OpenICLInfer[m/x] failed with code -9; see its log"]


def test_a_launcher_that_hides_the_code_does_not_hide_why(tmp_path: Path) -> None:
    ended = exits.Ended()
    ended.config = {"work_dir": str(tmp_path)}
    ended.failed = [("SubjectiveEval[m/codearena_subjective]--judge-by--j", 1)]
    assert ended.code == 1
    (tmp_path / "logs" / "eval" / "m").mkdir(parents=True)
    log = tmp_path / "logs" / "eval" / "m" / "codearena_subjective.out"
    log.write_text("codearena: NO SCORE: why (exit code 3)\ntorch.distributed: a child failed\n")
    assert (ended.code, ended.lines) == (3, ["NO SCORE: why"])


def test_an_unknown_name_is_one_line() -> None:
    def read(_args: Any) -> None:
        table = "| Not matched patterns |\n|---|\n| typo |\n+---+"
        msg = f"The provided pattern matches 0 or more than one config.\n+---+\n{table}"
        raise ValueError(msg)

    main: Any = SimpleNamespace(get_config_from_arg=read)
    exits.watch(main, type("Runner", (), {"summarize": None}))
    with pytest.raises(ConfigError, match="finds no config typo: look at"):
        main.get_config_from_arg(None)


def test_their_key_is_lent_and_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OC_JUDGE_API_KEY", "theirs")
    with environment.lent_key():
        assert "CODEARENA_JUDGE_API_KEY" not in os.environ, "their key is for their URL alone"
    monkeypatch.setenv("OC_JUDGE_API_BASE", "http://theirs/v1")
    with environment.lent_key({"judge_base_url": "http://ours/v1"}):
        assert "CODEARENA_JUDGE_API_KEY" not in os.environ
    with environment.lent_key():
        assert os.environ["CODEARENA_JUDGE_API_KEY"] == "theirs"
    assert "CODEARENA_JUDGE_API_KEY" not in os.environ
    monkeypatch.setenv("CODEARENA_JUDGE_API_KEY", "ours")
    with environment.lent_key():
        assert os.environ["CODEARENA_JUDGE_API_KEY"] == "ours"
    assert os.environ["CODEARENA_JUDGE_API_KEY"] == "ours"
