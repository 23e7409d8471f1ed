"""Inside lm-eval nothing is lost, mixed up or leaked: answers, runs, names, passwords."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from judge_server import JudgeServer, permanent
from lm_eval_runs import Parrot, evaluate, numbers

from codearena_plugin.errors import DataError
from codearena_plugin.harness.lm_eval import beside, exits
from codearena_plugin.harness.lm_eval.replay import ReplayModel
from codearena_plugin.judging.ledger import read_games
from codearena_plugin.runs.compare import compare_runs
from codearena_plugin.runs.files import load_run

pytestmark = pytest.mark.filterwarnings("default")  # lm-eval's own warnings are not ours to judge


def test_a_run_directory_that_cannot_be_made_stops_the_run_before_generation(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    model = Parrot()
    with pytest.raises(DataError, match="cannot be made"):
        evaluate(model, {"codearena_output": str(tmp_path / "file" / "below")})
    assert model.asked == []


def test_a_store_that_breaks_after_generation_costs_the_score_and_not_the_answers(tmp_path: Path) -> None:
    with JudgeServer() as judge:
        options = {"judge": "codearena", "judge_base_url": judge.url, "judge_store": str(tmp_path / "replies")}

        def break_store(*_: Any) -> None:
            (tmp_path / "replies").unlink(missing_ok=True)
            (tmp_path / "replies").mkdir()

        model = Parrot()
        model.before_answering = break_store
        found = numbers(evaluate(model, {**options, "codearena_output": str(tmp_path / "out")}))
    assert found["coverage"] == 0
    run = load_run(tmp_path / "out" / "codearena_mini")
    assert len(run.answers) == 32
    assert "cannot be" in run.result["stopped"]


def test_another_model_never_overwrites_a_run(tmp_path: Path) -> None:
    options = {"codearena_output": str(tmp_path)}
    evaluate(Parrot(), {**options, "model": "one"})
    evaluate(Parrot("no code at all"), {**options, "model": "two"})
    evaluate(Parrot(), {**options, "model": "one"})
    runs = {load_run(path).model: load_run(path) for path in tmp_path.iterdir()}
    assert sorted(runs) == ["one", "two"], "the third run is the first again and takes its place"
    assert runs["one"].answers[0].text != runs["two"].answers[0].text


def test_a_result_whose_games_were_overwritten_is_refused(tmp_path: Path) -> None:
    for name, text in (("a", "print(1)"), ("b", "something else, quite different")):
        evaluate(Parrot(text), {"codearena_output": str(tmp_path / name), "model": name})
    first, second = tmp_path / "a" / "codearena_mini", tmp_path / "b" / "codearena_mini"
    assert compare_runs([load_run(first), load_run(second)])
    for name in ("games.jsonl", "answers.jsonl"):
        shutil.copy(second / name, first / name)
        with pytest.raises(DataError, match="not of one run"):
            load_run(first)


def test_a_run_that_a_budget_stopped_is_incomplete_even_above_the_bar(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = len(exits.incomplete())
    with JudgeServer() as judge:
        options = {"judge": "codearena", "judge_base_url": judge.url, "judge_max_calls": 60, "judge_min_coverage": 0.5}
        evaluate(Parrot(), {**options, "codearena_output": str(tmp_path)})
    assert len(exits.incomplete()) == before + 1
    assert "budget reached" in caplog.text
    assert "budget reached" in load_run(tmp_path / "codearena_mini").result["stopped"]


def test_a_password_in_the_judge_s_url_is_in_no_result(tmp_path: Path) -> None:
    with JudgeServer() as judge:
        url = judge.url.replace("http://", "http://user:supersecretpw@")
        results = evaluate(
            Parrot(),
            {"judge": "codearena", "judge_base_url": url, "codearena_output": str(tmp_path)},
            limit=1,
            log_samples=True,
        )
    assert judge.n_judged == 2
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"answers.jsonl", "games.jsonl", "result.json", "style.json"} <= {path.name for path in files}
    kept = [path.read_text() for path in files]
    assert not any("supersecretpw" in text for text in [*kept, json.dumps(results, default=str)])


def test_a_second_run_in_one_process_never_gets_the_first_run_s_result() -> None:
    evaluate(Parrot(), limit=1)
    assert "codearena_mini" in beside._finished
    evaluate(Parrot(), limit=1, predict_only=True)
    assert "codearena_mini" not in beside._finished


def test_the_model_keeps_its_full_name_and_the_manifest_says_how_it_was_asked(tmp_path: Path) -> None:
    options = {"pretrained": "org/model-7b", "api_key": "sk-no", "codearena_output": str(tmp_path)}
    evaluate(Parrot(), options, limit=2, system_instruction="Be brief.")
    manifest = load_run(tmp_path / "codearena_mini").result["manifest"]
    assert manifest["model"] == "org/model-7b"
    assert manifest["harness"]["model_args"] == {"pretrained": "org/model-7b"}
    assert manifest["harness"]["system_instruction"] == "Be brief."
    assert manifest["harness"]["limit"] == 2
    assert manifest["answers"]["cut_at_token_limit"] is None, "lm-eval does not say why an answer ended"


def test_replayed_answers_keep_the_name_of_who_gave_them(mini_answers: Path, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in (mini_answers / "answers_hasty.jsonl").read_text().splitlines()]
    path = tmp_path / "samples_x.jsonl"
    path.write_text("".join(json.dumps({**row, "model": "org/real"}) + "\n" for row in rows))
    evaluate(ReplayModel(path=str(path)), {"path": str(path), "codearena_output": str(tmp_path / "out")})
    run = load_run(tmp_path / "out" / "codearena_mini")
    assert run.model == "org/real"
    assert run.result["manifest"]["answers"]["cut_at_token_limit"] == 3


def test_replayed_answers_to_unknown_prompts_are_an_error_that_names_them(mini_answers: Path, tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    extra = json.dumps({"id": "stranger-7", "model": "hasty", "response": "hi"})
    path.write_text((mini_answers / "answers_hasty.jsonl").read_text() + extra + "\n")
    with pytest.raises(DataError, match="stranger-7"):
        evaluate(ReplayModel(path=str(path)), {"path": str(path)})
    few = evaluate(ReplayModel(path=str(mini_answers / "answers_hasty.jsonl")), limit=2)
    assert numbers(few)["n_scored"] == 2, "fewer prompts than answers is what --limit is for"


def test_the_replies_of_a_judging_model_are_kept_before_anything_is_made_of_them(
    mini_answers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {
        "codearena_answers": str(mini_answers / "answers_hasty.jsonl"),
        "codearena_suite": "codearena_mini",
        "judge": "codearena",
        "codearena_output": str(tmp_path),
    }

    def crash(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("codearena_plugin.harness.lm_eval.suites.base.make_result", crash)
    with pytest.raises(KeyboardInterrupt):
        evaluate(Parrot("Mine.\n\nMy verdict: [[A>B]]"), options, task="judge_codearena")
    games = list(read_games(tmp_path / "judge_codearena" / "games.jsonl"))
    assert len(games) == 64
    assert all(game.verdict.label == "A>B" for game in games)


def test_unparsable_games_are_not_promised_a_better_rerun(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with JudgeServer(script=permanent("unparsable", 0.5)) as judge:
        evaluate(
            Parrot(),
            {"judge": "codearena", "judge_base_url": judge.url, "codearena_output": str(tmp_path)},
        )
    assert "NO SCORE" in caplog.text
    assert "judge_again=STATUS" in caplog.text
    assert "run the same command again" not in caplog.text
