"""A suite of prompts as an lm-eval task: documents from a suite, metrics from a judged run, options of the user."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from datasets import Dataset

from codearena_plugin.errors import CodeArenaError
from codearena_plugin.evidence.found import Evidence
from codearena_plugin.evidence.record import RULES
from codearena_plugin.harness.lm_eval import beside, exits
from codearena_plugin.harness.lm_eval.base import BaseTask, log
from codearena_plugin.harness.lm_eval.suites.evidence import as_rows, check_ahead, found_evidence, from_rows, run_code
from codearena_plugin.harness.lm_eval.suites.numbers import (
    METRICS,
    VERDICT,
    announce,
    read_metric,
    row_values,
    spending_row,
)
from codearena_plugin.harness.place import first_place, settled_place
from codearena_plugin.harness.spending import sum_of
from codearena_plugin.judging.ledger import game_from_json, game_to_json
from codearena_plugin.judging.settings import JudgeSettings, resolve_settings
from codearena_plugin.prompts.suite import Suite, answered_part
from codearena_plugin.records import Answer, Game
from codearena_plugin.runs.files import save_answers, save_result
from codearena_plugin.runs.judge import manifest_of, sealed
from codearena_plugin.runs.options import RunOptions, default_judge, resolve_options
from codearena_plugin.runs.result import Result, make_result, outcomes_of
from codearena_plugin.runs.strata import save_strata
from codearena_plugin.runs.style import save_style

GENERATION: Mapping[str, Any] = {"until": [], "max_gen_toks": 4096}


class SuiteTask(BaseTask):
    """A task whose documents come from a suite and whose numbers come from a judged run."""

    def __init__(self, config: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        self._games: dict[str, list[Game]] = {}
        self._answers: dict[str, Answer] = {}
        self._played_here: dict[str, Any] = {}
        self._result: Result | None = None
        self._evidence: Evidence | None = None
        self.settings: JudgeSettings | None = None
        metrics = {name: not name.startswith("loss_rate") for name in METRICS}
        super().__init__(config or {}, metrics=metrics, generation=GENERATION, **kwargs)
        if self.options.execute:
            self.UNSAFE_CODE = True  # lm-eval then wants --confirm_run_unsafe_code

    # --- what a subclass says ---------------------------------------------------------------------------------------

    def load(self, options: RunOptions) -> tuple[Suite, list[dict[str, Any]]]:
        """Return the suite and the documents; each document has ``id`` (of its prompt) and ``messages``."""
        raise NotImplementedError

    @property
    def suite_name(self) -> str:
        """The suite that the task file names; a task may be called differently."""
        return str(self._metadata.get("suite") or self.name)

    def resolve_judge(self) -> JudgeSettings:
        """Return the judge settings that the user's options, the environment and the card come to."""
        return resolve_settings(self._metadata, default_judge=default_judge(self.suite_name))

    def check_judge(self) -> None:
        """Check before generation that the judge answers, on one process only."""

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
        self.dataset = {"test": Dataset.from_list(rows)}

    @property
    def known_ids(self) -> frozenset[str]:
        """Ids of all prompts of the suite."""
        return frozenset(self.suite.by_id)

    def context_of(self, doc: Mapping[str, Any], system: str | None, template: Callable[..., Any] | None) -> Any:
        """Return the prompt as the model sees it: every turn of it, with nothing added but the user's system text."""
        turns = [{"role": turn["role"], "content": turn["content"]} for turn in doc["messages"]]
        if system:
            turns.insert(0, {"role": "system", "content": system})
        if template is not None:
            return template(turns, add_generation_prompt=True)
        return "\n\n".join(turn["content"] for turn in turns)

    def check_options(self) -> None:
        """Settle who judges, and that a judge which needs evidence can be given it."""
        self.settings = self.resolve_judge()
        self.check_evidence()

    def prepare(self, asked: Mapping[str, Any]) -> None:
        """Find a place for the run, and check that the judge answers."""
        if self.suite.is_demo:
            log.warning("%s is a demo suite of our own: its scores compare with nothing published", self.suite.name)
        if self.config.repeats > 1:
            log.warning("%s: %d answers a prompt are asked, and the first is judged", self.name, self.config.repeats)
        if self.is_scoring:
            self._run_dir = first_place(self.options.output, self.name, self.model_name, self._rank)
            if self._rank == 0:
                self.check_judge()
        self.note()

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

    def score_here(self) -> None:
        """Keep the answers of this rank, then play their games.

        What fails from here on must not cost what was generated: it ends in a result without a score.
        """
        self.gather()
        ids = {instance.doc["id"] for instance in self._instances}
        here = [answer for answer in self._answers.values() if answer.prompt_id in ids]
        try:
            self._settle(answered_part(self.suite, ids), here)
            self.judge()
        except CodeArenaError as exc:
            log.error("judging ended: %s", exc)  # one line, no traceback
            self._played_here = spending_row(None, str(exc))

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
        whole = manifest_of(part, here, settings, self.about(), self._evidence)
        if will_run:
            whole["evidence"] = {"rules": RULES}
        self._run_dir = settled_place(self._run_dir, whole if self._world_size == 1 else None, log)
        save_answers(self._run_dir, here)
        if failed is not None:
            raise failed
        if will_run:
            self._evidence = run_code(part, here, options, self._run_dir)

    def row_of(self, doc: Mapping[str, Any]) -> dict[str, Any]:
        """Return one document's row: its games, and what they come to."""
        row = self._judgement(doc, self.games_of(doc))
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

    def finish(self, rows: Sequence[Mapping[str, Any]]) -> float:
        """Make, keep and announce the result of all ranks' games; return the share of games that were scored."""
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
        manifest = manifest_of(suite, answers, settings, self.about(), self._evidence)
        result = make_result(
            suite,
            games,
            sealed(manifest, games, self._run_dir, seeds=seeds),
            policy=settings.order,
            mode=settings.mode,
            min_coverage=settings.min_coverage,
        )
        stopped = next((rank["stopped"] for rank in took if rank["stopped"]), None)
        self._result = replace(result, stopped=stopped, spending=sum_of([rank["spending"] for rank in took]))
        self._keep(suite, answers, games, self._result)
        return self._result.statuses["scored"] / len(games) if games else float("nan")

    def _keep(self, suite: Suite, answers: Sequence[Answer], games: Sequence[Game], result: Result) -> None:
        try:
            save_answers(self._run_dir, answers)
            save_strata(self._run_dir, suite.prompts)
            save_style(self._run_dir, suite, answers)
            if self._evidence is not None:
                self._evidence.save(self._run_dir)
            save_result(self._run_dir, games, result)
            beside.note_run(self.name, self._run_dir)
        except CodeArenaError as exc:  # lm-eval's own files still hold the samples with every reply
            self.failed(exc)
        self.note(run=str(self._run_dir))
        announce(result, self._run_dir)
        if result.withheld or result.stopped:
            exits.note_incomplete(self.name)

    def number(self, name: str) -> float:
        """Return one metric of the result."""
        assert self._result is not None, f"lm-eval asks for {VERDICT!r} first, which makes the result"  # noqa: S101
        return read_metric(self._result, name)

    def used(self) -> dict[str, Any]:
        """Return the judge and the suite that were really used."""
        return {
            "judge": self.settings.describe() if self.settings else None,
            "suite": {name: getattr(self.suite, name) for name in ("source", "fingerprint", "baseline")},
        }
