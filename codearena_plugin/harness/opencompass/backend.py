"""A chat model of OpenCompass as the judge: HF, vLLM, LMDeploy in the evaluation's own process, or one of its APIs.

The engine asks one question at a time; a model answers fastest in batches. So questions that wait together are
generated together; a batch that fails is asked again in halves, so that one question takes no other with it. An API
is asked one question at a time, several at once, and none of them twice.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

from codearena_plugin.errors import ConfigError
from codearena_plugin.judging.asking.request import JudgeRequest, Scalar
from codearena_plugin.judging.backends.protocol import CallFailedError
from codearena_plugin.judging.settings import JudgeSettings, resolve_settings
from codearena_plugin.records import CallError, CallErrorKind, Message, Reply

NAME = "opencompass"
_log = logging.getLogger("codearena.opencompass")
_Prompt = list[dict[str, str]]
_DEFAULT_BATCH = 8
_GATHER_S = 0.02  # how long the first question of a batch waits for others
_LONGEST_BATCH_S = 6 * 3600.0  # a batch of a large model on few GPUs; OpenCompass has limits of its own for APIs
_NAMED_BY_THE_MODEL = ("model", "base_url", "backend", "replay", "temperature", "top_p", "max_tokens", "seed")
_TRANSPORT = {
    *("abbr", "batch_size", "run_cfg", "key", "openai_api_base", "max_workers", "query_per_second", "retry"),
    "tokenizer_path",
}
_RESOURCES = {"tensor_parallel_size", "gpu_memory_utilization", "device_map"}
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
    """Return what decides how the model generates; part of every request's key.

    Adapters, chat templates, stop words, … are no scalars that one could list: a hash stands for all of the config.
    """
    known = {**config.get("generation_kwargs", {}), "temperature": config.get("temperature")}
    found = {name: value for name, value in known.items() if isinstance(value, (str, int, float, bool))}
    limit = {"max_tokens": config["max_out_len"]} if config.get("max_out_len") else {}
    return {**found, **limit, "config_sha256": _config_sha256(config)}


def _config_sha256(config: Mapping[str, Any]) -> str:
    """Return a hash of a judge's config without what only says where it runs, and how fast."""
    kept = {name: value for name, value in config.items() if name not in _TRANSPORT}
    if isinstance(kept.get("model_kwargs"), Mapping):
        kept["model_kwargs"] = {name: value for name, value in kept["model_kwargs"].items() if name not in _RESOURCES}
    text = json.dumps(kept, sort_keys=True, separators=(",", ":"), default=_named)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _named(value: Any) -> str:
    """Return the name of what a config may hold and JSON may not: classes, functions."""
    return f"{value.__module__}.{value.__qualname__}" if hasattr(value, "__qualname__") else str(value)


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
        self._has_warned = False

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
        """Return a reply or a failure for each request; no prompt is cut to fit."""
        prompts = [_as_given(request.messages) for request in requests]
        found: list[Reply | CallFailedError | None] = [self._too_long(prompt) for prompt in prompts]
        fitting = [prompt for prompt, failure in zip(prompts, found, strict=True) if failure is None]
        if getattr(self._model, "is_api", False) and len(fitting) > 1:
            with ThreadPoolExecutor(len(fitting)) as pool:
                alone = pool.map(self._replies, [[prompt] for prompt in fitting])
                replies = iter([reply for one in alone for reply in one])
        else:
            replies = iter(self._replies(fitting))
        return [next(replies) if failure is None else failure for failure in found]

    def _too_long(self, prompt: _Prompt) -> CallFailedError | None:
        """Return a failure for a prompt that the model would cut in silence, as far as it can be counted."""
        window = getattr(self._model, "max_seq_len", None)
        cuts = not getattr(self._model, "is_api", False)  # an API has a window of its own; the number here is a default
        if not cuts or not isinstance(window, int) or window <= 0:
            return None
        try:
            tokens = int(self._model.get_token_len(prompt))
        except Exception as exc:  # the boundary to strangers' code
            if not self._has_warned:
                self._has_warned = True
                _log.warning(
                    "prompts of the judge are not checked for length, and the model may cut long ones in silence: its "
                    "tokens cannot be counted (%s: %s). Give the judge a max_seq_len, or another model.",
                    type(exc).__name__,
                    exc,
                )
            return None
        if tokens + (self._max_out_len or 0) <= window:
            return None
        why = f"{tokens} tokens of prompt and {self._max_out_len or 0} of reply do not fit into {window} (max_seq_len)"
        return _failed(why, "context-length")

    def _replies(self, prompts: Sequence[_Prompt]) -> list[Reply | CallFailedError]:
        """Return a reply or a failure for each prompt; of a batch that fails the halves are asked again."""
        if not prompts:
            return []
        try:
            texts = self._model.generate_from_template(list(prompts), max_out_len=self._max_out_len)
        except Exception as exc:  # the boundary to strangers' code
            if len(prompts) == 1:
                return [_failed(f"{type(exc).__name__}: {exc}")]
            half = len(prompts) // 2
            return [*self._replies(prompts[:half]), *self._replies(prompts[half:])]
        if len(texts) != len(prompts):
            return [_failed(f"the model gave {len(texts)} replies to {len(prompts)} questions")] * len(prompts)
        return [
            Reply(text=text, attempts=1) if isinstance(text, str) else _failed(f"a reply of type {type(text).__name__}")
            for text in texts
        ]


def _failed(why: str, kind: CallErrorKind = "server") -> CallFailedError:
    return CallFailedError(CallError(kind, " ".join(why.split())[:500]), is_retryable=False)


def _as_given(messages: Sequence[Message]) -> _Prompt:
    """Return turns that OpenCompass hands to a chat model as they are.

    Turns with ``content`` pass its template parser untouched, which else joins system and user text and adds a line
    end; its chat models then read ``prompt``.
    """
    return [
        {"role": _ROLES[message.role], "prompt": message.content, "content": message.content} for message in messages
    ]
