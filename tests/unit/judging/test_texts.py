from __future__ import annotations

import gc
import hashlib
import socket
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from codearena_plugin import paths
from codearena_plugin.errors import ConfigError
from codearena_plugin.judging.protocol.card import ExternalText, load_card
from codearena_plugin.judging.protocol.texts import find_text, load_texts, obtain

TEXT = "Judge fairly.\nSay [[A>B]]."
SHA = hashlib.sha256(TEXT.encode()).hexdigest()


def closed_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def external(url: str | None = None) -> ExternalText:
    return ExternalText(sha256=SHA, url=url or f"http://127.0.0.1:{closed_port()}/x.py", title="prompt of a test")


@pytest.mark.parametrize(
    "source", [TEXT, TEXT + "\n", TEXT.replace("\n", "\r\n"), f"X = 1\nPROMPT = {TEXT!r}\n", f'PROMPT = """{TEXT}"""']
)
def test_a_file_or_python_source_that_holds_the_text_is_accepted(tmp_path: Path, source: str) -> None:
    (tmp_path / "f").write_text(source, encoding="utf-8")
    assert obtain(external(), str(tmp_path / "f")) == TEXT


@pytest.mark.parametrize("source", ["", TEXT + " ", TEXT.replace("\n", " "), "def (", "\x00", "(" * 5000, "X = 'a'"])
def test_a_file_without_the_text_is_refused_with_its_sha256(tmp_path: Path, source: str) -> None:
    (tmp_path / "f").write_text(source, encoding="utf-8")
    with pytest.raises(ConfigError, match=SHA) as caught:
        obtain(external(), str(tmp_path / "f"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "f").write_bytes(content)
    with pytest.raises(ConfigError, match="cannot be read"):
        obtain(external(), str(tmp_path / "f"))


def test_an_unreachable_source_is_one_line_that_says_what_to_do() -> None:
    began = time.perf_counter()
    with pytest.raises(ConfigError, match="--judge-prompt FILE") as caught:
        obtain(external())
    assert "\n" not in str(caught.value)
    assert time.perf_counter() - began < 20


def test_a_verified_copy_is_kept_and_used(tmp_path: Path) -> None:
    (tmp_path / "f").write_text(TEXT)
    obtain(external(), str(tmp_path / "f"))
    assert obtain(external()) == TEXT
    kept = paths.home_dir() / "prompts"
    assert [path.name for path in kept.iterdir()] == [f"{SHA}.txt"]


@pytest.fixture
def source_url() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = {"/good.py": f"P = {TEXT!r}".encode(), "/bad.py": b"P = 1", "/binary": b"\xff\xff"}.get(
                self.path, b""
            )
            if self.path == "/short":
                self.send_response(200)
                self.send_header("Content-Length", "99")
                self.end_headers()
                return
            if self.path == "/garbage":
                self.wfile.write(b"\x00\x01 nonsense\r\n\r\n")
                return
            self.send_response(200 if body else 404)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_published_source_is_fetched_once(source_url: str) -> None:
    assert obtain(external(f"{source_url}/good.py")) == TEXT
    assert obtain(external()) == TEXT


@pytest.mark.parametrize("damage", [b"Judge fairly", b"\xff\xfe", b""])
def test_a_damaged_copy_is_had_anew(source_url: str, damage: bytes) -> None:
    kept = paths.home_dir() / "prompts" / f"{SHA}.txt"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(damage)
    assert obtain(external(f"{source_url}/good.py")) == TEXT
    assert kept.read_text() == TEXT


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # http.client leaves a socket behind
@pytest.mark.parametrize("path", ["/bad.py", "/absent", "/binary", "/short", "/garbage"])
def test_a_source_that_is_not_the_text_is_refused_and_not_kept(source_url: str, path: str) -> None:
    with pytest.raises(ConfigError) as caught:
        obtain(external(source_url + path))
    assert "\n" not in str(caught.value)
    del caught
    gc.collect()
    assert not (paths.home_dir() / "prompts").exists()


def test_a_home_that_cannot_be_written_does_not_matter(monkeypatch: pytest.MonkeyPatch, source_url: str) -> None:
    monkeypatch.setenv("CODEARENA_HOME", "/proc/none")
    assert obtain(external(f"{source_url}/good.py")) == TEXT


def test_our_own_judge_takes_no_other_prompt(tmp_path: Path) -> None:
    card, folder = load_card("codearena")
    with pytest.raises(ConfigError, match="codearena-paper"):
        load_texts(card, folder, prompt_file=str(tmp_path))


def test_the_text_is_found_by_its_sha256_alone() -> None:
    assert find_text("A = 'a'; B = ('b', f'{1}')", hashlib.sha256(b"b").hexdigest()) == "b"
