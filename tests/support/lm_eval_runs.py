"""The real lm-eval in this process: a model that repeats itself, and one call that evaluates it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import lm_eval
from lm_eval.api.model import LM
from lm_eval.tasks import TaskManager

from codearena_plugin import paths

TASKS = paths.data_dir("tasks")
RATES = ("win_rate", "tie_rate", "loss_rate", "score")


class Parrot(LM):
    """A model that answers every prompt with its own text, and counts."""

    def __init__(self, text: str = "Here is code:\n```python\nprint(1)\n```") -> None:
        super().__init__()
        self.text = text
        self.asked: list[Any] = []
        self.before_answering: Callable[[], None] | None = None

    def generate_until(self, requests: list[Any], **_: Any) -> list[str]:
        self.asked += requests
        if self.before_answering is not None:
            self.before_answering()
        return [self.text] * len(requests)

    def loglikelihood(self, requests: Any, **_: Any) -> Any:
        raise NotImplementedError

    loglikelihood_rolling = loglikelihood


def evaluate(model: LM, metadata: dict[str, Any] | None = None, task: str = "codearena_mini", **options: Any) -> Any:
    manager = TaskManager(include_defaults=False, include_path=str(TASKS), metadata=metadata or {})
    return lm_eval.simple_evaluate(model, tasks=[task], task_manager=manager, **options)


def numbers(results: Any, task: str = "codearena_mini") -> dict[str, Any]:
    return {key.split(",")[0]: value for key, value in results["results"][task].items() if "," in key}
