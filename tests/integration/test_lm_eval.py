"""The tasks inside the real lm-eval: every trap of its evaluation loop that would cost money or a wrong number."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from judge_server import JudgeServer, permanent

pytest.importorskip("lm_eval", reason="lm-eval is not installed here")

import lm_eval
from lm_eval.tasks import TaskManager
from lm_eval_runs import RATES, Parrot, evaluate, numbers

from codearena_plugin import paths
from codearena_plugin.errors import CodeArenaError, ConfigError, DataError
from codearena_plugin.runs.files import load_run
from codearena_plugin.runs.style import style_of

pytestmark = pytest.mark.filterwarnings("default")  # lm-eval's own warnings are not ours to judge
TASKS = paths.data_dir("tasks")


def test_a_run_gives_every_metric_with_its_standard_error() -> None:
    found = numbers(evaluate(Parrot()))
    assert found["coverage"] == 1.0
    assert found["n_scored"] == 32
    assert math.isclose(found["win_rate"] + found["tie_rate"] + found["loss_rate"], 1.0)
    assert math.isclose(found["score"], found["win_rate"] + found["tie_rate"] / 2)
    assert all(0 < found[f"{rate}_stderr"] < 0.2 for rate in RATES)


def test_predict_only_asks_no_judge_and_keeps_the_samples() -> None:
    with JudgeServer() as judge:
        results = evaluate(
            Parrot(), {"judge": "codearena", "judge_base_url": judge.url}, predict_only=True, log_samples=True
        )
        assert judge.n_requests == 0
    assert len(results["samples"]["codearena_mini"]) == 32


def test_limit_and_samples_judge_only_what_was_generated() -> None:
    with JudgeServer() as judge:
        options = {"judge": "codearena", "judge_base_url": judge.url}
        few = evaluate(Parrot(), options, limit=3)
        assert numbers(few)["n_scored"] == 3
        assert judge.n_judged == 6
        some = evaluate(Parrot("other"), options, samples={"codearena_mini": [4, 9]}, log_samples=True)
        assert numbers(some)["n_scored"] == 2
        assert judge.n_judged == 10
    assert [sample["doc"]["id"] for sample in some["samples"]["codearena_mini"]] == ["mini-005", "mini-010"]


def test_repeats_are_judged_once(tmp_path: Path) -> None:
    source = TASKS / "codearena_mini" / "lm_eval" / "codearena_mini.yaml"
    (tmp_path / "thrice.yaml").write_text(f"include: {source}\ntask: thrice\nrepeats: 3\n")
    with JudgeServer() as judge:
        manager = TaskManager(
            include_defaults=False,
            include_path=str(tmp_path),
            metadata={"judge": "codearena", "judge_base_url": judge.url},
        )
        model = Parrot()
        lm_eval.simple_evaluate(model, tasks=["thrice"], task_manager=manager, limit=2)
        assert len(model.asked) == 6
        assert judge.n_judged == 4


def test_samples_carry_both_verdicts_with_the_judge_s_own_words() -> None:
    with JudgeServer() as judge:
        results = evaluate(Parrot(), {"judge": "codearena", "judge_base_url": judge.url}, limit=2, log_samples=True)
    for sample in results["samples"]["codearena_mini"]:
        games = sample["judgement"]["games"]
        assert [game["order"] for game in games] == ["baseline_first", "answer_first"]
        assert all("My verdict" in game["replies"][0]["text"] for game in games)
        assert set(RATES) <= set(sample["metrics"])


def test_the_run_directory_holds_answers_games_and_the_same_numbers(tmp_path: Path) -> None:
    results = evaluate(Parrot(), {"codearena_output": str(tmp_path)})
    run = load_run(tmp_path / "codearena_mini")
    assert len(run.answers) == 32
    assert len(run.games) == 64
    assert run.result["metrics"]["score"]["estimate"] == numbers(results)["score"]
    assert run.result["metrics"]["score"]["stderr"] == numbers(results)["score_stderr"]
    assert [row["name"] for row in run.result["strata"]["difficulty"]] == ["easy", "medium", "hard"]
    assert set(style_of(run)) == {answer.prompt_id for answer in run.answers}
    assert (run.path / "style.json").exists()


def test_options_beat_the_environment_which_beats_the_card(monkeypatch: pytest.MonkeyPatch) -> None:
    with JudgeServer() as judge:
        monkeypatch.setenv("CODEARENA_JUDGE", "codearena")
        monkeypatch.setenv("CODEARENA_JUDGE_BASE_URL", judge.url)
        monkeypatch.setenv("CODEARENA_JUDGE_MODEL", "from-environment")
        evaluate(Parrot(), limit=1)
        assert {body["model"] for body in judge.requests} == {"from-environment"}
        assert {body["temperature"] for body in judge.requests} == {0.2}
        evaluate(Parrot("two"), {"judge_model": "from-option", "judge_temperature": 0.7}, limit=1)
        assert judge.requests[-1]["model"] == "from-option"
        assert judge.requests[-1]["temperature"] == 0.7


def test_the_effective_settings_are_recorded_and_the_key_is_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "sk-very-secret-0123456789"
    monkeypatch.setenv("CODEARENA_JUDGE_API_KEY", secret)
    with JudgeServer(key=secret) as judge:
        results = evaluate(
            Parrot(),
            {"judge": "codearena", "judge_base_url": judge.url, "codearena_output": str(tmp_path)},
            limit=2,
            log_samples=True,
        )
    used = results["configs"]["codearena_mini"]["metadata"]["codearena"]["judge"]
    assert used["card"] == "codearena@1-A"
    assert used["model"] == "gpt-4o-2024-08-06"
    kept = [*Path(os.environ["CODEARENA_HOME"]).rglob("*"), *tmp_path.rglob("*")]
    everything = [path.read_text(errors="replace") for path in kept if path.is_file()]
    assert len(everything) >= 4, "the store, the answers, the games and the result"
    assert not any(secret in text for text in [*everything, json.dumps(results, default=str)])


@pytest.mark.parametrize(
    ("server", "options", "said"),
    [
        ({"key": "right"}, {}, "refuses us"),
        ({"model": "other"}, {}, "does not know model"),
        ({}, {"judge_base_url": "http://127.0.0.1:9/v1", "judge_tries": 1}, "did not answer"),
        ({}, {"judge_modell": "x"}, "Did you mean 'judge_model'"),
        ({}, {"judge_api_key": "sk"}, "CODEARENA_JUDGE_API_KEY"),
        ({}, {"judge_max_cost_usd": 1, "judge_model": "nobody-knows"}, "price of 'nobody-knows' is unknown"),
    ],
)
def test_a_judge_that_cannot_work_stops_the_run_before_generation(
    server: dict[str, Any], options: dict[str, Any], said: str
) -> None:
    model = Parrot()
    with JudgeServer(**server) as judge, pytest.raises(CodeArenaError, match=said):
        evaluate(model, {"judge": "codearena", "judge_base_url": judge.url, **options})
    assert model.asked == []


def test_a_dead_judge_costs_the_score_but_not_the_answers(tmp_path: Path) -> None:
    with JudgeServer(script=permanent("dead", 1)) as judge:
        results = evaluate(
            Parrot(),
            {
                "judge": "codearena",
                "judge_base_url": judge.url,
                "judge_tries": 1,
                "codearena_output": str(tmp_path),
            },
        )
    found = numbers(results)
    assert all(math.isnan(found[rate]) for rate in RATES)
    assert found["coverage"] == 0
    run = load_run(tmp_path / "codearena_mini")
    assert len(run.answers) == 32
    assert run.result["withheld"]
    assert all(run.result["metrics"][rate] is None for rate in RATES)


def test_failures_below_the_threshold_withhold_the_score_and_a_rerun_asks_only_the_missing() -> None:
    options = {"judge": "codearena", "judge_tries": 1}
    with JudgeServer(script=permanent("rate-limit", 0.3)) as judge:
        found = numbers(evaluate(Parrot(), {**options, "judge_base_url": judge.url}))
        assert 0 < found["coverage"] < 0.95
        assert math.isnan(found["score"])
        asked = judge.n_judged
    with JudgeServer() as judge:
        found = numbers(evaluate(Parrot(), {**options, "judge_base_url": judge.url}))
        assert found["coverage"] == 1.0
        assert not math.isnan(found["score"])
        assert 0 < judge.n_judged < asked


def test_a_lower_threshold_shows_the_score_of_what_was_judged() -> None:
    with JudgeServer(script=permanent("unparsable", 0.3)) as judge:
        found = numbers(
            evaluate(Parrot(), {"judge": "codearena", "judge_base_url": judge.url, "judge_min_coverage": 0.1})
        )
    assert 0.1 < found["coverage"] < 0.95
    assert 0 <= found["score"] <= 1


def test_a_replica_under_torchrun_does_not_judge_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_RANK", "1")
    with JudgeServer() as judge:
        results = evaluate(Parrot(), {"judge": "codearena", "judge_base_url": judge.url})
        assert judge.n_requests == 0
    assert results is None, "lm-eval itself discards what a second process found"


def test_lm_eval_s_request_cache_never_serves_another_suite(
    arena_hard: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LM_HARNESS_CACHE_PATH", str(tmp_path))
    rows = [json.loads(line) for line in _lines(arena_hard / "prompts.jsonl.gz")][:4]
    for part in (rows[:2], rows[2:]):
        data = tmp_path / f"{part[0]['id']}.jsonl"
        data.write_text("".join(json.dumps(row) + "\n" for row in part))
        model = Parrot()
        evaluate(
            model,
            {"codearena_data": str(data), "judge": "static"},
            task="codearena",
            cache_requests=True,
        )
        assert [request.doc["id"] for request in model.asked] == [row["id"] for row in part]


def test_few_shot_examples_are_refused() -> None:
    with pytest.raises(ConfigError, match="no few-shot"):
        evaluate(Parrot(), num_fewshot=2)


def test_a_reasoning_trace_is_hidden_from_the_judge_and_flagged(tmp_path: Path) -> None:
    with JudgeServer() as judge:
        evaluate(
            Parrot("<think>secret plan</think>\nUse a list."),
            {"judge": "codearena", "judge_base_url": judge.url, "codearena_output": str(tmp_path)},
            limit=2,
        )
        assert not any("secret plan" in str(body) for body in judge.requests)
    run = load_run(tmp_path / "codearena_mini")
    assert run.result["manifest"]["answers"]["reasoning_stripped"] == 2
    assert "secret plan" in run.answers[0].text


def test_every_turn_of_a_conversation_reaches_the_model() -> None:
    model = Parrot()
    evaluate(model, limit=4)
    multi_turn = next(request for request in model.asked if request.doc["id"] == "mini-004")
    assert len(multi_turn.doc["messages"]) == 3
    assert all(turn["content"] in multi_turn.args[0] for turn in multi_turn.doc["messages"])


def test_generation_is_not_cut_at_a_blank_line_or_256_tokens() -> None:
    model = Parrot()
    evaluate(model, limit=1)
    kwargs = model.asked[0].args[1]
    assert kwargs["until"] == []
    assert kwargs["max_gen_toks"] >= 4096


def test_the_model_can_be_the_judge_of_stored_answers(mini_answers: Path) -> None:
    options = {"codearena_answers": str(mini_answers / "answers_hasty.jsonl"), "codearena_suite": "codearena_mini"}
    judge = Parrot("Mine first.\n\nMy verdict: [[A>B]]")
    results = evaluate(judge, {**options, "judge": "codearena"}, task="judge_codearena")
    found = numbers(results, "judge_codearena")
    assert len(judge.asked) == 64
    assert found["coverage"] == 1.0
    assert found["tie_rate"] == 1.0, "a judge that always prefers the first place has decided nothing"
    assert found["order_consistency"] == 0.0
    assert found["n_scored"] == 32
    manifest = load_run(results["configs"]["judge_codearena"]["metadata"]["codearena"]["run"]).result["manifest"]
    assert manifest["model"] == "hasty"
    assert manifest["judge"]["backend"] == "lm-eval"
    assert manifest["judge"]["model"] != "gpt-4o-2024-08-06", "the card's model was not asked"
    vague = evaluate(Parrot("Both are fine."), {**options, "judge": "codearena"}, task="judge_codearena")
    assert math.isnan(numbers(vague, "judge_codearena")["score"])


def test_judge_codearena_without_answers_says_what_to_name() -> None:
    with pytest.raises(ConfigError, match="codearena_answers"):
        evaluate(Parrot(), task="judge_codearena")


def test_the_full_suite_is_never_replaced_by_the_mini_suite() -> None:
    with pytest.raises(DataError, match="CSJianYang/CodeArena"):
        evaluate(Parrot(), task="codearena")


def test_a_judge_that_leaves_in_mid_run_keeps_what_it_said(tmp_path: Path) -> None:
    def script(body: dict[str, Any], _times: int) -> dict[str, Any] | None:
        judged = [b for b in judge.requests if "<answer_a>" in str(b)]
        return {"status": 401, "body": {"error": {"message": "key revoked"}}} if len(judged) > 20 else None

    with JudgeServer(script=script) as judge:
        options = {"judge": "codearena", "judge_base_url": judge.url, "judge_concurrency": 4}
        found = numbers(evaluate(Parrot(), {**options, "codearena_output": str(tmp_path)}))
    assert math.isnan(found["score"])
    run = load_run(tmp_path / "codearena_mini")
    assert run.result["statuses"]["scored"] == 20
    assert "key" in run.result["stopped"]
    with JudgeServer() as judge:
        found = numbers(evaluate(Parrot(), {**options, "judge_base_url": judge.url}))
        assert judge.n_judged == 44
    assert found["coverage"] == 1.0


def test_two_ranks_judge_each_answer_once_and_agree_with_one(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is not installed here")
    with JudgeServer() as judge:
        one = numbers(evaluate(Parrot(), {"judge": "codearena", "judge_base_url": judge.url}, limit=31))
        asked_by_one = judge.n_judged
    script = Path(__file__).parents[1] / "support" / "two_ranks.py"
    with JudgeServer() as judge:
        environment = {**os.environ, "CODEARENA_HOME": str(tmp_path / "home"), "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "torch.distributed.run",
                "--nproc-per-node=2",
                "--standalone",
                str(script),
                judge.url,
            ],
            env=environment,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        assert judge.n_judged == asked_by_one
    two = json.loads(done.stdout.splitlines()[-1])
    assert {name: two[name] for name in (*RATES, "coverage", "n_scored")} == {
        name: one[name] for name in (*RATES, "coverage", "n_scored")
    }


def _lines(path: Path) -> list[str]:
    import gzip

    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return list(lines)
