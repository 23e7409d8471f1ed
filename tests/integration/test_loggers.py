"""lm-eval's own loggers with our metrics: real W&B and real Trackio, on this machine only."""

from __future__ import annotations

import importlib.metadata
import json
import math
import os
import socket
import sqlite3
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from judge_server import JudgeServer, permanent

from codearena_plugin import paths

LM_EVAL = Path(sys.executable).parent / "lm_eval"
ANSWERS = paths.data_dir("tasks") / "codearena_mini" / "data" / "answers_careful.jsonl"
RATES = ("win_rate", "tie_rate", "loss_rate", "score")
pytestmark = pytest.mark.skipif(not LM_EVAL.exists(), reason="the lm_eval command is not installed here")


def installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


HAS_WANDB = installed("wandb")
KNOWS_TRACKIO = installed("lm-eval") and importlib.metadata.version("lm-eval") != "0.4.12"
HAS_TRACKIO = installed("trackio") and KNOWS_TRACKIO
wandb = pytest.mark.skipif(not HAS_WANDB, reason="wandb is not installed here")
trackio = pytest.mark.skipif(not HAS_TRACKIO, reason="trackio, or an lm-eval that knows it, is not installed here")


class Gate:
    """A proxy that lets nothing out, and counts who tried."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.knocks: list[bytes] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                self.knocks.append(connection.recv(200))

    def close(self) -> None:
        self._socket.close()


@dataclass(frozen=True)
class Logged:
    """One run of lm-eval with every logger that is installed here."""

    folder: Path
    printed: str
    knocks: list[bytes]

    def table(self, name: str) -> list[dict[str, Any]]:
        """Return a table that was logged to W&B, as rows."""
        (file,) = self.folder.glob(f"wandb/offline-run-*/files/media/table/{name}_*.table.json")
        loaded = json.loads(file.read_text())
        return [dict(zip(loaded["columns"], row, strict=True)) for row in loaded["data"]]

    def metrics(self) -> dict[str, Any]:
        """Return the metrics that were logged to Trackio."""
        rows = self.trackio("SELECT metrics FROM metrics")
        found = [json.loads(row) for (row,) in rows]
        return next(row for row in found if "codearena_mini/coverage" in row)

    def trackio(self, query: str) -> list[Any]:
        connection = sqlite3.connect(self.folder / "trackio" / "codearena.db")
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()


def log_to_all(folder: Path, judge: JudgeServer, expect: int) -> Logged:
    """Judge the mini suite's careful answers through the real command, logging to whatever is installed."""
    gate = Gate()
    loggers = []
    if HAS_WANDB:
        loggers += ["--wandb_args", "project=codearena,mode=offline"]
    if HAS_TRACKIO:
        loggers += ["--trackio_args", "project=codearena,name=first"]
    here = {"HTTP_PROXY": gate.url, "HTTPS_PROXY": gate.url, "ALL_PROXY": gate.url, "NO_PROXY": "127.0.0.1,localhost"}
    own = {"HOME": str(folder), "HF_HOME": str(folder / "hf"), "CODEARENA_HOME": str(folder / "codearena")}
    quiet = {
        "WANDB_MODE": "offline",
        "WANDB_ERROR_REPORTING": "false",
        "HF_HUB_OFFLINE": "1",
        "TRACKIO_DIR": str(folder / "trackio"),
    }
    places = {name: str(folder) for name in ("WANDB_DIR", "WANDB_CACHE_DIR", "WANDB_CONFIG_DIR", "WANDB_DATA_DIR")}
    proxies = {name.lower(): value for name, value in here.items()}
    try:
        done = subprocess.run(
            [
                *(str(LM_EVAL), "run", "--model", "codearena-replay", "--model_args", f"path={ANSWERS}"),
                *("--tasks", "codearena_mini", "--log_samples", "--output_path", str(folder / "out")),
                *("--metadata", json.dumps({"judge": "codearena", "judge_base_url": judge.url, "judge_tries": 1})),
                *loggers,
            ],
            env={**os.environ, **here, **proxies, **own, **quiet, **places},
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
    finally:
        gate.close()
    printed = done.stdout + done.stderr
    assert done.returncode == expect, printed[-3000:]
    return Logged(folder, printed, gate.knocks)


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Logged]:
    with JudgeServer() as judge:
        yield log_to_all(tmp_path_factory.mktemp("scored"), judge, expect=0)


@pytest.fixture(scope="module")
def withheld(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Logged]:
    with JudgeServer(script=permanent("unparsable", 0.5)) as judge:
        yield log_to_all(tmp_path_factory.mktemp("withheld"), judge, expect=3)


@wandb
def test_w_and_b_gets_every_metric_and_a_row_for_every_sample(scored: Logged) -> None:
    assert "Logging to W&B failed" not in scored.printed
    results = {row["Metric"]: row for row in scored.table("evaluation/eval_results")}
    assert {*RATES, "coverage", "judgement", "n_scored", "order_consistency"} <= set(results)
    assert float(results["coverage"]["Value"]) == 1.0
    assert float(results["score"]["Stderr"]) > 0
    samples = scored.table("codearena_mini_eval_results")
    assert len(samples) == 32
    assert math.isclose(sum(row["score"] for row in samples) / 32, float(results["score"]["Value"]))


@wandb
def test_w_and_b_takes_a_result_whose_score_is_withheld(withheld: Logged) -> None:
    assert "NO SCORE" in withheld.printed
    assert "Logging to W&B failed" not in withheld.printed
    results = {row["Metric"]: row["Value"] for row in withheld.table("evaluation/eval_results")}
    assert {results[rate] for rate in RATES} == {"nan"}
    assert 0 < float(results["coverage"]) < 0.95
    samples = withheld.table("codearena_mini_eval_results")
    unscored = [row for row in samples if not row["n_scored"]]
    assert 0 < len(unscored) < 32
    assert all(row["score"] is None or math.isnan(row["score"]) for row in unscored), "a failure is no number"


@trackio
def test_trackio_gets_every_metric_and_a_trace_for_every_sample(scored: Logged) -> None:
    assert "Logging to Trackio failed" not in scored.printed
    assert "Failed to build trace" not in scored.printed
    found = scored.metrics()
    assert found["codearena_mini/coverage"] == 1.0
    assert math.isclose(
        found["codearena_mini/score"], found["codearena_mini/win_rate"] + found["codearena_mini/tie_rate"] / 2
    )
    assert scored.trackio("SELECT count(*) FROM traces") == [(32,)]


@trackio
def test_trackio_takes_a_result_whose_score_is_withheld(withheld: Logged) -> None:
    assert "Logging to Trackio failed" not in withheld.printed
    assert "Failed to build trace" not in withheld.printed
    found = withheld.metrics()
    assert 0 < found["codearena_mini/coverage"] < 0.95
    assert not any(isinstance(found.get(f"codearena_mini/{rate}"), int | float) for rate in RATES)
    assert withheld.trackio("SELECT count(*) FROM traces") == [(32,)]


def test_the_gate_hears_who_knocks() -> None:
    gate = Gate()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": gate.url}))
    with pytest.raises(OSError, match=r"closed|reset|refused"):
        opener.open("http://somewhere.invalid/", timeout=10)
    gate.close()
    assert b"somewhere.invalid" in gate.knocks[0]


@pytest.mark.skipif(not (HAS_WANDB or HAS_TRACKIO), reason="neither wandb nor trackio is here")
def test_an_offline_logger_knocks_at_no_door(scored: Logged, withheld: Logged) -> None:
    assert scored.knocks == withheld.knocks == []
