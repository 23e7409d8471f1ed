"""The report in a real browser: it reads nothing but itself, its filters count right, its verdicts open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import unit_runs
from browsing import assert_quiet, chromium, opened
from foreign_verdicts import v2, write_lines
from many_runs import Judge, write_runs
from pages import judged_by_static, page_of

from codearena_plugin import paths
from codearena_plugin.interchange.arena_hard import import_arena_hard
from codearena_plugin.interchange.imports import keep_imports
from codearena_plugin.interchange.reading import ImportOptions
from codearena_plugin.prompts.suite import SuiteOptions, load_suite
from codearena_plugin.records import Prompt
from codearena_plugin.runs.files import StoredRun, load_run

ARENA_HARD = Path(__file__).parents[3] / "shared" / "data" / "arena_hard_code"
MINI = paths.data_dir("tasks") / "codearena_mini" / "data"
_POINTS = {"A>>B": 2, "A>B": 1, "A=B": 0, "B>A": -1, "B>>A": -2}  # for the answer that is shown first


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    yield from chromium()


class Report:
    """A page, and what it is made of."""

    def __init__(self, root: Path, suite: str, data: Path | None, answers: list[Path]) -> None:
        self.runs = judged_by_static(suite, data, answers, root)
        self.page = page_of(self.runs, root / "report.html")
        self.stored: dict[str, StoredRun] = {run.model: run for run in map(load_run, self.runs)}
        loaded = load_suite(suite, SuiteOptions(data=str(data) if data else None))
        self.suite = suite
        self.ranked = sorted(self.stored, key=lambda name: -self.stored[name].result["metrics"]["score"]["estimate"])
        self.prompts: dict[str, Prompt] = {prompt.id: prompt for prompt in loaded.prompts}

    def outcomes(self) -> dict[tuple[str, str], str]:
        """Return model, prompt -> win, tie or loss, counted here from the labels of the games."""
        points: Counter[tuple[str, str]] = Counter()
        for model, run in self.stored.items():
            for game in run.games:
                assert game.verdict.label is not None, "the static judge always names a label"
                first = 1 if game.order == "answer_first" else -1
                points[model, game.prompt_id] += first * _POINTS[game.verdict.label]
        return {key: "win" if n > 0 else "loss" if n < 0 else "tie" for key, n in points.items()}


@pytest.fixture(scope="module", params=["arena_hard", "mini"])
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Report:
    root = tmp_path_factory.mktemp(request.param)
    if request.param == "mini":
        return Report(root, "codearena_mini", None, [MINI / f"answers_{name}.jsonl" for name in ("careful", "hasty")])
    if not ARENA_HARD.is_dir():
        pytest.skip("../shared/data/arena_hard_code is not here: reference data of the workplace, not of the project")
    answers = [ARENA_HARD / f"answers_{model}.jsonl.gz" for model in ("gpt-4-0613", "gpt-3.5-turbo-0125")]
    return Report(root, "codearena", ARENA_HARD / "prompts.jsonl.gz", answers)


def counts(tab: Any) -> dict[str, int]:
    """Return the numbers above the list."""
    names = {"n-shown": "shown", "n-all": "all", "n-w": "win", "n-t": "tie", "n-l": "loss", "n-u": "unscored"}
    return {name: int(tab.locator(f"#{id_}").inner_text().replace(",", "")) for id_, name in names.items()}


def choose(tab: Any, **filters: str) -> None:
    for name, value in filters.items():
        tab.select_option(f"#by-{name}", value)


def first_open(tab: Any) -> None:
    tab.locator("#list .verdict").first.click()
    tab.locator("#verdict-body .text").first.wait_for()


def test_the_page_opens_in_silence_and_asks_for_nothing_but_itself(browser: Any, report: Report) -> None:
    with opened(browser, report.page) as (tab, seen):
        tab.wait_for_load_state("load")
        assert tab.locator("h1").inner_text() == f"{' and '.join(report.ranked)} on {report.suite}"
        assert tab.locator("#leaderboard tbody tr").count() == len(report.stored)
        first_open(tab)
        tab.wait_for_timeout(200)
    assert_quiet(seen, report.page)


def test_every_number_above_the_list_is_what_the_games_say(browser: Any, report: Report) -> None:
    outcomes = report.outcomes()
    with opened(browser, report.page) as (tab, seen):
        everything = counts(tab)
        assert everything == {"shown": len(outcomes), "all": len(outcomes), "unscored": 0, **_tally(outcomes.values())}
        for model in report.stored:
            choose(tab, model=model)
            of_model = {key: outcome for key, outcome in outcomes.items() if key[0] == model}
            assert counts(tab) == {"shown": len(of_model), "all": len(outcomes), "unscored": 0} | _tally(
                of_model.values()
            )
        choose(tab, model="", outcome="loss")
        assert counts(tab)["shown"] == _tally(outcomes.values())["loss"]
        assert set(tab.locator("#list .mark").all_inner_texts()) == {"loss"}
        tab.click("#reset")
        assert counts(tab) == everything
    assert_quiet(seen, report.page)


def _tally(outcomes: Any) -> dict[str, int]:
    found = Counter(outcomes)
    return {name: found[name] for name in ("win", "tie", "loss")}


def test_filters_by_language_class_and_order_count_what_the_suite_says(browser: Any, report: Report) -> None:
    outcomes = report.outcomes()
    with opened(browser, report.page) as (tab, seen):
        choose(tab, language="Python")
        expected = [key for key in outcomes if "Python" in report.prompts[key[1]].languages]
        assert counts(tab)["shown"] == len(expected) > 0
        choose(tab, language="", orders="disagree")
        swayed = [prompt for run in report.stored.values() for prompt in _swayed(run)]
        assert counts(tab)["shown"] == len(swayed) == int(tab.locator("#n-swayed").inner_text())
        choose(tab, orders="")
        if (main := report.prompts[next(iter(report.prompts))].category) is not None:
            choose(tab, **{"class": main.main_class})
            of_class = [
                key
                for key in outcomes
                if (found := report.prompts[key[1]].category) and found.main_class == main.main_class
            ]
            assert counts(tab)["shown"] == len(of_class) > 0
        else:
            assert not tab.locator("#by-class").is_visible(), "one class alone is nothing to filter by"
        choose(tab, status="any failure")
        assert counts(tab)["shown"] == 0
        assert tab.locator("#nothing").is_visible()
    assert_quiet(seen, report.page)


def _swayed(run: StoredRun) -> list[str]:
    signs: dict[str, set[int]] = {}
    for game in (game for game in run.games if game.verdict.label):
        points = _POINTS[str(game.verdict.label)] * (1 if game.order == "answer_first" else -1)
        signs.setdefault(game.prompt_id, set()).add((points > 0) - (points < 0))
    return [prompt_id for prompt_id, found in signs.items() if len(found) > 1]


def test_failures_and_disagreements_are_counted_as_the_games_say(
    browser: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The static judge never fails and never disagrees with itself, so this judge is simulated and does both."""
    root = tmp_path_factory.mktemp("simulated")
    runs = write_runs(root, 3, 80, judge=Judge(failing=0.05))
    page = page_of(runs, root / "report.html")
    stored = [load_run(path) for path in runs]
    failed = {(run.model, game.prompt_id) for run in stored for game in run.games if game.verdict.label is None}
    swayed = sum(len([one for one in _swayed(run) if (run.model, one) not in failed]) for run in stored)
    with opened(browser, page) as (tab, seen):
        assert counts(tab)["unscored"] == len(failed) > 5
        assert int(tab.locator("#n-swayed").inner_text()) == swayed > 5
        choose(tab, orders="disagree")
        assert counts(tab)["shown"] == swayed
        choose(tab, orders="agree")
        assert counts(tab)["shown"] == 240 - len(failed) - swayed
        choose(tab, orders="", status="unparsable")
        assert counts(tab) == {"shown": len(failed), "all": 240, "win": 0, "tie": 0, "loss": 0, "unscored": len(failed)}
        choose(tab, status="any failure")
        assert counts(tab)["shown"] == len(failed)
        choose(tab, status="refused")
        assert counts(tab)["shown"] == 0
        choose(tab, status="", outcome="not scored")
        first_open(tab)
        assert "no number comes from a failure" in tab.locator("#verdict-why").inner_text()
        assert "unparsable" in tab.locator("#verdict-body .chip").all_inner_texts()
    assert_quiet(seen, page)


def test_the_list_can_be_sorted_by_points(browser: Any, report: Report) -> None:
    points = dict.fromkeys(report.outcomes(), 0)
    for model, run in report.stored.items():
        for game in run.games:
            first = 1 if game.order == "answer_first" else -1
            points[model, game.prompt_id] += first * _POINTS[str(game.verdict.label)]
    for choice, key in (("losses first", min), ("wins first", max)):
        with opened(browser, report.page, {"sort": choice}) as (tab, _):
            tab.locator("#list .verdict").first.click()
            shown = (tab.locator("#verdict-model option:checked").inner_text(), tab.locator("#verdict-id").inner_text())
            assert points[shown[0].rsplit(": ", 1)[0], shown[1]] == key(points.values())


def test_a_search_finds_ids_and_words_anywhere_in_a_question(browser: Any, report: Report) -> None:
    questions = {
        prompt.id: "\n".join(message.content for message in prompt.messages).lower()
        for prompt in report.prompts.values()
    }
    long = next(text for text in questions.values() if 600 < len(text) < 4000 and text.split()[-1].isascii())
    word = max(long[400:].split(), key=len)[:20]  # far behind what the list shows
    found = [prompt_id for prompt_id, text in questions.items() if word in f"{prompt_id}\n{text[:4000]}"]
    with opened(browser, report.page) as (tab, seen):
        tab.fill("#search", word)
        hits = f"{len(found) * len(report.stored):,}"
        tab.wait_for_function("hits => document.getElementById('n-shown').innerText === hits", arg=hits)
        some = next(iter(report.prompts))
        tab.fill("#search", some)
        assert counts(tab)["shown"] >= len(report.stored)
    assert_quiet(seen, report.page)


def test_an_opened_verdict_shows_question_answers_replies_and_why(browser: Any, report: Report) -> None:
    model, run = next(iter(report.stored.items()))
    answer = max(run.answers, key=lambda answer: answer.text.count("```"))
    prompt = report.prompts[answer.prompt_id]
    with opened(browser, report.page, {"prompt": prompt.id, "model": model}) as (tab, seen):
        tab.locator("#verdict-body .text").first.wait_for()
        assert tab.locator("#verdict-id").inner_text() == prompt.id
        body = tab.locator("#verdict-body")
        assert f"Answer of {model}" in body.inner_text()
        assert body.locator("pre code span").count() > 0, "code has colours"
        outcome = report.outcomes()[model, prompt.id]
        assert tab.locator("#verdict-mark").inner_text() == outcome
        assert f"A {outcome} for {model}" in tab.locator("#verdict-why").inner_text()
        games = [game for game in run.games if game.prompt_id == prompt.id]
        assert [chip.inner_text() for chip in body.locator(".chip").all()] == [game.verdict.label for game in games]
        for game in games:
            assert game.replies[0].text.splitlines()[-1] in body.inner_text()
        tab.keyboard.press("r")
        raw = [text.inner_text() for text in tab.locator("#verdict-body pre.raw").all()]
        assert prompt.messages[0].content.split()[0] in raw[0]
        assert answer.text.replace("\r\n", "\n").strip() in {text.strip() for text in raw}
    assert_quiet(seen, report.page)


def test_keys_alone_search_choose_open_and_close(browser: Any, report: Report) -> None:
    with opened(browser, report.page) as (tab, seen):
        tab.keyboard.press("/")
        assert tab.evaluate("document.activeElement.id") == "search"
        tab.keyboard.press("Escape")
        assert tab.evaluate("document.activeElement.id") == "list"
        for key in ("j", "j", "ArrowDown", "k"):
            tab.keyboard.press(key)
        current = tab.locator("#list").get_attribute("aria-activedescendant")
        assert current == "v-2"
        assert tab.locator(f"#{current}").get_attribute("aria-selected") == "true"
        assert tab.locator(f"#{current}").get_attribute("aria-posinset") == "3"
        tab.keyboard.press("Enter")
        tab.locator("#verdict-body .text").first.wait_for()
        first = tab.locator("#verdict-place").inner_text()
        assert first.startswith("3 of ")
        assert tab.evaluate("location.hash").startswith("#prompt=")
        tab.keyboard.press("j")
        assert tab.locator("#verdict-place").inner_text().startswith("4 of ")
        was = tab.locator("#verdict-model").input_value()
        tab.keyboard.press("h")
        assert tab.locator("#verdict-model").input_value() != was
        tab.keyboard.press("Escape")
        assert not tab.locator("#verdict").is_visible()
        assert tab.evaluate("document.activeElement.id") == "list"
        assert "prompt=" not in tab.evaluate("location.hash")
        tab.keyboard.press("End")
        last = tab.locator("#list").get_attribute("aria-activedescendant")
        assert last == f"v-{counts(tab)['all'] - 1}"
    assert_quiet(seen, report.page)


def test_everything_can_be_reached_with_tab_and_shows_that_it_is(browser: Any, report: Report) -> None:
    with opened(browser, report.page) as (tab, _):
        reached: list[str] = []
        for _step in range(60):
            tab.keyboard.press("Tab")
            reached.append(tab.evaluate("document.activeElement.id || document.activeElement.tagName"))
            assert tab.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none", reached[-1]
            if reached[-1] == "list":
                break
        assert {"theme", "search", "by-model", "by-outcome", "list"} <= set(reached)


def test_an_address_filters_and_survives_a_reload(browser: Any, report: Report) -> None:
    model = list(report.stored)[-1]
    with opened(browser, report.page, {"outcome": "win", "model": model}) as (tab, seen):
        expected = sum(outcome == "win" and name == model for (name, _), outcome in report.outcomes().items())
        assert counts(tab)["shown"] == expected
        choose(tab, outcome="tie")
        tab.reload()
        assert tab.locator("#by-outcome").input_value() == "tie"
        assert tab.locator("#by-model").input_value() == model
    assert seen.noise == []
    assert set(seen.requests) == {report.page.as_uri()}


def test_a_name_on_the_leaderboard_and_a_cell_of_a_heat_map_lead_to_their_verdicts(
    browser: Any, report: Report
) -> None:
    with opened(browser, report.page) as (tab, seen):
        link = tab.locator("#leaderboard tbody a").first
        model = link.inner_text()
        link.click()
        tab.wait_for_function("model => document.getElementById('by-model').value === model", arg=model)
        tab.evaluate("for (const part of document.querySelectorAll('#parts details')) part.open = true")
        cell = tab.locator("table[data-kind=language] tbody td").first
        n = int(cell.locator("small").last.inner_text())
        cell.click()
        tab.wait_for_function("document.getElementById('by-language').value !== ''")
        assert counts(tab)["shown"] == n
    assert_quiet(seen, report.page)


def test_a_prompt_that_is_not_there_is_said_and_nothing_breaks(browser: Any, report: Report) -> None:
    with opened(browser, report.page, {"prompt": "no such", "model": "nobody"}) as (tab, seen):
        assert "no such" in tab.locator("#lost").inner_text()
        assert not tab.locator("#verdict").is_visible()
        first_open(tab)
    assert_quiet(seen, report.page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_dark_phone_and_paper_show_the_page_without_a_word(browser: Any, report: Report, scheme: str) -> None:
    with opened(browser, report.page, color_scheme=scheme, viewport={"width": 400, "height": 800}) as (tab, seen):
        is_dark = "() => getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)[0] < 80"
        assert tab.evaluate(is_dark) is (scheme == "dark")
        tab.click("#theme")
        assert tab.evaluate(is_dark) is (scheme != "dark")
        assert tab.evaluate("document.documentElement.scrollWidth") <= 400, "nothing is cut off at its side"
        tab.emulate_media(media="print")
        assert tab.evaluate(is_dark) is False, "paper is white"
        assert not tab.locator("#list").is_visible()
        assert tab.pdf(format="A4")[:5] == b"%PDF-"
        first = tab.locator("#leaderboard svg.plot.wide text").first
        assert first.is_visible()
    assert_quiet(seen, report.page)


def test_only_the_rows_in_sight_exist(browser: Any, report: Report) -> None:
    with opened(browser, report.page) as (tab, _):
        assert tab.locator("#list .verdict").count() <= 40
        tab.evaluate("document.getElementById('list').scrollTop = 1e7")
        tab.locator(f"#v-{counts(tab)['all'] - 1}").wait_for()
        assert tab.locator("#list .verdict").count() <= 40


def test_a_page_without_texts_says_so_and_still_filters(browser: Any, report: Report, tmp_path: Path) -> None:
    page = page_of(report.runs, tmp_path / "short.html", with_texts=False)
    assert page.stat().st_size < report.page.stat().st_size
    texts = [run.answers[0].text[:60] for run in report.stored.values()]
    assert not any(text in page.read_text() for text in texts)
    with opened(browser, page, {"outcome": "win"}) as (tab, seen):
        assert counts(tab)["shown"] == _tally(report.outcomes().values())["win"]
        tab.locator("#list .verdict").first.click()
        tab.locator("#verdict-body .empty").wait_for()
        assert "left out of this file" in tab.locator("#verdict-body").inner_text()
        assert ">" in tab.locator("#verdict-why").inner_text()
    assert_quiet(seen, page)


def test_a_browser_that_cannot_unpack_says_so(browser: Any, report: Report) -> None:
    with browser.new_context() as context:
        tab = context.new_page()
        tab.add_init_script("delete window.DecompressionStream")
        tab.goto(report.page.as_uri())
        assert "DecompressionStream" in tab.locator("#old").inner_text()
        tab.locator("#list .verdict").first.click()
        tab.locator("#verdict-body .empty").wait_for()
        assert "cannot be unpacked" in tab.locator("#verdict-body").inner_text()


def test_a_cell_of_a_league_leads_to_the_verdicts_of_its_run(browser: Any, tmp_path: Path) -> None:
    runs = [
        unit_runs.write_run(
            tmp_path, model, word, folder=f"{model}-{base}", suite=unit_runs.a_suite(40, baseline=base)
        ).path
        for base in ("base", "other")
        for model, word in {"m1": "wwtl" * 10, "m2": "ltwl" * 10}.items()
    ]
    page = page_of(runs, tmp_path / "report.html")
    with opened(browser, page, viewport={"width": 400, "height": 800}) as (tab, seen):
        heads = tab.locator("table[data-kind=language] thead th").all_inner_texts()
        tab.locator("table[data-kind=language] tbody tr").first.locator("td").nth(
            heads.index("m1 against other") - 1
        ).click()
        tab.wait_for_function("document.getElementById('by-model').value === 'm1 against other'")
        language = tab.locator("table[data-kind=language] tbody th").first.inner_text()
        assert tab.locator("#by-language").input_value() == language
        assert counts(tab)["shown"] == 20
        together = tab.locator("#coverage th", has_text="all together")
        lines = together.evaluate(
            "n => { const r = document.createRange(); r.selectNodeContents(n); return r.getClientRects().length }"
        )
        assert lines == 1, "the words of the sum stay on one line"
        verdicts, other = (
            tab.locator(f".bar nav a[href='#{name}']").evaluate(
                "n => [getComputedStyle(n).color, getComputedStyle(n).fontWeight]"
            )
            for name in ("verdicts", "leaderboard")
        )
        assert verdicts == other, "no link looks as if one were there already"
    assert_quiet(seen, page)


def test_an_imported_verdict_without_its_reply_is_said_to_be_one(browser: Any, tmp_path: Path) -> None:
    rows = [v2(f"p{n}", "A>B", "B>A", model=model) for model in ("one", "two") for n in range(12)]
    kept = keep_imports(import_arena_hard([write_lines(tmp_path / "v.jsonl", rows)], ImportOptions()), tmp_path)
    page = page_of([run.path for run in kept], tmp_path / "report.html")
    with opened(browser, page, {"prompt": "p3", "model": "two"}) as (tab, seen):
        tab.wait_for_function("document.getElementById('verdict-body').innerText.includes('Game 2')")
        body = tab.locator("#verdict-body").inner_text()
        assert body.count("No reply is in the run.") == 2
        assert "Nothing was asked" not in body
        assert "imported without the questions" in body
        assert str(kept[0].path) not in body
    assert_quiet(seen, page)
