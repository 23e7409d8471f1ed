"""A page in a real headless Chromium, with everything that a page should not do written down."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

PATIENCE_MS = 120_000
"""What is waited for on a busy machine; four times Playwright's own."""


@dataclass
class Seen:
    """What happened while a page was open.

    Attributes:
        requests: every address that was asked for, the document itself first.
        noise: errors and warnings on the console, exceptions, dialogs, windows, downloads.
    """

    requests: list[str] = field(default_factory=list)
    noise: list[str] = field(default_factory=list)


def chromium() -> Iterator[Any]:
    """Yield a running browser; skips where there is none."""
    executable = os.environ.get("CODEARENA_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        pytest.skip("no chromium on the PATH, and CODEARENA_CHROMIUM names none")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"], timeout=PATIENCE_MS)
        yield browser
        browser.close()


@contextmanager
def opened(
    browser: Any, page: Path, address: Mapping[str, str] | None = None, **context: Any
) -> Iterator[tuple[Any, Seen]]:
    """Open a file in a context of its own, at an address inside it, and yield the tab and what is seen of it."""
    seen = Seen()
    with browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **context}) as fresh:
        fresh.set_default_timeout(PATIENCE_MS)
        tab = fresh.new_page()
        tab.on("request", lambda request: seen.requests.append(request.url.split("#")[0]))
        tab.on("console", lambda one: seen.noise.append(f"{one.type}: {one.text}") if one.type != "log" else None)
        tab.on("pageerror", lambda error: seen.noise.append(f"exception: {error}"))
        tab.on("popup", lambda popup: seen.noise.append(f"popup: {popup.url}"))
        tab.on("download", lambda one: seen.noise.append(f"download: {one.url}"))
        tab.on("dialog", lambda dialog: (seen.noise.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        tab.goto(page.as_uri() + (f"#{urlencode(address)}" if address else ""))
        yield tab, seen


def assert_quiet(seen: Seen, page: Path) -> None:
    """Assert that nothing but the file itself was read, and that nobody complained."""
    assert seen.noise == []
    assert seen.requests == [page.as_uri()]
