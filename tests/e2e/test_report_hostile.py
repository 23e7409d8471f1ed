"""Hostile runs in the report: nothing of them runs, nothing is asked for, and the page goes on working."""

from __future__ import annotations

import http.server
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlencode

import pytest
from browsing import assert_quiet, chromium, opened
from hostile_runs import IDS, MODELS, RUNS_SCRIPT, write_hostile_runs
from pages import page_of

from codearena_plugin.report.untrusted import visible
from codearena_plugin.runs.files import load_run

POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="[^"]*">')


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    yield from chromium()


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_hostile_runs(tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="module")
def page(runs: list[Path]) -> Path:
    return page_of(runs, runs[0].parent / "report.html")


def pwned(tab: Any) -> bool:
    return bool(tab.evaluate("window.__pwned !== undefined || ({}).polluted !== undefined"))


def test_every_hostile_verdict_opens_shown_and_raw_and_nothing_of_it_runs(browser: Any, page: Path) -> None:
    with opened(browser, page) as (tab, seen):
        tab.wait_for_load_state("load")
        n = int(tab.locator("#n-all").inner_text())
        tab.locator("#list .verdict").first.click()
        for place in range(n):
            tab.wait_for_selector("#verdict-body .text")
            assert tab.locator("#verdict-place").inner_text() == f"{place + 1} of {n}"
            assert tab.locator("#verdict-body .chip").count() == 2, tab.locator("#verdict-id").inner_text()
            tab.keyboard.press("r")
            tab.keyboard.press("r")
            tab.keyboard.press("j")
        tab.wait_for_timeout(300)
        assert not pwned(tab)
        tab.keyboard.press("Escape")
        tab.select_option("#by-outcome", "loss")
        assert 0 < int(tab.locator("#n-shown").inner_text()) < n
    assert_quiet(seen, page)


def test_no_element_that_data_could_have_made_is_in_the_document(browser: Any, page: Path) -> None:
    foreign = (
        "img, iframe, object, embed, link, base, form, style:not(head style), video, audio, math, template, [style]"
    )
    handlers = (
        "[...document.querySelectorAll('*')].filter((node) => [...node.attributes].some((a) => /^on/.test(a.name)))"
    )
    with opened(browser, page) as (tab, _):
        tab.locator("#list .verdict").first.click()
        for _place in range(186):
            tab.wait_for_selector("#verdict-body .text")
            found = tab.evaluate(
                f"[...document.querySelectorAll({foreign!r})].map((node) => node.outerHTML.slice(0, 90))"
            )
            own = [html for html in found if "verdict" not in html and 'style="height' not in html]
            assert own == []
            assert tab.evaluate(f"{handlers}.length") == 0
            assert tab.locator("#verdict-body a").count() == 0, "nothing that a model wrote can be clicked"
            tab.keyboard.press("j")
        scripts = tab.evaluate("[...document.scripts].filter((one) => !one.type).length")
        assert scripts == 1, "one script runs, ours"


def test_hostile_names_are_listed_filtered_and_addressed_like_any_other(browser: Any, page: Path) -> None:
    with opened(browser, page) as (tab, seen):
        models = tab.locator("#by-model option").all_inner_texts()[1:]
        assert sorted(models) == sorted(" ".join(visible(name).split()) for name in MODELS)
        for name in models:
            tab.select_option("#by-model", name)
            assert tab.locator("#n-shown").inner_text() == "62"
        tab.click("#reset")
        languages = tab.locator("#by-language option").all_inner_texts()[1:]
        assert {"__proto__", "constructor", "<img src=x onerror=window.__pwned=1>"} <= set(languages)
        for name in languages:
            tab.select_option("#by-language", name)
            assert int(tab.locator("#n-shown").inner_text()) in {45, 48}
    assert_quiet(seen, page)


def test_every_hostile_id_can_be_addressed(browser: Any, page: Path) -> None:
    with opened(browser, page) as (tab, seen):
        names = tab.evaluate("JSON.parse(document.getElementById('index').textContent).prompts.slice(0, 22)")
        assert {" ".join(visible(prompt_id).split()) for prompt_id in IDS} <= set(names)
        assert len(set(names)) == len(IDS) == 22, "ids that look the same are told apart"
        for name in names:
            address = urlencode({"prompt": name, "model": visible(MODELS[1])})
            tab.evaluate("(address) => { location.hash = address; }", address)
            tab.wait_for_function("name => document.getElementById('verdict-id').innerText === name", arg=name)
            tab.wait_for_selector("#verdict-body .text")
        assert not pwned(tab)
    assert_quiet(seen, page)


def test_text_is_shown_letter_for_letter_where_it_could_have_been_obeyed(
    browser: Any, page: Path, runs: list[Path]
) -> None:
    answers = {answer.prompt_id: answer.text for answer in load_run(runs[0]).answers}
    hostile = {prompt_id: text for prompt_id, text in answers.items() if text in RUNS_SCRIPT and prompt_id in IDS[:6]}
    assert len(hostile) >= 5
    for prompt_id, text in hostile.items():
        with opened(browser, page, {"prompt": prompt_id, "model": MODELS[0]}) as (tab, _):
            tab.wait_for_selector("#verdict-body .text")
            tab.click("#raw")
            assert tab.locator("#verdict-body .two pre.raw").first.inner_text().strip() == text.strip()


def test_direction_marks_and_control_characters_are_seen(browser: Any, page: Path) -> None:
    with opened(browser, page) as (tab, _):
        everything = tab.evaluate("document.body.innerText")
        assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b-\x1f]", everything)
        assert "<U+202E>" in everything
        ids = tab.evaluate("JSON.parse(document.getElementById('index').textContent).prompts")
        assert "id <U+202E> reversed" in ids


def test_a_million_characters_on_a_line_are_cut_with_a_word_and_shown_on_demand(
    browser: Any, page: Path, runs: list[Path]
) -> None:
    answer = next(one for run in runs for one in load_run(run).answers if len(one.text) == 1_000_000)
    address = {
        name: " ".join(visible(text).split()) for name, text in (("prompt", answer.prompt_id), ("model", answer.model))
    }
    with opened(browser, page, address) as (tab, seen):
        tab.wait_for_selector("#verdict-body .text")
        shown = tab.locator("#verdict-body .two").first
        assert "longer than 100,000 characters" in shown.inner_text()
        assert "800,000 more characters" in shown.locator("button").inner_text()
        shown.locator("button").click()
        longest = "Math.max(...[...document.querySelectorAll('pre.raw')].map((one) => one.textContent.length))"
        assert tab.evaluate(longest) == 1_000_000
    assert_quiet(seen, page)


# ---- the detectors detect


class Listener(http.server.BaseHTTPRequestHandler):
    """A server that writes down what it is asked for."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def outside() -> Iterator[str]:
    Listener.asked.clear()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def injected(page: Path, target: Path, outside: str, *, with_policy: bool) -> Path:
    """Write the page with elements in it that run a script in three ways and call home."""
    text = page.read_text(encoding="utf-8")
    assert len(POLICY.findall(text)) == 1
    text = text if with_policy else POLICY.sub("", text)
    bad = (
        f'<img src="data:," onerror="window.__pwned = 1"><img src="{outside}/leak"><script>window.__pwned = 1</script>'
        f'<form action="{outside}/form"></form><iframe src="{outside}/frame"></iframe>'
    )
    target.write_text(text.replace("<main", f"{bad}<main", 1), encoding="utf-8")
    return target


def test_without_the_policy_an_injected_script_would_have_been_seen(
    browser: Any, page: Path, tmp_path: Path, outside: str
) -> None:
    broken = injected(page, tmp_path / "broken.html", outside, with_policy=False)
    with opened(browser, broken) as (tab, seen):
        tab.wait_for_function("window.__pwned !== undefined")
        until = time.monotonic() + 30
        while not {"/leak", "/frame"} <= set(Listener.asked) and time.monotonic() < until:
            tab.wait_for_timeout(50)
    assert {"/leak", "/frame"} <= set(Listener.asked)
    with pytest.raises(AssertionError):
        assert_quiet(seen, broken)


def test_the_policy_alone_stops_an_injected_script_and_its_requests(
    browser: Any, page: Path, tmp_path: Path, outside: str
) -> None:
    """The second wall: even HTML that got past the first could not run or call home."""
    broken = injected(page, tmp_path / "broken.html", outside, with_policy=True)
    with opened(browser, broken) as (tab, seen):
        tab.evaluate("document.querySelector('form').submit()")
        tab.wait_for_timeout(300)
        assert not pwned(tab)
        assert tab.locator("#list .verdict").count() > 0, "the page works all the same"
    assert Listener.asked == []
    assert any("Content Security Policy" in line for line in seen.noise)


def test_no_string_becomes_html_but_through_the_one_named_policy(browser: Any, page: Path) -> None:
    with opened(browser, page) as (tab, _):
        refused = tab.evaluate(
            """() => {
              const tries = [
                () => { document.body.innerHTML = "<b>x</b>"; },
                () => document.body.insertAdjacentHTML("beforeend", "<b>x</b>"),
                () => trustedTypes.createPolicy("other", { createHTML: (text) => text }),
                () => trustedTypes.createPolicy("codearena", { createHTML: (text) => text }),
              ];
              return tries.map((one) => {
                try { one(); return false; } catch (error) { return error instanceof TypeError; }
              });
            }"""
        )
        assert refused == [True, True, True, True]
