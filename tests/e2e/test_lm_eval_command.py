"""The real `lm_eval` command, as a user types it, with a real local judge server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from judge_server import JudgeServer, permanent

BIN = Path(sys.executable).parent
LM_EVAL = BIN / "lm_eval"
pytestmark = pytest.mark.skipif(not LM_EVAL.exists(), reason="the lm_eval command is not installed here")


def lm_eval(*args: str, expect: int = 0, **environment: str) -> str:
    """Run `lm_eval run` and return all that it printed."""
    done = subprocess.run(
        [LM_EVAL, "run", *args],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    printed = done.stdout + done.stderr
    assert done.returncode == expect, printed[-3000:]
    return printed


def replay(answers: Path, **more: object) -> list[str]:
    return [
        *("--model", "codearena-replay", "--model_args", f"path={answers}"),
        *("--tasks", "codearena", "--metadata", json.dumps(more)),
    ]


@pytest.fixture
def shared_answers(arena_hard: Path) -> Path:
    return arena_hard / "answers_gpt-4-0613.jsonl.gz"


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("torch", reason="torch is not installed here")
    path = tmp_path_factory.mktemp("tiny-model")
    script = Path(__file__).parents[1] / "support" / "make_tiny_model.py"
    subprocess.run([sys.executable, script, path], check=True, capture_output=True, timeout=120)
    return path


def test_266_real_answers_are_judged_and_every_file_is_written(
    arena_hard: Path, shared_answers: Path, tmp_path: Path
) -> None:
    with JudgeServer() as judge:
        data = str(arena_hard / "prompts.jsonl.gz")
        options = replay(shared_answers, codearena_data=data, judge_base_url=judge.url)
        printed = lm_eval(*options, "--output_path", str(tmp_path), "--log_samples")
        assert judge.n_judged == 532
    assert "win_rate" in printed
    (ours,) = tmp_path.rglob("codearena_*.json")
    (theirs,) = tmp_path.rglob("results_*.json")
    (samples,) = tmp_path.rglob("samples_codearena_*.jsonl")
    assert ours.parent == theirs.parent == samples.parent
    result = json.loads(ours.read_text())
    assert result["metrics"]["n_scored"] == 266
    assert result["manifest"]["judge"]["card"] == "codearena@1-A"
    assert sum(row["n_prompts"] for row in result["strata"]["class"]) == 266
    theirs_score = json.loads(theirs.read_text())["results"]["codearena"]["score,none"]
    assert result["metrics"]["score"]["estimate"] == theirs_score
    assert len(samples.read_text().splitlines()) == 266


def test_a_local_model_with_a_chat_template_is_generated_and_judged(tiny_model: Path, tmp_path: Path) -> None:
    with JudgeServer() as judge:
        printed = lm_eval(
            *("--model", "hf", "--model_args", f"pretrained={tiny_model}", "--device", "cpu", "--apply_chat_template"),
            *("--tasks", "codearena_mini", "--batch_size", "8", "--gen_kwargs", "max_gen_toks=24"),
            *("--metadata", json.dumps({"judge": "codearena", "judge_base_url": judge.url})),
            *("--output_path", str(tmp_path)),
            OMP_NUM_THREADS="1",
        )
        assert judge.n_judged == 64
    assert "coverage" in printed
    (ours,) = tmp_path.rglob("codearena_mini_*.json")
    result = json.loads(ours.read_text())
    assert result["metrics"]["coverage"] == 1.0
    assert result["metrics"]["score"]["estimate"] < 0.5, "noise does not beat written answers"


def test_a_wrong_key_is_one_line_and_exit_code_2(mini_answers: Path) -> None:
    with JudgeServer(key="right") as judge:
        printed = lm_eval(
            *("--model", "codearena-replay", "--model_args", f"path={mini_answers / 'answers_careful.jsonl'}"),
            *("--tasks", "codearena_mini"),
            *("--metadata", json.dumps({"judge": "codearena", "judge_base_url": judge.url})),
            expect=2,
            CODEARENA_JUDGE_API_KEY="sk-wrong-but-secret",
        )
        assert judge.n_judged == 0
    assert "codearena: The judge at" in printed
    assert "Traceback" not in printed
    assert "sk-wrong-but-secret" not in printed


def test_a_judge_that_fails_too_often_gives_no_score_and_exit_code_3(mini_answers: Path, tmp_path: Path) -> None:
    with JudgeServer(script=permanent("unparsable", 0.5)) as judge:
        printed = lm_eval(
            *("--model", "codearena-replay", "--model_args", f"path={mini_answers / 'answers_careful.jsonl'}"),
            *("--tasks", "codearena_mini", "--output_path", str(tmp_path)),
            *("--metadata", json.dumps({"judge": "codearena", "judge_base_url": judge.url})),
            expect=3,
        )
    assert "NO SCORE" in printed
    assert "unparsable" in printed
    (ours,) = tmp_path.rglob("codearena_mini_*.json")
    metrics = json.loads(ours.read_text())["metrics"]
    assert metrics["score"] is None
    assert metrics["win_rate"] is None
    assert metrics["coverage"] < 0.95


def test_the_bare_command_needs_no_include_path_and_no_judge_for_the_mini_suite(
    mini_answers: Path, tmp_path: Path
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(
        "model: codearena-replay\n"
        f"model_args: {{path: {mini_answers / 'answers_hasty.jsonl'}}}\n"
        "tasks: [codearena_mini]\n"
    )
    printed = lm_eval("--config", str(config))
    assert "a smoke test, not a preference model" in printed
    assert "win_rate" in printed


def test_answers_with_missing_ids_are_named_before_anything_is_judged(mini_answers: Path, tmp_path: Path) -> None:
    part = tmp_path / "answers_part.jsonl"
    part.write_text("".join((mini_answers / "answers_careful.jsonl").read_text().splitlines(keepends=True)[:30]))
    printed = lm_eval(
        *("--model", "codearena-replay", "--model_args", f"path={part}", "--tasks", "codearena_mini"), expect=2
    )
    assert "mini-031" in printed
    assert "Traceback" not in printed


def test_an_empty_directory_named_like_the_task_does_not_hide_it(mini_answers: Path, tmp_path: Path) -> None:
    (tmp_path / "codearena_mini").mkdir()
    before = Path.cwd()
    os.chdir(tmp_path)
    try:
        printed = lm_eval(
            *("--model", "codearena-replay", "--model_args", f"path={mini_answers / 'answers_hasty.jsonl'}"),
            *("--tasks", "codearena_mini", "--limit", "2"),
        )
    finally:
        os.chdir(before)
    assert "win_rate" in printed
    shutil.rmtree(tmp_path / "codearena_mini")
