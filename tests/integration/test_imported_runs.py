"""Runs imported without questions or answers, in the hands of every command that could take them for whole."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from foreign_verdicts import said, v2, write_lines

from codearena_plugin.cli.main import main
from codearena_plugin.errors import DataError
from codearena_plugin.runs.files import answers_sha256, load_run
from codearena_plugin.runs.rescore import suite_of
from codearena_plugin.runs.strata import strata_of_run

Codearena = Callable[..., str]


@pytest.fixture
def codearena(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Codearena:
    for name in list(os.environ):
        if name.startswith("CODEARENA_JUDGE") or name == "COLUMNS":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object, expect: int = 0) -> str:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert code == expect, out + err
        return f"{out}\n{err}"

    return run


@pytest.fixture
def bare(codearena: Codearena, tmp_path: Path) -> Path:
    """An import of verdicts and nothing else; one of its replies names another label than the file."""
    rows: list[dict[str, Any]] = [v2(f"p{n}", said("So [[B>A]]", "B>A"), "A>B") for n in range(9)]
    rows[0]["games"][0] = said("So [[A>>B]]", "B>A")
    codearena("import", "arena-hard", write_lines(tmp_path / "v.jsonl", rows), "--output", "runs")
    return tmp_path / "runs" / "m"


def test_an_absent_answer_is_loaded_as_absent_and_not_as_empty(bare: Path) -> None:
    run = load_run(bare)
    assert {(answer.text, answer.is_absent) for answer in run.answers} == {("", True)}
    empty = [type(answer)(answer.prompt_id, answer.model, "") for answer in run.answers]
    assert answers_sha256(empty) != answers_sha256(run.answers)


def test_show_says_that_the_answer_is_not_in_the_run(codearena: Codearena, bare: Path) -> None:
    shown = codearena("show", bare, "p1")
    assert "(not in the run: its verdicts were imported without the answers)" in shown
    assert "(empty)" not in shown
    assert "So [[B>A]]" in shown
    assert "no reply is in the run" in shown
    assert "was imported without its questions" in shown


def test_rescoring_reads_the_replies_with_our_parser(codearena: Codearena, bare: Path, tmp_path: Path) -> None:
    shown = codearena("rescore", bare, "--output", "again")
    assert "answers  not in the import (9 were judged)" in shown
    assert "by class" not in shown
    before, after = load_run(bare), load_run(tmp_path / "again")
    assert before.games[0].verdict.label == "B>A"
    assert after.games[0].verdict.label == "A>>B"
    assert before.games[1:] == after.games[1:]
    assert before.result["metrics"]["win_rate"]["estimate"] == 1.0
    assert after.result["metrics"]["win_rate"]["estimate"] == pytest.approx(8 / 9)
    assert before.answers == after.answers
    assert sorted(path.name for path in (tmp_path / "again").iterdir()) == [
        "answers.jsonl",
        "games.jsonl",
        "result.json",
    ]


def test_rescoring_can_lower_the_bar_of_an_import(codearena: Codearena, tmp_path: Path) -> None:
    file = write_lines(tmp_path / "v.jsonl", [v2(f"p{n}", "A>B", None if n else "A>B") for n in range(4)])
    codearena("import", "arena-hard", file, "--output", "runs", expect=3)
    codearena("rescore", "runs/m", expect=3)
    assert "score                 50.0" in codearena("rescore", "runs/m", "--min-coverage", "0.2")


def test_nothing_is_judged_whose_answers_are_absent(codearena: Codearena, bare: Path) -> None:
    shown = codearena("judge", bare, "--suite", "codearena_mini", expect=2)
    assert "answers.jsonl:1: field 'response': got None" in shown


def test_what_needs_the_questions_says_that_they_are_absent(codearena: Codearena, bare: Path) -> None:
    run = load_run(bare)
    with pytest.raises(DataError, match="was imported without its questions; import it again with --suite and --data"):
        suite_of(run)
    assert strata_of_run(run) is None
    assert "imported without its questions" in codearena("rescore", bare, "--data", "any.jsonl", expect=2)


def test_a_result_says_that_its_verdicts_were_imported(codearena: Codearena, bare: Path) -> None:
    from codearena_plugin.report import facts

    result = json.loads((bare / "result.json").read_text())
    assert facts.spending(result) == [("calls", "none, verdicts were imported from arena-hard-auto v2")]
    assert ("answers", "not in the import (9 were judged)") in facts.headline(result["manifest"])
