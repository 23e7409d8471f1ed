"""Verdicts in and out on the command line: real files of other programs, and the same numbers on both sides."""

from __future__ import annotations

import gzip
import json
import os
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from foreign_verdicts import said, v01, v2, write_lines
from judge_server import JudgeServer, permanent

from codearena_plugin.cli.main import main
from codearena_plugin.runs.files import load_run
from codearena_plugin.runs.style import style_of

SHARED = Path(__file__).resolve().parents[3] / "shared"
GOLDEN = SHARED / "data" / "stats_golden" / "arena_hard_v2_format_397x40x2.jsonl.gz"


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


Codearena = Callable[..., Done]


@pytest.fixture
def codearena(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Codearena:
    for name in list(os.environ):
        if name.startswith("CODEARENA_JUDGE") or name == "COLUMNS":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object, expect: int = 0) -> Done:
        capsys.readouterr()
        done = Done(main([str(argument) for argument in arguments]), *capsys.readouterr())
        assert done.code == expect, done.out + done.err
        assert "Traceback" not in done.err
        return done

    return run


@pytest.fixture
def native(codearena: Codearena, mini_answers: Path, tmp_path: Path) -> Path:
    """A run of the mini suite, judged here."""
    with JudgeServer() as server:
        codearena(
            "judge", mini_answers / "answers_careful.jsonl", "--suite", "codearena_mini", "--judge", "codearena",
            "--judge-base-url", server.url, "--output", tmp_path / "native",
        )  # fmt: skip
    return tmp_path / "native"


def exported(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def score_by_hand(lines: list[dict[str, Any]]) -> tuple[float, int]:
    """Return the mean score of a model and how many prompts it rests on, written anew from the paper's rule."""
    worth = {"A>>B": -2, "A>B": -1, "A=B": 0, "B>A": 1, "B>>A": 2}
    scores = []
    for line in lines:
        first, second = (game and game["score"] for game in line["games"])
        if first and second:
            points = worth[first] - worth[second]
            scores.append(1.0 if points > 0 else 0.0 if points < 0 else 0.5)
    return sum(scores) / len(scores), len(scores)


@pytest.mark.skipif(not GOLDEN.is_file(), reason="../shared/data/stats_golden is not here: reference data")
def test_forty_models_are_imported_with_the_scores_that_their_lines_give(codearena: Codearena, tmp_path: Path) -> None:
    done = codearena("import", "arena-hard", GOLDEN, "--output", tmp_path / "runs")
    assert "40 runs in" in done.out
    with gzip.open(GOLDEN, "rt") as lines:
        rows = [json.loads(line) for line in lines]
    for model in sorted({row["model"] for row in rows}):
        score, n = score_by_hand([row for row in rows if row["model"] == model])
        result = json.loads((tmp_path / "runs" / model / "result.json").read_text())
        assert result["metrics"]["n_prompts"] == 397
        assert result["metrics"]["n_scored"] == n
        assert result["metrics"]["score"]["estimate"] == pytest.approx(score, abs=1e-12)
        assert result["manifest"]["imported"]["rows"] == 397
        assert sum(result["statuses"].values()) == 794
    done = codearena("compare", tmp_path / "runs" / "m20", tmp_path / "runs" / "m38")
    assert "m20 − m38" in done.out
    assert "judge prompt and sampling are not in the file" in " ".join(done.out.split())
    codearena("export", *sorted((tmp_path / "runs").iterdir()), "--output", tmp_path / "all.jsonl")
    assert len(exported(tmp_path / "all.jsonl")) == 40 * 397 * 2


def test_an_import_is_shown_compared_and_exported_like_any_run(codearena: Codearena, tmp_path: Path) -> None:
    rows = [v2(f"p{n}", said("So [[B>A]]", "B>A"), "A=B", model=model) for model in ("one", "two") for n in range(9)]
    done = codearena("import", "arena-hard", write_lines(tmp_path / "v.jsonl", rows), "--output", "runs")
    assert re.search(r"^ one +100\.0 ", done.out, re.MULTILINE)
    assert "not in the import" in done.out
    assert "0 of 9" in done.out
    assert "9 of 9 prompts of one" in codearena("show", "runs/one").out
    assert "one − two" in codearena("compare", "runs/one", "runs/two").out
    assert "18 games of 1 run:" in codearena("export", "runs/one", "--output", "v.jsonl.out", "--replies").out
    assert {reply for row in exported(tmp_path / "v.jsonl.out") for reply in row["replies"]} == {"So [[B>A]]"}


def test_what_our_parser_reads_otherwise_is_told(codearena: Codearena, tmp_path: Path) -> None:
    rows = [v2(f"p{n}", said("So [[B>A]]", "A>B"), "A=B") for n in range(3)]
    done = codearena("import", "arena-hard", write_lines(tmp_path / "v.jsonl", rows), "--output", "runs")
    assert "3 of 3" in done.out
    assert "Verdicts are those of the file" in done.out
    assert load_run(tmp_path / "runs" / "m").result["manifest"]["imported"]["disagreements"] == 3


def test_an_import_below_its_coverage_is_kept_and_ends_with_exit_code_3(codearena: Codearena, tmp_path: Path) -> None:
    rows = [v2(f"p{n}", "A>B", None if n < 5 else "A>B", model="half") for n in range(10)]
    rows += [v2(f"p{n}", "A>B", "A>B", model="whole") for n in range(10)]
    file = write_lines(tmp_path / "v.jsonl", rows)
    done = codearena("import", "arena-hard", file, "--output", "runs", expect=3)
    assert done.err.startswith("codearena: NO SCORE for 1 of 2 imported runs, as runs/half: only 5 of 10 prompts")
    assert load_run(tmp_path / "runs" / "whole").result["metrics"]["score"]["estimate"] == 0.5
    half = load_run(tmp_path / "runs" / "half").result
    assert half["metrics"]["score"] is None
    assert half["statuses"]["transport-error"] == 5
    codearena("import", "arena-hard", file, "--output", "runs", "--min-coverage", "0.4")
    assert load_run(tmp_path / "runs" / "half").result["metrics"]["score"]["estimate"] == 0.5


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("arena-hrd", "v.jsonl"), "Unknown format 'arena-hrd'. Did you mean 'arena-hard'?"),
        (("arena-hard", "absent.jsonl"), "'absent.jsonl' does not exist"),
        (("arena-hard", "v.jsonl", "--model", "m"), "--model 'm': arena-hard's lines and files name their models"),
        (("arena-hard", "v.jsonl", "--min-coverage", "2"), "judge_min_coverage"),
        (("arena-hard", "bad.jsonl"), "bad.jsonl:1: field 'score': got 'A>>>B'"),
        (("arena-hard", "v.jsonl", "--suite", "codearena_mini"), "baseline"),
        (("arena-hard", "v.jsonl", "--answers", "absent"), "'absent' does not exist"),
        (("lm-eval-samples", "v.jsonl"), "v.jsonl:1: field 'doc'"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    codearena: Codearena, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    write_lines(tmp_path / "v.jsonl", [v2("p", "A>B", "B>A")])
    write_lines(tmp_path / "bad.jsonl", [v2("p", "A>>>B", "B>A")])
    done = codearena("import", *arguments, "--output", "runs", expect=2)
    assert done.err.count("\n") == 1
    assert said in done.err
    assert not (tmp_path / "runs").exists()


def test_a_model_that_is_named_to_steer_a_terminal_is_seen(codearena: Codearena, tmp_path: Path) -> None:
    rows = [v2("p", "A>B", "B>A", model="\x1b]0;owned\x07../../x")]
    done = codearena("import", "arena-hard", write_lines(tmp_path / "v.jsonl", rows), "--output", "runs")
    assert "\x1b" not in done.out
    assert "␛]0;owned" in done.out
    assert sorted(path.parent.name for path in tmp_path.rglob("result.json")) == [
        path.name for path in (tmp_path / "runs").iterdir()
    ]


def test_an_import_does_not_compare_with_a_run_that_was_judged_here(codearena: Codearena, native: Path) -> None:
    rows = [
        v2(f"mini-{n:03}", "B>A", "A>B", model="careful", baseline="mini-baseline", judge="gpt-4o-2024-08-06")
        for n in range(1, 33)
    ]
    file = write_lines(native.parent / "v.jsonl", rows)
    codearena("import", "arena-hard", file, "--suite", "codearena_mini", "--output", "runs")
    done = codearena("compare", native, "runs/careful", expect=2)
    assert "judge card 'codearena@1' and 'arena-hard-auto v2 (imported)'" in done.err
    assert "judge prompt" in done.err
    assert "suite" not in done.err.replace("--suite", ""), "same questions, same baseline"


def test_what_is_exported_are_the_games_of_the_run(codearena: Codearena, native: Path, tmp_path: Path) -> None:
    codearena("export", native, "--output", "v.jsonl")
    rows, run = exported(tmp_path / "v.jsonl"), load_run(native)
    assert Counter(row["status"] for row in rows) == Counter({k: n for k, n in run.result["statuses"].items() if n})
    assert [(row["prompt_id"], row["order"], row["label"]) for row in rows] == [
        (game.prompt_id, game.order, game.verdict.label) for game in run.games
    ]
    outcomes = {row["prompt_id"]: row["outcome"] for row in rows}
    assert sum(outcomes.values()) / len(outcomes) == run.result["metrics"]["score"]["estimate"]
    by_class = Counter(row["class"] for row in rows)
    assert by_class == {row["name"]: 2 * row["n_prompts"] for row in run.result["strata"]["class"]}
    assert {row["run"] for row in rows} == {"native"}
    assert all(row["request_keys"] and row["prompt_tokens"] for row in rows)


def test_an_export_replaces_nothing_unless_told(codearena: Codearena, native: Path, tmp_path: Path) -> None:
    (tmp_path / "v.jsonl").write_text("mine")
    done = codearena("export", native, "--output", "v.jsonl", expect=2)
    assert "'v.jsonl' exists. Choose another --output, or --force" in done.err
    assert (tmp_path / "v.jsonl").read_text() == "mine"
    codearena("export", native, "--output", "v.jsonl", "--force")
    assert len(exported(tmp_path / "v.jsonl")) == 64
    for form in ("jsonl", "parquet", "datasets"):
        done = codearena("export", native, "--format", form, "--output", native, "--force", expect=2)
        assert "never replaced" in done.err
    for name in ("games.jsonl", "result.json", "answers.jsonl"):
        for form in ("jsonl", "parquet"):
            done = codearena("export", native, "--format", form, "--output", native / name, "--force", expect=2)
            assert "is a file of the run" in done.err
    assert load_run(native)
    (tmp_path / "folder").mkdir()
    done = codearena("export", native, "--output", "folder", "--force", expect=2)
    assert "--force replaces nothing else" in done.err
    codearena("export", native, "--output", "new/place.jsonl")
    assert len(exported(tmp_path / "new" / "place.jsonl")) == 64
    assert "cannot be made" in codearena("export", native, "--output", "v.jsonl/below", expect=2).err
    assert "is given twice" in codearena("export", native, native, "--output", "w.jsonl", expect=2).err
    assert "Did you mean 'parquet'" in codearena("export", native, "--format", "parket", "--output", "w", expect=2).err


def test_an_export_to_standard_output_is_rows_alone(codearena: Codearena, native: Path, tmp_path: Path) -> None:
    done = codearena("export", native, "--output", "-")
    assert len([json.loads(line) for line in done.out.splitlines()]) == 64
    assert "64 games of 1 run: standard output" in done.err
    assert not (tmp_path / "-").exists()
    done = codearena("export", native, "--output", "-", "--format", "parquet", expect=2)
    assert "takes jsonl only" in done.err


def test_rows_of_two_runs_whose_directories_have_one_name_are_told_apart(codearena: Codearena, tmp_path: Path) -> None:
    for judge in ("one", "two"):
        rows = [v2(f"p{n}", "A>B", "B>A", judge=judge) for n in range(3)]
        codearena("import", "arena-hard", write_lines(tmp_path / f"{judge}.jsonl", rows), "--output", judge)
    codearena("export", "one/m", "two/m", "--output", "v.jsonl")
    expected = {str(tmp_path / judge / "m") for judge in ("one", "two")}
    assert {row["run"] for row in exported(tmp_path / "v.jsonl")} == expected


def test_imports_of_two_judges_are_listed_with_their_judges(codearena: Codearena, tmp_path: Path) -> None:
    rows = [v2(f"p{n}", "A>B", "B>A", judge=judge) for judge in ("gpt-one", "gpt-two") for n in range(3)]
    done = codearena("import", "arena-hard", write_lines(tmp_path / "v.jsonl", rows), "--output", "runs")
    for judge in ("gpt-one", "gpt-two"):
        assert re.search(rf"^ *m +{judge} +0\.0 .* – *$", done.out, re.MULTILINE), done.out
        assert f"m by {judge}: runs/m--{judge}\n" in done.out
    assert "0 of 0" not in done.out
    rows = [v2(f"p{n}", "A>B", "B>A") for n in range(3)]
    done = codearena("import", "arena-hard", write_lines(tmp_path / "w.jsonl", rows), "--output", "other")
    assert "judge  " not in done.out


@pytest.mark.filterwarnings("default")
def test_an_export_of_several_runs_is_one_table(codearena: Codearena, native: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets", reason="datasets is not installed here")
    file = write_lines(tmp_path / "v.jsonl", [v2(f"p{n}", "A>B", None) for n in range(4)])
    codearena("import", "arena-hard", file, "--output", "runs", expect=3)
    done = codearena("export", native, "runs/m", "--format", "datasets", "--output", "table")
    assert "no suite is at hand for 1 run, as runs/m" in done.err
    table = datasets.load_from_disk("table")
    assert Counter(table["imported"]) == {None: 64, "arena-hard-auto v2": 8}
    assert Counter(table["withheld"])[None] == 64
    codearena("export", native, "runs/m", "--format", "parquet", "--output", "t.parquet")
    assert datasets.Dataset.from_parquet("t.parquet", cache_dir=str(tmp_path)).to_list() == table.to_list()


def test_real_questions_and_answers_are_part_of_the_run(codearena: Codearena, arena_hard: Path, tmp_path: Path) -> None:
    with gzip.open(arena_hard / "answers_gpt-4-0613.jsonl.gz", "rt") as lines:
        ids = [json.loads(line)["id"] for line in lines]
    rows = [v01(uid, *("A>B", "B>A") if int(uid[:8], 16) % 3 else ("B>A", "A>B"), model="gpt-4-0613") for uid in ids]
    codearena(
        "import", "arena-hard", write_lines(tmp_path / "v.jsonl", rows), "--baseline", "gpt-4-0314",
        "--data", arena_hard / "prompts.jsonl.gz", "--answers", arena_hard / "answers_gpt-4-0613.jsonl.gz",
        "--output", "runs",
    )  # fmt: skip
    run = load_run(tmp_path / "runs" / "gpt-4-0613")
    assert len(run.answers) == 266
    assert run.result["manifest"]["answers"]["empty"] == 0
    assert sum(row["n_prompts"] for row in run.result["strata"]["natural_language"]) == 266
    assert style_of(run).keys() == set(ids)
    shown = codearena("show", run.path, ids[0]).out
    assert "question (user)" in shown
    assert "baseline: gpt-4-0314" in shown
    assert "266 prompts" in codearena("rescore", run.path).out


def keep_samples(folder: Path, task: str, results: Any) -> None:
    """Do what lm-eval's command line does after an evaluation with --log_samples."""
    from lm_eval.loggers import EvaluationTracker

    tracker = EvaluationTracker(output_path=str(folder))
    tracker.general_config_tracker.model_name_sanitized = "model"
    samples = results.pop("samples")
    tracker.save_results_aggregated(results=results, samples=samples)
    tracker.save_results_samples(task, samples[task])


@pytest.mark.filterwarnings("default")  # lm-eval's own warnings are not ours to judge
@pytest.mark.parametrize("fault", ["none", "unparsable"])
def test_what_lm_eval_logged_becomes_the_run_that_it_was(codearena: Codearena, tmp_path: Path, fault: Any) -> None:
    pytest.importorskip("lm_eval", reason="lm-eval is not installed here")
    from lm_eval_runs import Parrot, evaluate

    with JudgeServer(script=permanent(fault, 0.02 if fault == "unparsable" else 0)) as judge:
        options = {"judge": "codearena", "judge_base_url": judge.url, "codearena_output": str(tmp_path / "native")}
        keep_samples(tmp_path / "out", "codearena_mini", evaluate(Parrot(), options, log_samples=True))
    native = load_run(tmp_path / "native" / "codearena_mini")
    code = 0 if fault == "none" else 3
    codearena("import", "lm-eval-samples", "out", "--output", "runs", expect=code)
    (place,) = (tmp_path / "runs").iterdir()
    found = load_run(place)
    assert found.games == native.games
    assert found.answers == native.answers
    assert {**found.result, "manifest": None} == {**native.result, "manifest": None}
    again = [codearena("rescore", path, expect=code).out for path in (native.path, place)]
    assert again[0].splitlines()[:-1] == again[1].splitlines()[:-1], "all but the line that says where it lies"
    refused = codearena("import", "lm-eval-samples", "out", "--output", "x", "--min-coverage", 0.1, expect=2)
    assert "lm-eval's own run" in refused.err


@pytest.mark.filterwarnings("default")
def test_what_a_judge_in_lm_eval_said_becomes_the_run_that_it_was(
    codearena: Codearena, mini_answers: Path, tmp_path: Path
) -> None:
    pytest.importorskip("lm_eval", reason="lm-eval is not installed here")
    from lm_eval_runs import Parrot, evaluate

    answers = mini_answers / "answers_hasty.jsonl"
    options = {"codearena_answers": str(answers), "codearena_suite": "codearena_mini", "judge": "codearena"}
    output = {"codearena_output": str(tmp_path / "native")}
    judge = Parrot("Mine first.\n\nMy verdict: [[A>B]]")
    results = evaluate(judge, {**options, **output}, task="judge_codearena", log_samples=True)
    keep_samples(tmp_path / "out", "judge_codearena", results)
    native = load_run(tmp_path / "native" / "judge_codearena")
    codearena("import", "lm-eval-samples", "out", "--output", "runs", "--answers", answers)
    found = load_run(tmp_path / "runs" / "hasty")
    assert found.games == native.games
    assert found.answers == native.answers
    assert "+0.0" in codearena("compare", native.path, found.path).out
