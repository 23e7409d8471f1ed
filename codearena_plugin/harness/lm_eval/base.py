"""What our lm-eval tasks share: documents from a suite, metrics from a run, settings from the command line.

lm-eval calls ``apply_filters`` exactly once per task and rank, after all generation: that is where games come about.
``process_results`` then only looks one up, and the aggregations read the one ``Result`` that rank 0 makes of all of
them, so the table, the samples and ``result.json`` cannot disagree.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from datasets import Dataset
from lm_eval.api.task import ConfigurableTask
from lm_eval.loggers import EvaluationTracker

from codearena_plugin.errors import ConfigError
from codearena_plugin.harness.lm_eval import beside, exits
from codearena_plugin.harness.lm_eval.numbers import METRICS, VERDICT, announce, read_metric, row_values, sum_of
from codearena_plugin.judging.ledger import game_from_json, game_to_json
from codearena_plugin.judging.settings import JudgeSettings, resolve_settings
from codearena_plugin.prompts.suite import Suite, fingerprint
from codearena_plugin.records import Answer, Game
from codearena_plugin.runs.files import made, new_run_dir, save_answers, save_result
from codearena_plugin.runs.judge import manifest_of
from codearena_plugin.runs.options import RunOptions, default_judge, resolve_options
from codearena_plugin.runs.result import Result, make_result, outcomes_of

log = logging.getLogger("lm_eval.codearena")  # lm-eval shows only what is below "lm_eval"

beside.patch_tracker(EvaluationTracker)


class SuiteTask(ConfigurableTask):  # type: ignore[misc]
    """A task whose documents come from a suite and whose numbers come from a judged run."""

    def __init__(self, config: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        config = {key: value for key, value in (config or {}).items() if key != "class"}  # lm-eval leaves it in
        config.setdefault("process_results", "codearena")  # else unknown metric names are looked up on the hub
        config.setdefault("test_split", "test")
        config["metric_list"] = [
            {"metric": name, "aggregation": "mean", "higher_is_better": name != "loss_rate"} for name in METRICS
        ]
        self._metadata = dict(config.get("metadata") or {})
        self._games: dict[str, list[Game]] = {}
        self._answers: dict[str, Answer] = {}
        self._played_here: dict[str, Any] = {}
        self._result: Result | None = None
        self._rank, self._world_size = 0, 1
        self.settings: JudgeSettings | None = None
        with exits.plain_errors():
            super().__init__(config=config, **kwargs)

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

    def collect(self) -> None:
        """Turn the responses of this rank into ``self._games`` and ``self._answers``."""
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

    def has_fewshot(self) -> bool:
        """Few-shot examples would change what is asked."""
        return False

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
        with exits.plain_errors():
            if not self.is_bypassed:
                self.settings = self._for_this_rank(self.resolve_judge())
                if not self.is_replica and self._rank == 0:
                    self.prepare()
            super().build_all_requests(**kwargs)

    def _for_this_rank(self, settings: JudgeSettings) -> JudgeSettings:
        """Return the settings with limits split between ranks, each of which judges its own answers."""
        n = self._world_size
        return replace(
            settings,
            concurrency=max(1, settings.concurrency // n),
            max_calls=None if settings.max_calls is None else settings.max_calls // n,
            max_cost_usd=None if settings.max_cost_usd is None else settings.max_cost_usd / n,
        )

    # --- judging and numbers ----------------------------------------------------------------------------------------

    @property
    def is_bypassed(self) -> bool:
        """``--predict_only``: generate, judge nothing."""
        return "bypass" in self._metric_fn_list

    @property
    def is_replica(self) -> bool:
        """A second process that generates the same as the first (tensor parallelism under torchrun): judge once."""
        return self._world_size == 1 and any(int(os.environ.get(name) or 0) for name in ("LOCAL_RANK", "RANK"))

    def apply_filters(self) -> Any:
        """Run lm-eval's filters, then play the games of this rank."""
        done = super().apply_filters()
        if not self.is_bypassed and not self.is_replica:
            with exits.plain_errors():
                self.collect()
        return done

    def process_results(self, doc: dict[str, Any], results: Any) -> dict[str, Any]:
        """Return one document's row: its games, and what they come to."""
        if self.is_bypassed:
            done: dict[str, Any] = super().process_results(doc, results)
            return done
        games = self.games_of(doc)
        row = self._judgement(doc, games)
        return {VERDICT: row, **row_values(row["outcome"])}

    def _judgement(self, doc: Mapping[str, Any], games: Sequence[Game]) -> dict[str, Any]:
        assert self.settings is not None  # noqa: S101  build_all_requests came first
        prompt = self.suite.by_id[doc["id"]]
        (outcome,) = outcomes_of([prompt], games, policy=self.settings.order, mode=self.settings.mode)
        row: dict[str, Any] = {
            "outcome": {"score": outcome.score, "points": outcome.points, "consistent": outcome.consistent},
            "games": [game_to_json(game) for game in games],
            "prompt_id": prompt.id,
        }
        if self._world_size > 1:  # rank 0 writes the run, and has only its own answers
            answer = self._answers[prompt.id]
            row["answer"] = {"text": answer.text, "finish_reason": answer.finish_reason}
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
        suite = self._asked(ids)
        for row in rows:
            if "answer" in row:
                self._answers[row["prompt_id"]] = Answer(row["prompt_id"], self.model_name, **row["answer"])
        answers = [self._answers[prompt.id] for prompt in suite.prompts]
        settings = self.settings
        assert settings is not None  # noqa: S101
        order = {prompt.id: place for place, prompt in enumerate(suite.prompts)}
        games.sort(key=lambda game: (order[game.prompt_id], game.order == "answer_first"))
        result = make_result(
            suite,
            games,
            {**manifest_of(suite, answers, settings, self._harness()), "run": str(self.run_dir.resolve())},
            policy=settings.order,
            mode=settings.mode,
            min_coverage=settings.min_coverage,
        )
        took = [row["rank"] for row in rows if "rank" in row]
        stopped = next((rank["stopped"] for rank in took if rank["stopped"]), None)
        self._result = replace(result, stopped=stopped, spending=sum_of([rank["spending"] for rank in took]))
        self._keep(answers, games)
        return self._result.statuses["scored"] / len(games) if games else float("nan")

    def _asked(self, ids: set[str]) -> Suite:
        prompts = tuple(prompt for prompt in self.suite.prompts if prompt.id in ids)
        if len(prompts) == len(self.suite.prompts):
            return self.suite
        return replace(self.suite, prompts=prompts, fingerprint=fingerprint(prompts, self.suite.baseline))

    def _keep(self, answers: Sequence[Answer], games: Sequence[Game]) -> None:
        assert self._result is not None  # noqa: S101
        task = str(self.config.task)
        with exits.plain_errors():
            directory = self.run_dir
            save_answers(directory, answers)
            save_result(directory, games, self._result)
        beside.note_run(task, directory)
        self._metadata_note({"run": str(directory)})
        announce(self._result, directory)
        if self._result.withheld:
            exits.note_withheld(task)

    @property
    def run_dir(self) -> Path:
        """The directory of this run, made when first asked for: before anything is judged."""
        if not hasattr(self, "_run_dir"):
            if self.options.output is not None:
                path = self.options.output / str(self.config.task)
                self._run_dir = made(path if self._rank == 0 else path.with_name(f"{path.name}-rank{self._rank}"))
            else:
                name = self.model_name if self._rank == 0 else f"{self.model_name}-rank{self._rank}"
                self._run_dir = new_run_dir(str(self.config.task), name)
        return self._run_dir

    @property
    def model_name(self) -> str:
        """The model under test, as far as a task can know it (lm-eval merges model_args into the metadata)."""
        for key in ("model", "pretrained", "path"):
            if self._metadata.get(key):
                return Path(str(self._metadata[key])).name.split(".jsonl")[0].removeprefix("answers_")
        return "model"

    def _harness(self) -> dict[str, Any]:
        from importlib.metadata import version

        return {
            "name": "lm-eval",
            "version": version("lm-eval"),
            "task": str(self.config.task),
            "world_size": self._world_size,
            "generation_kwargs": dict(self.config.generation_kwargs or {}),
        }

    def _metadata_note(self, note: Mapping[str, Any]) -> None:
        """Write what was really used into the configuration that lm-eval keeps with its results."""
        settings = self.settings.describe() if self.settings else None
        kept = dict(self.config.metadata or {})
        kept["codearena"] = {
            "judge": settings,
            "suite": {name: getattr(self.suite, name) for name in ("source", "fingerprint", "baseline")},
            **note,
        }
        self._config.metadata = kept

    def _read(self, name: str, _values: Sequence[Any]) -> float:
        return float("nan") if self._result is None else read_metric(self._result, name)

    def higher_is_better(self) -> dict[str, bool]:
        """Return the direction of each metric."""
        if self.is_bypassed:
            done: dict[str, bool] = super().higher_is_better()
            return done
        return {name: not name.startswith("loss_rate") for name in METRICS}
