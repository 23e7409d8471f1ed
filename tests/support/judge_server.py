"""A real OpenAI-compatible judge server on loopback, scripted to judge, to be slow and to fail.

Run as a program (``python judge_server.py``: prints its URL) or in a thread (``with JudgeServer(...) as judge``).
What it does to a request depends only on the request's text, so a rerun meets the same judge.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from aiohttp import web

ANSWERS = re.compile(r"<answer_a>\n(.*)\n</answer_a>.*<answer_b>\n(.*)\n</answer_b>", re.DOTALL)


def share(text: str, salt: str = "") -> float:
    """Return a number in [0, 1) that depends on the text alone."""
    return int(hashlib.sha256((salt + text).encode("utf-8", "replace")).hexdigest()[:12], 16) / 16**12


def judge_by_length(prompt: str) -> str:
    """Return a label that follows the answers, not their places: the one with more lines of text is better."""
    found = ANSWERS.search(prompt)
    if not found:
        return "ready"
    a, b = (len(part.splitlines()) for part in found.groups())
    if a == b:
        return "A=B"
    strong = max(a, b) > 2 * min(a, b)
    return ("A>>B" if strong else "A>B") if a > b else ("B>>A" if strong else "B>A")


Script = Callable[[dict[str, Any], int], "dict[str, Any] | None"]


class JudgeServer:
    """The server, in a thread of its own.

    Attributes:
        requests: bodies of all requests, in order of arrival.
        connections: TCP connections that were opened.
        script: called with (body, number of times this text was asked, from 1); returns what to do instead of a good
            reply: keys ``status``, ``headers``, ``body`` (bytes or data), ``text``, ``finish_reason``, ``message``,
            ``delay_s``, ``drop`` (close the connection), ``cut`` (close it in mid-body), ``endless`` (a body without
            end); ``None`` for a good reply.
    """

    def __init__(
        self,
        *,
        latency_s: float = 0.0,
        script: Script | None = None,
        key: str | None = None,
        model: str | None = None,
        keep_bodies: bool = True,
        port: int = 0,
    ) -> None:
        self.latency_s = latency_s
        self.script = script
        self.key = key
        self.model = model
        self.keep_bodies = keep_bodies
        self.requests: list[dict[str, Any]] = []
        self.n_requests = 0
        self.n_judged = 0  # requests that hold two answers
        self.active = 0
        self.most_active = 0
        self.connections: set[object] = set()
        self.headers_seen: list[dict[str, str]] = []
        self._asked: Counter[str] = Counter()
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    def __enter__(self) -> JudgeServer:
        self._thread.start()
        assert self._ready.wait(60)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)

    def run(self) -> None:
        """Serve in this thread until stopped."""
        self._serve()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        app = web.Application(client_max_size=64 << 20)
        app.router.add_post("/v1/chat/completions", self._complete)
        app.router.add_get("/stats", self._stats)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        self._loop.run_until_complete(runner.setup())
        site = web.TCPSite(runner, "127.0.0.1", self._port)
        self._loop.run_until_complete(site.start())
        self._port = site._server.sockets[0].getsockname()[1]
        self._ready.set()
        try:
            self._loop.run_forever()
        finally:
            self._loop.run_until_complete(runner.cleanup())
            self._loop.close()

    async def _stats(self, _: web.Request) -> web.Response:
        return web.json_response(
            {
                "requests": self.n_requests,
                "judged": self.n_judged,
                "distinct": len(self._asked),
                "connections": len(self.connections),
                "most_active": self.most_active,
            }
        )

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        self.connections.add(request.transport.get_extra_info("peername"))
        self.active += 1
        self.most_active = max(self.most_active, self.active)
        try:
            return await self._answer(request)
        finally:
            self.active -= 1

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.read())
        self.n_requests += 1
        if self.keep_bodies:
            self.requests.append(body)
            self.headers_seen.append(dict(request.headers))
        if self.key is not None and request.headers.get("Authorization") != f"Bearer {self.key}":
            return web.json_response(
                {"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}}, status=401
            )
        if self.model is not None and body["model"] != self.model:
            message = f"The model `{body['model']}` does not exist"
            return web.json_response({"error": {"message": message, "code": "model_not_found"}}, status=404)
        text = "\n".join(str(message["content"]) for message in body["messages"])
        self._asked[hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()] += 1
        is_judgement = "<answer_a>" in text
        self.n_judged += is_judgement
        times = self._asked[hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()]
        done = (self.script(body, times) if self.script else None) or {}
        await asyncio.sleep(done.get("delay_s", self.latency_s if is_judgement else 0))
        if done.get("drop"):
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        if done.get("cut") or done.get("endless"):
            return await _misbehave(request, endless=bool(done.get("endless")))
        if "body" in done or "status" in done:
            content = done.get("body", {"error": {"message": "scripted"}})
            raw = content if isinstance(content, bytes) else json.dumps(content).encode()
            return web.Response(body=raw, status=done.get("status", 200), headers=done.get("headers"))
        label = judge_by_length(text)
        reply = done.get("text", f"I solved it myself first.\n\nMy verdict: [[{label}]]" if is_judgement else "ready")
        message = done.get("message", {"role": "assistant", "content": reply})
        usage = {"prompt_tokens": len(text) // 4, "completion_tokens": len(reply) // 4}
        return web.json_response(
            {
                "id": "chatcmpl-scripted",
                "object": "chat.completion",
                "created": int(time.time()),
                "model": f"{body['model']}-scripted",
                "choices": [{"index": 0, "message": message, "finish_reason": done.get("finish_reason", "stop")}],
                "usage": {**usage, "total_tokens": sum(usage.values())},
            }
        )


async def _misbehave(request: web.Request, *, endless: bool) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.content_length = 1 << 40 if endless else 4096
    await response.prepare(request)
    try:
        await response.write(b'{"choices": [{"message": {"role": "assistant", "content": "')
        while endless:
            await response.write(b"x" * 65536)
    except (ConnectionError, OSError):
        return response
    assert request.transport is not None
    request.transport.close()
    return response


def permanent(kind: str, part: float) -> Script:
    """Return a script under which a fixed part of the games fails the same way for ever."""
    answers: dict[str, dict[str, Any]] = {
        "rate-limit": {"status": 429, "body": {"error": {"message": "rate limit"}}},
        "server": {"status": 500, "body": {"error": {"message": "oops"}}},
        "unparsable": {"text": "Both have merits."},
        "truncated": {"text": "I solved it", "finish_reason": "length"},
        "html": {"status": 200, "body": b"<html><body>Sign in</body></html>"},
        "dead": {"drop": True},
    }

    def script(body: dict[str, Any], _times: int) -> dict[str, Any] | None:
        first = next(str(message["content"]) for message in body["messages"] if message["role"] == "user")
        return answers[kind] if "<answer_a>" in first and share(first, kind) < part else None

    return script


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--fault", default="none")
    parser.add_argument("--part", type=float, default=0.1)
    args = parser.parse_args()
    script = None if args.fault == "none" else permanent(args.fault, args.part)
    server = JudgeServer(latency_s=args.latency, script=script, keep_bodies=False, port=args.port)
    threading.Thread(target=lambda: (server._ready.wait(), print(server.url, flush=True)), daemon=True).start()
    server.run()


if __name__ == "__main__":
    main()
