"""After ``pip install`` lm-eval finds our tasks and our model by name, in every way that people install and call it.

The real installers, the built wheel and the real lm-eval; see ``support/discovery_env.py``.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import discovery_env
import pytest
from discovery_env import BUILT_IN, HOWS, OURS, Environment

from codearena_plugin.errors import UsageError

pytest.importorskip("lm_eval")

NAMES = (*OURS, BUILT_IN)
FIND = f"""
from lm_eval.tasks import TaskManager
from lm_eval.api.registry import get_model
known = TaskManager().all_subtasks
print(*(name for name in {NAMES} if name in known), get_model("codearena-replay").__name__)
"""
FOUND = " ".join((*NAMES, "ReplayModel"))

Make = Callable[[str, Path | None], Environment]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return discovery_env.build_wheel(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="session")
def peers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return discovery_env.link_peers(tmp_path_factory.mktemp("peers") / "site-packages")


@pytest.fixture(scope="session")
def make(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Make:
    """Return a maker of environments with the package in them."""

    def made(how: str, peers: Path | None) -> Environment:
        if how.startswith("uv") and discovery_env.UV is None:
            pytest.skip("uv is not installed")
        environment = discovery_env.new_environment(tmp_path_factory.mktemp(how.replace(" ", "")) / "env", peers)
        environment.install(how, wheel)
        return environment

    return made


@pytest.fixture(scope="session")
def env(make: Make, peers: Path) -> Environment:
    """Return what most people have: lm-eval, and the wheel by pip."""
    return make("pip", peers)


def test_the_wheel_owns_no_name_but_its_own(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    shim = {"_codearena_autoload.py", "codearena_plugin_autoload.pth", "codearena_plugin_autoload.start"}
    assert tops - shim == {"codearena_plugin", wheel.name.removesuffix("-py3-none-any.whl") + ".dist-info"}
    assert shim <= tops
    assert not any("startup" in name or "/lm_eval/tasks/" in name for name in names)


@pytest.mark.parametrize("how", HOWS)
def test_tasks_and_model_are_found_after_install_and_nothing_is_left_after_uninstall(
    how: str, make: Make, peers: Path
) -> None:
    here = make(how, peers)
    silent = here.run("-c", "pass")
    assert (silent.stdout, silent.stderr) == ("", "")
    assert here.code(FIND) == FOUND
    here.uninstall(how)
    left = [path for path in here.site.rglob("*codearena*") if path.suffix != ".pyc"]  # uv leaves a module's bytecode
    assert not [path for path in left if path.is_file() or "-e" not in how]  # pip leaves empty folders of an editable
    assert here.run("-c", "import lm_eval.models").stderr == ""


def test_all_of_lm_evals_own_tasks_and_ours_are_listed(make: Make, tmp_path: Path) -> None:
    listing = (
        make("pip", discovery_env.link_all_peers(tmp_path / "site-packages")).run("-m", "lm_eval", "ls", "tasks").stdout
    )
    assert all(f"|{name} " in listing for name in (*NAMES, "hellaswag"))


def test_the_command_line_validates_them(env: Environment) -> None:
    done = env.run("-m", "lm_eval", "validate", "--tasks", ",".join(NAMES))
    assert "All tasks found and valid" in done.stdout + done.stderr


def test_turned_off_they_are_found_by_include_path_alone(env: Environment) -> None:
    off = {"CODEARENA_AUTOLOAD": "0"}
    assert env.code("from lm_eval.tasks import TaskManager as M; print(*M().all_subtasks)", **off) == BUILT_IN
    where = env.code("from codearena_plugin.harness.lm_eval import hook; print(hook.task_dir())", **off)
    tasks = ",".join(OURS)
    assert env.run("-m", "lm_eval", "validate", "--tasks", tasks, ok=False, env=off).returncode != 0
    env.run("-m", "lm_eval", "validate", "--tasks", tasks, "--include_path", where, env=off)


def test_a_task_of_the_user_wins_over_ours(env: Environment, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("task: codearena\ndataset_path: mine\n")
    code = (
        "from lm_eval.tasks import TaskManager as M\n"
        f"print(M(include_path={str(tmp_path)!r}).task_index['codearena'].yaml_path)\n"
        f"print(*M(include_path={str(tmp_path)!r}, include_defaults=False).all_tasks)\n"
    )
    assert env.code(code).splitlines() == [str(tmp_path / "mine.yaml"), "codearena"]


def test_a_notebook_that_imported_lm_eval_first_can_still_turn_it_on(env: Environment) -> None:
    code = (
        "import os, lm_eval.models, lm_eval.tasks\ndel os.environ['CODEARENA_AUTOLOAD']\n"
        "import _codearena_autoload; _codearena_autoload.install()\n"
    )
    assert env.code(code + FIND, CODEARENA_AUTOLOAD="0") == FOUND


def test_without_lm_eval_an_interpreter_notices_nothing(make: Make) -> None:
    alone = make("pip", None)
    done = alone.run(
        "-c", "import sys, importlib.util as u; print('codearena_plugin' in sys.modules, u.find_spec('lm_eval'))"
    )
    assert (done.stdout.strip(), done.stderr) == ("False None", "")


def test_a_package_that_was_deleted_by_hand_breaks_neither_python_nor_lm_eval(make: Make, peers: Path) -> None:
    here = make("pip", peers)
    shutil.rmtree(here.site / "codearena_plugin")
    done = here.run("-c", "from lm_eval.tasks import TaskManager as M; print(*M().all_subtasks)")
    assert done.stdout.strip() == BUILT_IN
    assert "codearena-plugin could not register itself" in done.stderr
    (here.site / "_codearena_autoload.py").unlink()
    assert here.run("-c", "pass").stderr == ""


@pytest.fixture(scope="session")
def sums(env: Environment) -> Path:
    """Install another package with the task ``sums``; return answers p3, p2, p1, p0 to it, of which p3 is wrong."""
    return discovery_env.install_sums(env)


@pytest.mark.parametrize("template", [False, True])
def test_a_config_file_replays_answers_to_a_task_of_another_package(
    env: Environment, sums: Path, tmp_path: Path, template: bool
) -> None:
    config = tmp_path / "run.yaml"
    config.write_text(
        f"model: codearena-replay\nmodel_args: {{path: {sums}, model: hand}}\ntasks: [sums]\n"
        f"output_path: {tmp_path / 'out'}\nlog_samples: true\napply_chat_template: {str(template).lower()}\n"
    )
    env.run("-m", "lm_eval", "run", "--config", str(config))
    (results,) = (tmp_path / "out" / "hand").glob("results_*.json")
    found = json.loads(results.read_text())
    assert found["results"]["sums"]["exact_match,none"] == 0.75
    assert found["config"]["replay_answers"] == 4


def test_the_python_api_finds_both(env: Environment, sums: Path) -> None:
    code = (
        "import lm_eval\n"
        "found = lm_eval.simple_evaluate(model='codearena-replay', tasks=['sums'], limit=2,\n"
        f"                                model_args={{'path': {str(sums)!r}}})\n"
        "print(found['results']['sums']['exact_match,none'])"
    )
    done = env.run("-c", code)
    assert done.stdout.strip().endswith("1.0")
    assert "2 of 4 answers were not asked for (usual under --limit): 'p3', 'p2'" in done.stderr


def test_a_prompt_without_an_answer_stops_the_run_with_one_line_and_exit_code_2(
    env: Environment, sums: Path, tmp_path: Path
) -> None:
    fewer = tmp_path / "fewer.jsonl"
    fewer.write_text("".join(sums.read_text().splitlines(keepends=True)[:2]))
    model = ("--model", "codearena-replay", "--model_args", f"path={fewer}")
    done = env.run("-m", "lm_eval", "run", *model, "--tasks", "sums", ok=False)
    assert done.returncode == 2
    assert "2 of 4 prompts have no answer: 'p0', 'p1'" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


# --- the replay model by itself


def replay(tmp_path: Path, *lines: Mapping[str, object], **options: object) -> Any:
    from codearena_plugin.harness.lm_eval.replay import ReplayModel

    (tmp_path / "answers.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return ReplayModel(**{"path": str(tmp_path / "answers.jsonl"), "batch_size": 1, "device": None} | options)


def asked(*ids: str) -> list[SimpleNamespace]:
    return [SimpleNamespace(doc={"id": name} if name else {}, task_name="codearena") for name in ids]


A = {"id": "a", "response": "first", "finish_reason": "length", "model": "m"}
B = {"id": "b", "response": "", "model": "m"}
OTHER = {"id": "a", "response": "else", "model": "n"}


def test_every_document_gets_its_own_answer_and_repeats_get_it_again(tmp_path: Path) -> None:
    model = replay(tmp_path, A, B, OTHER, model="m")
    requests = asked("b", "a", "a")
    assert model.generate_until(requests) == ["", "first", "first"]
    assert [request.finish_reason for request in requests] == [None, "length", "length"]
    assert model.get_model_info()["replay_model"] == "m"
    sample = {"doc": {"id": 7}, "resps": [["raw", "raw"]], "filtered_resps": ["cut"], "filter": "none"}
    assert replay(tmp_path, sample).generate_until(asked("7")) == ["raw"]


@pytest.mark.parametrize(
    ("lines", "options", "ids", "message"),
    [
        ((A, A), {}, ("a",), "1 prompts are answered more than once: 'a'"),
        ((A, OTHER), {}, ("a",), "answers of 2 models"),
        ((A,), {}, ("a", "b", "c"), "2 of 3 prompts have no answer: 'b', 'c'; nothing was judged"),
        ((A,), {}, ("",), "finds answers by the id of a document, and task 'codearena' has none"),
        ((A,), {"path": "gone.jsonl"}, (), "'gone.jsonl' cannot be read"),
        ((A,), {"path": None}, (), "needs --model_args path=ANSWERS.jsonl"),
        ((A,), {"pat": "x"}, (), "Unknown option 'pat'. Did you mean 'path'?"),
    ],
)
def test_what_cannot_be_replayed_is_said_in_one_line_before_anything_is_judged(
    tmp_path: Path, lines: tuple[Any, ...], options: dict[str, object], ids: tuple[str, ...], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        replay(tmp_path, *lines, **options).generate_until(asked(*ids))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_stored_texts_have_no_probabilities_and_want_no_cache(tmp_path: Path) -> None:
    with pytest.raises(NotImplementedError, match="no probabilities"):
        replay(tmp_path, A).loglikelihood([])
    with pytest.raises(UsageError, match="--use_cache"):
        replay(tmp_path, A).set_cache_hook(None)
