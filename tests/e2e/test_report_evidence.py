"""Evidence in a real browser: chips, excerpts and pictures, and nothing of a stranger's that acts."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import assert_quiet, chromium, opened
from evidence_runs import a_block, a_row
from pages import page_of
from unit_runs import a_suite, write_run

from codearena_plugin.evidence.files import evidence_path, write_evidence

ATTACK = "<img src=x onerror=alert(1)></pre><script>alert(2)</script>\n${alert(3)}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    yield from chromium()


def png() -> str:
    def part(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" + b"\xff\0\0" * 2 + b"\0" + b"\0\xff\0" * 2)
    return base64.b64encode(
        b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", rows) + part(b"IEND", b"")
    ).decode()


def write_page(folder: Path, *, screenshot: str | None) -> Path:
    run = write_run(folder, "m", "wl", suite=a_suite(2))
    blocks = (
        a_block(reached="ran", excerpt="42"),
        a_block(language="HTML", kind="page", reached="rendered", screenshot=screenshot, excerpt=ATTACK),
        a_block(failed="parsed", why=ATTACK, excerpt=ATTACK),
        a_block(why="no `go` here", language="Go"),
    )
    write_evidence(evidence_path(run.path), [a_row(*blocks, text=run.answers[0].text, prompt_id="p0")])
    return page_of([run.path], folder / "report.html")


def test_an_opened_verdict_shows_what_the_code_did(browser: Any, tmp_path: Path) -> None:
    page = write_page(tmp_path, screenshot=png())
    with opened(browser, page, {"prompt": "p0", "model": "m"}) as (tab, seen):
        tab.wait_for_selector(".evidence")
        chips = tab.locator(".evidence .chip").all_inner_texts()
        assert chips == ["ran", "rendered", "failed", "not runnable here"]
        assert "not shown to the judge" in tab.locator(".evidence").inner_text()
        assert ATTACK.split("\n", maxsplit=1)[0] in tab.locator(".evidence").inner_text()
        width = "document.querySelector('.shot').decode().then(() => document.querySelector('.shot').naturalWidth)"
        assert tab.evaluate(width) == 2
        assert tab.locator(".evidence script, .evidence img:not(.shot)").count() == 0
    assert seen.noise == []
    assert {address.partition(":")[0] for address in seen.requests} <= {"file", "data"}


def test_a_verdict_without_evidence_is_as_it_was(browser: Any, tmp_path: Path) -> None:
    page = write_page(tmp_path, screenshot=None)
    assert "img-src" not in page.read_text()
    with opened(browser, page, {"prompt": "p1", "model": "m"}) as (tab, seen):
        tab.wait_for_selector("#verdict-body h3")
        assert tab.locator(".evidence").count() == 0
    assert_quiet(seen, page)
