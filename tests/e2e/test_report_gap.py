"""The gap in a real browser: it asks for nothing, follows the page's colours, and obeys no name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import assert_quiet, chromium, opened
from unit_runs import write_run

from codearena_plugin.cli.main import main
from codearena_plugin.report.untrusted import visible

HOSTILE = "<img src=x onerror=window.__pwned=1>$x^2$ \x1b[31m\u202e@0 </title><script>window.__pwned=1</script>"
NAMES = [HOSTILE, "m2", "m3", "m4", "m5", "m6"]
QUICK = ("--bootstraps", "200")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    yield from chromium()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return a report of six runs with their gap, and the page of the gap alone, both beside the published models."""
    root = tmp_path_factory.mktemp("gap")
    runs = [
        str(write_run(root, name, "w" * 5 * i + "t" * 4 + "l" * (32 - 5 * i), folder=f"r{i}").path)
        for i, name in enumerate(NAMES, 1)
    ]
    rows = [
        {"model": name, "benchmark": "humaneval+", "pass@1": 0.3 + i / 10, "n": 164, "engine": HOSTILE}
        for i, name in enumerate(NAMES)
    ]
    results = root / "results.json"
    results.write_text(json.dumps({"schema": "codearena-execution/1", "unit": "share", "results": rows}))
    given = [*runs, "--execution", str(results), "--published", *QUICK]
    assert main(["report", *given, "--output", str(root / "report.html")]) == 0
    assert main(["gap", *given, "--by", "language", "--html", str(root / "gap.html")]) == 0
    return {"report": root / "report.html", "gap": root / "gap.html"}


@pytest.mark.parametrize("name", ["report", "gap"])
def test_the_gap_is_shown_in_silence_with_a_tip_at_every_point(browser: Any, pages: dict[str, Path], name: str) -> None:
    with opened(browser, pages[name]) as (tab, seen):
        tab.wait_for_load_state("load")
        plot = tab.locator("#gap svg.plot.wide")
        assert plot.is_visible()
        assert not tab.locator("#gap svg.plot.narrow").is_visible()
        tips = set(plot.locator("title").all_text_contents())
        assert len(tips) == 36, "30 published models and six of one's own"
        assert any(tip.startswith("m4: score ") and "expected " in tip and "gap " in tip for tip in tips)
        drawn = plot.locator("text").all_text_contents()
        assert {"m2", "m6", "Qwen2.5-SynCoder", "pass@1 on HumanEval+, %"} <= set(drawn)
        assert not any(text.startswith("@") for text in drawn), "every number has become its name"
        assert tab.locator("#gap img, #gap script, #gap [style], #gap [onerror]").count() == 0
        assert tab.evaluate("window.__pwned") is None
        shown = " ".join(visible(HOSTILE).split())
        assert any(shown in tip for tip in tips)
        assert shown in tab.locator("#gap").text_content()
        languages = tab.locator("#gap table", has_text="Python").first
        assert languages.locator("tbody tr").count() == 6
    assert_quiet(seen, pages[name])


def test_colours_follow_the_page_and_a_narrow_window_has_its_own_plot(browser: Any, pages: dict[str, Path]) -> None:
    found = {}
    for scheme in ("light", "dark"):
        with opened(browser, pages["gap"], color_scheme=scheme) as (tab, _):
            found[scheme] = [
                tab.evaluate(f"getComputedStyle(document.querySelector('#gap .plot.wide .{role}'))['{what}']")
                for role, what in (("s-accent", "stroke"), ("f-ink", "fill"), ("s-second", "stroke"))
            ]
    assert all(a != b for a, b in zip(found["light"], found["dark"], strict=True))
    narrow = {"width": 390, "height": 800}
    with opened(browser, pages["gap"], viewport=narrow) as (tab, seen):
        plot = tab.locator("#gap svg.plot.narrow")
        assert plot.is_visible()
        assert len(set(plot.locator("title").all_text_contents())) == 36
        assert len(plot.locator("text").all_text_contents()) < 36, "not every name has room"
        assert tab.evaluate("document.documentElement.scrollWidth") <= narrow["width"]
    assert_quiet(seen, pages["gap"])


def test_a_run_s_name_leads_to_its_verdicts_and_paper_has_the_plot(browser: Any, pages: dict[str, Path]) -> None:
    with opened(browser, pages["report"]) as (tab, seen):
        tab.locator("#gap summary", has_text="Both axes").click()
        tab.locator("#gap a", has_text="m5").first.click()
        tab.wait_for_function("document.getElementById('by-model').value === 'm5'")
        tab.emulate_media(media="print")
        assert tab.locator("#gap svg.plot.wide").is_visible()
    assert_quiet(seen, pages["report"])
