"""``codearena passk`` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from evalplus_small import sandbox_or_skip, write_small
from typer.testing import CliRunner

from codearena_plugin.cli import main

RIGHT = {"task_id": "HumanEval/0", "solution": "def total(numbers):\n    return sum(numbers)\n"}
WRONG = {"task_id": "HumanEval/0", "completion": "    return 3\n"}
MEAN = {"task_id": "HumanEval/1", "completion": "    return (a + b) / 2\n"}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CODEARENA_HOME", str(tmp_path / "home"))
    write_small(tmp_path)
    return tmp_path


def run(place: Path, *rows: dict[str, str], more: tuple[str, ...] = ()) -> tuple[int, str]:
    """Return exit code and everything that was printed."""
    path = place / "samples.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    options = ["passk", str(path), "--benchmark", "humaneval", "--data", str(place / "humaneval.jsonl"), *more]
    result = CliRunner().invoke(main.app, options)
    return (getattr(result.exception, "exit_code", result.exit_code), f"{result.output}{result.exception or ''}")


def test_a_partial_file_gives_its_pass_at_k_with_what_it_rests_on(place: Path) -> None:
    sandbox_or_skip()
    code, text = run(place, RIGHT, WRONG, MEAN, MEAN)
    assert code == 0
    assert "2 of 6" in text
    assert "codearena builtin 1, sandbox" in text
    assert "not the released file" in text
    assert "pass@1, base and plus tests" in text
    assert "75.0" in text
    found = json.loads((place / "samples-pass" / "execution.json").read_text())
    assert (found["schema"], found["n_samples"], found["n_problems"]) == ("codearena-pass/1", 4, 2)
    verdicts = json.loads((place / "samples-pass" / "eval_results.json").read_text())["eval"]
    assert [row["base_status"] for row in verdicts["HumanEval/0"]] == ["pass", "fail"]


def test_code_without_a_sandbox_is_run_on_request_only_and_marked(place: Path) -> None:
    code, text = run(place, RIGHT, MEAN, more=("--unsafe-local", "--output", str(place / "out")))
    assert code == 0
    assert "UNSAFE: code was run without a sandbox" in " ".join(text.split())
    assert (place / "out" / "execution.json").is_file()


def test_mistakes_are_one_line_and_exit_code_2(place: Path) -> None:
    foreign = {"task_id": "Mbpp/2", "solution": ""}
    assert run(place, foreign)[0] == 2
    assert run(place, RIGHT, more=("--sandbox", "bubblwrap"))[0] == 2
    assert run(place, RIGHT, more=("--engine", "evalplus"))[0] == 2
    code, text = run(place, RIGHT, more=("--workers", "0"))
    assert (code, "--workers=0" in text, "codearena_workers" in text) == (2, True, False)


def test_what_cannot_be_written_is_shown_all_the_same(place: Path) -> None:
    (place / "samples-pass" / "eval_results.json" / "in-the-way").mkdir(parents=True)
    code, text = run(place, RIGHT, MEAN, more=("--unsafe-local",))
    assert code == 2
    assert "pass@1, base tests" in text
    assert "cannot be written" in text
    assert "results:" not in text


def test_samples_of_other_problems_are_left_out_and_counted(place: Path) -> None:
    sandbox_or_skip()
    code, text = run(place, RIGHT, MEAN, {"task_id": "HumanEval/999", "solution": ""})
    assert code == 0
    assert "1 of problems that this benchmark does not have" in " ".join(text.split())


def test_without_a_verdict_on_every_sample_there_is_no_score(place: Path) -> None:
    sandbox_or_skip()
    path = place / "humaneval.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows[0]["canonical_solution"] = "    raise OSError\n"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    code, text = run(place, RIGHT, MEAN)
    assert code == 3
    assert "NOT RUN" in text
    assert "NO SCORE" in text
    assert "pass@1" not in text
