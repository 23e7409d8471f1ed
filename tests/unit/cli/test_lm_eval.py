from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from codearena_plugin.cli import lm_eval as command


def test_without_lm_eval_the_install_line_is_printed(codearena, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    done = codearena("lm-eval", "--tasks", "codearena_mini")
    assert done.code == 2
    assert "pip install 'codearena-plugin[lm-eval]'" in done.err


def test_an_old_lm_eval_is_refused(codearena, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: object())
    monkeypatch.setattr(command, "installed", lambda _name: "0.4.9.1")
    done = codearena("lm-eval", "--help")
    assert done.code == 2
    assert "lm-eval 0.4.9.1 is too old" in done.err


NEEDS_LM_EVAL = pytest.mark.skipif(importlib.util.find_spec("lm_eval") is None, reason="needs lm-eval")


def _wrapper(*arguments: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    script = Path(sys.executable).with_name("codearena")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("CODEARENA_", "OPENAI_"))}
    return subprocess.run(
        [script, "lm-eval", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env=clean | {"HF_HUB_OFFLINE": "1", "CODEARENA_HOME": str(cwd / "home")} | env,
    )


@NEEDS_LM_EVAL
def test_all_arguments_are_lm_evals_own_even_help(tmp_path):
    done = _wrapper("--help", cwd=tmp_path)
    assert done.returncode == 0
    assert "Language Model Evaluation Harness" in done.stdout


@NEEDS_LM_EVAL
def test_the_wrapper_runs_our_task_where_the_shim_is_off(tmp_path):
    from codearena_plugin import paths

    answers = paths.data_dir("tasks") / "codearena_mini" / "data" / "answers_careful.jsonl"
    done = _wrapper(
        "--model", "codearena-replay", "--model_args", f"path={answers}", "--tasks", "codearena_mini",
        cwd=tmp_path, CODEARENA_AUTOLOAD="0",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert "codearena_mini" in done.stdout


@NEEDS_LM_EVAL
def test_the_wrappers_exit_code_says_that_a_score_was_withheld(tmp_path):
    from codearena_plugin import paths

    answers = paths.data_dir("tasks") / "codearena_mini" / "data" / "answers_careful.jsonl"
    empty = tmp_path / "none.jsonl"
    empty.write_text("")
    done = _wrapper(
        "run", "--model", "codearena-replay", "--model_args", f"path={answers}", "--tasks", "codearena_mini",
        "--metadata", f'{{"judge_replay": "{empty}", "judge": "codearena"}}',
        cwd=tmp_path, CODEARENA_AUTOLOAD="0",
    )  # fmt: skip
    assert done.returncode == 3, done.stderr[-2000:]
