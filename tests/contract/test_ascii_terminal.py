"""Promises about output where nothing but ASCII is known: no command fails, and our own signs have a likeness."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Codearena = Callable[..., str]


@pytest.fixture
def codearena(tmp_path: Path) -> Codearena:
    """The command line in a process of its own, in the C locale, with a home whose name is not ASCII."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CODEARENA_", "LC_", "PYTHON"))}
    ascii_only = {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    env = {**kept, **ascii_only, "CODEARENA_HOME": str(tmp_path / "höme")}

    def run(*arguments: object, code: int = 0) -> str:
        command = [sys.executable, "-m", "codearena_plugin", *map(str, arguments)]
        done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, check=False, timeout=120)
        assert b"Traceback" not in done.stderr, done.stderr.decode()
        assert done.returncode == code, done.stderr.decode()
        return done.stdout.decode("ascii")

    return run


@pytest.fixture
def run_dir(codearena: Codearena, mini_answers: Path, tmp_path: Path) -> Path:
    codearena("judge", mini_answers / "answers_careful.jsonl", "--suite", "codearena_mini", "--output", "rün")
    return tmp_path / "rün"


def test_judging_prints_straight_tables_with_boxes_of_ascii(
    codearena: Codearena, mini_answers: Path, tmp_path: Path
) -> None:
    out = codearena("judge", mini_answers / "answers_careful.jsonl", "--suite", "codearena_mini", "--tables", "all")
    assert "|score              |  90.6 |   79.2 - 96.1 |       32|" in out
    assert "\\u" not in out
    assert str(tmp_path / "h<U+DCC3><U+DCB6>me") in out


def test_runs_are_compared(codearena: Codearena, run_dir: Path, mini_answers: Path) -> None:
    codearena("judge", mini_answers / "answers_hasty.jsonl", "--suite", "codearena_mini", "--output", "other")
    assert "careful - hasty" in codearena("compare", run_dir, "other")


def test_chinese_prompts_are_shown_by_code_point(codearena: Codearena, run_dir: Path) -> None:
    assert "mini-031" in codearena("show", run_dir)
    assert "\\u6211\\u662f" in codearena("show", run_dir, "mini-032", "--full")
    codearena("show", run_dir, "nö", code=2)


def test_the_doctor_reads_a_store_in_such_a_home(codearena: Codearena, tmp_path: Path) -> None:
    (tmp_path / "höme").mkdir()
    (tmp_path / "höme" / "replies.sqlite3").write_bytes(b"")
    assert "0 rows" in codearena("doctor")


def test_the_published_gap_is_printed(codearena: Codearena) -> None:
    out = codearena("gap", "--published", "--bootstraps", "100")
    assert "\\u" not in out
    assert "Qwen2.5-Coder-32B-Instruct -" in out


@pytest.mark.parametrize("command", ["judge", "rescore", "compare", "gap", "show", "doctor"])
def test_every_command_explains_itself(codearena: Codearena, command: str) -> None:
    assert f"codearena {command}" in codearena(command, "--help")


def test_a_run_is_read_again_in_every_format(codearena: Codearena, run_dir: Path) -> None:
    assert "79.2" in codearena("rescore", run_dir)
    assert '"schema"' in codearena("rescore", run_dir, "--format", "json")
    assert "| score | 90.6 | 79.2 - 96.1 | 32 |" in codearena("rescore", run_dir, "--format", "markdown")
