"""One `lm_eval` command line, as a user types it, gives preference, pass@1 and the gap: real model, real sandbox."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pass_runs import ANSWERS, HUMANEVAL_IDS, sandbox_options, write_answers, write_data

from codearena_plugin import paths
from codearena_plugin.cli.main import main
from codearena_plugin.interchange.imports import ImportOptions
from codearena_plugin.interchange.lm_eval_samples import import_samples

LM_EVAL = Path(sys.executable).parent / "lm_eval"
pytestmark = pytest.mark.skipif(not LM_EVAL.exists(), reason="the lm_eval command is not installed here")
CONSENT = "--confirm_run_unsafe_code"
SUITE = paths.data_dir("tasks") / "codearena_mini" / "data" / "prompts.jsonl"


def lm_eval(*args: str, expect: int = 0, **environment: str) -> str:
    """Run `lm_eval run` and return all that it printed."""
    done = subprocess.run(
        [LM_EVAL, "run", *args],
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    printed = done.stdout + done.stderr
    assert done.returncode == expect, printed[-3000:]
    return printed


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("evalplus"))


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("torch", reason="torch is not installed here")
    path = tmp_path_factory.mktemp("tiny-model")
    script = Path(__file__).parents[1] / "support" / "make_tiny_model.py"
    subprocess.run([sys.executable, script, path], check=True, capture_output=True, timeout=120)
    return path


@pytest.fixture
def replayed(mini_answers: Path, tmp_path: Path) -> list[str]:
    """Return the arguments for a model that has answers to the mini suite and to both benchmarks."""
    lines = (mini_answers / "answers_careful.jsonl").read_text().splitlines()
    rows = [{**json.loads(line), "model": "scripted"} for line in lines]
    rows += [{"id": name, "response": text, "model": "scripted"} for name, text in ANSWERS.items()]
    file = tmp_path / "answers.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return ["--model", "codearena-replay", "--model_args", f"path={file}"]


@pytest.fixture
def programs(tmp_path: Path) -> list[str]:
    """Return the arguments for a model that has answers to HumanEval+ alone."""
    file = write_answers(tmp_path / "programs.jsonl", {name: ANSWERS[name] for name in HUMANEVAL_IDS})
    return ["--model", "codearena-replay", "--model_args", f"path={file}"]


def metadata(data: Path, **more: object) -> list[str]:
    return ["--metadata", json.dumps({"codearena_evalplus_data": str(data), **sandbox_options(), **more})]


def only(folder: Path, pattern: str) -> dict[str, Any]:
    (file,) = folder.rglob(pattern)
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def test_a_local_model_is_judged_and_run_and_its_gap_is_told(tiny_model: Path, data: Path, tmp_path: Path) -> None:
    printed = lm_eval(
        *("--model", "hf", "--model_args", f"pretrained={tiny_model}", "--device", "cpu", "--apply_chat_template"),
        *("--tasks", "codearena_mini,codearena_humaneval_plus,codearena_mbpp_plus_base", CONSENT),
        *("--batch_size", "8", "--gen_kwargs", "max_gen_toks=24", "--output_path", str(tmp_path), "--log_samples"),
        *metadata(data),
    )
    gap = only(tmp_path, "codearena_gap_*.json")
    (theirs,) = tmp_path.rglob("results_*.json")
    results = json.loads(theirs.read_text())["results"]
    [model] = gap["models"]
    assert model["model"] == str(tiny_model)
    assert model["preference"]["estimate"] == results["codearena_mini"]["score,none"]
    assert model["execution"]["humaneval+"]["estimate"] == results["codearena_humaneval_plus"]["pass@1,none"] == 0.0
    assert model["execution"]["mbpp+"]["estimate"] == results["codearena_mbpp_plus_base"]["pass@1,none"] == 0.0
    assert model["execution"]["humaneval+"]["n"] == 4
    assert model["residual"] is None
    assert gap["line"]["why_absent"], "one model makes no line, and that is said"
    assert any("published models are left out" in note for note in gap["notes"])
    assert any("DEMO" in notice for notice in gap["notices"])
    table, told = re.split(r"^preference +score", printed, maxsplit=1, flags=re.MULTILINE)
    assert "pass@1_base" in table, "the gap comes after lm-eval's own table"
    assert "none: a line needs" in told
    assert "MBPP 0.0, MBPP+ 0.0; codearena gap --benchmark mbpp+ sets the axis" in " ".join(told.split())
    assert "not the released file" in told
    (file,) = tmp_path.rglob("samples_codearena_h*.jsonl")
    samples = [json.loads(line) for line in file.read_text().splitlines()]
    assert [row["execution"]["samples"][0]["base"] for row in samples] == ["fail"] * 4
    assert all(row["arguments"]["gen_args_0"]["arg_0"].rstrip().endswith("```python") for row in samples)
    [imported] = import_samples([file.parent], ImportOptions())
    assert imported.suite.name == "codearena_mini", "samples of programs are no games, and lie beside them"


def test_the_numbers_are_those_of_the_programs_and_can_be_read_again(
    replayed: list[str], data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, runs = tmp_path / "out", tmp_path / "runs"
    tasks = "codearena_mini,codearena_humaneval_plus,codearena_mbpp_plus"
    printed = lm_eval(
        *(*replayed, "--tasks", tasks, CONSENT, "--output_path", str(out)),
        *metadata(data, codearena_output=str(runs)),
    )
    [model] = only(out, "codearena_gap_*.json")["models"]
    assert model["name"] == "scripted"
    shares = {name: one["estimate"] for name, one in model["execution"].items()}
    assert shares == {"humaneval": 0.75, "humaneval+": 0.5, "mbpp": 0.5, "mbpp+": 0.5}
    assert "HumanEval+, pass@1: base tests 75.0 %, base and plus tests 50.0 %; 4 of 4 problems" in printed
    assert "75.0 / 50.0" in printed
    (execution,) = [file for file in out.rglob("codearena_humaneval_plus_*.json") if "eval_results" not in file.name]
    (verdicts,) = out.rglob("codearena_humaneval_plus_*_eval_results.json")
    assert json.loads(verdicts.read_text())["eval"]["HumanEval/901"][0]["plus_status"] == "fail"
    arguments = ["gap", str(runs / "codearena_mini"), "--execution", str(execution), "--format", "json"]
    assert main([*arguments, "--bootstraps", "200"]) == 0
    again = json.loads(capsys.readouterr().out)["models"][0]
    assert again["preference"] == model["preference"]
    assert {name: again["execution"][name]["estimate"] for name in shares if "humaneval" in name} == {
        "humaneval": 0.75,
        "humaneval+": 0.5,
    }


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["codearena_humaneval_plus"], "--confirm_run_unsafe_code"),
        (["codearena_humaneval_plus", CONSENT, "--num_fewshot", "3"], "got num_fewshot=3"),
        (["codearena_humaneval_plus,codearena_mini", CONSENT], "Did you mean 'judge_order'"),
    ],
)
def test_what_cannot_work_is_one_line_before_the_model_is_loaded(
    asked: list[str], said: str, programs: list[str], data: Path, tmp_path: Path
) -> None:
    printed = lm_eval(*programs, "--tasks", *asked, *metadata(data, judge_ordr="both"), expect=2)
    assert printed.splitlines()[-1].startswith("codearena: ")
    assert said in printed.splitlines()[-1]
    assert "Traceback" not in printed
    assert "Initializing" not in printed
    assert not list(tmp_path.rglob("execution.json"))


def test_a_sandbox_that_does_not_work_is_one_line_and_exit_code_2(programs: list[str], data: Path) -> None:
    options = {"codearena_sandbox": "sandbox-fusion", "codearena_sandbox_url": "http://127.0.0.1:9"}
    printed = lm_eval(
        *(*programs, "--tasks", "codearena_humaneval_plus", CONSENT),
        *("--metadata", json.dumps({"codearena_evalplus_data": str(data), **options})),
        expect=2,
    )
    assert "codearena: " in printed
    assert "Traceback" not in printed
    assert "Initializing" not in printed


def test_a_benchmark_that_is_asked_alone_and_in_the_group_is_one_line(programs: list[str], data: Path) -> None:
    options = metadata(data, codearena_data=str(SUITE), codearena_baseline="mini-baseline", judge="static")
    printed = lm_eval(*programs, "--tasks", "codearena_gap,codearena_m*", CONSENT, *options, expect=2)
    last = printed.splitlines()[-1]
    assert last.startswith("codearena: codearena_mbpp_plus is asked twice, by 'codearena_gap' and by ")
    assert "Traceback" not in printed


def test_unsafe_local_is_marked_wherever_its_numbers_go(programs: list[str], data: Path, tmp_path: Path) -> None:
    printed = lm_eval(
        *(*programs, "--tasks", "codearena_humaneval_plus", CONSENT, "--output_path", str(tmp_path / "out")),
        *metadata(data, codearena_sandbox="unsafe-local"),
    )
    (file,) = [path for path in tmp_path.rglob("codearena_humaneval_plus_*.json") if "eval_results" not in path.name]
    notices = json.loads(file.read_text())["notices"]
    unsafe = [notice for notice in notices if "not the released" not in notice]
    assert len(unsafe) == 1
    assert unsafe[0] in printed


def test_the_group_is_the_suite_and_both_benchmarks() -> None:
    from lm_eval.tasks import TaskManager

    index = TaskManager(include_defaults=False, include_path=str(paths.data_dir("tasks")))
    assert "codearena_gap" in index.all_groups
    (file,) = (paths.data_dir("tasks") / "codearena_gap").rglob("codearena_gap.yaml")
    assert all(name in index.all_tasks for name in ("codearena", "codearena_humaneval_plus", "codearena_mbpp_plus"))
    assert all(f"- {name}\n" in file.read_text() for name in ("codearena_humaneval_plus", "codearena_mbpp_plus"))
