"""What all our lm-eval tasks share: where they hook into an evaluation, and what they write down of it.

lm-eval calls ``apply_filters`` exactly once per task and rank, after all generation: that is where answers are judged
and programs run. ``process_results`` then only looks a document's row up, and the aggregations read the one result that
rank 0 makes of all rows, so the table, the samples and the files of the run cannot disagree.
"""

from __future__ import annotations

import importlib.metadata
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from lm_eval.api.task import ConfigurableTask
from lm_eval.loggers import EvaluationTracker

from codearena_plugin.errors import CodeArenaError, ConfigError
from codearena_plugin.harness.lm_eval import beside, exits, gap
from codearena_plugin.harness.place import shown_arguments
from codearena_plugin.judging.urls import without_credentials

log = logging.getLogger("lm_eval.codearena")  # lm-eval shows only what is below "lm_eval"

_URLS = ("judge_base_url", "codearena_sandbox_url")
_LIMIT = "max_gen_toks"
_OTHER_LIMITS = ("max_new_tokens", "max_tokens", "max_completion_tokens")  # lm-eval takes them, too

beside.patch_tracker(EvaluationTracker)
gap.patch_tracker(EvaluationTracker)


class BaseTask(ConfigurableTask):  # type: ignore[misc]
    """A task whose documents and numbers are ours, and whose texts come from lm-eval's model.

    Args:
        config: of the task file, as lm-eval hands it over.
        metrics: name -> whether higher is better. The first is a record of each document, and makes the result.
        generation: arguments that hold where the task file (a user's variant of ours) gives none.
    """

    UNSAFE_CODE = False  # whether lm-eval wants --confirm_run_unsafe_code

    def __init__(
        self, config: Mapping[str, Any], *, metrics: Mapping[str, bool], generation: Mapping[str, Any], **kwargs: Any
    ) -> None:
        config = {key: value for key, value in config.items() if key != "class"}  # lm-eval leaves it in
        config.setdefault("process_results", "codearena")  # else unknown metric names are looked up on the hub
        config.setdefault("test_split", "test")
        config["generation_kwargs"] = _completed(config.get("generation_kwargs") or {}, generation)
        self._metrics = dict(metrics)
        self._verdict, *others = metrics
        config["metric_list"] = [  # loggers make columns of these; a verdict is a record with parts of many types
            {"metric": name, "aggregation": "mean", "higher_is_better": metrics[name]} for name in others
        ]
        self._metadata = dict(config.get("metadata") or {})
        self._limit_of_file = config["generation_kwargs"].get(_LIMIT)
        self._rank, self._world_size = 0, 1
        self._asked_with: dict[str, Any] = {}
        with exits.plain_errors():
            super().__init__(config=config, **kwargs)
        exits.note_task(self.name)
        self.note()

    # --- what a subclass says ---------------------------------------------------------------------------------------

    @property
    def known_ids(self) -> frozenset[str]:
        """Ids of all prompts that the task could ask; our replay model refuses answers to others."""
        raise NotImplementedError

    def check_options(self) -> None:
        """Check what can be checked without the model and without asking a judge.

        Raises:
            ConfigError, DataError: what cannot work.
        """
        raise NotImplementedError

    def prepare(self, asked: Mapping[str, Any]) -> None:
        """Check before the first token is generated what is left to check, and settle what the contexts rest on.

        Args:
            asked: as lm-eval gives it to ``build_all_requests``.
        """
        raise NotImplementedError

    def context_of(self, doc: Mapping[str, Any], system: str | None, template: Callable[..., Any] | None) -> Any:
        """Return what the model is asked.

        Args:
            doc: one document.
            system: the user's system text.
            template: renders turns; ``None``: the model sees plain text.
        """
        raise NotImplementedError

    def score_here(self) -> None:
        """Make verdicts of what was generated on this rank. What fails must not cost what was generated."""
        raise NotImplementedError

    def row_of(self, doc: Mapping[str, Any]) -> dict[str, Any]:
        """Return one document's value of every metric."""
        raise NotImplementedError

    def finish(self, rows: Sequence[Mapping[str, Any]]) -> float:
        """Make, keep and announce the result of all ranks' rows; return the share of them with a verdict."""
        raise NotImplementedError

    def number(self, name: str) -> float:
        """Return one metric of the result; NaN where there is none."""
        raise NotImplementedError

    def used(self) -> dict[str, Any]:
        """Return what was really used, for the configuration that lm-eval keeps with its results."""
        raise NotImplementedError

    # --- before generation ------------------------------------------------------------------------------------------

    def build_all_requests(self, **kwargs: Any) -> None:
        """Build contexts; what cannot work shows here, before the first token is generated."""
        self._rank, self._world_size = kwargs.get("rank", 0), kwargs.get("world_size", 1)
        kwargs["cache_requests"] = False  # lm-eval's key for it knows neither the data nor our options
        self._asked_with = {name: kwargs.get(name) for name in ("apply_chat_template", "system_instruction", "limit")}
        beside.forget_run(self.name)
        gap.forget_run(self.name)
        with exits.plain_errors():
            self.refuse_examples(self.config.num_fewshot)
            if self.is_replica:
                log.warning("LOCAL_RANK or RANK says that this is not the first process: it generates and no more")
            self._settle_limit()
            if not self.is_bypassed:
                self.check_options()
            self.prepare(kwargs)
            super().build_all_requests(**kwargs)
        known = self.known_ids
        for instance in self._instances:
            instance.suite_ids = known

    def refuse_examples(self, n: int | None) -> None:
        """Refuse few-shot examples.

        Raises:
            ConfigError: there are to be some.
        """
        if n:
            msg = f"{self.name} takes no few-shot examples, got num_fewshot={n}. Leave it out."
            raise ConfigError(msg)

    def _settle_limit(self) -> None:
        """Let ``--gen_kwargs max_tokens=…`` count: lm-eval would take the task file's ``max_gen_toks`` all the same."""
        given = self.config.generation_kwargs
        if given.get(_LIMIT) == self._limit_of_file and any(name in given for name in _OTHER_LIMITS):
            given.pop(_LIMIT, None)

    def fewshot_context(  # noqa: PLR0913  lm-eval's signature
        self,
        doc: dict[str, Any],
        num_fewshot: int,
        system_instruction: str | None = None,
        apply_chat_template: bool = False,
        fewshot_as_multiturn: bool = False,
        chat_template: Callable[..., Any] | None = None,
        gen_prefix: str | None = None,
    ) -> Any:
        """Return what the model is asked; of all that lm-eval could add, we take the user's system text."""
        return self.context_of(doc, system_instruction, chat_template if apply_chat_template else None)

    # --- who does what ----------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """What the task is called here; a variant of a user has a name of its own."""
        return str(self.config.task)

    @property
    def is_bypassed(self) -> bool:
        """``--predict_only``: generate, and no more."""
        return "bypass" in self._metric_fn_list

    @property
    def is_replica(self) -> bool:
        """A second process that generates the same as the first (tensor parallelism under torchrun): score once."""
        return self._world_size == 1 and any(int(os.environ.get(name) or 0) for name in ("LOCAL_RANK", "RANK"))

    @property
    def is_scoring(self) -> bool:
        """Whether this process makes verdicts of what it generated."""
        return not self.is_bypassed and not self.is_replica

    @property
    def model_name(self) -> str:
        """The model under test, as far as a task can know it (lm-eval merges model_args into the metadata)."""
        return str(
            next((self._metadata[key] for key in ("model", "pretrained", "path") if self._metadata.get(key)), "model")
        )

    # --- after generation -------------------------------------------------------------------------------------------

    def apply_filters(self) -> Any:
        """Run lm-eval's filters, then score what this rank generated."""
        done = super().apply_filters()
        if self.is_scoring:
            self.score_here()
        return done

    def process_results(self, doc: dict[str, Any], results: Any) -> dict[str, Any]:
        """Return one document's row."""
        if self.is_bypassed:
            done: dict[str, Any] = super().process_results(doc, results)
            return done
        return self.row_of(doc)

    def aggregation(self) -> dict[str, Callable[[Sequence[Any]], Any]]:
        """Return how lm-eval gets each number: the first makes the result of the run, the others read it."""
        if self.is_bypassed:
            done: dict[str, Any] = super().aggregation()
            return done
        return {name: self._finish if name == self._verdict else partial(self._read, name) for name in self._metrics}

    def higher_is_better(self) -> dict[str, bool]:
        """Return the direction of each metric."""
        if self.is_bypassed:
            done: dict[str, bool] = super().higher_is_better()
            return done
        return dict(self._metrics)

    def _finish(self, rows: Sequence[Mapping[str, Any]]) -> float:
        return float("nan") if self.is_replica else self.finish(rows)

    def _read(self, name: str, _values: Sequence[Any]) -> float:
        return float("nan") if self.is_replica else self.number(name)

    def failed(self, exc: CodeArenaError) -> None:
        """Say what could not be kept; the command then ends with 3."""
        log.error("%s", exc)
        if self._rank == 0:  # a launcher of several processes ends them all with the first that fails
            exits.note_incomplete(self.name)

    # --- what is written down ---------------------------------------------------------------------------------------

    def about(self) -> dict[str, Any]:
        """Return how the texts were generated, for the manifest of a run."""
        return {
            "name": "lm-eval",
            "version": importlib.metadata.version("lm-eval"),
            "task": self.name,
            "world_size": self._world_size,
            "model_args": shown_arguments(self._metadata),
            "generation_kwargs": dict(self.config.generation_kwargs or {}),
            **self._asked_with,
        }

    def note(self, **more: Any) -> None:
        """Write what was really used into the configuration that lm-eval keeps with its results, and no secret.

        All tasks of a command line have all of its ``--metadata``: a benchmark, too, sees the URL of the judge.
        """
        kept = dict(self.config.metadata or {})
        shown = {key: without_credentials(str(kept[key])) for key in _URLS if kept.get(key)}
        self._config.metadata = {**kept, **shown, "codearena": {**self.used(), **more}}


def _completed(given: Mapping[str, Any], generation: Mapping[str, Any]) -> dict[str, Any]:
    """Return generation arguments with ours where the task file says nothing.

    A variant that ``include``s our file and gives a temperature loses our other arguments: lm-eval would then stop at
    the first blank line, and after 256 tokens.

    >>> _completed({"temperature": 0.8, "max_tokens": 100}, {"until": [], "max_gen_toks": 768})
    {'until': [], 'temperature': 0.8, 'max_tokens': 100}
    """
    has_limit = any(name in given for name in _OTHER_LIMITS)
    ours = {key: value for key, value in generation.items() if not (has_limit and key == _LIMIT)}
    return {**ours, **given}
