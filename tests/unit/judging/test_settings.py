from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from codearena_plugin import paths
from codearena_plugin.errors import ConfigError
from codearena_plugin.judging.backends import openai
from codearena_plugin.judging.options import OPTIONS
from codearena_plugin.judging.plan import plan_games
from codearena_plugin.judging.protocol.card import Placeholders
from codearena_plugin.judging.settings import JudgeSettings, resolve_settings
from codearena_plugin.judging.urls import checked_url, without_credentials
from codearena_plugin.records import Answer, Message, Prompt


def settings(environ: dict[str, str] | None = None, **options: Any) -> JudgeSettings:
    return resolve_settings({f"judge_{key}": value for key, value in options.items()}, environ=environ or {})


def test_an_option_beats_the_environment_which_beats_the_card() -> None:
    environ = {"CODEARENA_JUDGE_MODEL": "from-env", "CODEARENA_JUDGE_CONCURRENCY": "7"}
    chosen = settings(environ, model="from-option")
    assert (chosen.model, chosen.concurrency, chosen.attempts) == ("from-option", 7, chosen.card.attempts)
    assert chosen.chosen == {"judge_model": "option", "judge_concurrency": "environment"}
    assert settings().model == "gpt-4o-2024-08-06"
    assert settings().concurrency == 32


def test_empty_and_null_values_choose_nothing() -> None:
    assert settings({"CODEARENA_JUDGE_MODEL": ""}, model=None, base_url="").model == "gpt-4o-2024-08-06"


def test_the_judge_itself_can_be_chosen_by_option_and_environment() -> None:
    assert resolve_settings({"judge": "static"}, environ={"CODEARENA_JUDGE": "codearena"}).card.name == "static"
    assert resolve_settings({}, environ={"CODEARENA_JUDGE": "static"}).card.name == "static"
    assert resolve_settings({}, environ={}, default_judge="static").card.name == "static"


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.key)
def test_every_option_has_an_environment_twin(option: Any) -> None:
    assert option.variable == f"CODEARENA_{option.key.upper()}"
    assert option.expected


BAD: list[tuple[str, Any]] = [
    ("concurrency", 0),
    ("concurrency", "many"),
    ("concurrency", 1.5),
    ("concurrency", True),
    ("concurrency", float("inf")),
    ("concurrency", [1]),
    ("max_cost_usd", -1),
    ("max_cost_usd", "nan"),
    ("max_cost_usd", "inf"),
    ("max_calls", 0),
    ("min_coverage", 1.5),
    ("min_coverage", -0.1),
    ("order", "random"),
    ("order", ["both"]),
    ("mode", "paper"),
    ("attempts", "0"),
    ("temperature", "hot"),
    ("top_p", 2),
    ("max_tokens", -5),
    ("seed", "x"),
    ("reasoning", "maybe"),
    ("timeout_s", 0),
    ("timeout_s", -1),
    ("deadline_s", "0"),
    ("tries", 0),
    ("context_tokens", "128k"),
]


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_value_that_cannot_be_used_names_the_option_the_value_and_what_was_expected(name: str, value: Any) -> None:
    expected = next(option.expected for option in OPTIONS if option.name == name)
    with pytest.raises(ConfigError) as caught:
        settings(**{name: value})
    assert str(caught.value) == f"judge_{name}={value!r} cannot be used: expected {expected}."


def test_a_wrong_variable_is_named_as_the_variable() -> None:
    with pytest.raises(ConfigError, match=r"CODEARENA_JUDGE_TRIES='none' cannot be used"):
        settings({"CODEARENA_JUDGE_TRIES": "none"})


def test_an_unknown_judge_option_suggests_the_nearest() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'judge_concurrency'"):
        settings(concurency=3)


def test_options_of_others_are_not_ours() -> None:
    assert resolve_settings({"pretrained": "x", "codearena_data": "y"}, environ={}).card.name == "codearena"


@pytest.mark.parametrize("name", ["judge_api_key", "judge_openai_api_key"])
def test_a_key_among_the_options_is_refused_and_not_repeated(name: str) -> None:
    with pytest.raises(ConfigError, match="CODEARENA_JUDGE_API_KEY") as caught:
        resolve_settings({name: "sk-SECRET"}, environ={})
    assert "SECRET" not in str(caught.value)


URL = "https://me:hunter2@host.example:8443/v1?api-version=1&key=hunter2"


def test_credentials_in_the_url_are_described_nowhere() -> None:
    described = json.dumps(settings(base_url=URL).describe(), ensure_ascii=False)
    assert "hunter2" not in described
    assert "https://host.example:8443/v1?api-version=…&key=…" in described


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://u:p@[::1]:8000/v1", "http://[::1]:8000/v1"),
        ("http://h/v1#t=secret", "http://h/v1"),
        ("http://h:bad/v1", "(not a URL)"),
        ("http://h/v1?secret", "http://h/v1?secret=…"),
    ],
)
def test_urls_are_shown_without_credentials(url: str, shown: str) -> None:
    assert without_credentials(url) == shown


@pytest.mark.parametrize(
    "url",
    [
        "localhost:8000",
        "ftp://h/v1",
        "http://",
        "http:///v1",
        "h",
        "http://h:99999/v1",
        "http://h:0/v1",
        "http://[::1/v1",
    ],
)
def test_what_is_no_http_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="judge_base_url="):
        checked_url(url)


def test_the_openai_variable_names_the_url_unless_ours_does() -> None:
    environ = {"OPENAI_BASE_URL": "http://env/v1"}
    assert settings(environ).base_url == "http://env/v1"
    assert settings(environ, base_url="http://option/v1").base_url == "http://option/v1"


@pytest.mark.parametrize(
    "model", ["o1", "o3-mini", "o4-mini-2025-04-16", "openai/o3", "gpt-5", "gpt-5-mini", "azure/gpt-5.1"]
)
def test_reasoning_models_get_their_own_parameters(model: str) -> None:
    assert settings(model=model).sampling == {"max_completion_tokens": 16384}
    assert settings(model=model, max_tokens=99).sampling == {"max_completion_tokens": 99}
    assert settings(model=model, reasoning=False).sampling == {"temperature": 0.2, "max_tokens": 16384}


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-5-chat-latest", "olmo1", "o1000-nothing", "qwen/o", "gpt-oss-120b"])
def test_other_models_get_the_cards_parameters(model: str) -> None:
    assert settings(model=model).sampling == {"temperature": 0.2, "max_tokens": 16384}
    assert settings(model=model, reasoning="true").sampling == {"max_completion_tokens": 16384}


def test_sampling_is_overridden_field_by_field() -> None:
    assert settings(temperature=0, seed="7", top_p=0.5).sampling == {
        "temperature": 0.0,
        "top_p": 0.5,
        "max_tokens": 16384,
        "seed": 7,
    }


def test_another_judges_context_is_unknown_unless_given() -> None:
    assert settings().window_tokens == 128000
    assert settings(model="small").window_tokens is None
    assert settings(model="small", context_tokens=4096).window_tokens == 4096
    assert settings(backend="of-a-stranger").window_tokens is None
    assert settings(backend="of-a-stranger", context_tokens=4096).window_tokens == 4096
    assert settings(replay="a stored run").window_tokens == 128000  # what was too long then is not in it
    assert replace(settings(), backend="lm-eval").window_tokens is None  # a harness plays the judge
    assert settings(model="small").describe()["context_tokens"] is None
    assert settings().describe()["context_tokens"] == 128000


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens", "max_gen_toks"])
def test_room_for_the_reply_is_kept_under_any_name_of_its_limit(name: str) -> None:
    prompt = Prompt("p", (Message("user", "u"),), baselines={"b": "x" * 3500})
    answers = {"p": Answer("p", "m", "y" * 3500)}
    few, many = (
        plan_games([prompt], "b", answers, replace(settings(context_tokens=5000), sampling={name: limit}))
        for limit in (100, 4000)
    )
    assert [plan.skipped for plan in few] == [None, None]
    assert all(plan.skipped is not None and plan.skipped.status == "skipped" for plan in many)


def test_settings_describe_what_makes_results_comparable() -> None:
    described = settings().describe()
    assert (described["card"], described["comparable_as"]) == ("codearena@1-A", "codearena@1")
    assert described["prompt_sha256"] == settings(model="other", temperature=1).describe()["prompt_sha256"]
    assert re.fullmatch("[0-9a-f]{64}", described["prompt_sha256"])


def test_the_hash_of_a_prompt_depends_on_all_of_it() -> None:
    base = settings()
    card, texts = base.card, base.texts
    others = [
        replace(base, texts=texts.model_copy(update={name: "other \ud800"}))
        for name in ("system", "user", "continuation")
    ]
    changes: list[dict[str, Any]] = [
        {"format": "json"},
        {"question": "first"},
        {"placeholders": Placeholders(question="{q}")},
        {"delimiters": ("<x>",)},
    ]
    others += [
        replace(base, card=card.model_copy(update={"prompt": card.prompt.model_copy(update=change)}))
        for change in changes
    ]
    assert len({one.describe()["prompt_sha256"] for one in [base, *others]}) == 1 + len(others)
    same = card.prompt.model_copy(update={"user": "renamed.md"})
    assert replace(base, card=card.model_copy(update={"prompt": same})).describe() == base.describe()


def test_the_static_judge_is_not_a_back_end_for_prompts() -> None:
    with pytest.raises(ConfigError, match="judge='static'"):
        settings(backend="static")


def test_a_replay_needs_no_back_end_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings(replay="somewhere").backend == "replay"


def test_the_store_lies_in_the_users_home_unless_chosen() -> None:
    assert settings().store == paths.default_store()
    assert settings(store="~/x.db").store.is_absolute()


def test_a_hosted_judge_needs_a_key_and_a_local_one_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="CODEARENA_JUDGE_API_KEY"):
        openai.create(settings())
    openai.create(settings(base_url="http://localhost:1/v1"))


def test_our_key_beats_the_general_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "general")
    monkeypatch.setenv("CODEARENA_JUDGE_API_KEY", "ours")
    assert openai.create(settings())._key == "ours"
    monkeypatch.setenv("CODEARENA_JUDGE_API_KEY", "")
    assert openai.create(settings())._key == "general"


@pytest.mark.parametrize("key", ["sk-x\n", " sk", "sk\tx", "ключ-секрет", "a\x7fb"])
def test_a_key_that_no_header_can_carry_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("CODEARENA_JUDGE_API_KEY", key)
    with pytest.raises(ConfigError) as caught:
        openai.create(settings())
    assert key not in str(caught.value)


def test_a_key_and_a_user_in_the_url_contradict_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
    with pytest.raises(ConfigError, match="one") as caught:
        openai.create(settings(base_url=URL))
    assert "hunter2" not in str(caught.value)


def test_naming_a_model_or_url_chooses_a_judge_that_asks_one() -> None:
    def chosen(**options: Any) -> str:
        return resolve_settings(options, environ={}, default_judge="static").card.name

    assert chosen() == "static"
    assert chosen(judge_model="m") == "codearena"
    assert chosen(judge_base_url="http://127.0.0.1:1/v1") == "codearena"
    with pytest.raises(ConfigError, match="asks no model"):
        chosen(judge="static", judge_model="m")


def test_a_misspelt_environment_variable_of_the_judge_is_an_error() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'CODEARENA_JUDGE_MAX_CALLS'"):
        resolve_settings({}, environ={"CODEARENA_JUDGE_MAX_CALL": "10"})
    assert resolve_settings({}, environ={"CODEARENA_JUDGE_API_KEY": "sk", "CODEARENA_HOME": "x"})


def test_a_replay_takes_card_and_model_from_the_stored_run(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text('{"manifest": {"judge": {"card": "static@1-A", "model": "static-1"}}}')
    replayed = resolve_settings({"judge_replay": str(tmp_path)}, environ={})
    assert (replayed.card.name, replayed.model, replayed.backend) == ("static", "static-1", "replay")
    other = resolve_settings({"judge_replay": str(tmp_path), "judge": "codearena", "judge_model": "m"}, environ={})
    assert (other.card.name, other.model) == ("codearena", "m")
