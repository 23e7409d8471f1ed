"""Pages in a headless Chromium in the sandbox. No address here exists; the browser resolves none."""

from __future__ import annotations

import dataclasses
import struct
import time
import zlib
from collections.abc import Iterator

import pytest

from codearena_plugin.errors import ConfigError
from codearena_plugin.execution.choose import open_sandbox
from codearena_plugin.execution.sandbox import Sandbox, SandboxOptions
from codearena_plugin.execution.toolchains import as_page, pages, try_page
from codearena_plugin.execution.toolchains.blank import is_blank


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    if pages.browser() is None:
        pytest.skip("no Chromium here")
    try:
        sandbox = open_sandbox(SandboxOptions())
    except ConfigError as exc:
        pytest.skip(str(exc))
    if sandbox.name != "bubblewrap":
        pytest.skip(f"the sandbox {sandbox.name} renders no pages")
    yield sandbox
    sandbox.close()


def test_a_page_is_rendered_with_the_files_beside_it(box: Sandbox) -> None:
    html = "<!doctype html><html><head><link rel=stylesheet href=a.css></head><body><script src=a.js></script></body>"
    trial = try_page(box, html, others={"a.css": b"body{background:#cde}", "a.js": b"document.body.append('made')"})
    assert (trial.status, trial.reached, trial.why, trial.console) == ("good", "rendered", "", ()), trial
    assert trial.screenshot is not None
    assert struct.unpack(">II", trial.screenshot[16:24]) == (pages.WIDTH, pages.HEIGHT)
    assert not is_blank(trial.screenshot)


def test_a_page_that_shows_nothing_is_said_to_be_blank(box: Sandbox) -> None:
    trial = try_page(box, "<!doctype html><html><body style='background:#123'></body></html>")
    assert (trial.status, trial.why) == ("good", "the picture is blank"), trial


def test_a_script_that_throws_fails_and_its_complaints_are_kept(box: Sandbox) -> None:
    trial = try_page(
        box, "<p>x<script>console.error('two\\nlines'); console.log('fine'); throw new Error('boom')</script>"
    )
    assert (trial.status, trial.reached) == ("failed", "rendered"), trial
    assert (trial.why, trial.console) == ("Uncaught Error: boom", ("Uncaught Error: boom", "two lines"))


def test_a_late_or_promised_error_is_heard_too(box: Sandbox) -> None:
    late = "setTimeout(() => absent(), 1000); Promise.reject(new Error('no'))"
    trial = try_page(box, f"<p>x<script>{late}</script>")
    assert len(trial.console) == 2, trial.console


def test_what_lies_in_the_network_is_noted_and_blamed_on_nobody(box: Sandbox) -> None:
    page = "<html><head><script src='https://cdn.invalid/jquery.js'></script></head><body>x"
    page += "<img src='http://a.invalid/b.png'>"
    trial = try_page(box, page + "</body></html>")
    assert (trial.status, trial.why) == ("good", "2 files it needs could not be loaded"), trial
    assert set(trial.console) == {"not loaded: https://cdn.invalid/jquery.js", "not loaded: http://a.invalid/b.png"}
    trial = try_page(box, page + "<script>$(() => 1)</script></body></html>")
    assert (trial.status, trial.why) == (
        "not-run",
        "its scripts need `https://cdn.invalid/jquery.js`, which is not here",
    )
    trial = try_page(box, "<script>fetch('https://api.invalid/')</script>")
    assert trial.status == "not-run", trial


def test_a_dialogue_does_not_hold_the_page_up(box: Sandbox) -> None:
    trial = try_page(
        box, "<body><script>alert(1); if (confirm('?')) document.body.append(String(prompt('x')))</script>"
    )
    assert (trial.status, trial.why) == ("good", ""), trial


@pytest.mark.parametrize(
    "html",
    [
        "<!DOCTYPE html><html><head></head><body><script>const t = '<html><head></head>'; t.at(0)</script>x</body>",
        "<script>const t = `<!doctype html><html><body>x</body></html>`; document.write(t)</script>",
        "<p>x</p><script>if ('<head>'.length !== 6) throw new Error('the text of a script was changed')</script>",
    ],
)
def test_a_page_inside_a_script_is_left_alone(box: Sandbox, html: str) -> None:
    trial = try_page(box, html)
    assert (trial.status, trial.console) == ("good", ()), trial


def test_a_picture_beside_a_page_does_not_pass_for_its_own(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "LIMITS", dataclasses.replace(pages.LIMITS, cpu_s=2.0, wall_s=8.0))
    trial = try_page(box, "<script>for (;;) {}</script>", others={"screenshot.png": b"\x89PNG\r\n\x1a\nmade up"})
    assert (trial.status, trial.screenshot) == ("timeout", None), trial


@pytest.mark.parametrize("piece", ['CONSOLE:1] "", source: ', '[x:CONSOLE:1] "\n', '", source: '])
def test_a_log_that_imitates_itself_is_read_in_bounded_time(piece: str) -> None:
    began = time.process_time()
    pages._heard(piece * (200_000 // len(piece)), "mark ")
    assert time.process_time() - began < 2.0


def test_an_endless_script_ends(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "LIMITS", dataclasses.replace(pages.LIMITS, cpu_s=2.0, wall_s=8.0))
    trial = try_page(box, "<script>for (;;) {}</script>")
    assert (trial.status, trial.reached, trial.screenshot) == ("timeout", None, None), trial


def test_without_a_browser_no_page_is_tried(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "BROWSERS", {"surely-absent": ()})
    trial = try_page(box, "<p>x")
    assert (trial.status, trial.reached) == ("not-run", None)
    assert "chromium-headless-shell" in trial.why


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("css", ".card, #main > li { color: red } @media print { .other { color: blue } }"),
        ("js", "document.getElementById('myCanvas').getContext('2d').fillRect(0, 0, 99, 99)"),
        ("svg", "<svg width='9' height='9'><rect width='9' height='9'/></svg>"),
        ("html", "<b>piece</b>"),
    ],
)
def test_less_than_a_page_is_made_one(box: Sandbox, language: str, code: str) -> None:
    page = as_page(language, code)
    assert page is not None
    trial = try_page(box, page)
    assert (trial.status, trial.why, trial.console) == ("good", "", ()), trial


def test_code_cannot_end_the_element_it_is_put_into() -> None:
    assert (as_page("js", "x = '</script><b>'") or "").count("</script>") == 1
    assert (as_page("css", "a{content:'</STYLE >'}") or "").lower().count("</style") == 1
    assert "<!--" not in (as_page("js", "x = '<!-- <script>'") or "")
    assert as_page("html", "<HTML><p>whole") == "<HTML><p>whole"


@pytest.mark.parametrize("piece", ["{", "/*", "@import ", "getElementById('", "<html ", "#a", "<!--", " "])
def test_wrapping_garbage_takes_bounded_time(piece: str) -> None:
    began = time.process_time()
    for language in ("css", "js", "html"):
        pages._listening(as_page(language, piece * (200_000 // len(piece))) or "", "mark ")
    assert time.process_time() - began < 2.0


def png(lines: list[bytes], width: int, colour: int = 2) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, len(lines), 8, colour, 0, 0, 0)
    data = zlib.compress(b"".join(lines))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


GREY = bytes((201, 100, 7))
LINES = {  # three pixels of one colour under each of PNG's filters: as the first line, and below one
    0: (b"\0" + GREY * 3, b"\0" + GREY * 3),
    1: (b"\1" + GREY + bytes(6), b"\1" + GREY + bytes(6)),
    2: (b"\2" + GREY * 3, b"\2" + bytes(9)),
    3: (b"\3" + GREY + bytes((101, 50, 4)) * 2, b"\3" + bytes((101, 50, 4)) + bytes(6)),
    4: (b"\4" + GREY + bytes(6), b"\4" + bytes(9)),
}


@pytest.mark.parametrize("first", LINES)
@pytest.mark.parametrize("second", LINES)
def test_one_colour_is_blank_under_every_filter(first: int, second: int) -> None:
    assert is_blank(png([LINES[first][0], LINES[second][1], LINES[second][1]], 3))
    assert not is_blank(png([LINES[first][0], LINES[second][1][:-1] + b"\x05"], 3))


def test_what_is_no_picture_is_not_blank() -> None:
    assert not is_blank(b"")
    assert not is_blank(b"\x89PNG\r\n\x1a\n" + b"\0" * 40)
    assert not is_blank(png([b"\0" + GREY], 1)[:45])
