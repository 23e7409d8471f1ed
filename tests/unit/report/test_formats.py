"""The other output formats: everything in JSON, the main tables in Markdown, and no number where there is none."""

from __future__ import annotations

import json
from pathlib import Path

from judge_server import JudgeServer, permanent

from codearena_plugin.judging.settings import resolve_settings
from codearena_plugin.prompts.answers import read_answers
from codearena_plugin.prompts.suite import load_suite
from codearena_plugin.report.formats import as_json, as_markdown
from codearena_plugin.runs.judge import Run, judge_answers


def judged(mini_answers: Path, out: Path, **options: object) -> Run:
    suite = load_suite("codearena_mini")
    answers = read_answers(mini_answers / "answers_careful.jsonl", suite)
    return judge_answers(suite, answers, resolve_settings(options, default_judge="static", environ={}), out)


def test_json_is_the_whole_result(mini_answers: Path, tmp_path: Path) -> None:
    run = judged(mini_answers, tmp_path)
    assert json.loads(as_json(run.result)) == json.loads((tmp_path / "result.json").read_text())


def test_markdown_shows_every_rate_with_its_n_and_the_judge_s_notice(mini_answers: Path, tmp_path: Path) -> None:
    text = as_markdown(judged(mini_answers, tmp_path).result)
    assert "| win rate | 81.2 |" in text
    assert "| 32 |" in text
    assert "a smoke test, not a preference model" in text
    assert "| Development and Programming |" in text


def test_markdown_of_a_withheld_run_holds_no_score(mini_answers: Path, tmp_path: Path) -> None:
    with JudgeServer(script=permanent("unparsable", 0.5)) as judge:
        run = judged(
            mini_answers, tmp_path, judge="codearena", judge_base_url=judge.url, judge_store=str(tmp_path / "s")
        )
    text = as_markdown(run.result)
    assert "No score: only" in text
    assert "| score | – |" in text
    assert "| win rate | – |" in text
