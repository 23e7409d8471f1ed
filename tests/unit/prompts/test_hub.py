"""The hub path, against a local server that speaks as much of the hub's protocol as a download needs.

The client reads its environment once, at import; so every case is a process of its own.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from codearena_plugin.errors import MissingExtraError
from codearena_plugin.prompts.suite import load_suite

pytest.importorskip("huggingface_hub", reason="needs the extra [hub]")

REVISION = "05a5f4cae626aab85514451b7d51141b1bef3189"
LOAD = """
import json, sys
from codearena_plugin.errors import CodeArenaError
from codearena_plugin.prompts.suite import load_suite
try:
    suite = load_suite("codearena")
except CodeArenaError as exc:
    print(json.dumps({"error": type(exc).__name__, "message": str(exc)}))
else:
    print(json.dumps({"n": len(suite.prompts), "revision": suite.revision, "source": suite.source}))
"""


class Hub(http.server.BaseHTTPRequestHandler):
    """Serves ``files`` (name -> bytes) of the one data set at the one revision."""

    files: dict[str, bytes]
    status: int
    requests: list[str]

    def do_HEAD(self) -> None:
        self.answer(with_body=False)

    def do_GET(self) -> None:
        self.answer(with_body=True)

    def answer(self, *, with_body: bool) -> None:
        self.requests.append(f"{self.command} {self.path}")
        root, _, name = self.path.rpartition("/")
        content = self.files.get(name) if root == f"/datasets/CSJianYang/CodeArena/resolve/{REVISION}" else None
        status = self.status if self.status != 200 else (200 if content is not None else 404)
        self.send_response(status)
        self.send_header("X-Repo-Commit", REVISION)
        if status == 404:
            self.send_header("X-Error-Code", "EntryNotFound")
        body = content if status == 200 and content is not None else b""
        self.send_header("ETag", f'"{hashlib.md5(body).hexdigest()}"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class calls it so)
        pass


@contextlib.contextmanager
def hub_with(files: dict[str, bytes], status: int = 200) -> Iterator[tuple[str, list[str]]]:
    requests: list[str] = []
    handler = type("Handler", (Hub,), {"files": files, "status": status, "requests": requests})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", requests
        server.shutdown()
        thread.join()


def load_in_a_process(endpoint: str, home: Path, **more: str) -> dict[str, Any]:
    ours = {"HF_ENDPOINT": endpoint, "HF_HOME": str(home), "NO_PROXY": "127.0.0.1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    passed = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "CODEARENA_"))}
    done = subprocess.run(
        [sys.executable, "-c", LOAD], env=passed | ours | more, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture
def rows(make_row: Callable[..., dict[str, Any]]) -> bytes:
    return "".join(json.dumps(make_row(number)) + "\n" for number in range(397)).encode()


def test_the_pinned_revision_is_downloaded_once_and_then_read_from_the_cache(rows: bytes, tmp_path: Path) -> None:
    with hub_with({"CodeArena.jsonl": rows}) as (endpoint, requests):
        first = load_in_a_process(endpoint, tmp_path)
        assert first["n"] == 397, first
        assert first["revision"] == REVISION
        assert "CSJianYang/CodeArena" in first["source"]
        n_requests = len(requests)
        assert load_in_a_process(endpoint, tmp_path) == first
        assert len(requests) == n_requests
    assert load_in_a_process(endpoint, tmp_path, HF_HUB_OFFLINE="1") == first


def test_the_files_other_name_is_found_too(rows: bytes, tmp_path: Path) -> None:
    with hub_with({"CodeArena_v1.jsonl": rows}) as (endpoint, _):
        assert load_in_a_process(endpoint, tmp_path)["n"] == 397


def test_another_count_than_the_cards_is_an_error(rows: bytes, tmp_path: Path) -> None:
    with hub_with({"CodeArena.jsonl": rows[: rows.rindex(b"\n", 0, -1) + 1]}) as (endpoint, _):
        found = load_in_a_process(endpoint, tmp_path)
    assert found["error"] == "DataError"
    assert "got 396 prompts, expected the 397" in found["message"]


def assert_one_helpful_line(found: dict[str, Any]) -> None:
    assert found["error"] == "DataError", found
    message = found["message"]
    assert message.startswith("CodeArena data set CSJianYang/CodeArena@05a5f4c cannot be reached (")
    assert "\n" not in message
    for option in ('{"codearena_data": "PATH"}', "CODEARENA_DATA=PATH", "judge --data PATH", "codearena_mini"):
        assert option in message


def test_a_closed_port_is_one_line_at_once(tmp_path: Path) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))  # bound and not listening: nobody else takes it, every connection is refused
        begin = time.monotonic()
        found = load_in_a_process(f"http://127.0.0.1:{reserved.getsockname()[1]}", tmp_path)
    assert_one_helpful_line(found)
    assert time.monotonic() - begin < 20


def test_a_hub_that_never_answers_is_one_line_within_seconds(tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        begin = time.monotonic()
        found = load_in_a_process(f"http://127.0.0.1:{silent.getsockname()[1]}", tmp_path)
    assert_one_helpful_line(found)
    assert time.monotonic() - begin < 20


@pytest.mark.parametrize("status", [401, 429, 503])
def test_a_hub_that_refuses_is_one_line_within_seconds(tmp_path: Path, status: int) -> None:
    begin = time.monotonic()
    with hub_with({}, status) as (endpoint, _):
        assert_one_helpful_line(load_in_a_process(endpoint, tmp_path))
    assert time.monotonic() - begin < 20


def test_a_hub_without_the_file_is_one_line(tmp_path: Path) -> None:
    with hub_with({}) as (endpoint, _):
        found = load_in_a_process(endpoint, tmp_path)
    assert_one_helpful_line(found)
    assert "none of CodeArena.jsonl, CodeArena_v1.jsonl" in found["message"]


def test_offline_mode_is_respected(rows: bytes, tmp_path: Path) -> None:
    with hub_with({"CodeArena.jsonl": rows}) as (endpoint, requests):
        assert_one_helpful_line(load_in_a_process(endpoint, tmp_path, HF_HUB_OFFLINE="1"))
        assert requests == []


def test_without_the_client_the_install_line_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)  # what an absent package looks like to import
    with pytest.raises(MissingExtraError, match=r"CodeArena data set needs .*pip install 'codearena-plugin\[hub\]'"):
        load_suite("codearena")
