"""The benchmarks through the real `opencompass` command: a served chat model, a local base model, consent."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from judge_server import JudgeServer
from opencompass_runs import BIN, CONFIGS, MARKS, ROOT, answering, api_model, results, run
from pass_runs import ANSWERS, HUMANEVAL_IDS, VERDICTS, sandbox_options, write_data

from codearena_plugin.execution.evalplus.run import chat_messages, load_benchmark

pytestmark = MARKS
CONSENT = {"CODEARENA_RUN_UNSAFE_CODE": "1"}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("evalplus"))


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tiny-model")
    script = ROOT / "tests" / "support" / "make_tiny_model.py"
    subprocess.run([BIN / "python", script, path], check=True, capture_output=True, timeout=120)
    return path


def environment(data: Path, **more: str) -> dict[str, str]:
    sandbox = {name.upper(): value for name, value in sandbox_options().items()}
    return {"CODEARENA_EVALPLUS_DATA": str(data), **sandbox, **more}


def served_config(url: str, tokenizer: Path) -> str:
    return f"""
from mmengine.config import read_base
from opencompass.models import OpenAISDK

with read_base():
    from {CONFIGS}.datasets.codearena_humaneval_plus import codearena_humaneval_plus_datasets
    from {CONFIGS}.summarizers.codearena import summarizer

datasets = codearena_humaneval_plus_datasets
models = [{api_model(url, tokenizer, abbr="served", path="served-model")}]
work_dir = "out"
"""


def test_a_served_model_s_programs_are_run_once_somebody_agrees(tiny_model: Path, data: Path, tmp_path: Path) -> None:
    problems = {one.task_id: one for one in load_benchmark("humaneval", data=str(data)).problems}
    texts = {chat_messages(problems[name])[-1].content: ANSWERS[name] for name in HUMANEVAL_IDS}
    with JudgeServer(script=answering(texts)) as server:
        (tmp_path / "eval.py").write_text(served_config(server.url, tiny_model))
        refused = run("codearena", "opencompass", "eval.py", cwd=tmp_path, expect=2, **environment(data))
        assert "confirm_run_unsafe_code=True" in refused.splitlines()[-1]
        assert not list(tmp_path.rglob("execution.json"))
        asked = server.n_requests
        again = ("eval.py", "-m", "eval", "-r")
        printed = run("codearena", "opencompass", *again, cwd=tmp_path, **environment(data, **CONSENT))
        assert server.n_requests == asked, "what was generated is kept"
    found = results(tmp_path, "codearena_humaneval_plus")
    assert (found["pass@1"], found["pass@1_base"], found["coverage"], found["n_problems"]) == (50.0, 75.0, 100.0, 4)
    assert {row["problem"][0]: (row["base"][0], row["plus"][0]) for row in found["details"]} == {
        name: VERDICTS[name] for name in HUMANEVAL_IDS
    }
    assert "50.00" in printed
    assert "not the released file" in printed
    (execution,) = tmp_path.glob("out/*/results/served/codearena_humaneval_plus/execution.json")
    about = json.loads(execution.read_text())["harness"]
    assert (about["name"], about["style"]) == ("opencompass", "chat")
    assert about["prefill"].startswith("no")


def test_a_local_base_model_completes_by_name(tiny_model: Path, data: Path, tmp_path: Path) -> None:
    printed = run(
        *("opencompass", "--datasets", "codearena_mbpp_plus_base", "--summarizer", "codearena", "-w", "out"),
        *("--hf-type", "base", "--hf-path", tiny_model, "--hf-num-gpus", 0, "--stop-words", "e", "t", "a"),
        cwd=tmp_path,
        **environment(data, **CONSENT),
    )
    found = results(tmp_path, "codearena_mbpp_plus_base", f"{tiny_model.name}_hf")
    assert (found["pass@1"], found["coverage"], found["n_problems"]) == (0.0, 100.0, 2)
    assert "codearena_mbpp_plus_base" in printed
    (predictions,) = tmp_path.glob("out/*/predictions/*/codearena_mbpp_plus_base.json")
    first = json.loads(predictions.read_text())["0"]
    assert first["origin_prompt"].startswith('"""\nWrite a function to double'), "the text itself, no chat turn"
