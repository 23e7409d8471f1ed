"""What our lm-eval tasks share: documents from a suite, metrics from a run, settings from the command line.

lm-eval calls ``apply_filters`` exactly once per task and rank, after all generation: that is where games come about.
``process_results`` then only looks one up, and the aggregations read the one ``Result`` that rank 0 makes of all of
them, so the table, the samples and ``result.json`` cannot disagree.
"""

from __future__ import annotations

import importlib.metadata
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from datasets import Dataset
from lm_eval.api.task import ConfigurableTask
from lm_eval.loggers import EvaluationTracker

from codearena_plugin.errors import CodeArenaError, ConfigError
from codearena_plugin.evidence.found import Evidence
from codearena_plugin.evidence.record import RULES
from codearena_plugin.harness.lm_eval import beside, exits
from codearena_plugin.harness.lm_eval.evidence import as_rows, check_ahead, found_evidence, from_rows, run_code
from codearena_plugin.harness.lm_eval.numbers import (
    METRICS,
    VERDICT,
    announce,
    read_metric,
    row_values,
    spending_row,
)
from codearena_plugin.harness.place import first_place, settled_place, shown_arguments
from codearena_plugin.harness.spending import sum_of
from codearena_plugin.judging.ledger import game_from_json, game_to_json
from codearena_plugin.judging.settings import JudgeSettings, resolve_settings
from codearena_plugin.judging.urls import without_credentials
from codearena_plugin.prompts.suite import Suite, answered_part
from codearena_plugin.records import Answer, Game
from codearena_plugin.runs.files import save_answers, save_result
from codearena_plugin.runs.judge import manifest_of, sealed
from codearena_plugin.runs.options import RunOptions, default_judge, resolve_options
from codearena_plugin.runs.result import Result, make_result, outcomes_of
from codearena_plugin.runs.strata import save_strata
from codearena_plugin.runs.style import save_style

log = logging.getLogger("lm_eval.codearena")  # lm-eval shows only what is below "lm_eval"

beside.patch_tracker(EvaluationTracker)


class SuiteTask(ConfigurableTask):  # type: ignore[misc]
    """A task whose documents come from a suite and whose numbers come from a judged run."""

    def __init__(self, config: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        config = {key: value for key, value in (config or {}).items() if key != "class"}  # lm-eval leaves it in
        config.setdefault("process_results", "codearena")  # else unknown metric names are looked up on the hub
        config.setdefault("test_split", "test")
        config["metric_list"] = [  # loggers make columns of these; a verdict is a record with parts of many types
            {"metric": name, "aggregation": "mean", "higher_is_better": name != "loss_rate"}
            for name in METRICS
            if name != VERDICT
        ]
        self._metadata = dict(config.get("metadata") or {})
        self._games: dict[str, list[Game]] = {}
        self._answers: dict[str, Answer] = {}
        self._played_here: dict[str, Any] = {}
        self._result: Result | None = None
        self._evidence: Evidence | None = None
        self._rank, self._world_size = 0, 1
        self._asked_with: dict[str, Any] = {}
        self.settings: JudgeSettings | None = None
        with exits.plain_errors():
            super().__init__(config=config, **kwargs)
        if self.options.execute:
            self.UNSAFE_CODE = True  # lm-eval then wants --confirm_run_unsafe_code
        self._metadata_note({})

    # --- what a subclass says ---------------------------------------------------------------------------------------

    def load(self, options: RunOptions) -> tuple[Suite, list[dict[str, Any]]]:
        """Return the suite and the documents; each document has ``id`` (of its prompt) and ``messages``."""
        raise NotImplementedError

    @property
    def suite_name(self) -> str:
        """The suite that the task file names; a task may be called differently."""
        return str(self._metadata.get("suite") or self.config.task)

    def resolve_judge(self) -> JudgeSettings:
        """Return the judge settings that the user's options, the environment and the card come to."""
        return resolve_settings(self._metadata, default_judge=default_judge(self.suite_name))

    def prepare(self) -> None:
        """Check before generation what can be checked, on one process only."""

    def check_evidence(self) -> None:
        """Check before generation that a judge which needs evidence can be given it."""
        check_ahead(self._settings, self.options)

    def gather(self) -> None:
        """Turn the responses of this rank into ``self._answers``."""

    def judge(self) -> None:
        """Play the games of this rank's answers, into ``self._games``."""
        raise NotImplementedError

    def games_of(self, doc: Mapping[str, Any]) -> list[Game]:
        """Return the games that one document stands for."""
        raise NotImplementedError

    # --- documents and contexts -------------------------------------------------------------------------------------

    def download(self, dataset_kwargs: Any = None, **_: Any) -> None:
        """Load the suite; nothing is downloaded that the user's options replace."""
        self.options = resolve_options(self._metadata, self.suite_name)
        self.suite, rows = self.load(self.options)
        if self.suite.is_demo:
            log.warning("%s is a demo suite of our own: its scores compare with nothing published", self.suite.name)
        self.dataset = {"test": Dataset.from_list(rows)}

    def fewshot_context(  # noqa: PLR0913  lm-eval's signature
        self,
        doc: dict[str, Any],
        num_fewshot: int,
        system_instruction: str | None = None,
        apply_chat_template: bool = False,
        fewshot_as_multiturn: bool = False,
        chat_template: Callable[..., str] | None = None,
        gen_prefix: str | None = None,
    ) -> Any:
        """Return the prompt as the model sees it: every turn of it, with nothing added but the user's system text."""
        if num_fewshot:
            msg = f"{self.config.task} takes no few-shot examples, got num_fewshot={num_fewshot}. Leave it out."
            with exits.plain_errors():
                raise ConfigError(msg)
        turns = [{"role": turn["role"], "content": turn["content"]} for turn in doc["messages"]]
        if system_instruction:
            turns.insert(0, {"role": "system", "content": system_instruction})
        if apply_chat_template and chat_template is not None:
            return partial(chat_template, add_generation_prompt=True)(turns)
        return "\n\n".join(turn["content"] for turn in turns)

    def build_all_requests(self, **kwargs: Any) -> None:
        """Build contexts; before the first token is generated, check that there is a judge to read the answers."""
        self._rank, self._world_size = kwargs.get("rank", 0), kwargs.get("world_size", 1)
        kwargs["cache_requests"] = False  # lm-eval's key for it knows neither the data nor our options
        self._asked_with = {name: kwargs.get(name) for name in ("apply_chat_template", "system_instruction", "limit")}
        beside.forget_run(str(self.config.task))
        with exits.plain_errors():
            if not self.is_bypassed:
                self.settings = self.resolve_judge()
                self.check_evidence()
            if self.is_replica:
                log.warning(
                    "LOCAL_RANK or RANK says that this is not the first process: it generates and does not judge"
                )
            if self.is_judging:
                self._run_dir = first_place(self.options.output, str(self.config.task), self.model_name, self._rank)
                if self._rank == 0:
                    self.prepare()
            super().build_all_requests(**kwargs)
            known = frozenset(self.suite.by_id)
            for instance in self._instances:
                instance.suite_ids = known  # our replay model refuses answers to unknown prompts

    @property
    def limits_here(self) -> JudgeSettings:
        """The settings with limits split between ranks, each of which judges its own answers."""
        settings, n = self._settings, self._world_size
        return replace(
            settings,
            concurrency=max(1, settings.concurrency // n),
            max_calls=None if settings.max_calls is None else settings.max_calls // n,
            max_cost_usd=None if settings.max_cost_usd is None else settings.max_cost_usd / n,
        )

    @property
    def _settings(self) -> JudgeSettings:
        assert self.settings is not None, "build_all_requests comes first"  # noqa: S101
        return self.settings

    # --- judging and numbers ----------------------------------------------------------------------------------------

    @property
    def is_bypassed(self) -> bool:
        """``--predict_only``: generate, judge nothing."""
        return "bypass" in self._metric_fn_list

    @property
    def is_replica(self) -> bool:
        """A second process that generates the same as the first (tensor parallelism under torchrun): judge once."""
        return self._world_size == 1 and any(int(os.environ.get(name) or 0) for name in ("LOCAL_RANK", "RANK"))

    @property
    def is_judging(self) -> bool:
        """Whether this process plays games."""
        return not self.is_bypassed and not self.is_replica

    def apply_filters(self) -> Any:
        """Run lm-eval's filters, keep the answers, then play the games of this rank.

        What fails from here on must not cost what was generated: it ends in a result without a score.
        """
        done = super().apply_filters()
        if self.is_judging:
            self.gather()
            ids = {instance.doc["id"] for instance in self._instances}
            here = [answer for answer in self._answers.values() if answer.prompt_id in ids]
            try:
                self._settle(answered_part(self.suite, ids), here)
                self.judge()
            except CodeArenaError as exc:
                log.error("judging ended: %s", exc)  # noqa: TRY400  one line, no traceback
                self._played_here = spending_row(None, str(exc))
        return done

    def _settle(self, part: Suite, here: Sequence[Answer]) -> None:
        """Find a place for this rank's answers, and what their code does where the judge is shown that.

        The answers are kept, where no other run lies, also if the evidence that the user named is not theirs.
        """
        settings, options = self._settings, self.options
        failed: CodeArenaError | None = None
        if self._evidence is None:
            try:
                self._evidence = found_evidence(settings, part, here, options, self._run_dir)
            except CodeArenaError as exc:
                failed = exc
        will_run = self._evidence is None and options.execute and settings.card.prompt.evidence != "none"
        whole = self._manifest(part, here, self._evidence)
        if will_run:
            whole["evidence"] = {"rules": RULES}
        self._run_dir = settled_place(self._run_dir, whole if self._world_size == 1 else None, log)
        save_answers(self._run_dir, here)
        if failed is not None:
            raise failed
        if will_run:
            self._evidence = run_code(part, here, options, self._run_dir)

    def process_results(self, doc: dict[str, Any], results: Any) -> dict[str, Any]:
        """Return one document's row: its games, and what they come to."""
        if self.is_bypassed:
            done: dict[str, Any] = super().process_results(doc, results)
            return done
        games = self.games_of(doc)
        row = self._judgement(doc, games)
        return {VERDICT: row, **row_values(row["outcome"])}

    def _judgement(self, doc: Mapping[str, Any], games: Sequence[Game]) -> dict[str, Any]:
        prompt = self.suite.by_id[doc["id"]]
        (outcome,) = outcomes_of([prompt], games, policy=self._settings.order, mode=self._settings.mode)
        row: dict[str, Any] = {
            "outcome": {"score": outcome.score, "points": outcome.points, "consistent": outcome.consistent},
            "games": [game_to_json(game) for game in games],
            "prompt_id": prompt.id,
        }
        if self._world_size > 1:  # rank 0 writes the run, and has only its own answers
            answer = self._answers[prompt.id]
            row["answer"] = {"model": answer.model, "text": answer.text, "finish_reason": answer.finish_reason}
            row["evidence"] = as_rows(self._evidence, prompt.id)
        if self._played_here:  # once per rank: what the judging took, for rank 0 to add up
            row["rank"], self._played_here = self._played_here, {}
        return row

    def aggregation(self) -> dict[str, Callable[[Sequence[Any]], Any]]:
        """Return how lm-eval gets each number: the first makes the result of the run, the others read it."""
        if self.is_bypassed:
            done: dict[str, Any] = super().aggregation()
            return done
        return {
            VERDICT: self._finish,
            **{name: partial(self._read, name) for name in METRICS if name != VERDICT},
        }

    def _finish(self, rows: Sequence[Mapping[str, Any]]) -> float:
        """Make, keep and announce the result of all ranks' games; return the share of games that were scored."""
        if self.is_replica:
            return float("nan")
        games = [game_from_json(game) for row in rows for game in row["games"]]
        ids = {row["prompt_id"] for row in rows}
        suite = answered_part(self.suite, ids)
        for row in rows:
            if "answer" in row:
                self._answers[row["prompt_id"]] = Answer(row["prompt_id"], **row["answer"])
        answers = [self._answers[prompt.id] for prompt in suite.prompts]
        if self._world_size > 1:
            self._evidence = from_rows(suite, (side for row in rows for side in row["evidence"]))
        settings = self._settings
        order = {prompt.id: place for place, prompt in enumerate(suite.prompts)}
        games.sort(key=lambda game: (order[game.prompt_id], game.order == "answer_first"))
        took = [row["rank"] for row in rows if "rank" in row]
        seeds = [rank["seed"] for rank in took if rank["seed"] is not None]
        result = make_result(
            suite,
            games,
            sealed(self._manifest(suite, answers, self._evidence), games, self._run_dir, seeds=seeds),
            policy=settings.order,
            mode=settings.mode,
            min_coverage=settings.min_coverage,
        )
        stopped = next((rank["stopped"] for rank in took if rank["stopped"]), None)
        self._result = replace(result, stopped=stopped, spending=sum_of([rank["spending"] for rank in took]))
        self._keep(suite, answers, games, self._result)
        return self._result.statuses["scored"] / len(games) if games else float("nan")

    def _keep(self, suite: Suite, answers: Sequence[Answer], games: Sequence[Game], result: Result) -> None:
        task = str(self.config.task)
        try:
            save_answers(self._run_dir, answers)
            save_strata(self._run_dir, suite.prompts)
            save_style(self._run_dir, suite, answers)
            if self._evidence is not None:
                self._evidence.save(self._run_dir)
            save_result(self._run_dir, games, result)
            beside.note_run(task, self._run_dir)
        except CodeArenaError as exc:
            log.error("%s", exc)  # noqa: TRY400  lm-eval's own files still hold the samples with every reply
            exits.note_incomplete(task)
        self._metadata_note({"run": str(self._run_dir)})
        announce(result, self._run_dir)
        if result.withheld or result.stopped:
            exits.note_incomplete(task)

    @property
    def model_name(self) -> str:
        """The model under test, as far as a task can know it (lm-eval merges model_args into the metadata)."""
        return str(
            next((self._metadata[key] for key in ("model", "pretrained", "path") if self._metadata.get(key)), "model")
        )

    def _manifest(self, suite: Suite, answers: Sequence[Answer], evidence: Evidence | None = None) -> dict[str, Any]:
        harness = {
            "name": "lm-eval",
            "version": importlib.metadata.version("lm-eval"),
            "task": str(self.config.task),
            "world_size": self._world_size,
            "model_args": shown_arguments(self._metadata),
            "generation_kwargs": dict(self.config.generation_kwargs or {}),
            **self._asked_with,
        }
        return manifest_of(suite, answers, self._settings, harness, evidence)

    def _metadata_note(self, note: Mapping[str, Any]) -> None:
        """Write what was really used into the configuration that lm-eval keeps with its results, and no secret."""
        settings = self.settings.describe() if self.settings else None
        kept = dict(self.config.metadata or {})
        if kept.get("judge_base_url"):
            kept["judge_base_url"] = without_credentials(str(kept["judge_base_url"]))
        kept["codearena"] = {
            "judge": settings,
            "suite": {name: getattr(self.suite, name) for name in ("source", "fingerprint", "baseline")},
            **note,
        }
        self._config.metadata = kept

    def _read(self, name: str, _values: Sequence[Any]) -> float:
        if self._result is None and not self.is_replica:
            msg = f"lm-eval asked for {name!r} before {VERDICT!r}, which makes the result."
            raise RuntimeError(msg)
        return float("nan") if self._result is None else read_metric(self._result, name)

    def higher_is_better(self) -> dict[str, bool]:
        """Return the direction of each metric."""
        if self.is_bypassed:
            done: dict[str, bool] = super().higher_is_better()
            return done
        return {name: not name.startswith("loss_rate") for name in METRICS}
