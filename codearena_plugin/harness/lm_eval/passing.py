"""The lm-eval tasks on HumanEval+ and MBPP+: a model writes programs, a sandbox runs them.

The model writes through whatever back end lm-eval has, all problems in one batch; the programs are run once, when all
of them are there (``apply_filters``). ``process_results`` only looks verdicts up, and the aggregations read the one
result that rank 0 makes of all of them.
"""

from __future__ import annotations

import importlib.metadata
import logging
import os
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from datasets import Dataset
from lm_eval.api.task import ConfigurableTask
from lm_eval.loggers import EvaluationTracker

from codearena_plugin.errors import CodeArenaError, ConfigError
from codearena_plugin.execution.evalplus.problems import Checked, Sample
from codearena_plugin.execution.evalplus.run import base_stops
from codearena_plugin.harness.lm_eval import beside, exits, gap
from codearena_plugin.harness.lm_eval.passing_numbers import VERDICT, metric_names, read_metric, value_of
from codearena_plugin.harness.passing.checking import (
    Generated,
    check,
    chosen,
    known_benchmark,
    known_style,
    preflight,
    programs_in,
    shared_between,
)
from codearena_plugin.harness.passing.prompts import CHAT_STOPS, conversation_of, document_of, prefill_for, takes_text
from codearena_plugin.harness.passing.rows import checked_from, row_of
from codearena_plugin.harness.passing.run import (
    EVAL_RESULTS,
    EXECUTION,
    PassRun,
    finish,
    free_place,
    keep_samples,
    lines_of,
)
from codearena_plugin.harness.place import first_place, shown_arguments

log = logging.getLogger("lm_eval.codearena")  # lm-eval shows only what is below "lm_eval"

_OURS = ("benchmark", "style")  # keys of the task files' metadata

beside.patch_tracker(EvaluationTracker)
gap.patch_tracker(EvaluationTracker)


class PassTask(ConfigurableTask):  # type: ignore[misc]
    """A benchmark of EvalPlus. The task file says which (``benchmark``), and for which models (``style``)."""

    def __init__(self, config: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        config = {key: value for key, value in (config or {}).items() if key != "class"}  # lm-eval leaves it in
        config.setdefault("process_results", "codearena")  # else unknown metric names are looked up on the hub
        config.setdefault("test_split", "test")
        self._metadata = dict(config.get("metadata") or {})
        self._repeats = int(config.get("repeats") or 1)
        self._metrics = metric_names(self._repeats)
        config["metric_list"] = [  # a verdict is a record; loggers make columns of the others
            {"metric": name, "aggregation": "mean", "higher_is_better": True} for name in self._metrics[1:]
        ]
        self._rank, self._world_size = 0, 1
        self._texts: dict[str, list[str]] = {}
        self._checked: dict[str, list[Checked]] = {}
        self._run: PassRun | None = None
        self._prefill = ""
        self._asked_with: dict[str, Any] = {}
        with exits.plain_errors():
            self._style = known_style(str(self._metadata.get("style") or "chat"))
            if self._style == "base":
                given = dict(config.get("generation_kwargs") or {})
                stops = base_stops(known_benchmark(str(self._metadata.get("benchmark"))))
                config["generation_kwargs"] = {**given, "until": given.get("until") or list(stops)}
            super().__init__(config=config, **kwargs)
        self._metadata_note({})

    # --- documents and contexts -------------------------------------------------------------------------------------

    def download(self, dataset_kwargs: Any = None, **_: Any) -> None:
        """Load the benchmark and one document for each problem."""
        self._chosen = chosen(str(self._metadata.get("benchmark")), self._metadata, str(self.config.task))
        problems = self._chosen.benchmark.problems
        self.dataset = {"test": Dataset.from_list([document_of(problem) for problem in problems])}

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
        """Return what the model is asked: a conversation, or the text that it completes."""
        if self._style == "base":
            return doc["completed"]
        begun = self._prefill == "yes"
        turns = conversation_of(doc, system_instruction, begun=begun)
        if apply_chat_template and chat_template is not None:
            return chat_template(turns, add_generation_prompt=not begun)
        return "\n\n".join(turn["content"] for turn in turns)

    def build_all_requests(self, **kwargs: Any) -> None:
        """Build contexts; before the first token is generated, look for the sandbox."""
        self._rank, self._world_size = kwargs.get("rank", 0), kwargs.get("world_size", 1)
        kwargs["cache_requests"] = False  # lm-eval's key for it knows neither the data nor our options
        self._asked_with = {name: kwargs.get(name) for name in ("apply_chat_template", "system_instruction", "limit")}
        task = str(self.config.task)
        beside.forget_run(task)
        gap.forget_run(task)
        with exits.plain_errors():
            if self.config.num_fewshot:
                msg = f"{task} takes no few-shot examples, got num_fewshot={self.config.num_fewshot}. Leave it out."
                raise ConfigError(msg)
            if self.is_replica:
                log.warning("LOCAL_RANK or RANK says that this is not the first process: it generates and runs nothing")
            if self.is_checking:
                self._chosen = replace(self._chosen, options=preflight(self._chosen.options))
                self._place = first_place(self._chosen.output, task, self.model_name, self._rank)
            self._settle_prompts(kwargs)
            super().build_all_requests(**kwargs)
        known = frozenset(problem.task_id for problem in self._chosen.benchmark.problems)
        for instance in self._instances:
            instance.suite_ids = known  # our replay model refuses answers to unknown prompts

    def _settle_prompts(self, asked: Mapping[str, Any]) -> None:
        """See whether the model can be given the beginning of its answer, and where the answer then ends."""
        template = asked.get("chat_template") if asked.get("apply_chat_template") else None
        if self._style == "base":
            self._settle_completion(template, asked.get("system_instruction"))
            return
        self._prefill = prefill_for(self.task_docs[0], template, asked.get("system_instruction"), self._metadata)
        if template is None:
            log.warning(
                "%s is for chat models: without --apply_chat_template the model sees plain text. Base models: %s_base.",
                self.config.task,
                self.config.task,
            )
        if self._prefill != "yes":
            log.info("%s: answers are not begun for the model (%s)", self.config.task, self._prefill)
        elif not self.config.generation_kwargs.get("until"):
            self.set_config("generation_kwargs", {"until": list(CHAT_STOPS)}, update=True)
        self._metadata_note({})

    def _settle_completion(self, template: Callable[..., Any] | None, system: str | None) -> None:
        """Refuse a model that takes conversations only; say what of the user's wishes has no place here."""
        task = str(self.config.task)
        if template is not None and not takes_text(template):
            chat = task.removesuffix("_base")
            msg = f"{task} is a text to complete, and this model takes conversations only. Use {chat}."
            raise ConfigError(msg)
        if template is not None or system:
            log.warning("%s is a text to complete: no chat template, no system instruction is used.", task)

    # --- running and numbers ----------------------------------------------------------------------------------------

    @property
    def is_bypassed(self) -> bool:
        """``--predict_only``: generate, run nothing."""
        return "bypass" in self._metric_fn_list

    @property
    def is_replica(self) -> bool:
        """A second process that generates the same as the first (tensor parallelism under torchrun): run once."""
        return self._world_size == 1 and any(int(os.environ.get(name) or 0) for name in ("LOCAL_RANK", "RANK"))

    @property
    def is_checking(self) -> bool:
        """Whether this process runs programs."""
        return not self.is_bypassed and not self.is_replica

    def apply_filters(self) -> Any:
        """Run lm-eval's filters, keep the samples, then run those of this rank.

        What fails from here on must not cost what was generated: it ends in a result without a score.
        """
        done = super().apply_filters()
        if self.is_checking:
            self._texts = {
                instance.doc["id"]: [
                    text if isinstance(text, str) else ""
                    for text in instance.resps[: self._repeats]  # lm-eval pads short ranks with more
                ]
                for instance in self._instances
            }
            samples = self._keep_samples(self._texts)
            options = shared_between(self._chosen.options, self._world_size)
            log.info("running %d samples; they are kept in %s", len(samples), self._place)
            by_problem = defaultdict(list)
            for one in check(self._chosen.benchmark, samples, options, say=log.info):
                by_problem[one.task_id].append(one)
            self._checked = dict(by_problem)
        return done

    def _keep_samples(self, by_problem: Mapping[str, Sequence[str]]) -> tuple[Sample, ...]:
        """Write what the model wrote for some problems; return its programs."""
        texts = [
            Generated(task_id, text, index)
            for task_id, several in by_problem.items()
            for index, text in enumerate(several)
        ]
        samples = programs_in(self._chosen.benchmark, texts, self._style)
        try:
            self._place = free_place(self._place, samples, log)
            keep_samples(self._place, self.answering_model, texts, samples)
        except CodeArenaError as exc:
            self._failed(exc)
        return samples

    def _failed(self, exc: CodeArenaError) -> None:
        """Say what could not be written; lm-eval's own files still hold the samples and their verdicts."""
        log.error("%s", exc)
        exits.note_incomplete(str(self.config.task))

    def process_results(self, doc: dict[str, Any], results: Any) -> dict[str, Any]:
        """Return one document's row: the verdict on each of its samples, and the shares that passed."""
        if self.is_bypassed:
            done: dict[str, Any] = super().process_results(doc, results)
            return done
        checked = self._checked.get(doc["id"], [])
        row: dict[str, Any] = {"task_id": doc["id"], "samples": row_of(checked)}
        if self._world_size > 1 and self.is_checking:  # rank 0 writes the run, and has only its own texts
            row["responses"] = self._texts[doc["id"]]
        return {VERDICT: row, **{name: value_of(name, checked) for name in self._metrics[1:]}}

    def aggregation(self) -> dict[str, Callable[[Sequence[Any]], Any]]:
        """Return how lm-eval gets each number: the first makes the result of the run, the others read it."""
        if self.is_bypassed:
            done: dict[str, Any] = super().aggregation()
            return done
        return {VERDICT: self._finish, **{name: partial(self._read, name) for name in self._metrics[1:]}}

    def _finish(self, rows: Sequence[Mapping[str, Any]]) -> float:
        """Make, keep and announce the result of all ranks' samples; return the share of them that was run."""
        if self.is_replica:
            return float("nan")
        if self._world_size == 1:
            checked = [one for row in rows for one in self._checked[row["task_id"]]]
        else:
            checked = [one for row in rows for one in checked_from(row["task_id"], row["samples"])]
            self._keep_samples({row["task_id"]: row["responses"] for row in rows})
        task = str(self.config.task)
        try:
            run = finish(self._place, self.answering_model, self._chosen, checked, self._about)
        except CodeArenaError as exc:
            self._failed(exc)
            return float("nan")
        self._run = run
        beside.note_run(task, run.path, {EXECUTION: ".json", EVAL_RESULTS: "_eval_results.json"})
        gap.note_run(task, self._style, run)
        self._metadata_note({"run": str(run.path)})
        for level, line in lines_of(run):
            log.log(level, "%s", line)
        if run.withheld:
            exits.note_incomplete(task)
        return run.coverage

    def _read(self, name: str, _values: Sequence[Any]) -> float:
        return float("nan") if self._run is None else read_metric(self._run, name)

    def higher_is_better(self) -> dict[str, bool]:
        """Return the direction of each metric."""
        if self.is_bypassed:
            done: dict[str, bool] = super().higher_is_better()
            return done
        return dict.fromkeys(self._metrics, True)

    @property
    def model_name(self) -> str:
        """The model under test, as far as a task can know it (lm-eval merges model_args into the metadata)."""
        return str(
            next((self._metadata[key] for key in ("model", "pretrained", "path") if self._metadata.get(key)), "model")
        )

    @property
    def answering_model(self) -> str:
        """The same; of replayed answers the model that gave them."""
        return ", ".join(sorted(self._answerers)) or self.model_name

    @property
    def _answerers(self) -> set[str]:
        return {name for instance in self._instances if (name := getattr(instance, "answered_by", None))}

    @property
    def _about(self) -> dict[str, Any]:
        own = {key: value for key, value in self._metadata.items() if key not in _OURS}
        return {
            "name": "lm-eval",
            "version": importlib.metadata.version("lm-eval"),
            "task": str(self.config.task),
            "style": self._style,
            "prefill": "unknown: replayed" if self._answerers else self._prefill,
            "samples_per_problem": self._repeats,
            "world_size": self._world_size,
            "model_args": shown_arguments(own),
            "generation_kwargs": dict(self.config.generation_kwargs or {}),
            **self._asked_with,
        }

    def _metadata_note(self, note: Mapping[str, Any]) -> None:
        """Write what was really used into the configuration that lm-eval keeps with its results."""
        benchmark = self._chosen.benchmark
        kept: dict[str, Any] = dict(self.config.metadata or {})
        kept["codearena"] = {
            "engine": self._run.result.engine if self._run else self._chosen.options.engine,
            "sandbox": self._run.result.sandbox if self._run else self._chosen.options.sandbox.name,
            "notices": list(self._run.result.notices) if self._run else [],
            "data": {"source": benchmark.source, "md5": benchmark.md5, "version": benchmark.version},
            "prefill": self._prefill,
            **note,
        }
        self._config.metadata = kept
