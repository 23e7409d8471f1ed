"""The lm-eval tasks on HumanEval+ and MBPP+: a model writes programs, a sandbox runs them.

The model writes through whatever back end lm-eval has, all problems in one batch; the programs are run once, when all
of them are there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from datasets import Dataset

from codearena_plugin.errors import CodeArenaError, ConfigError
from codearena_plugin.execution.evalplus.problems import Checked, Sample
from codearena_plugin.execution.evalplus.run import base_stops
from codearena_plugin.harness.lm_eval import beside, exits, gap
from codearena_plugin.harness.lm_eval.base import BaseTask, log
from codearena_plugin.harness.lm_eval.benchmarks.numbers import VERDICT, metric_names, read_metric, value_of
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
from codearena_plugin.harness.place import first_place

GENERATION: Mapping[str, Any] = {"until": [], "max_gen_toks": 768}  # EvalPlus' own limit, so that numbers compare


class PassTask(BaseTask):
    """A benchmark of EvalPlus. The task file says which (``benchmark``), and for which models (``style``)."""

    def __init__(self, config: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        config = dict(config or {})
        metadata = config.get("metadata") or {}
        self._repeats = int(config.get("repeats") or 1)
        self._texts: dict[str, list[str]] = {}
        self._checked: dict[str, list[Checked]] = {}
        self._run: PassRun | None = None
        self._prefill = ""
        with exits.plain_errors():
            if "benchmark" not in metadata:
                msg = (
                    f"Task {config.get('task')!r} names no benchmark: a task file whose metadata replace those of the "
                    "file that it includes says benchmark and style itself."
                )
                raise ConfigError(msg)
            self._benchmark = known_benchmark(str(metadata.get("benchmark")))
            self._style = known_style(str(metadata.get("style") or "chat"))
        if self._style == "base":
            given = dict(config.get("generation_kwargs") or {})
            config["generation_kwargs"] = {**given, "until": given.get("until") or list(base_stops(self._benchmark))}
        metrics = dict.fromkeys(metric_names(self._repeats), True)
        super().__init__(config, metrics=metrics, generation=GENERATION, **kwargs)
        self.UNSAFE_CODE = True  # also where a task file forgets unsafe_code: lm-eval asks before anything is run

    # --- documents and contexts -------------------------------------------------------------------------------------

    def download(self, dataset_kwargs: Any = None, **_: Any) -> None:
        """Load the benchmark and one document for each problem."""
        self._chosen = chosen(self._benchmark, self._metadata, self.name)
        problems = self._chosen.benchmark.problems
        self.dataset = {"test": Dataset.from_list([document_of(problem) for problem in problems])}

    @property
    def known_ids(self) -> frozenset[str]:
        """Names of all problems of the benchmark."""
        return frozenset(problem.task_id for problem in self._chosen.benchmark.problems)

    def context_of(self, doc: Mapping[str, Any], system: str | None, template: Callable[..., Any] | None) -> Any:
        """Return what the model is asked: a conversation, or the text that it completes."""
        if self._style == "base":
            return doc["completed"]
        begun = self._prefill == "yes"
        turns = conversation_of(doc, system, begun=begun)
        if template is not None:
            return template(turns, add_generation_prompt=not begun)
        return "\n\n".join(turn["content"] for turn in turns)

    def check_options(self) -> None:
        """Look for the sandbox."""
        self._chosen = replace(self._chosen, options=preflight(self._chosen.options))

    def prepare(self, asked: Mapping[str, Any]) -> None:
        """Find a place for the run; see what the model can be asked."""
        if self.is_scoring:
            self._place = first_place(self._chosen.output, self.name, self.model_name, self._rank)
        if self._repeats > 1 and not _is_sampling(self.config.generation_kwargs):
            log.warning("%s: %d samples a problem are asked, all alike: do_sample is off", self.name, self._repeats)
        template = asked.get("chat_template") if asked.get("apply_chat_template") else None
        if self._style == "base":
            self._settle_completion(template, asked.get("system_instruction"))
        else:
            self._settle_conversation(template, asked.get("system_instruction"))
        self.note()

    def _settle_conversation(self, template: Callable[..., Any] | None, system: str | None) -> None:
        """See whether the model can be given the beginning of its answer, and where the answer then ends."""
        self._prefill = prefill_for(self.task_docs[0], template, system, self._metadata)
        if template is None:
            log.warning(
                "%s is for chat models: without --apply_chat_template the model sees plain text. Base models: %s_base.",
                self.name,
                self.name,
            )
        if self._prefill != "yes":
            log.info("%s: answers are not begun for the model (%s)", self.name, self._prefill)
        elif not self.config.generation_kwargs.get("until"):
            self.set_config("generation_kwargs", {"until": list(CHAT_STOPS)}, update=True)

    def _settle_completion(self, template: Callable[..., Any] | None, system: str | None) -> None:
        """Refuse a model that takes conversations only; say what of the user's wishes has no place here."""
        if template is not None and not takes_text(template):
            chat = self.name.removesuffix("_base")
            msg = f"{self.name} is a text to complete, and this model takes conversations only. Use {chat}."
            raise ConfigError(msg)
        if template is not None or system:
            log.warning("%s is a text to complete: no chat template, no system instruction is used.", self.name)

    # --- running and numbers ----------------------------------------------------------------------------------------

    def score_here(self) -> None:
        """Keep the samples of this rank, then run them."""
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

    def _keep_samples(self, by_problem: Mapping[str, Sequence[str]]) -> tuple[Sample, ...]:
        """Write what the model wrote for some problems; return its programs."""
        texts = [
            Generated(task_id, text, index)
            for task_id, several in by_problem.items()
            for index, text in enumerate(several)
        ]
        samples = programs_in(self._chosen.benchmark, texts, self._style)
        try:
            self._place = free_place(self._place, self._chosen, samples, log)
            keep_samples(self._place, self.answering_model, texts, samples)
        except CodeArenaError as exc:  # lm-eval's own files still hold the samples and their verdicts
            self.failed(exc)
        return samples

    def row_of(self, doc: Mapping[str, Any]) -> dict[str, Any]:
        """Return one document's row: the verdict on each of its samples, and the shares that passed."""
        checked = self._checked.get(doc["id"], [])
        row: dict[str, Any] = {"task_id": doc["id"], "samples": row_of(checked)}
        if self._world_size > 1:  # rank 0 writes the run, and has only its own texts
            row["responses"] = self._texts[doc["id"]]
        return {VERDICT: row, **{name: value_of(name, checked) for name in self._metrics if name != VERDICT}}

    def finish(self, rows: Sequence[Mapping[str, Any]]) -> float:
        """Make, keep and announce the result of all ranks' samples; return the share of them that was run."""
        if self._world_size == 1:
            checked = [one for row in rows for one in self._checked[row["task_id"]]]
        else:
            checked = [one for row in rows for one in checked_from(row["task_id"], row["samples"])]
            self._keep_samples({row["task_id"]: row["responses"] for row in rows})
        try:
            run = finish(self._place, self.answering_model, self._chosen, checked, self.about())
        except CodeArenaError as exc:
            self.failed(exc)
            return float("nan")
        self._run = run
        beside.note_run(self.name, run.path, {EXECUTION: ".json", EVAL_RESULTS: "_eval_results.json"})
        gap.note_run(self.name, self._style, run)
        self.note(run=str(run.path))
        for level, line in lines_of(run):
            log.log(level, "%s", line)
        if run.withheld:
            exits.note_incomplete(self.name)
        return run.coverage

    def number(self, name: str) -> float:
        """Return one metric of the result; NaN where the result could not be written."""
        return float("nan") if self._run is None else read_metric(self._run, name)

    @property
    def answering_model(self) -> str:
        """The model under test; of replayed answers the model that gave them."""
        return ", ".join(sorted(self._answerers)) or self.model_name

    @property
    def _answerers(self) -> set[str]:
        return {name for instance in self._instances if (name := getattr(instance, "answered_by", None))}

    # --- what is written down ---------------------------------------------------------------------------------------

    def about(self) -> dict[str, Any]:
        """Return how the samples were generated."""
        return {
            **super().about(),
            "style": self._style,
            "prefill": "unknown: replayed" if self._answerers else self._prefill,
            "samples_per_problem": self._repeats,
        }

    def used(self) -> dict[str, Any]:
        """Return the engine, the sandbox and the data that were really used."""
        benchmark, options = self._chosen.benchmark, self._chosen.options
        return {
            "engine": self._run.result.engine if self._run else options.engine,
            "sandbox": self._run.result.sandbox if self._run else options.sandbox.name,
            "notices": list(self._run.result.notices) if self._run else [],
            "data": {"source": benchmark.source, "md5": benchmark.md5, "version": benchmark.version},
            "prefill": self._prefill,
        }


def _is_sampling(generation: Mapping[str, Any]) -> bool:
    """Return whether lm-eval's models would draw samples: without ``do_sample`` the temperature decides."""
    do_sample = generation.get("do_sample")
    return bool(float(generation.get("temperature") or 0)) if do_sample is None else bool(do_sample)
