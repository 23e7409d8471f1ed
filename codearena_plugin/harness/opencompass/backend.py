"""A chat model of OpenCompass as the judge: HF, vLLM, LMDeploy in the evaluation's own process, or one of its APIs.

The engine asks one question at a time; a model answers fastest in batches. So questions that wait together are
generated together, and one that fails is asked again alone, so that it takes no other with it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

from codearena_plugin.errors import ConfigError
from codearena_plugin.judging.asking.request import JudgeRequest, Scalar
from codearena_plugin.judging.backends.protocol import CallFailedError
from codearena_plugin.judging.settings import JudgeSettings, resolve_settings
from codearena_plugin.records import CallError, Message, Reply

NAME = "opencompass"
_DEFAULT_BATCH = 8
_GATHER_S = 0.02  # how long the first question of a batch waits for others
_LONGEST_BATCH_S = 6 * 3600.0  # a batch of a large model on few GPUs; OpenCompass has limits of its own for APIs
_NAMED_BY_THE_MODEL = ("model", "base_url", "backend", "replay", "temperature", "top_p", "max_tokens", "seed")
_ROLES = {"user": "HUMAN", "assistant": "BOT", "system": "SYSTEM"}


@dataclass(frozen=True, slots=True)
class _Judge:
    model: Any
    batch_size: int
    max_out_len: int | None


_judge: ContextVar[_Judge] = ContextVar("codearena_opencompass_judge")


@contextmanager
def judged_by(config: Mapping[str, Any]) -> Iterator[None]:
    """Build a judge model from its config, for the back end ``opencompass`` to ask.

    Raises:
        ConfigError: it is not a chat model.
    """
    from opencompass.models.base_api import APITemplateParser
    from opencompass.utils import build_model_from_cfg

    model = build_model_from_cfg(config)
    if not isinstance(model.template_parser, APITemplateParser):
        msg = (
            f"The judge model {config.get('type')!r} takes plain text; expected a chat model such as "
            "VLLMwithChatTemplate, HuggingFacewithChatTemplate or OpenAISDK."
        )
        raise ConfigError(msg)
    token = _judge.set(_Judge(model, _batch_size(config), config.get("max_out_len")))
    try:
        yield
    finally:
        _judge.reset(token)


def judge_settings(config: Mapping[str, Any], options: Mapping[str, Any]) -> JudgeSettings:
    """Return the settings of a judge that is a model of OpenCompass: its config says what a URL's options say.

    Raises:
        ConfigError: an option that the config decides, or a card that asks no model.
    """
    both = [f"judge_{name}" for name in _NAMED_BY_THE_MODEL if f"judge_{name}" in options]
    if both:
        msg = f"{', '.join(both)}: the config of the judge model says so already. Leave it out."
        raise ConfigError(msg)
    hidden = {f"CODEARENA_JUDGE_{name.upper()}" for name in _NAMED_BY_THE_MODEL}
    environ = {name: value for name, value in os.environ.items() if name not in hidden}
    settings = resolve_settings(options, environ=environ)
    if settings.backend == "static":
        msg = f"The judge card {settings.card.name!r} asks no model; choose one with a prompt, such as 'codearena'."
        raise ConfigError(msg)
    chosen = settings.chosen
    return replace(
        settings,
        backend=NAME,
        model=str(config.get("path") or config["type"]),
        base_url=None,
        sampling=_sampling(config),
        tries=settings.tries if "judge_tries" in chosen else 1,  # its models try again themselves
        concurrency=settings.concurrency if "judge_concurrency" in chosen else _batch_size(config),
        timeout_s=settings.timeout_s if "judge_timeout_s" in chosen else _LONGEST_BATCH_S,
        context_tokens=settings.context_tokens or config.get("max_seq_len"),  # longer prompts would be cut in silence
    )


def _batch_size(config: Mapping[str, Any]) -> int:
    return int(config.get("batch_size") or _DEFAULT_BATCH)


def _sampling(config: Mapping[str, Any]) -> dict[str, Scalar]:
    """Return what decides how the model generates; part of every request's key."""
    known = {**config.get("generation_kwargs", {}), "temperature": config.get("temperature")}
    found = {name: value for name, value in known.items() if isinstance(value, (str, int, float, bool))}
    return found | ({"max_tokens": config["max_out_len"]} if config.get("max_out_len") else {})


def create(_settings: JudgeSettings) -> ModelBackend:
    """Return the back end for the model that the evaluation has built.

    Raises:
        ConfigError: asked for outside an evaluation of OpenCompass.
    """
    judge = _judge.get(None)
    if judge is None:
        msg = "judge_backend='opencompass' is set by OpenCompass' evaluators alone: name the model in their judge_cfg."
        raise ConfigError(msg)
    return ModelBackend(judge.model, judge.batch_size, judge.max_out_len)


class ModelBackend:
    """Asks a model of OpenCompass, in batches, in a thread of its own."""

    is_remote = True  # asking costs time or money: replies are kept

    def __init__(self, model: Any, batch_size: int, max_out_len: int | None) -> None:
        self._model = model
        self._batch_size = batch_size
        self._max_out_len = max_out_len
        self._waiting: list[tuple[JudgeRequest, asyncio.Future[Reply]]] = []
        self._worker: asyncio.Task[None] | None = None

    async def ask(self, request: JudgeRequest) -> Reply:
        """Answer one request, together with those that wait beside it.

        Raises:
            CallFailedError: the model failed at it, or gave no text.
        """
        turn: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, turn))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        return await turn

    async def aclose(self) -> None:
        """Wait for the batch under way; the model belongs to the evaluation."""
        if self._worker is not None:
            self._waiting.clear()
            await self._worker

    async def _work(self) -> None:
        await asyncio.sleep(_GATHER_S)
        while self._waiting:
            batch, self._waiting = self._waiting[: self._batch_size], self._waiting[self._batch_size :]
            found = await asyncio.to_thread(self._generate, [request for request, _ in batch])
            for (_, turn), reply in zip(batch, found, strict=True):
                if turn.done():  # nobody waits for it any more
                    continue
                if isinstance(reply, Reply):
                    turn.set_result(reply)
                else:
                    turn.set_exception(reply)
            await asyncio.sleep(_GATHER_S)

    def _generate(self, requests: Sequence[JudgeRequest]) -> list[Reply | CallFailedError]:
        """Return a reply or a failure for each request."""
        prompts = [_as_given(request.messages) for request in requests]
        try:
            texts = self._model.generate_from_template(prompts, max_out_len=self._max_out_len)
        except Exception as exc:  # the boundary to strangers' code
            if len(requests) == 1:
                return [_failed(f"{type(exc).__name__}: {exc}")]
            return [found for request in requests for found in self._generate([request])]
        if len(texts) != len(requests):
            return [_failed(f"the model gave {len(texts)} replies to {len(requests)} questions")] * len(requests)
        return [
            Reply(text=text, attempts=1) if isinstance(text, str) else _failed(f"a reply of type {type(text).__name__}")
            for text in texts
        ]


def _failed(why: str) -> CallFailedError:
    return CallFailedError(CallError("server", " ".join(why.split())[:500]), is_retryable=False)


def _as_given(messages: Sequence[Message]) -> list[dict[str, str]]:
    """Return turns that OpenCompass hands to a chat model as they are.

    Turns with ``content`` pass its template parser untouched, which else joins system and user text and adds a line
    end; its chat models then read ``prompt``.
    """
    return [
        {"role": _ROLES[message.role], "prompt": message.content, "content": message.content} for message in messages
    ]
