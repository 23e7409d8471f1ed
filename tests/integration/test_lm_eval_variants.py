"""Task files of users that include ours, options of lm-eval that meet ours, and what both axes share in one command."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("lm_eval", reason="lm-eval is not installed here")

from lm_eval.loggers import EvaluationTracker
from lm_eval.tasks import TaskManager
from lm_eval.tasks._yaml_loader import load_yaml
from lm_eval_runs import TASKS, Parrot, Scripted, evaluate, numbers
from pass_runs import ANSWERS, sandbox_options, write_data

from codearena_plugin.errors import ConfigError
from codearena_plugin.harness.lm_eval import ahead, beside, exits
from codearena_plugin.harness.lm_eval.benchmarks.task import GENERATION as OF_BENCHMARKS
from codearena_plugin.harness.lm_eval.suites.base import GENERATION as OF_SUITES
from codearena_plugin.harness.place import shown_arguments

pytestmark = pytest.mark.filterwarnings("default")  # lm-eval's own warnings are not ours to judge
BENCHMARK = "codearena_humaneval_plus"
CONSENT = {"confirm_run_unsafe_code": True}
SAMPLING = "generation_kwargs:\n  do_sample: true\n  temperature: 0.8\n"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = write_data(tmp_path_factory.mktemp("evalplus"))
    return {"codearena_evalplus_data": str(folder), **sandbox_options()}


def variant(folder: Path, task: str, more: str) -> str:
    """Write a task file that includes one of ours, and return its name."""
    (source,) = TASKS.glob(f"*/lm_eval/{task}.yaml")
    (folder / "mine.yaml").write_text(f"include: {source}\ntask: mine\n{more}")
    return "mine"


def asked_with(model: Any) -> dict[str, Any]:
    found: dict[str, Any] = model.asked[0].args[1]
    return found


def test_a_variant_with_a_temperature_keeps_our_limit_and_is_not_cut_at_a_blank_line(
    data: dict[str, str], tmp_path: Path
) -> None:
    chat = Scripted()
    evaluate(chat, data, variant(tmp_path, BENCHMARK, SAMPLING), include=tmp_path, apply_chat_template=True, **CONSENT)
    assert asked_with(chat) == {"until": ["\n```\n"], "max_gen_toks": 768, "do_sample": True, "temperature": 0.8}
    base = Scripted()
    evaluate(base, data, variant(tmp_path, f"{BENCHMARK}_base", SAMPLING), include=tmp_path, **CONSENT)
    assert "\ndef " in asked_with(base)["until"]
    assert asked_with(base)["max_gen_toks"] == 768
    suite = Parrot()
    evaluate(suite, task=variant(tmp_path, "codearena_mini", SAMPLING), include=tmp_path, limit=1)
    assert asked_with(suite) == {"until": [], "max_gen_toks": 4096, "do_sample": True, "temperature": 0.8}


@pytest.mark.parametrize("task", ["codearena", "codearena_mini", BENCHMARK, "codearena_mbpp_plus"])
def test_the_arguments_that_a_variant_keeps_are_those_of_the_task_file(task: str) -> None:
    (source,) = TASKS.glob(f"*/lm_eval/{task}.yaml")
    kept = OF_BENCHMARKS if "plus" in task else OF_SUITES
    assert f"until: {kept['until']}" in source.read_text()
    assert f"max_gen_toks: {kept['max_gen_toks']}" in source.read_text()


def test_a_limit_under_another_name_counts(data: dict[str, str]) -> None:
    suite, benchmark = Parrot(), Scripted()
    evaluate(suite, gen_kwargs={"max_tokens": 9000}, limit=1)
    evaluate(benchmark, data, BENCHMARK, gen_kwargs={"max_new_tokens": 9000}, limit=1, **CONSENT)
    assert (asked_with(suite)["max_tokens"], asked_with(benchmark)["max_new_tokens"]) == (9000, 9000)
    assert "max_gen_toks" not in asked_with(suite) | asked_with(benchmark), "lm-eval would take it instead"


def test_several_greedy_samples_of_a_problem_are_said_to_be_alike(
    data: dict[str, str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    task = variant(tmp_path, BENCHMARK, "repeats: 2\n")
    found = numbers(evaluate(Scripted(), data, task, include=tmp_path, **CONSENT), task)
    assert found["pass@1"] == 0.5
    assert "2 samples a problem are asked, all alike: do_sample is off" in caplog.text
    caplog.clear()
    evaluate(Scripted(), data, variant(tmp_path, BENCHMARK, f"repeats: 2\n{SAMPLING}"), include=tmp_path, **CONSENT)
    assert "all alike" not in caplog.text


def test_a_variant_that_calls_the_code_safe_is_asked_for_consent(data: dict[str, str], tmp_path: Path) -> None:
    model = Scripted()
    with pytest.raises(ValueError, match="marked as unsafe"):
        evaluate(model, data, variant(tmp_path, BENCHMARK, "unsafe_code: false\n"), include=tmp_path)
    assert model.asked == []


def test_a_variant_that_replaces_the_metadata_is_told_what_they_said(data: dict[str, str], tmp_path: Path) -> None:
    task = variant(tmp_path, BENCHMARK, "metadata:\n  version: 3\n")
    with pytest.raises(ConfigError, match=r"'mine' names no benchmark.*says benchmark and style itself"):
        evaluate(Scripted(), data, task, include=tmp_path, **CONSENT)


def test_a_password_in_the_judge_s_url_is_in_no_result_of_a_benchmark(data: dict[str, str], tmp_path: Path) -> None:
    url = "http://me:hunter2@127.0.0.1:9/v1"
    options = {**data, "judge_base_url": url, "codearena_output": str(tmp_path), "base_url": url}
    results = evaluate(Scripted(), options, BENCHMARK, limit=1, **CONSENT)
    metadata = results["configs"][BENCHMARK]["metadata"]
    assert metadata["judge_base_url"] == "http://127.0.0.1:9/v1"
    written = (tmp_path / BENCHMARK / "execution.json").read_text()
    assert json.loads(written)["harness"]["model_args"]["base_url"] == "http://127.0.0.1:9/v1"
    assert "hunter2" not in written


def test_model_arguments_are_shown_without_keys_and_passwords() -> None:
    given = {"pretrained": "Org/Model", "base_url": "http://me:pw@h/v1", "api_key": "k", "judge": "j", "style": "chat"}
    assert shown_arguments(given) == {"pretrained": "Org/Model", "base_url": "http://h/v1"}


def test_a_result_that_cannot_be_copied_does_not_end_the_run(
    data: dict[str, str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tracker = EvaluationTracker(output_path=str(tmp_path / "out"))
    results = evaluate(Scripted(), data, BENCHMARK, limit=1, evaluation_tracker=tracker, **CONSENT)
    results.pop("samples")
    (tmp_path / "out").write_text("a file where lm-eval wants a directory")
    before = len(exits.incomplete())
    tracker.save_results_aggregated(results=results, samples=None)
    assert "cannot be written" in caplog.text
    assert "The same lies in" in caplog.text
    assert len(exits.incomplete()) == before


def test_what_cannot_be_written_on_another_rank_does_not_end_all_of_them(
    data: dict[str, str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A launcher ends all processes with the first that fails; rank 0 has all samples, and writes them again."""
    options = {**data, "codearena_output": str(tmp_path)}
    manager = TaskManager(include_defaults=False, include_path=str(TASKS), metadata=options)
    task = manager.load([BENCHMARK])["tasks"][BENCHMARK]
    task.build_all_requests(rank=1, world_size=2)
    (tmp_path / f"{BENCHMARK}-rank1" / "samples.jsonl").mkdir()
    for instance in task.instances:
        instance.resps.append(ANSWERS[instance.doc["id"]])
    before = exits.incomplete()
    task.apply_filters()
    assert "cannot be written" in caplog.text
    assert exits.incomplete() == before


@pytest.mark.parametrize(
    ("task", "options", "asked", "said"),
    [
        (BENCHMARK, {}, {"confirm_run_unsafe_code": False}, f"{BENCHMARK} runs code that the model wrote"),
        ("codearena_mini", {"codearena_execute": True}, {"confirm_run_unsafe_code": False}, "codearena_mini runs code"),
        ("codearena_mini", {"judge_ordr": "both"}, {}, "Did you mean 'judge_order'"),
        ("codearena_mini", {"judge": "codearena-evidence"}, {}, "codearena_execute=true and --confirm_run_unsafe_code"),
        ("codearena_mini", {}, {"num_fewshot": 2}, "got num_fewshot=2"),
        (BENCHMARK, {"codearena_sandbox": "bubblewrapp"}, {}, "Did you mean 'bubblewrap'"),
        ("mine.yaml", {"codearena_sandbox": "bubblewrapp"}, {}, "Did you mean 'bubblewrap'"),
    ],
)
def test_what_cannot_work_is_known_before_a_model_is_loaded(
    task: str, options: dict[str, Any], asked: dict[str, Any], said: str, data: dict[str, str], tmp_path: Path
) -> None:
    variant(tmp_path, BENCHMARK, SAMPLING)
    manager = TaskManager(include_defaults=False, include_path=str(TASKS), metadata={**data, **options})
    selected = load_yaml(tmp_path / task, resolve_func=True) if task.endswith(".yaml") else task
    given = {"num_fewshot": None, "predict_only": False, **CONSENT, **asked}
    with pytest.raises(ConfigError, match=said):
        ahead.look(SimpleNamespace(tasks=["of_somebody_else", selected], **given), manager)


def test_nothing_is_checked_that_predict_only_does_not_need(data: dict[str, str]) -> None:
    options = {**data, "judge": "codearena-evidence", "codearena_sandbox": "sandbox-fusion"}
    manager = TaskManager(include_defaults=False, include_path=str(TASKS), metadata=options)
    tasks = [BENCHMARK, "codearena_mini"]
    ahead.look(SimpleNamespace(tasks=tasks, num_fewshot=None, predict_only=True, **CONSENT), manager)


def test_an_lm_eval_that_has_its_configuration_elsewhere_stays_as_it_is() -> None:
    module = ModuleType("lm_eval.config.evaluate_config")
    ahead.patch_config(module)
    assert not hasattr(module, "EvaluatorConfig")


def test_a_second_patch_changes_nothing() -> None:
    before = EvaluationTracker.save_results_aggregated
    beside.patch_tracker(EvaluationTracker)
    assert EvaluationTracker.save_results_aggregated is before
