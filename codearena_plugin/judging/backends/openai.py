"""Any OpenAI-compatible chat-completions URL: hosted, vLLM, a proxy.

It speaks the wire format over aiohttp: the same 794 calls cost the ``openai`` client six times the CPU time
(``make bench``). Tests check requests and replies against the ``openai`` package's own types.
"""

from __future__ import annotations

import asyncio
import io
import ipaddress
import json
import os
import re
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

import aiohttp

from codearena_plugin.errors import ConfigError, JudgeAccessError
from codearena_plugin.judging.asking.backoff import asked_wait_s
from codearena_plugin.judging.asking.checked import token_count
from codearena_plugin.judging.asking.request import JudgeRequest
from codearena_plugin.judging.backends.protocol import CallFailedError
from codearena_plugin.judging.options import KEY_VARIABLE
from codearena_plugin.judging.settings import JudgeSettings
from codearena_plugin.judging.urls import without_credentials
from codearena_plugin.records import CallError, CallErrorKind, Reply, Usage

DEFAULT_URL = "https://api.openai.com/v1"
KEY_VARIABLES = (KEY_VARIABLE, "OPENAI_API_KEY")
_CONNECT_TIMEOUT_S = 20
_MAX_REPLY_BYTES = 16 << 20
_LARGE_BYTES = 1 << 20
_SECRET_LENGTH = 6  # what is shorter ("EMPTY", "1") hides nothing, and would cut holes into every message
_RETRYABLE_STATUSES = {408, 409, 425, 429}
_TOO_LONG = (
    "context_length",
    "context length",
    "context size",
    "maximum context",
    "too many tokens",
    "too long",
    "max_model_len",
)
_FILTERED = ("content_filter", "content management policy")
_NO_MODEL = re.compile(r"model_not_found|\bmodel\b[^.,;]{0,99}\b(?:does not exist|not exist\b|not found\b)")
_NEVER_SENT = (aiohttp.ClientConnectorError, aiohttp.ClientHttpProxyError, aiohttp.InvalidURL)
_NO_MONEY = ("insufficient_quota", "billing_hard_limit")


def create(settings: JudgeSettings) -> OpenAIBackend:
    """Return the back end for these settings; the key comes from the environment, now.

    Raises:
        ConfigError: a hosted judge without a key.
    """
    url = settings.base_url or DEFAULT_URL
    key = next((os.environ[name] for name in KEY_VARIABLES if os.environ.get(name)), None)
    if key is None and not settings.base_url:
        msg = f"No judge key: set {KEY_VARIABLES[0]} (or {KEY_VARIABLES[1]}), or name a judge with judge_base_url."
        raise ConfigError(msg)
    if key is not None and (not key.isprintable() or not key.isascii() or key != key.strip()):
        msg = "The judge key in the environment holds spaces or characters that no HTTP header can carry. Set it again."
        raise ConfigError(msg)
    if key is not None and urlsplit(url).username is not None:
        msg = f"Both a key in the environment and a user in judge_base_url ({without_credentials(url)}): give one."
        raise ConfigError(msg)
    return OpenAIBackend(url, key, connections=settings.concurrency)


class OpenAIBackend:
    """A client of one chat-completions URL, with one shared connection pool."""

    is_remote = True

    def __init__(self, base_url: str, key: str | None, *, connections: int) -> None:
        self.shown_url = without_credentials(base_url)
        self._url = _completions_url(base_url)
        self._key = key
        self._secrets = _secrets_of(base_url, key)
        self._connections = connections
        self._proxy = _proxy_for(base_url)
        self._session: aiohttp.ClientSession | None = None

    async def ask(self, request: JudgeRequest) -> Reply:
        """Send one chat completion; see ``protocol.Backend``."""
        body = {
            "model": request.model,
            "messages": [{"role": message.role, "content": message.content} for message in request.messages],
            **request.sampling,
        }
        data = json.dumps(body).encode()
        sent = data if len(data) < _LARGE_BYTES else io.BytesIO(data)  # aiohttp sends large bytes only with a warning
        try:
            async with self._open_session().post(
                self._url, data=sent, proxy=self._proxy, allow_redirects=False
            ) as response:
                raw = await response.content.read(_MAX_REPLY_BYTES)
                while not response.content.at_eof() and len(raw) < _MAX_REPLY_BYTES:
                    raw += await response.content.read(_MAX_REPLY_BYTES - len(raw))
                status, headers = response.status, response.headers
        except asyncio.TimeoutError as exc:
            raise _failed("timeout", f"no connection to {self.shown_url}", is_retryable=True) from exc
        except (aiohttp.ClientError, OSError) as exc:
            said = self._redact(f"{type(exc).__name__}: {exc}")
            is_lost = not isinstance(exc, _NEVER_SENT)
            raise CallFailedError(CallError("connection", said), is_retryable=True, is_lost=is_lost) from exc
        except ValueError as exc:  # a host or proxy that the client cannot use at all
            msg = f"The judge at {self.shown_url} cannot be asked: {self._redact(str(exc))}. Check judge_base_url."
            raise JudgeAccessError(msg) from exc
        if status == 200:
            return self._read_reply(raw)
        return self._read_failure(status, headers, self._redact(raw.decode("utf-8", "replace")).encode(), request.model)

    async def aclose(self) -> None:
        """Close the connection pool."""
        if self._session is not None:
            await self._session.close()

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            headers = {"Content-Type": "application/json", "User-Agent": "codearena-plugin"}
            if self._key is not None:
                headers["Authorization"] = f"Bearer {self._key}"
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections),
                timeout=aiohttp.ClientTimeout(
                    total=None, connect=_CONNECT_TIMEOUT_S
                ),  # the engine times the whole call
                headers=headers,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    def _read_reply(self, raw: bytes) -> Reply:
        body = _json(raw)
        try:
            choice = body["choices"][0]
            message = choice["message"]
            text = _visible_text(message.get("content"))
        except (KeyError, IndexError, TypeError, AttributeError) as exc:
            shown = _excerpt(self._redact(raw.decode("utf-8", "replace")).encode())
            raise _failed("bad-reply", f"status 200 without a chat completion: {shown}", is_retryable=True) from exc
        usage = body.get("usage") or {}
        finish = choice.get("finish_reason")
        return Reply(
            text=text,
            finish_reason=str(finish) if finish else None,
            usage=Usage(_count(usage, "prompt_tokens"), _count(usage, "completion_tokens")),
            refusal=str(message["refusal"]) if message.get("refusal") else None,
            served_model=str(body["model"]) if body.get("model") else None,
        )

    def _read_failure(self, status: int, headers: Mapping[str, str], raw: bytes, model: str) -> Reply:
        """Return a content filter's refusal as the reply it is; raise everything else as what it is."""
        said = _message(raw)
        shown = f"HTTP {status}: {said}"
        low = raw[:4000].decode("utf-8", "replace").lower()
        if status == 400 and any(mark in low for mark in _FILTERED):
            return Reply(finish_reason="content_filter", refusal=said)
        if status == 429 and any(mark in low for mark in _NO_MONEY):
            msg = f"The judge's account is exhausted ({shown}). Top it up and rerun: what was answered is kept."
            raise JudgeAccessError(msg)
        if status == 429 or status in _RETRYABLE_STATUSES or status >= 500:
            kind: CallErrorKind = "rate-limit" if status == 429 else "server"
            raise _failed(kind, shown, is_retryable=True, retry_after_s=asked_wait_s(headers))
        if status == 413 or (status in {400, 422} and any(mark in low for mark in _TOO_LONG)):
            raise _failed("context-length", shown, is_retryable=False)
        if status in {401, 403, 404} or 300 <= status < 400 or _NO_MODEL.search(f"{_code(raw)} {said}".lower()):
            raise JudgeAccessError(self._access_advice(status, shown, model))
        raise _failed("bad-request", shown, is_retryable=False)

    def _access_advice(self, status: int, shown: str, model: str) -> str:
        if status in {401, 403}:
            given = "was refused" if self._key else "is missing"
            return f"The judge at {self.shown_url} refuses us: the key {given} ({shown}). Check {KEY_VARIABLES[0]}."
        if 300 <= status < 400:
            return f"The judge at {self.shown_url} redirects ({shown}). Give judge_base_url as it really is."
        return (
            f"The judge at {self.shown_url} does not know model {model!r} or this path ({shown}). "
            "Check judge_model and judge_base_url (it usually ends in /v1)."
        )

    def _redact(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


def _secrets_of(url: str, key: str | None) -> list[str]:
    """Return what must appear in no message, as servers echo it: the key, a URL's password and query values."""
    parts = urlsplit(url)
    hidden = (key, parts.password, unquote(parts.password or ""), *(value for _, value in parse_qsl(parts.query)))
    return [secret for secret in hidden if secret and len(secret) >= _SECRET_LENGTH]


def _completions_url(base_url: str) -> str:
    parts = urlsplit(base_url)
    path = parts.path.rstrip("/")
    if not path.endswith("/chat/completions"):
        path += "/chat/completions"
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))


def _proxy_for(url: str) -> str | None:
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        is_local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_local = host == "localhost"
    if is_local or urllib.request.proxy_bypass(host):
        return None
    return urllib.request.getproxies().get(parts.scheme)


def _visible_text(content: Any) -> str:
    """Return a message's text; reasoning lies in other fields and other parts, and is never taken for it."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    return "".join(part["text"] for part in content if part.get("type") == "text")


def _count(usage: Any, name: str) -> int | None:
    return token_count(usage.get(name)) if isinstance(usage, dict) else None


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _message(raw: bytes) -> str:
    """Return what an error body says; servers nest it as error.message, message or detail."""
    body = _json(raw)
    error = body.get("error", body) if isinstance(body, dict) else None
    if isinstance(error, dict):
        error = error.get("message") or error.get("detail")
    return _excerpt(error.encode("utf-8", "replace")) if isinstance(error, str) else _excerpt(raw)


def _code(raw: bytes) -> str:
    body = _json(raw)
    error = body.get("error", body) if isinstance(body, dict) else None
    return str(error.get("code")) if isinstance(error, dict) else ""


def _excerpt(raw: bytes) -> str:
    text = " ".join(raw[:600].decode("utf-8", "replace").split())
    return text[:200] + "…" if len(text) > 200 else text or "(empty body)"


def _failed(
    kind: CallErrorKind, message: str, *, is_retryable: bool, retry_after_s: float | None = None
) -> CallFailedError:
    return CallFailedError(CallError(kind, message), is_retryable=is_retryable, retry_after_s=retry_after_s)
