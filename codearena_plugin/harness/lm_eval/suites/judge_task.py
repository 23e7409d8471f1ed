"""The lm-eval task ``judge_codearena``: the documents are games, the model is the judge.

So any lm-eval back end (vLLM on the same GPUs, HF, an API) can be the judge of answers that exist already. Each game
is asked once: lm-eval gives no second turn, so there is no continuation, and it hides ``finish_reason``, so a reply cut
at the token limit shows as unparsable.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from codearena_plugin.errors import ConfigError
from codearena_plugin.evidence.found import Wanted, evidence_for
from codearena_plugin.harness.arrow import text_for_arrow
from codearena_plugin.harness.lm_eval.suites.base import SuiteTask
from codearena_plugin.judging.asking.request import request_key
from codearena_plugin.judging.plan import plan_games
from codearena_plugin.judging.protocol.parse import read_verdict
from codearena_plugin.judging.settings import JudgeSettings, resolve_settings
from codearena_plugin.prompts.answers import read_answers
from codearena_plugin.prompts.suite import Suite, answered_part, load_suite
from codearena_plugin.records import Game, Reply
from codearena_plugin.runs.files import ANSWERS, save_games
from codearena_plugin.runs.judge import visible
from codearena_plugin.runs.options import RunOptions


class JudgeCodeArenaTask(SuiteTask):
    """Stored answers are judged by lm-eval's own model, both orders as documents of their own."""

    @property
    def suite_name(self) -> str:
        """The suite that the answers belong to: the user's choice, else the real one."""
        return str(self._metadata.get("codearena_suite") or os.environ.get("CODEARENA_SUITE") or "codearena")

    def resolve_judge(self) -> JudgeSettings:
        """Return the card's protocol as lm-eval's model plays it: one turn, with the task's generation arguments."""
        sampling = {
            key: value
            for key, value in (self.config.generation_kwargs or {}).items()
            if isinstance(value, (str, int, float, bool))
        }
        settings = resolve_settings(self._metadata, default_judge="codearena")  # a card with a prompt, for any suite
        settings = replace(settings, backend="lm-eval", model=self.model_name, base_url=None)
        return replace(settings, sampling=sampling, attempts=1)

    def load(self, options: RunOptions) -> tuple[Suite, list[dict[str, Any]]]:
        """Return the suite of the answers, and one document per game.

        Raises:
            ConfigError: no answers were named.
        """
        if options.answers is None:
            msg = (
                'judge_codearena judges stored answers: name them with --metadata \'{"codearena_answers": "PATH"}\' '
                "(JSONL, lm-eval's samples_*.jsonl, or a run directory), and their suite with codearena_suite."
            )
            raise ConfigError(msg)
        suite = load_suite(self.suite_name, options.suite)
        path = Path(options.answers).expanduser()
        file = path / ANSWERS if path.is_dir() else path
        answers = read_answers(file, suite, allow_missing=options.only_answered)
        suite = answered_part(suite, {answer.prompt_id for answer in answers})
        self._answers = {answer.prompt_id: answer for answer in answers}
        settings = self.resolve_judge()
        if settings.card.backend == "static":
            msg = "The static judge asks no model: choose a judge card with a prompt, such as judge=codearena."
            raise ConfigError(msg)
        wanted = Wanted(options.evidence, (file,))
        self._evidence = evidence_for(settings.card, suite, visible(answers), wanted)
        if self._evidence is None and settings.card.prompt.evidence == "needed":
            msg = (
                f"Judge {settings.card.name!r} is shown what the answers' code does, and judge_codearena runs none. "
                f"Run: codearena execute {options.answers} first, and name its output with codearena_evidence."
            )
            raise ConfigError(msg)
        shown = self._evidence.shown() if self._evidence is not None else None
        self._plans = {
            f"{plan.prompt_id}/{plan.order}": plan
            for plan in plan_games(suite.prompts, suite.baseline, visible(answers), settings, shown)
        }
        return suite, [
            {
                "id": plan.prompt_id,
                "game": key,
                "order": plan.order,
                "messages": [
                    {"role": turn.role, "content": text_for_arrow(turn.content)} for turn in plan.request.messages
                ],
                "question": text_for_arrow(plan.request.messages[-1].content),
                "baseline": "",
            }
            for key, plan in self._plans.items()
        ]

    def check_evidence(self) -> None:
        """Nothing: it was looked for when the games were planned."""

    def judge(self) -> None:
        """Read the verdict of every game of this rank, and keep the games at once: the replies exist nowhere else."""
        for instance in self._instances:
            plan = self._plans[instance.doc["game"]]
            text = instance.resps[0]
            reply = Reply(text=text if isinstance(text, str) else "", attempts=1, served_model=self.model_name)
            verdict = plan.skipped or read_verdict([reply], mode=self._settings.mode)
            asked = replace(plan.request, sampling=self._settings.sampling)  # --gen_kwargs came after the plan
            game = Game(plan.prompt_id, plan.order, (request_key(asked),), (reply,), verdict)
            self._games[instance.doc["game"]] = [game]
        save_games(self._run_dir, [game for games in self._games.values() for game in games])

    def games_of(self, doc: Mapping[str, Any]) -> list[Game]:
        """Return the one game of a document."""
        return self._games.get(doc["game"], [])
