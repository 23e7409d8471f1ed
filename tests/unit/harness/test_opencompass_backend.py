"""A model of OpenCompass as the judge: batches, and one failure that takes no other question with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from judging_runs import a_suite, answers_to

from codearena_plugin.errors import ConfigError
from codearena_plugin.harness.opencompass import backend
from codearena_plugin.judging.play import open_backend
from codearena_plugin.judging.settings import JudgeSettings
from codearena_plugin.runs.judge import Run, judge_answers

CONFIG = {"type": "Chat", "path": "their-judge", "batch_size": 4, "max_out_len": 64, "temperature": 0.2}


class Model:
    """What counts of a chat model: it answers lists of conversations, and may fail at a text."""

    def __init__(self, fails_at: str = "\0") -> None:
        self.fails_at = fails_at
        self.batches: list[int] = []
        self.seen: list[Any] = []

    def generate_from_template(self, prompts: Sequence[list[dict[str, str]]], max_out_len: int) -> list[str]:
        assert max_out_len == 64
        self.batches.append(len(prompts))
        if any(self.fails_at in prompt[-1]["prompt"] for prompt in prompts):
            msg = "out of memory"
            raise RuntimeError(msg)
        self.seen += prompts
        return ["My verdict: [[A=B]]"] * len(prompts)


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> JudgeSettings:
    monkeypatch.setenv("CODEARENA_JUDGE_MODEL", "for-another-judge")
    return backend.judge_settings(CONFIG, {"judge_store": str(tmp_path / "replies.sqlite3")})


def judged(model: Model, settings: JudgeSettings, folder: Path) -> Run:
    token = backend._judge.set(backend._Judge(model, 4, 64))
    suite = a_suite(6)
    folder.mkdir()
    try:
        return judge_answers(suite, answers_to(suite), settings, folder)
    finally:
        backend._judge.reset(token)


def test_games_are_asked_in_batches_and_kept(settings: JudgeSettings, tmp_path: Path) -> None:
    model = Model()
    run = judged(model, settings, tmp_path / "first")
    assert run.result.statuses["scored"] == 12
    assert model.batches == [4, 4, 4]
    assert {turn["role"] for turn in model.seen[0]} == {"SYSTEM", "HUMAN"}
    again = Model()
    assert judged(again, settings, tmp_path / "second").result.statuses["scored"] == 12
    assert again.batches == []


def test_one_failure_is_one_failed_game(settings: JudgeSettings, tmp_path: Path) -> None:
    model = Model(fails_at="number 3 ")
    statuses = judged(model, settings, tmp_path / "first").result.statuses
    assert (statuses["scored"], statuses["transport-error"]) == (10, 2)
    healed = Model()
    assert judged(healed, settings, tmp_path / "second").result.statuses["scored"] == 12
    assert sum(healed.batches) == 2


def test_the_config_of_the_model_says_how_it_is_asked(settings: JudgeSettings) -> None:
    assert (settings.backend, settings.model, settings.base_url) == ("opencompass", "their-judge", None)
    sha256 = settings.sampling["config_sha256"]
    assert settings.sampling == {"temperature": 0.2, "max_tokens": 64, "config_sha256": sha256}
    assert (settings.concurrency, settings.tries) == (4, 1)
    assert backend.judge_settings({**CONFIG, "max_seq_len": 4096}, {}).window_tokens == 4096


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"judge_model": "x"}, "judge_model: the config of the judge model says so already"),
        ({"judge": "static"}, "asks no model"),
    ],
)
def test_options_that_contradict_the_model_are_refused(options: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        backend.judge_settings(CONFIG, options)


def test_outside_an_evaluation_there_is_no_such_judge(settings: JudgeSettings) -> None:
    with pytest.raises(ConfigError, match="set by OpenCompass' evaluators alone"):
        open_backend(settings)


def sha256(**more: Any) -> Any:
    return backend.judge_settings({**CONFIG, **more}, {}).sampling["config_sha256"]


@pytest.mark.parametrize(
    "more",
    [
        {"lora_path": "/adapter"},
        {"chat_template_kwargs": {"enable_thinking": False}},
        {"generation_kwargs": {"stop": ["x"]}},
        {"meta_template": [{"role": "system", "content": "x"}]},
        {"model_kwargs": {"max_model_len": 4096}},
        {"type": Model},
    ],
)
def test_what_may_change_replies_changes_the_key(more: dict[str, Any]) -> None:
    assert sha256(**more) != sha256()
    assert sha256(**more) == sha256(**more)


def test_where_and_how_fast_it_runs_does_not(settings: JudgeSettings) -> None:
    elsewhere = {"abbr": "x", "batch_size": 2, "run_cfg": {"num_gpus": 8}, "openai_api_base": "http://x", "retry": 3}
    assert sha256(**elsewhere) == settings.sampling["config_sha256"]
    assert sha256(model_kwargs={"tensor_parallel_size": 8}) == sha256(model_kwargs={"device_map": "auto"})


def test_a_prompt_that_would_be_cut_is_skipped(settings: JudgeSettings, tmp_path: Path) -> None:
    class Small(Model):
        max_seq_len = 1064

        def get_token_len(self, prompt: list[dict[str, str]]) -> int:
            return 1001 if "number 3 " in prompt[-1]["prompt"] else 1000

    model = Small()
    statuses = judged(model, settings, tmp_path / "first").result.statuses
    assert (statuses["scored"], statuses["skipped"]) == (10, 2)
    assert sum(model.batches) == 10


def test_a_model_whose_tokens_cannot_be_counted_is_said_to_be_unchecked_once(
    settings: JudgeSettings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Uncountable(Model):
        max_seq_len = 1064

        def get_token_len(self, prompt: list[dict[str, str]]) -> int:
            msg = "no chat template"
            raise ValueError(msg)

    statuses = judged(Uncountable(), settings, tmp_path / "first").result.statuses
    assert statuses["scored"] == 12
    (record,) = (record for record in caplog.records if "not checked for length" in record.getMessage())
    assert "ValueError: no chat template" in record.getMessage()


def test_an_api_is_asked_nothing_twice(settings: JudgeSettings, tmp_path: Path) -> None:
    class Api(Model):
        is_api = True

    model = Api(fails_at="number 3 ")
    statuses = judged(model, settings, tmp_path / "first").result.statuses
    assert (statuses["scored"], statuses["transport-error"]) == (10, 2)
    assert model.batches == [1] * 12
