"""The other output formats: everything in JSON, the main tables in Markdown, and no number where there is none."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from pathlib import Path

from judge_server import JudgeServer, permanent
from rich.console import Console

from codearena_plugin.judging.settings import resolve_settings
from codearena_plugin.prompts.answers import read_answers
from codearena_plugin.prompts.suite import load_suite
from codearena_plugin.report.formats import as_json, as_markdown
from codearena_plugin.report.table import print_result
from codearena_plugin.runs.judge import Run, judge_answers


def judged(mini_answers: Path, out: Path, **options: object) -> Run:
    suite = load_suite("codearena_mini")
    answers = read_answers(mini_answers / "answers_careful.jsonl", suite)
    return judge_answers(suite, answers, resolve_settings(options, default_judge="static", environ={}), out)


def test_json_is_the_whole_result(mini_answers: Path, tmp_path: Path) -> None:
    run = judged(mini_answers, tmp_path)
    assert json.loads(as_json(run.result)) == json.loads((tmp_path / "result.json").read_text())


def test_markdown_says_what_the_tables_on_a_terminal_say(mini_answers: Path, tmp_path: Path) -> None:
    text = as_markdown(judged(mini_answers, tmp_path, judge_order="both").result)
    assert "| win | 81.2 |" in text
    assert "| coverage | 100.0 |  | 32 of 32 |" in text
    assert "| Development and Programming |" in text
    assert "- notice: DEMO: prompts of our own" in text
    assert "- notice: static judge: reads surface traits of answers; a smoke test, not a preference model" in text
    assert "order both, mode default" in text
    assert "- games: 64, of which failed: none" in text
    assert "- calls: " in text


def test_markdown_and_tables_hold_the_same_facts(mini_answers: Path, tmp_path: Path) -> None:
    result = judged(mini_answers, tmp_path).result
    console = Console(file=io.StringIO(), width=1000, markup=False, highlight=False, emoji=False)
    print_result(console, result.to_json(), path=None, tables=("class", "difficulty", "language"))
    printed = set(re.findall(r"\w+", console.file.getvalue()))
    assert printed == set(re.findall(r"\w+", as_markdown(result)))


def test_markdown_of_a_withheld_run_holds_no_score(mini_answers: Path, tmp_path: Path) -> None:
    with JudgeServer(script=permanent("unparsable", 0.5)) as judge:
        run = judged(
            mini_answers, tmp_path, judge="codearena", judge_base_url=judge.url, judge_store=str(tmp_path / "s")
        )
    text = as_markdown(run.result)
    n_failed = run.result.statuses["unparsable"]
    assert "No score: only" in text
    assert "| score | withheld |" in text
    assert not re.search(r"\b(win|tie|loss)\b", text)
    assert f"- games: 64, of which failed: {n_failed} unparsable" in text
    assert f"  - unparsable: {n_failed} × no label in the reply" in text


def test_markdown_says_why_asking_stopped(mini_answers: Path, tmp_path: Path) -> None:
    run = judged(mini_answers, tmp_path)
    assert "- stopped: budget reached" in as_markdown(replace(run.result, stopped="budget reached: max_calls=3"))


def test_what_models_and_servers_wrote_is_not_obeyed_by_markdown(mini_answers: Path, tmp_path: Path) -> None:
    result = judged(mini_answers, tmp_path).result
    manifest = {**result.manifest, "model": "a|b\n# c <img src=x> [d](http://e) `f` **g**"}
    text = as_markdown(replace(result, manifest=manifest))
    assert r"- model: a\|b # c \<img src=x> \[d](http://e) \`f\` \*\*g\*\*, compared with" in text
