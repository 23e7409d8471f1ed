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
    assert capsys.readouterr().err == "codearena: NO SCORE\n"


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
    for name, said in (("codearena", "codearena: NO SCORE: why"), ("other", "codearena: of another time")):
        log = tmp_path / "logs" / "eval" / "m" / f"{name}.out"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(f"noise\n{said}\nmore noise\n")
    assert ended.lines() == ["NO SCORE: why"]


def test_their_key_is_lent_and_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OC_JUDGE_API_KEY", "theirs")
    with environment.lent_key():
        assert os.environ["CODEARENA_JUDGE_API_KEY"] == "theirs"
    assert "CODEARENA_JUDGE_API_KEY" not in os.environ
    monkeypatch.setenv("CODEARENA_JUDGE_API_KEY", "ours")
    with environment.lent_key():
        assert os.environ["CODEARENA_JUDGE_API_KEY"] == "ours"
    assert os.environ["CODEARENA_JUDGE_API_KEY"] == "ours"
