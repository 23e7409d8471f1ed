"""What goes over the wire, held against the ``openai`` package's own types; and what comes back from a stored run."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from judge_server import JudgeServer
from judging_runs import settings_for

from codearena_plugin.errors import ConfigError, DataError, JudgeAccessError
from codearena_plugin.judging.asking.request import JudgeRequest, request_key
from codearena_plugin.judging.backends import openai, replay
from codearena_plugin.judging.backends.protocol import CallFailedError
from codearena_plugin.judging.ledger import write_games
from codearena_plugin.records import CallError, Game, Message, Reply, Usage, Verdict

REQUEST = JudgeRequest(
    "codearena@1",
    "local-judge",
    (Message("system", "s"), Message("user", "é\x00"), Message("assistant", "a"), Message("user", "<answer_a>")),
    {"temperature": 0.2, "max_tokens": 16384, "top_p": 0.9, "seed": 7},
)


def ask(server: JudgeServer, request: JudgeRequest = REQUEST, **options: Any) -> Reply:
    async def scene() -> Reply:
        backend = openai.create(settings_for(server, Path("unused"), **options))
        try:
            return await backend.ask(request)
        finally:
            await backend.aclose()

    return asyncio.run(scene())


def test_a_request_is_what_the_openai_package_would_send() -> None:
    types = pytest.importorskip("openai.types.chat.completion_create_params")
    known = get_type_hints(types.CompletionCreateParamsNonStreaming).keys()
    reasoning = JudgeRequest("j@1", "o3", (Message("user", "u"),), {"max_completion_tokens": 5})
    with JudgeServer() as server:
        ask(server)
        ask(server, reasoning)
        sent, sent_to_reasoning = server.requests
        (headers, _) = server.headers_seen
    assert sent.keys() <= known
    assert sent_to_reasoning == {
        "model": "o3",
        "messages": [{"role": "user", "content": "u"}],
        "max_completion_tokens": 5,
    }
    assert sent_to_reasoning.keys() <= known
    assert sent["messages"][1] == {"role": "user", "content": "é\x00"}
    assert headers["Content-Type"] == "application/json"
    assert "Authorization" not in headers


def test_a_request_is_accepted_and_read_by_the_openai_client_and_by_us_alike() -> None:
    client_module = pytest.importorskip("openai")
    with JudgeServer() as server:
        reply = ask(server)
        client = client_module.OpenAI(base_url=server.url, api_key="x", max_retries=0)
        theirs = client.chat.completions.create(
            model=REQUEST.model,
            messages=[{"role": m.role, "content": m.content} for m in REQUEST.messages],
            **REQUEST.sampling,
        )
        client.close()
        ours, other = server.requests
    assert ours == other
    assert reply.text == theirs.choices[0].message.content
    assert reply.finish_reason == theirs.choices[0].finish_reason
    assert theirs.usage is not None
    assert reply.usage == Usage(theirs.usage.prompt_tokens, theirs.usage.completion_tokens)
    assert reply.served_model == theirs.model == "local-judge-scripted"
    client_module.types.chat.ChatCompletion.model_validate(theirs.model_dump(), strict=True)


def message(content: Any, **fields: Any) -> dict[str, Any]:
    return {"message": {"role": "assistant", "content": content, **fields}}


@pytest.mark.parametrize(
    ("done", "text"),
    [
        (message("v", reasoning_content="[[A>B]]"), "v"),
        (message(None, reasoning_content="[[A>B]]"), ""),
        (message("", reasoning="[[A>B]]", reasoning_details=[{"type": "reasoning.text", "text": "[[A>B]]"}]), ""),
        (message([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]), "ab"),
        (message([{"type": "thinking", "thinking": "[[A>B]]"}, {"type": "text", "text": "b"}]), "b"),
        (message([{"type": "reasoning", "text": "[[A>B]]"}]), ""),
        (message([]), ""),
        (message(None, tool_calls=[]), ""),
    ],
)
def test_reasoning_is_never_taken_for_the_reply(done: dict[str, Any], text: str) -> None:
    with JudgeServer(script=lambda _body, _times: done) as server:
        assert ask(server).text == text


@pytest.mark.parametrize("content", [5, {"type": "text"}, [5], [{"type": "text"}], ["x"], True])
def test_content_of_another_shape_is_a_bad_reply(content: Any) -> None:
    with JudgeServer(script=lambda _body, _times: message(content)) as server, pytest.raises(CallFailedError) as caught:
        ask(server)
    assert caught.value.error.kind == "bad-reply"
    assert caught.value.is_retryable


@pytest.mark.parametrize(
    ("base", "asked"),
    [
        ("http://h/v1", "http://h/v1/chat/completions"),
        ("http://h/v1/", "http://h/v1/chat/completions"),
        ("http://h", "http://h/chat/completions"),
        ("http://h/v1/chat/completions", "http://h/v1/chat/completions"),
        ("http://h/openai/deployments/d?api-version=1", "http://h/openai/deployments/d/chat/completions?api-version=1"),
    ],
)
def test_a_base_url_is_completed(base: str, asked: str) -> None:
    assert openai._completions_url(base) == asked


def refusal_of(url: str) -> str:
    """Return what is said when this URL is asked; whatever it is, it is ours and one line."""

    async def ask() -> None:
        backend = openai.OpenAIBackend(url, None, connections=1)
        try:
            await backend.ask(REQUEST)
        finally:
            await backend.aclose()

    with pytest.raises((CallFailedError, JudgeAccessError)) as caught:
        asyncio.run(ask())
    return str(caught.value)


@pytest.mark.parametrize("url", ["http://exa mple/v1", "http://a..b/v1", "http://" + "a" * 70 + ".x/v1", "http://*/v1"])
def test_a_host_that_cannot_exist_is_a_plain_error(url: str) -> None:
    assert "\n" not in refusal_of(url)


def test_a_proxy_is_for_others_and_not_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", "http://proxy:1")
    monkeypatch.setenv("http_proxy", "http://proxy:2")
    monkeypatch.setenv("no_proxy", "inside.example")
    assert openai._proxy_for("https://api.openai.com/v1") == "http://proxy:1"
    assert openai._proxy_for("http://far/v1") == "http://proxy:2"
    for local in ("http://localhost:8000/v1", "http://127.0.0.2/v1", "http://[::1]/v1", "http://inside.example/v1"):
        assert openai._proxy_for(local) is None


def test_a_proxy_of_another_kind_is_a_plain_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "socks5://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    assert "\n" not in refusal_of("http://judge.invalid/v1")


def stored_run(folder: Path, *replies: Reply) -> Path:
    keys = tuple(request_key(REQUEST) for _ in replies)
    write_games(folder / "games.jsonl", [Game("p", "baseline_first", keys, replies, Verdict("skipped"))])
    return folder


def replayed(path: Path) -> Reply:
    backend = replay.create(settings_for("http://127.0.0.1:9", Path("unused"), replay=str(path)))
    return asyncio.run(backend.ask(REQUEST))


def test_a_stored_reply_is_replayed(tmp_path: Path) -> None:
    stored_run(tmp_path, Reply("yes", "stop", Usage(1, 2)))
    assert replayed(tmp_path) == replayed(tmp_path / "games.jsonl") == Reply("yes", "stop", Usage(1, 2))


def test_a_stored_failure_is_no_reply(tmp_path: Path) -> None:
    stored_run(tmp_path, Reply(error=CallError("server", "x")))
    with pytest.raises(CallFailedError) as caught:
        replayed(tmp_path)
    assert caught.value.error.kind == "missing"
    assert not caught.value.is_retryable


def test_a_replay_without_a_run_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="judge_replay"):
        replay.create(settings_for("http://127.0.0.1:9", Path("unused"), backend="replay"))
    with pytest.raises(DataError, match="cannot be read"):
        replayed(tmp_path / "absent")
