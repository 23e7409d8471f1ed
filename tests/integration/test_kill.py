"""Killed at any instant, a run loses no answer: what a rerun asks again is at most what was under way."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from judge_server import JudgeServer

CONCURRENCY = 8
LATENCY_S = 0.03

PROGRAM = """
import json, sys
from pathlib import Path
from codearena_plugin.judging.settings import resolve_settings
from codearena_plugin.prompts.answers import read_answers
from codearena_plugin.prompts.suite import SuiteOptions, load_suite
from codearena_plugin.runs.judge import judge_answers
task, data, answers, directory, options = sys.argv[1:]
suite = load_suite(task, SuiteOptions(data=data or None))
Path(directory).mkdir(exist_ok=True)
judge_answers(suite, read_answers(answers, suite), resolve_settings(json.loads(options)), Path(directory))
"""


@dataclass
class Job:
    """One suite, one answer to each of its prompts, one folder for stores and runs."""

    task: str
    data: str
    answers: str
    folder: Path
    n_games: int

    def start(self, server: JudgeServer, name: str, store: str = "replies.sqlite3") -> subprocess.Popen[bytes]:
        options = {
            "judge": "codearena",
            "judge_model": "local-judge",
            "judge_base_url": server.url,
            "judge_store": str(self.folder / store),
            "judge_concurrency": CONCURRENCY,
            "judge_tries": 2,
        }
        command = [sys.executable, "-c", PROGRAM, self.task, self.data, self.answers, str(self.folder / name)]
        return subprocess.Popen([*command, json.dumps(options)], stderr=subprocess.DEVNULL)

    def run(self, server: JudgeServer, name: str, store: str = "replies.sqlite3") -> dict[str, Any]:
        assert self.start(server, name, store).wait(120) == 0
        return self.found(name)

    def found(self, name: str) -> dict[str, Any]:
        """Return what a run found, without when and how."""
        result = json.loads((self.folder / name / "result.json").read_text())
        lines = [json.loads(line) for line in (self.folder / name / "games.jsonl").read_text().splitlines()]
        games = [(line["prompt_id"], line["order"], line["status"], line["label"]) for line in lines]
        return {"games": games} | {
            part: result[part] for part in ("metrics", "strata", "statuses", "stopped", "withheld")
        }

    def kept(self, store: str = "replies.sqlite3") -> int:
        with closing(sqlite3.connect(self.folder / store)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            found = connection.execute("SELECT count(DISTINCT key), count(*) FROM replies WHERE error_kind IS NULL")
            distinct, rows = found.fetchone()
        assert distinct == rows
        return int(rows)


@pytest.fixture
def job(tmp_path: Path, mini_answers: Path) -> Job:
    """Return 266 real prompts with a real model's answers, or the mini suite where they are not here."""
    real = Path(__file__).parents[3] / "shared" / "data" / "arena_hard_code"
    if real.is_dir():
        answers = real / "answers_gpt-3.5-turbo-0125.jsonl.gz"
        return Job("codearena", str(real / "prompts.jsonl.gz"), str(answers), tmp_path, 532)
    return Job("codearena_mini", "", str(mini_answers / "answers_hasty.jsonl"), tmp_path, 64)


def wait_for_requests(server: JudgeServer, number: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while server.n_judged < number and process.poll() is None and time.monotonic() < end:
        time.sleep(0.001)


def settle(server: JudgeServer) -> None:
    """Wait until the server has read what was sent to it, and has noticed that the caller is gone."""

    async def read() -> None:
        for _ in range(10):  # rounds of its loop, however long one takes
            await asyncio.sleep(LATENCY_S / 5)

    asyncio.run_coroutine_threadsafe(read(), server._loop).result(60)
    end = time.monotonic() + 20
    while server.active and time.monotonic() < end:
        time.sleep(0.01)
    assert server.active == 0


def test_a_killed_run_repeats_at_most_what_was_under_way(job: Job) -> None:
    seed = int(time.time())
    drawn = random.Random(seed)
    lost = []
    with JudgeServer(latency_s=LATENCY_S, keep_bodies=False) as server:
        unbroken = job.run(server, "unbroken", "other.sqlite3")
        n_questions = server.n_judged
        server.n_judged = 0
        for share_done in (0.02, 0.2, 0.4, 0.6, 0.8, 0.97):
            process = job.start(server, "killed")
            goal = int(share_done * n_questions) + sum(lost)
            wait_for_requests(server, max(goal, 1), process)
            time.sleep(drawn.uniform(0, 0.06))
            os.kill(process.pid, signal.SIGKILL)
            assert process.wait(60) in {-signal.SIGKILL, 0}  # 0: what was left was done in that moment
            settle(server)
            lost.append(server.n_judged - job.kept() - sum(lost))
        finished = job.run(server, "killed")
        repeated = server.n_judged - n_questions
        again = job.run(server, "again")
        assert server.n_judged == n_questions + repeated
    print(f"\nkill -9, {job.n_games} games, concurrency {CONCURRENCY}, seed {seed}: asked again per kill {lost}")
    assert all(0 <= number <= CONCURRENCY for number in lost)
    assert repeated == sum(lost)
    assert job.kept() == n_questions
    assert finished == unbroken == again
    assert finished["statuses"]["scored"] == job.n_games


def test_an_interrupted_run_keeps_its_answers_too(job: Job) -> None:
    with JudgeServer(latency_s=20 / job.n_games, keep_bodies=False) as server:  # long enough to be interrupted
        process = job.start(server, "interrupted")
        wait_for_requests(server, 20, process)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) != 0
        settle(server)
        assert server.n_judged - job.kept() <= CONCURRENCY
        assert not (job.folder / "interrupted" / "result.json").exists()
        assert job.run(server, "interrupted")["statuses"]["scored"] == job.n_games


def test_two_runs_at_once_on_one_store_both_find_the_truth(job: Job) -> None:
    with JudgeServer(latency_s=LATENCY_S, keep_bodies=False) as server:
        both = [job.start(server, name, "shared.sqlite3") for name in ("left", "right")]
        assert [process.wait(120) for process in both] == [0, 0]
        asked = server.n_judged
        alone = job.run(server, "alone", "other.sqlite3")
        n_questions = server.n_judged - asked
        third = job.run(server, "third", "shared.sqlite3")
        assert server.n_judged == asked + n_questions
    print(f"\ntwo runs at once: {asked} calls for {n_questions} questions")
    assert job.found("left") == job.found("right") == alone == third
    assert n_questions <= asked <= 2 * n_questions
