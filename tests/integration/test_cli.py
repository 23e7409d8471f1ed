"""The command line against a real judge server on loopback."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from judge_server import JudgeServer, permanent

from codearena_plugin.cli.main import main

KEY = "sk-test-7f3a9c-very-secret"
PERCENTAGES = re.compile(r"\d+\.\d")


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line with the error."""
        (line,) = (line for line in self.err.splitlines() if line.startswith("codearena: "))
        return line


Run = Callable[..., Done]


@pytest.fixture
def codearena(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    for name in list(os.environ):
        if name.startswith("CODEARENA_JUDGE") or name == "COLUMNS":
            monkeypatch.delenv(name)
    monkeypatch.setenv("CODEARENA_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Done:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        done = Done(code, *capsys.readouterr())
        assert KEY not in done.out + done.err
        assert "Traceback" not in done.err
        return done

    return run


@pytest.fixture
def judge(codearena: Run, mini_answers: Path) -> Run:
    """``codearena judge`` on the mini suite with the paper's protocol; give the server first."""

    def run(server: JudgeServer | str, *options: object, answers: str = "careful") -> Done:
        url = server if isinstance(server, str) else server.url
        return codearena(
            "judge", mini_answers / f"answers_{answers}.jsonl", "--suite", "codearena_mini", "--judge", "codearena",
            "--judge-base-url", url, "--tries", 1, *options,
        )  # fmt: skip

    return run


def _result(directory: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((directory / "result.json").read_text())
    return loaded


def test_answers_become_a_result_and_a_rerun_costs_no_call(judge, tmp_path):
    with JudgeServer() as server:
        first = judge(server, "--output", tmp_path / "first")
        assert first.code == 0, first.err
        assert server.n_judged == 64
        asked = server.n_requests
        again = judge(server, "--output", tmp_path / "again")
        assert again.code == 0
        assert server.n_requests == asked, "not even the preflight question"
    assert "64 games with gpt-4o-2024-08-06 (codearena@1-A): 0 answered before, 64 to ask" in first.err
    assert "64 answered before, 0 to ask" in again.err
    assert "64 sent, 64 replies, 0 games from the store" in first.out
    assert "0 sent, 0 replies, 64 games from the store" in again.out
    assert _result(tmp_path / "first")["metrics"] == _result(tmp_path / "again")["metrics"]


def test_without_an_output_the_run_lies_in_the_users_own_directory(judge, tmp_path):
    with JudgeServer() as server:
        done = judge(server)
    (result,) = (tmp_path / "home" / "runs" / "codearena_mini").glob("careful-*/result.json")
    assert str(result.parent) in done.out


def test_a_dry_run_prints_the_estimate_and_asks_and_writes_nothing(judge, tmp_path):
    with JudgeServer() as server:
        done = judge(server, "--dry-run")
        assert server.n_requests == 0
    assert done.code == 0
    assert re.search(r"64 to ask, about [\d,]+ \+ 51,200 tokens, cost about \$0\.\d\d", done.out)
    assert done.err == ""
    assert not (tmp_path / "home").exists()


def test_a_dry_run_of_what_cannot_run_says_so_after_the_estimate(codearena, mini_answers):
    options = ("--suite", "codearena_mini", "--judge", "codearena", "--judge-model", "my-model", "--dry-run")
    done = codearena("judge", mini_answers / "answers_careful.jsonl", *options)
    assert done.code == 0, "a price was asked for, and told"
    assert "64 to ask" in done.out
    assert "cost unknown" in done.out
    assert "A run would stop here: No judge key" in done.out


def test_a_missing_key_is_one_line_before_anything_else(codearena, mini_answers):
    options = ("--suite", "codearena_mini", "--judge", "codearena")
    done = codearena("judge", mini_answers / "answers_careful.jsonl", *options)
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert "CODEARENA_JUDGE_API_KEY" in done.error
    assert done.out == ""


def test_a_wrong_key_stops_before_the_first_game_and_is_not_printed(judge, monkeypatch):
    monkeypatch.setenv("CODEARENA_JUDGE_API_KEY", KEY)
    with JudgeServer(key="another") as server:
        done = judge(server)
        assert server.n_judged == 0
    assert done.code == 2
    assert "401" in done.error


def test_an_unknown_model_stops_before_the_first_game(judge):
    with JudgeServer(model="the-only-model") as server:
        done = judge(server)
        assert server.n_judged == 0
    assert done.code == 2
    assert "gpt-4o-2024-08-06" in done.error


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/v1", "ftp://judge/v1", "localhost:8000"])
def test_a_wrong_url_stops_before_the_first_game(judge, url):
    done = judge(url)
    assert done.code == 2
    assert done.err.count("codearena: ") == 1


def test_half_unparsable_replies_end_without_any_score(judge, codearena, tmp_path):
    with JudgeServer(script=permanent("unparsable", 0.5)) as server:
        done = judge(server, "--output", tmp_path / "run", "--tables", "all")
    result = _result(tmp_path / "run")
    assert done.code == 3
    assert "NO SCORE" in done.error
    assert "unparsable" in done.error
    assert "judge_again=STATUS asks them once more" in done.error
    assert result["metrics"]["score"] is None
    allowed = {result["metrics"]["coverage"], *_ends(result["metrics"]["order_consistency"])}
    printed = set(PERCENTAGES.findall(re.sub(r"[\d.]+ s\b|\$[\d.]+", "", done.out)))
    assert printed <= {f"{100 * value:.1f}" for value in allowed}
    assert not re.search(r"\b(win|tie|loss)\b", done.out)
    listed = codearena("show", tmp_path / "run", "--status", "unparsable")
    assert "no label in the reply" in listed.out
    rescored = codearena("rescore", tmp_path / "run")
    assert rescored.code == 3
    assert "No call was made" in rescored.error
    lower = codearena("rescore", tmp_path / "run", "--min-coverage", "0.01")
    assert lower.code == 0
    assert "win" in lower.out


def _ends(interval: dict[str, float] | None) -> list[float]:
    return [interval["estimate"], interval["low"], interval["high"]] if interval else []


@pytest.mark.parametrize("kind", ["rate-limit", "server", "html", "truncated", "dead"])
def test_games_that_fail_for_ever_are_counted_and_never_scored(judge, tmp_path, kind):
    with JudgeServer(script=permanent(kind, 0.3)) as server:
        done = judge(server, "--output", tmp_path / "run")
    result = _result(tmp_path / "run")
    assert done.code == 3
    assert result["metrics"]["score"] is None
    assert sum(result["statuses"].values()) == 64
    assert 0 < result["statuses"]["scored"] < 64
    failed = "truncated" if kind == "truncated" else "transport-error"
    assert f"{result['statuses'][failed]} {failed}" in done.error
    assert ("run the same command again" in done.error) == (kind != "truncated")


def test_a_judge_that_dies_is_no_score_and_the_same_command_resumes(judge, tmp_path):
    alive = {"left": 20}

    def dying(body: dict[str, Any], _times: int) -> dict[str, Any] | None:
        if "<answer_a>" not in str(body["messages"]):
            return None
        alive["left"] -= 1
        return {"drop": True} if alive["left"] < 0 else None

    with JudgeServer(script=dying) as server:
        died = judge(server, "--output", tmp_path / "run", "--concurrency", 4)
        assert died.code == 3
        assert "NO SCORE" in died.error
        assert "the judge does not answer" in died.error
        alive["left"] = 1000
        before = server.n_judged
        resumed = judge(server, "--output", tmp_path / "run", "--concurrency", 4)
        assert server.n_judged - before == 44
    assert resumed.code == 0, resumed.err
    assert _result(tmp_path / "run")["metrics"]["n_scored"] == 32


def test_a_budget_stops_the_run_in_order_and_the_same_command_resumes(judge, tmp_path):
    with JudgeServer() as server:
        stopped = judge(server, "--output", tmp_path / "run", "--max-calls", 40)
        assert stopped.code == 3
        assert "budget reached: max_calls=40" in stopped.error
        assert "24 skipped" in stopped.error
        assert server.n_judged == 40
        resumed = judge(server, "--output", tmp_path / "run", "--max-calls", 40)
        assert server.n_judged == 64
    assert resumed.code == 0, resumed.err


def test_a_run_that_was_stopped_is_incomplete_even_where_its_coverage_suffices(judge, tmp_path):
    with JudgeServer() as server:
        done = judge(server, "--output", tmp_path / "run", "--max-calls", 40, "--min-coverage", "0.1")
    assert done.code == 3
    assert "asking stopped before all games were played" in done.error
    assert "NO SCORE" not in done.error


def test_a_limit_on_money_needs_a_price(judge, tmp_path):
    with JudgeServer() as server:
        done = judge(server, "--judge-model", "my-model", "--max-cost-usd", "1")
        assert server.n_requests == 0
        assert done.code == 2
        assert "the price of 'my-model' is unknown" in done.error
        prices = tmp_path / "prices.yaml"
        prices.write_text("my-model: {input: 1.0, output: 2.0}\n")
        done = judge(server, "--judge-model", "my-model", "--max-cost-usd", "1", "--prices", prices)
    assert done.code == 0, done.err
    assert re.search(r"^cost +\$0\.0", done.out, re.MULTILINE)


def test_a_stored_run_can_be_replayed_and_rescored_to_the_same_numbers(judge, codearena, tmp_path):
    with JudgeServer() as server:
        assert judge(server, "--output", tmp_path / "run").code == 0
        asked = server.n_requests
        replayed = judge(server, "--output", tmp_path / "replayed", "--replay", tmp_path / "run")
        assert replayed.code == 0, replayed.err
        assert "none, back end replay;" in replayed.out
        assert server.n_requests == asked
    assert codearena("rescore", tmp_path / "run", "--output", tmp_path / "rescored").code == 0
    metrics = [_result(tmp_path / name)["metrics"] for name in ("run", "replayed", "rescored")]
    assert (tmp_path / "run" / "style.json").read_text() == (tmp_path / "rescored" / "style.json").read_text()
    assert metrics[0] == metrics[1] == metrics[2]


def test_two_judged_runs_compare(judge, codearena, tmp_path):
    with JudgeServer() as server:
        for answers in ("careful", "hasty"):
            assert judge(server, "--output", tmp_path / answers, answers=answers).code == 0
    done = codearena("compare", tmp_path / "careful", tmp_path / "hasty")
    assert done.code == 0
    assert "careful − hasty" in done.out


def _edited(mini_answers: Path, tmp_path: Path, edit: Callable[[list[dict[str, Any]]], None]) -> Path:
    rows = [json.loads(line) for line in (mini_answers / "answers_careful.jsonl").read_text().splitlines()]
    edit(rows)
    path = tmp_path / "edited.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda rows: rows.append(rows[0]), "answered more than once: 'mini-001'"),
        (lambda rows: rows[0].update(id="mini-\x1b[31m"), r"not in the suite 'codearena_mini': 'mini-\\x1b\[31m'"),
        (lambda rows: rows.pop(4), "1 of 32 prompts have no answer: 'mini-005'"),
        (lambda rows: rows[2].update(response=None), "edited.jsonl:3: field 'response'"),
    ],
)
def test_wrong_answer_files_are_one_line_that_names_the_ids(codearena, mini_answers, tmp_path, edit, said):
    done = codearena("judge", _edited(mini_answers, tmp_path, edit), "--suite", "codearena_mini")
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert re.search(said, done.error)


def test_the_key_is_in_no_file_of_a_run(judge, tmp_path, monkeypatch):
    monkeypatch.setenv("CODEARENA_JUDGE_API_KEY", KEY)
    with JudgeServer(key=KEY) as server:
        assert judge(server, "--output", tmp_path / "run").code == 0
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) >= 4
    assert not any(KEY.encode() in path.read_bytes() for path in files)


def test_the_doctor_pings_a_real_judge(codearena):
    with JudgeServer() as server:
        done = codearena("doctor", "--ping", "--judge-base-url", server.url)
    assert re.search(r"judge ping +ok +gpt-4o-2024-08-06-scripted answered in", done.out)


def test_real_prompts_and_real_answers_are_judged(codearena, arena_hard, tmp_path):
    with JudgeServer(keep_bodies=False) as server:
        for model in ("gpt-4-0613", "gpt-3.5-turbo-0125"):
            done = codearena(
                "judge", arena_hard / f"answers_{model}.jsonl.gz", "--data", arena_hard / "prompts.jsonl.gz",
                "--judge-base-url", server.url, "--output", tmp_path / model, "--tables", "all",
            )  # fmt: skip
            assert done.code == 0, done.err
            assert f"{model}, compared with gpt-4-0314" in done.out
        assert server.n_judged <= 2 * 2 * 266
    assert _result(tmp_path / "gpt-4-0613")["metrics"]["n_scored"] == 266
    done = codearena("compare", tmp_path / "gpt-4-0613", tmp_path / "gpt-3.5-turbo-0125")
    assert done.code == 0
    assert max(map(len, done.out.splitlines())) <= 100


def test_an_interrupt_says_what_is_kept_and_a_rerun_asks_the_rest(mini_answers, tmp_path):
    script = Path(sys.executable).with_name("codearena")
    with JudgeServer(latency_s=0.3) as server:
        command = [
            script, "judge", mini_answers / "answers_careful.jsonl", "--suite", "codearena_mini",
            "--judge", "codearena", "--judge-base-url", server.url, "--concurrency", "4",
        ]  # fmt: skip
        env = {**os.environ, "CODEARENA_HOME": str(tmp_path / "home")}
        child = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 60
        while server.n_judged < 16 and time.monotonic() < deadline:
            time.sleep(0.02)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=60)
        assert child.returncode == 130, err
        assert out == ""
        assert "Traceback" not in err
        assert "codearena: interrupted; answers are kept in" in err
        again = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=120)
        assert again.returncode == 0, again.stderr
        assert 64 <= server.n_judged <= 64 + 4, "at most those in flight are asked again"
