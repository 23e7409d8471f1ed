"""What cannot work is said before lm-eval's command line loads the model, which may take minutes.

Looked at are tasks of ours by name, and files of users that include them (``--tasks mine.yaml``). What is found by
``--include_path`` is looked at before generation, as all tasks are inside ``simple_evaluate``. The judge is asked its
trivial question then, too: it may be started meanwhile.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from codearena_plugin import paths
from codearena_plugin.errors import ConfigError
from codearena_plugin.harness.lm_eval import exits


def patch_config(module: ModuleType) -> None:
    """Let ``EvaluatorConfig.process_tasks`` of ``lm_eval.config.evaluate_config`` look at our tasks at its end.

    An lm-eval without it stays as it is: what cannot work is then said before generation, as by ``--include_path``.
    """
    config: Any = getattr(module, "EvaluatorConfig", None)
    original = getattr(config, "process_tasks", None)
    if original is None or getattr(original, "codearena_patched", False):
        return

    @functools.wraps(original)
    def process_tasks(self: Any, *args: Any, **options: Any) -> Any:
        manager = original(self, *args, **options)
        look(self, manager)
        return manager

    process_tasks.codearena_patched = True  # type: ignore[attr-defined]
    config.process_tasks = process_tasks


def look(config: Any, manager: Any) -> None:
    """Build our tasks among the selected ones, and check their options.

    Args:
        config: lm-eval's ``EvaluatorConfig``, with its tasks resolved.
        manager: lm-eval's ``TaskManager``.

    Raises:
        ConfigError, DataError: what cannot work; under the command line one line and exit code 2.
    """
    ours = [task for task in config.tasks if _is_ours(manager, task)]
    if not ours or not hasattr(manager, "load"):  # as from lm-eval 0.4.13 on
        return
    from codearena_plugin.harness.lm_eval.base import BaseTask  # imports lm-eval, which this module must not

    with exits.plain_errors():
        for task in manager.load(copy.deepcopy(ours))["tasks"].values():
            if not isinstance(task, BaseTask):  # a group of ours takes the user's task of that name
                continue
            if task.UNSAFE_CODE and not config.confirm_run_unsafe_code:
                raise ConfigError(exits.NO_CONSENT.format(task=task.name))
            task.refuse_examples(config.num_fewshot)
            if not config.predict_only:
                task.check_options()


def _is_ours(manager: Any, task: str | Mapping[str, Any]) -> bool:
    """Return whether a task, named or read from a file, is ours; others are not built twice."""
    if not isinstance(task, str):
        return str(getattr(task.get("class"), "__module__", "")).startswith("codearena_plugin.")
    place = getattr(getattr(manager, "task_index", {}).get(task), "yaml_path", None)
    return place is not None and Path(place).resolve().is_relative_to(paths.data_dir("tasks").resolve())
