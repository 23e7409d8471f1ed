"""The real lm-eval in this process: models that repeat themselves or follow a script, and one call to evaluate them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import lm_eval
from lm_eval.api.model import LM
from lm_eval.tasks import TaskManager
from pass_runs import ANSWERS

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


class Scripted(LM):
    """A model that answers each document as it is told, and keeps what it was asked; several texts are its samples."""

    tokenizer_name = "scripted"

    def __init__(self, answers: Mapping[str, str | list[str]] = ANSWERS) -> None:
        super().__init__()
        self.answers = answers
        self.asked: list[Any] = []
        self.takes_prefill = True

    def generate_until(self, requests: list[Any], **_: Any) -> list[str]:
        self.asked += requests
        given: dict[str, int] = {}
        texts = []
        for request in requests:
            answer, n = self.answers[request.doc["id"]], given.get(request.doc["id"], 0)
            given[request.doc["id"]] = n + 1
            texts.append(answer if isinstance(answer, str) else answer[n])
        return texts

    def loglikelihood(self, requests: Any, **_: Any) -> Any:
        raise NotImplementedError

    loglikelihood_rolling = loglikelihood

    def apply_chat_template(self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True) -> str:
        text = "".join(f"<{turn['role']}>{turn['content']}</{turn['role']}>" for turn in chat_history)
        if add_generation_prompt:
            return f"{text}<assistant>"
        if not self.takes_prefill:
            msg = "the last turn must be the user's"
            raise ValueError(msg)
        return text.removesuffix("</assistant>")


def evaluate(
    model: LM,
    metadata: Mapping[str, Any] | None = None,
    task: str = "codearena_mini",
    *,
    include: Path | None = None,
    **options: Any,
) -> Any:
    """Evaluate a model on a task of ours, or of a folder with variants of them."""
    roots = [str(TASKS), *([str(include)] if include else [])]
    manager = TaskManager(include_defaults=False, include_path=roots, metadata=dict(metadata or {}))
    return lm_eval.simple_evaluate(model, tasks=[task], task_manager=manager, **options)


def numbers(results: Any, task: str = "codearena_mini") -> dict[str, Any]:
    return {key.split(",")[0]: value for key, value in results["results"][task].items() if "," in key}
