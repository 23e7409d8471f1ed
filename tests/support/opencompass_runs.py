"""The real OpenCompass in its own environment: one call of its command line, and configs for it to read."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from judge_server import Script

ROOT = Path(__file__).parents[2]
BIN = ROOT / ".venv-opencompass" / "bin"
MARKS = [
    pytest.mark.opencompass,
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        not (ROOT / ".venv-opencompass" / ".installed").exists(),
        reason="no .venv-opencompass here: make test-opencompass",
    ),
]
CONFIGS = "codearena_plugin.harness.opencompass.configs"
TEMPLATE = """dict(
    round=[dict(role="HUMAN", api_role="HUMAN"), dict(role="BOT", api_role="BOT", generate=True)],
    reserved_roles=[dict(role="SYSTEM", api_role="SYSTEM")],
)"""


def run(*command: object, cwd: Path, expect: int = 0, **environment: str) -> str:
    """Run a program of the environment and return all that it printed."""
    done = subprocess.run(
        [BIN / str(command[0]), *map(str, command[1:])],
        cwd=cwd,
        env=clean(os.environ)
        | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "OPENAI_API_KEY": "unused"}
        | environment,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    printed = done.stdout + done.stderr
    assert done.returncode == expect, printed[-3000:] + logs(cwd)
    return printed


def clean(environ: Mapping[str, str]) -> dict[str, str]:
    keep = ("CODEARENA_HOME", "CODEARENA_DATA")
    drop = ("CODEARENA_", "OC_JUDGE", "OPENAI_", "PYTHONPATH")
    return {name: value for name, value in environ.items() if name in keep or not name.startswith(drop)}


def logs(cwd: Path) -> str:
    """Return the ends of all tasks' logs."""
    return "".join(f"\n== {path}\n{path.read_text()[-1500:]}" for path in sorted(cwd.rglob("*.out")))


def config(
    suite: str, url: str, tokenizer: Path, more: str = "", *, abbr: str = "served", summarizer: str = "codearena"
) -> str:
    """Return a user's config: our data set by ``read_base``, a model behind a URL, and whatever follows."""
    return f"""
from mmengine.config import read_base
from opencompass.models import OpenAISDK
from opencompass.partitioners import NaivePartitioner, NumWorkerPartitioner
from opencompass.partitioners.sub_naive import SubjectiveNaivePartitioner
from opencompass.runners import LocalRunner
from opencompass.summarizers import DefaultSummarizer
from opencompass.tasks import OpenICLEvalTask, OpenICLInferTask
from opencompass.tasks.subjective_eval import SubjectiveEvalTask

with read_base():
    from {CONFIGS}.datasets.{suite} import {suite}_datasets
    from {CONFIGS}.summarizers.{summarizer} import summarizer

datasets = {suite}_datasets
models = [{api_model(url, tokenizer, abbr=abbr, path="served-model")}]
work_dir = "out"
{more}
"""


def api_model(url: str, tokenizer: Path, *, abbr: str, path: str) -> str:
    return f"""dict(
    type=OpenAISDK, abbr={abbr!r}, path={path!r}, openai_api_base={url!r}, key="ENV", tokenizer_path={str(tokenizer)!r},
    meta_template={TEMPLATE}, query_per_second=1000, max_workers=16, max_seq_len=200000, max_out_len=16384,
    batch_size=64, temperature=0.2, retry=1,
)"""


def answering(texts: Mapping[str, str]) -> Script:
    """Return a script of a model: the text that belongs to the last turn; judgements are left to the server."""

    def script(body: dict[str, Any], _times: int) -> dict[str, Any] | None:
        asked = body["messages"][-1]["content"]
        return {"text": texts[asked]} if asked in texts else None

    return script


def judged_by(url: str, **options: object) -> dict[str, str]:
    """Return the environment that names a judge behind a URL."""
    given = {"": "codearena", "base_url": url, "model": "local-judge", "tries": 1, **options}
    return {f"CODEARENA_JUDGE{'_' if name else ''}{name.upper()}": str(value) for name, value in given.items()}


def results(cwd: Path, name: str, model: str = "served") -> dict[str, Any]:
    """Return what OpenCompass wrote for a data set."""
    (file,) = cwd.glob(f"out/*/results/{model}/{name}.json")
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def our_run(cwd: Path, name: str, model: str = "served") -> Path:
    (file,) = cwd.glob(f"out/*/results/{model}/{name}/result.json")
    return file.parent
