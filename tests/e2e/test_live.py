"""What cannot run where this project is built: the real data set, a hosted judge, a GPU. Runs where they exist.

The real data and a hosted judge cost network and money, so they also want ``CODEARENA_LIVE=1``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from codearena_plugin.judging.play import preflight
from codearena_plugin.judging.settings import resolve_settings
from codearena_plugin.prompts.answers import read_answers
from codearena_plugin.prompts.card import load_task_card
from codearena_plugin.prompts.suite import load_suite
from codearena_plugin.runs.judge import judge_answers

KEY = os.environ.get("CODEARENA_JUDGE_API_KEY") or os.environ.get("OPENAI_API_KEY")
needs_internet = pytest.mark.skipif(
    os.environ.get("CODEARENA_LIVE") != "1", reason="needs the internet: set CODEARENA_LIVE=1 where it can be reached"
)
needs_key = pytest.mark.skipif(not KEY, reason="needs a hosted judge: set CODEARENA_JUDGE_API_KEY")


def has_gpu() -> bool:
    try:
        done = subprocess.run(["nvidia-smi", "-L"], capture_output=True, timeout=20, check=False)
    except OSError:
        return False
    return done.returncode == 0


@pytest.mark.live
@needs_internet
def test_the_real_data_set_is_what_its_card_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    suite = load_suite("codearena")
    card = load_task_card("codearena")
    assert len(suite.prompts) == card.n_prompts == 397
    assert suite.baseline == card.baseline
    assert len({prompt.category.main_class for prompt in suite.prompts if prompt.category}) == 7


@pytest.mark.live
@needs_internet
@needs_key
def test_a_hosted_judge_tells_careful_from_hasty(
    mini_answers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODEARENA_JUDGE_API_KEY", str(KEY))
    options = {"judge_model": "gpt-4o-mini", "judge_max_cost_usd": 0.5, "judge_store": str(tmp_path / "replies")}
    settings = resolve_settings(options)
    assert preflight(settings) is not None
    suite = load_suite("codearena_mini")
    scores = {}
    for name in ("careful", "hasty"):
        (tmp_path / name).mkdir()
        run = judge_answers(
            suite, read_answers(mini_answers / f"answers_{name}.jsonl", suite), settings, tmp_path / name
        )
        assert run.result.withheld is None
        assert run.result.summary.score is not None
        scores[name] = run.result.summary.score.estimate
    assert scores["careful"] > scores["hasty"]


@pytest.mark.gpu
@pytest.mark.timeout(900)
@pytest.mark.skipif(not has_gpu(), reason="no NVIDIA GPU here (nvidia-smi -L)")
def test_vllm_on_a_gpu_generates_and_is_judged(tmp_path: Path) -> None:
    pytest.importorskip("vllm", reason="vLLM is not installed in this environment")
    script = Path(__file__).parents[1] / "support" / "make_tiny_model.py"
    subprocess.run([sys.executable, script, tmp_path / "model"], check=True, timeout=300)
    done = subprocess.run(
        [
            *(Path(sys.executable).parent / "lm_eval", "run", "--model", "vllm"),
            *("--model_args", f"pretrained={tmp_path / 'model'},gpu_memory_utilization=0.2,max_model_len=8192"),
            *("--tasks", "codearena_mini", "--apply_chat_template", "--batch_size", "auto"),
            *("--gen_kwargs", "max_gen_toks=64", "--output_path", str(tmp_path / "out")),
        ],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    (ours,) = (tmp_path / "out").rglob("codearena_mini_*.json")
    assert json.loads(ours.read_text())["metrics"]["coverage"] == 1.0
