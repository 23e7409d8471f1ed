"""A real HTTP server on loopback that answers as a SandboxFusion service does, and really runs what it is sent.

The code runs in our own sandbox where one works; elsewhere bare, which is why tests send it known-good code only.
What is copied from the service, because a client meets it: the request's and the reply's fields, the statuses, 1 MiB
of each output stream and no more, output that is no UTF-8 replaced by a message, a compiler only where the language
needs one, and a failure of its own as status 200 with "SandboxError".
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from codearena_plugin.errors import ConfigError
from codearena_plugin.execution.choose import open_sandbox
from codearena_plugin.execution.sandbox import Ending, Job, Limits, Sandbox, SandboxOptions, Step

MIB = 1 << 20
COMMANDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "python": (("python", "code.py"),),
    "bash": (("/bin/bash", "code.sh"),),
    "cpp": (("g++", "-std=c++17", "code.cpp", "-o", "test"), ("./test",)),
    "perl": (("perl", "code.pl"),),
}
"""Language of the service -> commands, the compiler's first where there are two."""


class FusionServer:
    """The server, in a thread of its own.

    Attributes:
        requests: bodies of all requests, in order of arrival.
        paths: of all requests.
        script: called with a request's body; returns bytes to send instead of an answer (a dict with ``status``,
            ``headers``, ``body``, ``drip_s``), or ``None`` for a good answer.
    """

    def __init__(self, script: Callable[[dict[str, Any]], dict[str, Any] | None] | None = None) -> None:
        self.script = script
        self.requests: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self._sandbox: Sandbox | None = None
        self._lock = threading.Lock()  # a sandbox runs one job at a time
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_POST(self) -> None:
                outer._answer(self)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> FusionServer:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        if self._sandbox is not None:
            self._sandbox.close()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.paths.append(handler.path)
        length = int(handler.headers.get("Content-Length", 0))
        body = json.loads(handler.rfile.read(length) or b"{}")
        self.requests.append(body)
        said = self.script(body) if self.script else None
        if said is None:
            good = handler.path.endswith("/run_code")
            said = {"body": json.dumps(self._run(body)).encode()} if good else {"status": 404, "body": b"{}"}
        try:
            handler.send_response(said.get("status", 200))
            headers = {"Content-Type": "application/json", **said.get("headers", {})}
            if "drip_s" not in said:
                headers.setdefault("Content-Length", str(len(said["body"])))
            for name, value in headers.items():
                handler.send_header(name, value)
            handler.end_headers()
            if "drip_s" in said:
                for byte in said["body"]:
                    handler.wfile.write(bytes([byte]))
                    time.sleep(said["drip_s"])
            else:
                handler.wfile.write(said["body"])
        except OSError:
            pass  # the client has gone, as it should

    def _run(self, body: dict[str, Any]) -> dict[str, Any]:
        commands = COMMANDS.get(body["language"])
        if commands is None:
            return _reply("SandboxError", message=f"exception on running code: no {body['language']} here")
        files = {name: base64.b64decode(content) for name, content in body.get("files", {}).items()}
        name = next(part for part in commands[0] if part.startswith("code."))
        job = Job(
            steps=tuple(
                Step(
                    argv,
                    stdin=(body.get("stdin") or "").encode() if argv is commands[-1] else b"",
                    limits=Limits(
                        cpu_s=600.0,
                        wall_s=body.get("run_timeout" if argv is commands[-1] else "compile_timeout", 10.0),
                        memory_bytes=max(256, body.get("memory_limit_MB", -1)) * MIB,
                        output_bytes=8 * MIB,
                    ),
                )
                for argv in commands
            ),
            files={**files, name: body["code"].encode()},
            returns=tuple(body.get("fetch_files", ())),
        )
        with self._lock:
            self._sandbox = self._sandbox or _sandbox()
            finished = self._sandbox.run(job)
        results = [_result(ending) for ending in finished.endings]
        if any(result["status"] == "Error" for result in results):
            return _reply("SandboxError", message=finished.last.problem)
        ran = results[-1] if len(results) == len(commands) else None
        compiled = results[0] if len(commands) == 2 else None
        return _reply(
            "Success" if finished.last.is_success and ran else "Failed",
            compile_result=compiled,
            run_result=ran,
            files={name: base64.b64encode(content).decode() for name, content in finished.files.items()},
        )


def _sandbox() -> Sandbox:
    try:
        return open_sandbox(SandboxOptions())
    except ConfigError:
        return open_sandbox(SandboxOptions(name="unsafe-local", allow_unsafe=True))


def _reply(status: str, *, message: str = "", **more: Any) -> dict[str, Any]:
    nothing = {"compile_result": None, "run_result": None, "executor_pod_name": None, "files": {}}
    return {"status": status, "message": message, **nothing, **more}


def _result(ending: Ending) -> dict[str, Any]:
    if ending.how == "lost":
        return {"status": "Error", "stderr": ending.problem}
    timed_out = ending.how == "timeout"
    return {
        "status": "TimeLimitExceeded" if timed_out else "Finished",
        "execution_time": ending.wall_s,
        "return_code": None if timed_out else -(ending.signal or 9) if ending.exit_code is None else ending.exit_code,
        "stdout": _decoded(ending.stdout),
        "stderr": _decoded(ending.stderr),
    }


def _decoded(output: bytes) -> str:
    try:
        return output[:MIB].decode()
    except UnicodeDecodeError as exc:
        return f"[DecodeError] {exc}"
