"""The page as a file: its policy fits its content, and it says what there is to say of every kind of leaderboard."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from random import Random
from typing import Any

import many_runs
import pytest
import unit_runs
from hostile_runs import write_hostile_runs
from many_runs import Judge, a_large_suite, write_run, write_runs
from pages import page_of, parts_of

import codearena_plugin
from codearena_plugin.errors import DataError, UsageError
from codearena_plugin.report.page.gather import gather
from codearena_plugin.report.page.write import is_page, write_page
from codearena_plugin.runs.files import load_run


class Seen(HTMLParser):
    """Everything of a page that could act: elements, attributes, and what stands in scripts and styles."""

    def __init__(self, page: Path) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, Any]]] = []
        self.inside: list[tuple[str, str]] = []
        self.text = ""
        self.feed(page.read_text(encoding="utf-8"))
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        tag = self.tags[-1][0] if self.tags else ""
        if tag in {"script", "style"} and data.strip():
            self.inside.append((tag, data))
        else:
            self.text += data

    def sections(self) -> list[str]:
        return [attrs["id"] for tag, attrs in self.tags if tag == "section"]


@pytest.fixture(scope="module")
def five(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_runs(tmp_path_factory.mktemp("five"), 5, 80)


@pytest.fixture(scope="module")
def page(five: list[Path]) -> Path:
    return page_of(five, five[0].parent / "report.html")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("hostile")
    return page_of(write_hostile_runs(root), root / "report.html")


def sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@pytest.mark.parametrize("which", ["page", "hostile"])
def test_the_policy_allows_the_page_s_own_script_and_style_and_nothing_else(
    which: str, request: pytest.FixtureRequest
) -> None:
    seen = Seen(request.getfixturevalue(which))
    policies = [attrs["content"] for tag, attrs in seen.tags if attrs.get("http-equiv") == "Content-Security-Policy"]
    rules = dict(rule.split(" ", 1) for rule in policies[0].split("; "))
    assert len(policies) == 1
    assert rules == {
        "default-src": "'none'",
        "script-src": f"'sha256-{sha256(next(text for tag, text in seen.inside if 'use strict' in text))}'",
        "style-src": f"'sha256-{sha256(next(text for tag, text in seen.inside if tag == 'style'))}'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "codearena",
    }
    assert [tag for tag, _ in seen.tags[:4]] == ["html", "head", "meta", "meta"], "the policy comes before all else"


@pytest.mark.parametrize("which", ["page", "hostile"])
def test_nothing_in_the_page_runs_or_loads_but_its_one_script(which: str, request: pytest.FixtureRequest) -> None:
    seen = Seen(request.getfixturevalue(which))
    scripts = [attrs for tag, attrs in seen.tags if tag == "script"]
    assert sum("type" not in attrs for attrs in scripts) == 1
    assert {attrs["type"] for attrs in scripts if "type" in attrs} == {"application/json", "application/gzip+base64"}
    assert not {tag for tag, _ in seen.tags} & {"img", "iframe", "object", "embed", "link", "base", "form", "image"}
    for tag, attrs in seen.tags:
        assert not [name for name in attrs if name.startswith("on") or name in {"style", "src", "action"}], (tag, attrs)
        href = attrs.get("href") or "#"
        assert href.startswith("#"), (tag, attrs)


def test_every_part_of_the_report_is_there(page: Path) -> None:
    seen = Seen(page)
    assert seen.sections() == [
        *("leaderboard", "differences", "parts", "style", "judge", "coverage", "cost", "verdicts", "manifests")
    ]
    assert "5 models on simulated" in seen.text
    assert "Paired differences" in seen.text
    links = {attrs["href"] for tag, attrs in seen.tags if tag == "a" and not attrs["href"].startswith("#model")}
    assert {f"#{name}" for name in seen.sections()} <= links
    ids = [attrs["id"] for _, attrs in seen.tags if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_the_same_runs_make_the_same_file(five: list[Path], page: Path, tmp_path: Path) -> None:
    assert page_of(five, tmp_path / "again.html").read_bytes() == page.read_bytes()


def test_what_is_read_first_stands_before_the_texts(page: Path) -> None:
    text = page.read_text()
    assert (
        text.index('id="manifests"')
        < text.index('id="index"')
        < text.index('id="questions"')
        < text.index('id="chunk-0"')
    )
    assert text.index('id="questions"') < 400_000


def test_one_model_has_a_page_without_differences(five: list[Path], tmp_path: Path) -> None:
    seen = Seen(page_of(five[:1], tmp_path / "one.html"))
    assert "differences" not in seen.sections()
    assert "m00 on simulated" in seen.text


def test_a_run_whose_score_is_withheld_is_listed_with_its_reason(five: list[Path], tmp_path: Path) -> None:
    failing = write_run(tmp_path / "bad", a_large_suite(80), "broken", 0.0, Random(1), Judge(failing=0.6))
    seen = Seen(page_of([five[0], failing], tmp_path / "report.html"))
    assert "Without a score" in seen.text
    assert load_run(failing).result["withheld"] in seen.text
    alone = Seen(page_of([failing], tmp_path / "alone.html"))
    assert "withheld" in alone.text
    assert "verdicts" in alone.sections()


def test_a_judge_that_only_ties_makes_a_page_without_nan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many_runs, "_LABELS", ("A=B",) * 5)
    runs = write_runs(tmp_path, 2, 12, judge=Judge(failing=0))
    seen = Seen(page_of(runs, tmp_path / "report.html"))
    assert "50.0 %" in seen.text
    assert not re.search(r"\b(nan|inf|none)\b", seen.text.replace("none shown", "").replace("none:", ""), re.IGNORECASE)


def test_without_its_suite_a_page_says_why_the_question_is_not_shown(five: list[Path], tmp_path: Path) -> None:
    material = gather([load_run(path) for path in five], [])
    assert "Question and baseline are not shown" in material.notes[0], "the simulated suite is nobody's plugin"
    assert material.questions == {}
    text = page_of(five, tmp_path / "report.html").read_text()
    assert "Question and baseline are not shown" in text


def test_a_suite_file_that_the_user_names_must_be_the_one(five: list[Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        gather([load_run(five[0])], [], data=str(tmp_path / "nowhere.jsonl"))


def test_a_suite_file_that_is_gone_is_named_and_no_other_is_looked_for(tmp_path: Path) -> None:
    run = unit_runs.write_run(tmp_path, "m", "wtl")
    result = json.loads((run.path / "result.json").read_text())
    result["manifest"]["suite"] |= {"name": "codearena", "file": str(tmp_path / "gone.jsonl")}
    (run.path / "result.json").write_text(json.dumps(result))
    (note,) = gather([load_run(run.path)], []).notes
    assert f"suite file '{tmp_path / 'gone.jsonl'}'" in note
    assert "no longer there" in note
    assert "--data" in note


def test_the_page_says_what_made_it(page: Path) -> None:
    content = [attrs["content"] for tag, attrs in Seen(page).tags if attrs.get("name") == "generator"]
    assert content == [f"codearena-plugin {codearena_plugin.__version__}"]
    assert is_page(page)


def test_strata_that_are_kept_with_a_run_are_filters_without_its_suite(five: list[Path], tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    shutil.copytree(five[0], bare)
    (bare / "strata.json").unlink()
    with_strata, without = (gather([load_run(path)], []).strata for path in (five[0], bare))
    assert with_strata is not None
    assert set(with_strata["language"]) == {f"q{i:04}" for i in range(80)}
    assert without is None


def test_a_file_that_cannot_be_written_is_one_line(five: list[Path], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    board, material, tables = parts_of(five[:1])
    with pytest.raises(DataError, match="cannot be written"):
        write_page(tmp_path / "file" / "report.html", board, tables, material)


def test_an_error_half_way_leaves_the_old_page_as_it_was(
    five: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "report.html"
    page.write_text("old")
    board, material, tables = parts_of(five[:1])
    with pytest.raises(ZeroDivisionError):
        write_page(page, board, tables, material, observe=lambda done, _: 1 // (done - 3))
    assert page.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_progress_is_told_prompt_by_prompt(five: list[Path], tmp_path: Path) -> None:
    board, material, tables = parts_of(five[:1])
    told: list[tuple[int, int]] = []
    write_page(tmp_path / "r.html", board, tables, material, observe=lambda *state: told.append(state))
    assert told == [(done, 80) for done in range(1, 81)]


def test_models_against_several_baselines_are_listed_run_by_run(tmp_path: Path) -> None:
    words = {"m1": "wwtl" * 20, "m2": "ltwl" * 20}
    runs = [
        unit_runs.write_run(
            tmp_path, model, word, folder=f"{model}-{base}", suite=unit_runs.a_suite(80, baseline=base)
        ).path
        for base in ("base", "other")
        for model, word in words.items()
    ]
    page = page_of(runs, tmp_path / "report.html")
    for name in ("m1 against base", "m2 against other"):
        assert f'<a href="#model={name.replace(" ", "%20")}">{name}</a>' in page.read_text(), "rows of the heat maps"
    assert "from the fit over all runs" in Seen(page).text
    assert "paired prompt by prompt" not in Seen(page).text
    assert "Each run is scored against its own baseline." in Seen(page).text
    assert "win, tie, loss" not in Seen(page).text, "there are no rates, so there is no bar of them"
    assert "Judged by j, each answer against that of its baseline, of several" in Seen(page).text
    assert "expected against base" in Seen(page).text
    index = json.loads(next(text for _, text in Seen(page).inside if text.startswith('{"models"')))
    assert sorted(index["models"]) == [
        f"{model} against {base}" for model in ("m1", "m2") for base in ("base", "other")
    ]
    assert all(name.endswith(opponent) for name, opponent in zip(index["models"], index["opponents"], strict=True))
