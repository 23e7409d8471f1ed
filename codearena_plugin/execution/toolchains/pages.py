"""Render a page in a headless Chromium inside the sandbox: a picture, and what the page complained about."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import NamedTuple

from codearena_plugin.execution.sandbox import MIB, Ending, Job, Limits, Sandbox, Step
from codearena_plugin.execution.toolchains.blank import is_blank
from codearena_plugin.execution.toolchains.reading import Status, one_line
from codearena_plugin.execution.toolchains.record import absent, no_tool
from codearena_plugin.execution.toolchains.trial import Trial, encoded

BROWSERS: Mapping[str, tuple[str, ...]] = {
    "chromium-headless-shell": (),
    "chromium": ("--headless=new",),
    "google-chrome": ("--headless=new",),
}
"""Program -> its own arguments; the first that is there is used."""
PACKAGE = "chromium-headless-shell"
LIMITS = Limits(cpu_s=10.0, wall_s=30.0, memory_bytes=2048 * MIB, processes=1000, output_bytes=4 * MIB)
WIDTH, HEIGHT = 1024, 768
_MOST_COMPLAINTS = 20
_READ = 200_000
# The Chromium of the sandbox has no sandbox of its own: it needs the name spaces that ours is made of, and denies. The
# resolver says no at once; there is no network in any case.
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-breakpad",
    "--no-first-run",
    "--mute-audio",
    "--hide-scrollbars",
    "--allow-file-access-from-files",  # or no module could import its neighbour
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--enable-logging=stderr",
    "--timeout=10000",
    "--virtual-time-budget=3000",
    f"--window-size={WIDTH},{HEIGHT}",
    "--screenshot",
)
_PICTURE = "screenshot.png"
_PAGE = "page.html"
# From the beginning of a line: a page that repeats this in its own words would take minutes to read.
_SAID = re.compile(
    r'^\[[^\]\n]{0,80}CONSOLE[:(]\d+\)?\] "([\s\S]{0,2000}?)", source: [^\n]{0,2000}? \(\d+\)$', re.MULTILINE
)
_BETWEEN = r"(?:\s|<!--[\s\S]*?-->)*"
# Only what the page begins with: further down such tags may stand in a text or in a script.
_START = re.compile(
    rf"\ufeff?{_BETWEEN}(?P<type><!doctype\b[^>]*>)?{_BETWEEN}(?P<html><html\b[^>]*>)?{_BETWEEN}(?P<head><head\b[^>]*>)?",
    re.IGNORECASE,
)
# What a script may miss that is the machine's affair.
_ELSEWHERE = re.compile(r"Failed to fetch|NetworkError|Load failed|WebGL|GPU|NotAllowedError|SecurityError|Permission")
# The console's lines do not tell an error from a remark, and what could not be loaded is not among them. A dialogue
# would wait for ever.
_LISTENER = """<script>(()=>{const say=console.log.bind(console),mark="%s";
alert=print=()=>{};confirm=()=>true;prompt=()=>null;
console.error=(...said)=>say(mark+"error "+said.map(String).join(" ").slice(0,500));
addEventListener("error",e=>{const t=e.target;if(t&&t!==window){const u=t.src||t.href||"a module";
say(mark+(t.tagName==="SCRIPT"?"script ":"resource ")+String(u).slice(0,300))}},true);
document.currentScript.remove()})()</script>"""


class _Heard(NamedTuple):
    """What a page said: of its own errors, and of what it could not load."""

    thrown: tuple[str, ...]
    errors: tuple[str, ...]
    scripts: tuple[str, ...]
    resources: tuple[str, ...]


def browser() -> str | None:
    """Return the browser that a page is rendered with here; ``None`` without one."""
    return next((name for name in BROWSERS if not absent((name,))), None)


def try_page(sandbox: Sandbox, html: str, *, others: Mapping[str, bytes] | None = None) -> Trial:
    """Render a page, and give its scripts three seconds of virtual time.

    A page that could not load a script is not to blame for what its other scripts then miss.

    Args:
        html: the page; ``as_page`` makes one of less.
        others: files beside it, by relative path, such as its style sheet.

    Returns:
        ``reached`` is "rendered" where there is a picture; ``failed`` means that a script threw.
    """
    program = browser()
    if program is None:
        return Trial("HTML", "rendered", "not-run", None, no_tool(PACKAGE, PACKAGE))
    mark = f"codearena-{secrets.token_hex(8)} "
    files = {path: content for path, content in (others or {}).items() if path != _PICTURE}  # it would pass for ours
    files[_PAGE] = encoded(_listening(html, mark))
    step = Step((program, *BROWSERS[program], *_ARGUMENTS, _PAGE), limits=LIMITS)
    finished = sandbox.run(Job((step,), files, returns=(_PICTURE,), profile="browser"))
    ending, picture = finished.last, finished.files.get(_PICTURE)
    heard = _heard(ending.stderr.decode("utf-8", "replace"), mark)
    status, why = _outcome(ending, picture, heard)
    missing = [f"not loaded: {place}" for place in (*heard.scripts, *heard.resources)]
    return Trial(
        language="HTML",
        tried="rendered",
        status=status,
        reached="rendered" if picture else None,
        why=why,
        exit_code=ending.exit_code,
        stderr="" if picture else ending.stderr.decode("utf-8", "replace"),
        cpu_s=ending.cpu_s,
        wall_s=ending.wall_s,
        screenshot=picture,
        console=(*heard.thrown, *heard.errors, *missing)[:_MOST_COMPLAINTS],
    )


def _listening(html: str, mark: str) -> str:
    """Return the page with our listener before its own scripts, and after what decides how it is laid out."""
    script = (_LISTENER % mark).replace("\n", "")
    start = _START.match(html)
    at = max(start.end(name) for name in ("type", "html", "head")) if start else -1
    return f"{html[:at]}{script}{html[at:]}" if at > 0 else f"<!DOCTYPE html>{script}{html}"


def _heard(log: str, mark: str) -> _Heard:
    said = [found[1] for found in _SAID.finditer(log[:_READ])]
    marked = [text.removeprefix(mark).partition(" ") for text in said if text.startswith(mark)]

    def of(kind: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(one_line(_place(rest)) for found, _, rest in marked if found == kind))

    thrown = tuple(dict.fromkeys(one_line(text) for text in said if text.startswith("Uncaught ")))
    return _Heard(thrown, of("error"), of("script"), of("resource"))


def _place(text: str) -> str:
    """Return the name of a file of ours without the scratch directory, which is nobody's business."""
    return text.rpartition("/")[2] if text.startswith("file:") else text


def _outcome(ending: Ending, picture: bytes | None, heard: _Heard) -> tuple[Status, str]:
    if picture is None:
        return _without_picture(ending)
    lacks = len(heard.scripts) + len(heard.resources)
    remarks = [f"{lacks} file{'s' * (lacks != 1)} it needs could not be loaded"] * bool(lacks)
    remarks += ["the picture is blank"] * is_blank(picture)
    if not heard.thrown:
        return "good", "; ".join(remarks)
    if heard.scripts:
        return "not-run", f"its scripts need `{heard.scripts[0]}`, which is not here"
    if found := _ELSEWHERE.search(" ".join(heard.thrown)):
        return "not-run", f"its scripts ask for what is not here ({found[0]})"
    return "failed", "; ".join([heard.thrown[0], *remarks])


def _without_picture(ending: Ending) -> tuple[Status, str]:
    if ending.how == "timeout":
        return "timeout", f"no picture after {LIMITS.cpu_s:g} s of computing, or {LIMITS.wall_s:g} s of waiting"
    if ending.how == "output":
        return "timeout", f"stopped after {LIMITS.output_bytes // MIB} MiB of complaints"
    if ending.how == "memory":
        return "failed", f"used more than {LIMITS.memory_bytes // MIB} MiB of memory"
    return "not-run", ending.problem or f"the browser made no picture (it {ending.how})"
