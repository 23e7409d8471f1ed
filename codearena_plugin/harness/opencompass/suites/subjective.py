"""The subjective pipeline: ``SubjectiveEvalTask`` hands over a judge model of OpenCompass; we play the games with it.

OpenCompass' own ``LMEvaluator`` replaces placeholders in the candidates' text, drops verdicts that it cannot read, and
dies of one failed call; so this one takes its place in the config, beside the same partitioner, task and summarizer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from opencompass.utils import build_dataset_from_cfg, get_data_path

from codearena_plugin.errors import ConfigError
from codearena_plugin.harness.opencompass.backend import judge_settings, judged_by
from codearena_plugin.harness.opencompass.exits import plain_errors
from codearena_plugin.harness.opencompass.suites.dataset import suite_of
from codearena_plugin.harness.opencompass.suites.evaluator import check_options
from codearena_plugin.harness.opencompass.suites.judging import answers_of, judge_rows, results_of
from codearena_plugin.harness.opencompass.suites.parts import as_opencompass_groups
from codearena_plugin.prompts.predictions import refuse_other_prompts, stored_entries


class CodeArenaSubjectiveEvaluator:
    """Has one of OpenCompass' models compare each prediction with the suite's baseline answer, in both orders.

    Args:
        judge_cfg, dataset_cfg, output_path: given by the task.
        options: ``judge`` (a card with a prompt), ``judge_order``, ``judge_min_coverage``, …
    """

    def __init__(
        self, judge_cfg: Mapping[str, Any], dataset_cfg: Mapping[str, Any], output_path: str, **options: Any
    ) -> None:
        self.judge_cfg = judge_cfg
        self.dataset_cfg = dataset_cfg
        self.directory = Path(output_path).with_suffix("")
        self.options = options

    def score(
        self,
        predictions: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        judgements: Any = None,
        references: Any = None,
        meta: bool = False,
        infer_order: str | None = None,
    ) -> dict[str, Any]:
        """Return the numbers of the run, with details.

        Raises:
            UsageError: nothing was asked. IncompleteRunError: there is no trustworthy score.
        """
        with plain_errors():
            check_options(self.options)
            if not isinstance(predictions, Mapping) or judgements or meta or infer_order:
                msg = (
                    "CodeArena's subjective data sets bring their baseline answers and play both orders themselves: "
                    "expected mode='singlescore' without infer_order, base_models or a meta judge."
                )
                raise ConfigError(msg)
            rows = list(build_dataset_from_cfg(self.dataset_cfg).test)
            model = str(predictions["model_name"])
            self._refuse_other_prompts(rows, model)
            answers = answers_of(rows, predictions["model_preds"], model)
            settings = judge_settings(self.judge_cfg, self.options)
            with judged_by(self.judge_cfg):
                run, whole = judge_rows(rows, answers, settings, self.directory, {"dataset": self.directory.name})
            metrics, details = results_of(run, whole, rows)
            return {**metrics, "details": as_opencompass_groups(details, self.directory.name)}

    def _refuse_other_prompts(self, rows: Sequence[Mapping[str, Any]], model: str) -> None:
        """Compare the rows with what was stored beside the predictions: the task hands over their texts alone.

        Raises:
            DataError: they belong to other prompts, or cannot be read.
        """
        place, test_range = stored_at(self.directory, self.dataset_cfg, model)
        entries = stored_entries(place)[test_range]
        ids = [str(row["id"]) for row in rows]
        golds, asked = ([entry.get(name) for entry in entries] for name in ("gold", "origin_prompt"))
        refuse_other_prompts(golds, asked, ids, suite_of(rows)[1].by_id)


def stored_at(directory: Path, dataset_cfg: Mapping[str, Any], model: str) -> tuple[Path, slice]:
    """Return where the task found the predictions that it hands over, and which of them."""
    folder = directory.resolve().parents[2] / "predictions" / model
    for given in dataset_cfg.get("given_pred") or []:
        if given["abbr"] == model:
            folder = Path(get_data_path(given["path"], local_mode=True))
    name, chosen = directory.name, dataset_cfg.get("reader_cfg", {}).get("test_range")
    if not chosen:
        return folder / f"{name}.json", slice(None)
    ends = str(chosen).strip("[]").split(":")
    return folder / f"{name.rpartition('_')[0]}.json", slice(*(int(end) if end.strip() else None for end in ends))
