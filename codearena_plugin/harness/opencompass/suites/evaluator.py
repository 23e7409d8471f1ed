"""The objective pipeline: an evaluator that OpenCompass' default task runs, and that asks a judge.

It judges as every other way into this package does: same prompts, same store of replies, same statuses and statistics.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from opencompass.openicl.icl_evaluator import BaseEvaluator

from codearena_plugin.errors import ConfigError, unknown_name
from codearena_plugin.harness.opencompass.backend import judge_settings, judged_by
from codearena_plugin.harness.opencompass.environment import lent_key, twins_used, with_twins
from codearena_plugin.harness.opencompass.exits import plain_errors
from codearena_plugin.harness.opencompass.suites import parts
from codearena_plugin.harness.opencompass.suites.dataset import suite_name_of, suite_of
from codearena_plugin.harness.opencompass.suites.judging import answers_of, judge_rows, log, results_of
from codearena_plugin.judging.options import KEY_VARIABLE, OPTIONS
from codearena_plugin.judging.settings import JudgeSettings, resolve_settings
from codearena_plugin.prompts.predictions import refuse_other_prompts
from codearena_plugin.runs.options import default_judge


class CodeArenaEvaluator(BaseEvaluator):  # type: ignore[misc]
    """Compares each prediction with the suite's baseline answer, in both orders.

    Args:
        judge_cfg: a chat model of OpenCompass to be the judge, in the evaluation's own process; its ``run_cfg`` says
            how many GPUs that takes. Without it the judge is a URL, or what the options say.
        pred_postprocessor: as of every evaluator; reasoning traces are taken out anyway.
        options: ``judge``, ``judge_model``, ``judge_base_url``, … as in lm-eval's ``--metadata``. Keys are no options.
    """

    def __init__(
        self,
        judge_cfg: Mapping[str, Any] | None = None,
        pred_postprocessor: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(pred_postprocessor)
        self.judge_cfg = judge_cfg
        self.options = options

    def score(
        self,
        predictions: Sequence[Any],
        references: Sequence[str],
        test_set: Any,
        gold: Any,
        origin_prompt: Sequence[Any] | None = None,
    ) -> dict[str, Any]:
        """Return the numbers of the run, with details.

        Args:
            predictions: of the model, one for each row.
            references: ids of the prompts.
            test_set: rows of ``CodeArenaDataset``, in the same order.
            gold: ids that were stored with the predictions.
            origin_prompt: what was asked, as it was stored with them.

        Raises:
            UsageError: nothing was asked. IncompleteRunError: there is no trustworthy score.
        """
        with plain_errors():
            check_options(self.options)
            rows = list(test_set)
            asked = origin_prompt or [None] * len(rows)
            refuse_other_prompts(gold, asked, list(references), suite_of(rows)[1].by_id)
            directory = self._directory
            answers = answers_of(rows, predictions, directory.parent.name)
            about = {"dataset": directory.name}
            if self.judge_cfg is None:
                settings = settings_from(self.options, suite_name_of(rows))
                with lent_key(self.options):
                    run, whole = judge_rows(rows, answers, settings, directory, about)
            else:
                settings = judge_settings(self.judge_cfg, self.options)
                with judged_by(self.judge_cfg):
                    run, whole = judge_rows(rows, answers, settings, directory, about)
            metrics, details = results_of(run, whole, rows)
            if len(rows) < len(whole.prompts):
                parts.join(run.path, whole, settings, log)
            return {**metrics, "details": details}

    @property
    def _directory(self) -> Path:
        """Where the run is kept: beside the file of results, by its name; every repetition has one of its own."""
        place = Path(self.output_dir)
        repetition = self.dataset_replica_idx
        return place.with_name(f"{place.name}_repetition{repetition}") if repetition else place


def check_options(options: Mapping[str, Any]) -> None:
    """Refuse options of an evaluator that are none of the judge's.

    Raises:
        ConfigError: names the first one.
    """
    known = [option.key for option in OPTIONS]
    for name in options:
        if "key" in name.lower():
            msg = (
                f"{name} must not be in a config, which OpenCompass copies into its work directory: set {KEY_VARIABLE} "
                "instead, and delete those copies."
            )
            raise ConfigError(msg)
        if name not in known:
            raise ConfigError(unknown_name("option of the evaluator", name, known))


def settings_from(options: Mapping[str, Any], suite: str) -> JudgeSettings:
    """Return the judge settings that an evaluator's options, the environment and the card come to."""
    used = twins_used(os.environ, options)
    if used:
        log.info("the judge comes from %s, as no other was chosen", ", ".join(used.values()))
    return resolve_settings(options, environ=with_twins(os.environ, options), default_judge=default_judge(suite))
