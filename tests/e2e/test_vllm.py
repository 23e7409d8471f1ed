"""The real vLLM engine on this CPU, generating and judging. Skips where `make test-vllm` has not made its place."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from pass_runs import sandbox_options, write_data

ROOT = Path(__file__).parents[2]
BIN = ROOT / ".venv-vllm" / "bin"
pytestmark = [
    pytest.mark.vllm,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not (ROOT / ".venv-vllm" / ".installed").exists(), reason="no .venv-vllm here: make test-vllm"),
]
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",  # two cores: vLLM's threads otherwise spin against each other
    "HF_HUB_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_LOGGING_LEVEL": "WARNING",
}
SMALL = "dtype=float32,enforce_eager=True,max_model_len=8192,kv_cache_memory_bytes=67108864"


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tiny-model")
    script = ROOT / "tests" / "support" / "make_tiny_model.py"
    subprocess.run([BIN / "python", script, path], check=True, capture_output=True, timeout=180)
    return path


@pytest.fixture(scope="module")
def judge_url(tiny_model: Path) -> Iterator[str]:
    """Serve the tiny model as a judge; it answers noise."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [
            *(BIN / "vllm", "serve", tiny_model, "--served-model-name", "tiny-judge"),
            *("--host", "127.0.0.1", "--port", str(port), "--dtype", "float32", "--enforce-eager"),
            *("--max-model-len", "8192", "--kv-cache-memory-bytes", str(64 << 20), "--generation-config", "vllm"),
        ],
        env={**os.environ, **ENVIRONMENT},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(f"http://127.0.0.1:{port}/health", server)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait(60)


def _wait(url: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert server.poll() is None, "vllm serve ended by itself"
        try:
            urllib.request.urlopen(url, timeout=2)
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
        else:
            return
    pytest.fail("vllm serve did not come up")


def lm_eval(*args: str, expect: int) -> str:
    done = subprocess.run(
        [BIN / "lm_eval", "run", *args],
        env={**os.environ, **ENVIRONMENT, "VLLM_ENABLE_V1_MULTIPROCESSING": "0"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == expect, (done.stdout + done.stderr)[-4000:]
    return done.stdout + done.stderr


def test_vllm_generates_and_vllm_judges_and_noise_gives_no_score(
    tiny_model: Path, judge_url: str, tmp_path: Path
) -> None:
    judge = {"judge": "codearena", "judge_base_url": judge_url, "judge_model": "tiny-judge", "judge_max_tokens": 48}
    printed = lm_eval(
        *("--model", "vllm", "--model_args", f"pretrained={tiny_model},{SMALL}"),
        *("--tasks", "codearena_mini", "--apply_chat_template", "--batch_size", "auto"),
        *("--gen_kwargs", "max_gen_toks=48", "--metadata", json.dumps(judge), "--output_path", str(tmp_path)),
        expect=3,
    )
    assert "NO SCORE" in printed
    (ours,) = tmp_path.rglob("codearena_mini_*.json")
    result = json.loads(ours.read_text())
    statuses = result["statuses"]
    assert sum(statuses.values()) == 64
    assert statuses["unparsable"] + statuses["truncated"] > 32, "a random judge names no label"
    assert statuses["transport-error"] == 0, result["problems"]
    assert result["metrics"]["score"] is None
    assert result["spending"]["prompt_tokens"] > 0


def test_a_judge_whose_window_is_too_small_for_max_tokens_stops_before_generation(
    tiny_model: Path, judge_url: str
) -> None:
    printed = lm_eval(
        *("--model", "vllm", "--model_args", f"pretrained={tiny_model},{SMALL}"),
        *("--tasks", "codearena_mini", "--limit", "2"),
        *("--metadata", json.dumps({"judge": "codearena", "judge_base_url": judge_url, "judge_model": "tiny-judge"})),
        expect=2,
    )
    assert "judge_max_tokens" in printed
    assert "Traceback" not in printed


def test_vllm_can_be_the_judge_of_stored_answers_inside_lm_eval(tiny_model: Path, tmp_path: Path) -> None:
    answers = ROOT / "tasks" / "codearena_mini" / "data" / "answers_hasty.jsonl"
    options = {"codearena_answers": str(answers), "codearena_suite": "codearena_mini", "judge": "codearena"}
    printed = lm_eval(
        *("--model", "vllm", "--model_args", f"pretrained={tiny_model},{SMALL}"),
        *("--tasks", "judge_codearena", "--apply_chat_template", "--batch_size", "auto"),
        *("--gen_kwargs", "max_gen_toks=32", "--metadata", json.dumps(options), "--output_path", str(tmp_path)),
        expect=3,
    )
    assert "NO SCORE" in printed
    (ours,) = tmp_path.rglob("codearena_judge_codearena_*.json")
    assert sum(json.loads(ours.read_text())["statuses"].values()) == 64


def test_vllm_writes_programs_and_one_command_tells_preference_pass_at_1_and_gap(
    tiny_model: Path, tmp_path: Path
) -> None:
    options = {"codearena_evalplus_data": str(write_data(tmp_path / "data")), **sandbox_options()}
    lm_eval(
        *("--model", "vllm", "--model_args", f"pretrained={tiny_model},{SMALL}", "--apply_chat_template"),
        *("--tasks", "codearena_mini,codearena_humaneval_plus,codearena_humaneval_plus_base"),
        *("--batch_size", "auto", "--gen_kwargs", "max_gen_toks=32", "--confirm_run_unsafe_code"),
        *("--metadata", json.dumps(options), "--output_path", str(tmp_path / "out")),
        expect=0,
    )
    (gap,) = (tmp_path / "out").rglob("codearena_gap_*.json")
    (model,) = json.loads(gap.read_text())["models"]
    assert model["preference"]["n"] == 32
    assert (model["execution"]["humaneval+"]["estimate"], model["execution"]["humaneval+"]["n"]) == (0.0, 4)
