"""The benchmark tasks inside the real lm-eval: prompts, verdicts, numbers, and what happens when nothing can be run."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytest.importorskip("lm_eval", reason="lm-eval is not installed here")

import lm_eval_runs as runs
from lm_eval.api.model import LM
from lm_eval_runs import Scripted
from pass_runs import ANSWERS, HUMANEVAL_IDS, PROBLEMS, VERDICTS, sandbox_options, write_data

from codearena_plugin import Offer, hookimpl, paths, plugins
from codearena_plugin.errors import ConfigError
from codearena_plugin.execution.sandbox import Ending, Finished, Job, Probe, SandboxOptions
from codearena_plugin.gap.reading import read_file
from codearena_plugin.harness.lm_eval import exits

pytestmark = pytest.mark.filterwarnings("default")  # lm-eval's own warnings are not ours to judge
TASK = "codearena_humaneval_plus"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("evalplus"))


@pytest.fixture
def evaluate(data: Path, tmp_path: Path) -> Callable[..., Any]:
    def run(
        model: LM,
        task: str = TASK,
        *,
        options: Mapping[str, Any] | None = None,
        include: Path | None = None,
        **more: Any,
    ) -> Any:
        given = {"codearena_evalplus_data": str(data), "codearena_output": str(tmp_path / "run"), **sandbox_options()}
        more = {"confirm_run_unsafe_code": True, **more}
        return runs.evaluate(model, {**given, **(options or {})}, task, include=include, **more)

    return run


def numbers(results: Any, task: str = TASK) -> dict[str, Any]:
    return runs.numbers(results, task)


def test_programs_are_run_and_every_number_has_its_standard_error(evaluate) -> None:
    found = numbers(evaluate(Scripted()))
    assert found["pass@1_base"] == 0.75
    assert found["pass@1"] == 0.5
    assert math.isclose(found["pass@1_stderr"], 0.2887, abs_tol=1e-4)
    assert (found["coverage"], found["n_problems"], found["execution"]) == (1.0, 4, 1.0)


def test_the_run_directory_holds_samples_verdicts_and_the_same_numbers(evaluate, tmp_path: Path) -> None:
    found = numbers(evaluate(Scripted()))
    run = tmp_path / "run" / TASK
    samples = [json.loads(line) for line in (run / "samples.jsonl").read_text().splitlines()]
    assert [row["response"] for row in samples] == [ANSWERS[name] for name in HUMANEVAL_IDS]
    assert all("```" not in row["solution"] for row in samples)
    verdicts = json.loads((run / "eval_results.json").read_text())["eval"]
    assert {name: (row["base_status"], row["plus_status"]) for name, [row] in verdicts.items()} == {
        name: VERDICTS[name] for name in HUMANEVAL_IDS
    }
    execution = json.loads((run / "execution.json").read_text())
    shares = [execution[tests]["1"]["estimate"] for tests in ("base", "plus")]
    assert shares == [found["pass@1_base"], found["pass@1"]]
    assert execution["harness"]["style"] == "chat"
    assert "not the released file" in " ".join(execution["notices"])
    base, plus = read_file(run / "execution.json")
    assert (base.benchmark, base.estimate, plus.benchmark, plus.estimate) == ("humaneval", 0.75, "humaneval+", 0.5)
    assert "sandbox" in plus.engine
    assert {one.estimate for one in read_file(run / "eval_results.json")} == {0.75, 0.5}


def test_samples_say_what_was_run_and_which_input_failed(evaluate) -> None:
    results = evaluate(Scripted(), log_samples=True)
    rows = {sample["doc"]["id"]: sample for sample in results["samples"][TASK]}
    for name in HUMANEVAL_IDS:
        [one] = rows[name]["execution"]["samples"]
        assert (one["base"], one["plus"]) == VERDICTS[name]
    [odd] = rows["HumanEval/901"]["execution"]["samples"]
    assert odd["solution"].startswith("def is_even")
    assert odd["plus_failed"] == ["[0]"] or odd["plus_failed"] == ["(0,)"]
    assert rows["HumanEval/901"]["pass@1"] == 0.0
    assert rows["HumanEval/901"]["pass@1_base"] == 1.0
    used = results["configs"][TASK]["metadata"]["codearena"]
    assert used["engine"]
    assert used["sandbox"]


def test_the_answer_is_begun_for_a_model_that_allows_it_and_ends_with_its_code_block(evaluate) -> None:
    model = Scripted({name: _inside(text) for name, text in ANSWERS.items()})
    found = numbers(evaluate(model, apply_chat_template=True, system_instruction="Be brief."))
    assert found["pass@1"] == 0.5
    prompt, generation = model.asked[0].args
    assert prompt.startswith("<system>Be brief.</system><user>")
    assert prompt.rstrip().endswith("```python")
    assert generation["until"] == ["\n```\n"]
    assert generation["max_gen_toks"] == 768


def _inside(text: str) -> str:
    """Return what a model adds to an answer that begins with the opening of a code block."""
    return text.partition("```python\n")[2].partition("```")[0] or text


def test_a_model_that_takes_no_beginning_is_asked_without_one(evaluate) -> None:
    model = Scripted()
    model.takes_prefill = False
    results = evaluate(model, apply_chat_template=True)
    assert numbers(results)["pass@1"] == 0.5
    prompt, generation = model.asked[0].args
    assert prompt.endswith("</user><assistant>")
    assert generation["until"] == []
    assert results["configs"][TASK]["metadata"]["codearena"]["prefill"].startswith("no")


def test_the_beginning_can_be_turned_off_and_the_user_s_stops_stay(evaluate) -> None:
    model = Scripted()
    evaluate(model, options={"codearena_prefill": "false"}, apply_chat_template=True)
    assert model.asked[0].args[0].endswith("<assistant>")
    model = Scripted()
    evaluate(model, apply_chat_template=True, gen_kwargs={"until": ["STOP"], "max_gen_toks": 9000})
    assert model.asked[0].args[1]["until"] == ["STOP"]
    assert model.asked[0].args[1]["max_gen_toks"] == 9000


def test_a_base_model_completes_the_text_itself(evaluate) -> None:
    bodies = {
        "HumanEval/900": "    return x + 1\n",
        "HumanEval/901": "    return n % 2 == 0\n",
        "HumanEval/902": "    return words\n",
        "HumanEval/903": "    return x / 2\n",
    }
    model = Scripted(bodies)
    task = f"{TASK}_base"
    found = numbers(evaluate(model, task, apply_chat_template=True), task)
    assert (found["pass@1"], found["pass@1_base"]) == (0.75, 0.75)
    prompt, generation = model.asked[0].args
    assert prompt.strip() == PROBLEMS["HumanEval/900"]["prompt"].strip(), "no chat template, whatever was asked"
    assert {"\nif __name__", "\ndef "} <= set(generation["until"])


def test_mbpp_is_asked_and_checked_in_both_styles(evaluate) -> None:
    assert numbers(evaluate(Scripted(), "codearena_mbpp_plus"), "codearena_mbpp_plus")["pass@1"] == 0.5
    completions = {name: PROBLEMS[name]["canonical_solution"] for name in ("Mbpp/9001", "Mbpp/9002")}
    task = "codearena_mbpp_plus_base"
    assert numbers(evaluate(Scripted(completions), task), task)["pass@1"] == 1.0


def test_several_samples_give_pass_at_10_and_all_of_them_are_run(evaluate, tmp_path: Path) -> None:
    source = paths.data_dir("tasks") / TASK / "lm_eval" / f"{TASK}.yaml"
    (tmp_path / "ten.yaml").write_text(f"include: {source}\ntask: ten\nrepeats: 10\n")
    good = ANSWERS["HumanEval/900"]
    answers = {name: [ANSWERS[name]] * 10 for name in HUMANEVAL_IDS} | {"HumanEval/900": [good] + ["no code"] * 9}
    model = Scripted(answers)
    found = numbers(evaluate(model, "ten", include=tmp_path), "ten")
    assert len(model.asked) == 40
    assert math.isclose(found["pass@1"], (0.1 + 1) / 4)
    assert found["pass@10"] == 0.5
    assert found["pass@10_base"] == 0.75
    assert "pass@100" not in found
    assert len((tmp_path / "run" / "ten" / "samples.jsonl").read_text().splitlines()) == 40


def test_limit_and_samples_check_only_what_was_generated(evaluate) -> None:
    few = numbers(evaluate(Scripted(), limit=2))
    assert (few["n_problems"], few["pass@1"], few["coverage"]) == (2, 0.5, 1.0)
    some = evaluate(Scripted(), samples={TASK: [0, 3]}, log_samples=True)
    assert numbers(some)["pass@1"] == 1.0
    assert [sample["doc"]["id"] for sample in some["samples"][TASK]] == ["HumanEval/900", "HumanEval/903"]


def test_predict_only_runs_nothing(evaluate, tmp_path: Path) -> None:
    results = evaluate(Scripted(), predict_only=True, log_samples=True)
    assert len(results["samples"][TASK]) == 4
    assert not list(tmp_path.rglob("execution.json"))


def test_without_consent_lm_eval_itself_refuses(evaluate) -> None:
    model = Scripted()
    with pytest.raises(ValueError, match="marked as unsafe"):
        evaluate(model, confirm_run_unsafe_code=False)
    assert model.asked == []


@pytest.mark.parametrize(
    ("options", "more", "said"),
    [
        ({}, {"num_fewshot": 3}, "takes no few-shot examples, got num_fewshot=3"),
        ({"codearena_engin": "builtin"}, {}, "Did you mean 'codearena_engine'"),
        ({"codearena_engine": "other"}, {}, "'other'"),
        ({"codearena_engine": "evalplus", "codearena_evalplus_python": "/nowhere/python"}, {}, "/nowhere/python"),
        ({"codearena_sandbox": "bubblewrapp"}, {}, "Did you mean 'bubblewrap'"),
        ({"codearena_evalplus_data": "/nowhere"}, {}, "/nowhere"),
    ],
)
def test_what_cannot_work_stops_before_anything_is_generated(evaluate, options, more, said) -> None:
    model = Scripted()
    with pytest.raises(ConfigError, match=said):
        evaluate(model, options=options, **more)
    assert model.asked == []


class LosingExecutor:
    """A sandbox of a plugin that breaks at every job."""

    name = "losing"
    is_isolated = True
    notice = ""

    def probe(self, options: SandboxOptions) -> Probe:
        return Probe(True, "works, it says")

    def open(self, options: SandboxOptions) -> LosingExecutor:
        return self

    def run(self, job: Job) -> Finished:
        return Finished((Ending("lost", problem="the machine room is on fire"),) * len(job.steps))

    def close(self) -> None:
        pass


class LosingPlugin:
    @hookimpl
    def codearena_executors(self) -> list[Offer]:
        return [Offer("losing", "losing_sandbox:executor", "breaks at every job")]


@pytest.fixture
def losing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    module = ModuleType("losing_sandbox")
    module.executor = LosingExecutor()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "losing_sandbox", module)
    plugins.manager().register(LosingPlugin(), name="losing")
    yield
    plugins.manager().unregister(name="losing")


def test_what_was_not_run_is_counted_and_never_scored(evaluate, losing, tmp_path: Path) -> None:
    before = len(exits.incomplete())
    results = evaluate(Scripted(), options={"codearena_sandbox": "losing"}, log_samples=True)
    found = numbers(results)
    assert math.isnan(found["pass@1"])
    assert math.isnan(found["pass@1_base"])
    assert (found["coverage"], found["n_problems"]) == (0.0, 0)
    assert exits.incomplete()[before:] == [TASK]
    [one] = results["samples"][TASK][0]["execution"]["samples"]
    assert (one["base"], one["plus"]) == ("not-run", "not-run")
    assert results["samples"][TASK][0]["pass@1"] is None
    run = tmp_path / "run" / TASK
    execution = json.loads((run / "execution.json").read_text())
    assert execution["base"] == execution["plus"] == {}
    assert "4 of 4 samples were not run" in execution["withheld"]
    assert "fire" in execution["withheld"]
    assert (run / "samples.jsonl").exists(), "what was generated is kept"


def test_another_run_in_the_same_place_is_not_written_over(evaluate, tmp_path: Path) -> None:
    evaluate(Scripted())
    evaluate(Scripted())
    assert len(list((tmp_path / "run").iterdir())) == 1, "the same samples are the same run"
    evaluate(Scripted({**ANSWERS, "HumanEval/902": ANSWERS["HumanEval/900"]}))
    assert len(list((tmp_path / "run").iterdir())) == 2


def test_two_ranks_check_each_sample_once_and_agree_with_one(evaluate, data: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is not installed here")
    one = numbers(evaluate(Scripted(), limit=3))
    script = Path(__file__).parents[1] / "support" / "two_ranks_passing.py"
    options = {"codearena_evalplus_data": str(data), "codearena_output": str(tmp_path / "two"), **sandbox_options()}
    done = subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone"),
            *(str(script), json.dumps(options)),
        ],
        env={**os.environ, "CODEARENA_HOME": str(tmp_path / "home"), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    two = json.loads(done.stdout.splitlines()[-1])
    assert {name: two[name] for name in one} == one
    rows = [json.loads(line) for line in (tmp_path / "two" / TASK / "samples.jsonl").read_text().splitlines()]
    assert [row["task_id"] for row in rows] == sorted(HUMANEVAL_IDS[:3], key=[row["task_id"] for row in rows].index)
    assert all(row["response"] for row in rows), "texts of the other rank"


def test_the_command_line_without_consent_ends_in_one_line(data: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lm_eval", "run", "--model", "dummy", "--tasks", TASK],
        env={**os.environ, "CODEARENA_HOME": str(tmp_path / "home"), "CODEARENA_EVALPLUS_DATA": str(data)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == ConfigError.exit_code, done.stderr[-2000:]
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("codearena: ")
    assert "--confirm_run_unsafe_code" in done.stderr.splitlines()[-1]
