"""The evaluator of the benchmarks: OpenCompass' default task runs it, and it runs the programs in our sandbox.

OpenCompass has no question about unsafe code, so this asks it itself; what was generated waits for the answer.
"""

from __future__ import annotations

import importlib.metadata
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from opencompass.openicl.icl_evaluator import BaseEvaluator
from opencompass.utils import get_logger

from codearena_plugin.errors import ConfigError, DataError, IncompleteRunError
from codearena_plugin.execution.evalplus.problems import Checked
from codearena_plugin.harness.opencompass.benchmarks.dataset import origin_of, refuse_another
from codearena_plugin.harness.opencompass.exits import plain_errors
from codearena_plugin.harness.passing.checking import DATA, Chosen, Generated, check, chosen, preflight, programs_in
from codearena_plugin.harness.passing.rows import row_of
from codearena_plugin.harness.passing.run import PassRun, finish, free_place, keep_samples, lines_of
from codearena_plugin.prompts.predictions import asks
from codearena_plugin.prompts.suite import listed
from codearena_plugin.records import Message, Prompt

CONSENT = "CODEARENA_RUN_UNSAFE_CODE"
log = get_logger()


class BenchmarkEvaluator(BaseEvaluator):  # type: ignore[misc]
    """Runs each prediction on the tests of its problem.

    Args:
        confirm_run_unsafe_code: yes, run what a model wrote; so does ``CODEARENA_RUN_UNSAFE_CODE=1``.
        pred_postprocessor: as of every evaluator; programs are taken out of their text anyway.
        options: ``codearena_engine``, ``codearena_sandbox``, ``codearena_workers``, … as in lm-eval's ``--metadata``.
    """

    def __init__(
        self,
        confirm_run_unsafe_code: bool = False,
        pred_postprocessor: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(pred_postprocessor)
        self.has_consent = confirm_run_unsafe_code or os.environ.get(CONSENT, "").lower() in {"1", "true", "yes"}
        self.options = options

    def score(
        self,
        predictions: Sequence[Any],
        references: Sequence[str],
        test_set: Any,
        gold: Any,
        origin_prompt: Sequence[Any] | None = None,
    ) -> dict[str, Any]:
        """Return pass@1 in percent, with details.

        Args:
            predictions: of the model, one for each row.
            references: names of the problems.
            test_set: rows of ``BenchmarkDataset``, in the same order.
            gold: names that were stored with the predictions.
            origin_prompt: what was asked, as it was stored with them.

        Raises:
            ConfigError: nobody said that code may be run. IncompleteRunError: there is no trustworthy score.
        """
        with plain_errors():
            if not self.has_consent:
                msg = (
                    "This benchmark runs programs that a model wrote. Say so: confirm_run_unsafe_code=True in its "
                    f"eval_cfg's evaluator, or {CONSENT}=1; then evaluate again (-m eval -r), predictions are kept."
                )
                raise ConfigError(msg)
            rows = list(test_set)
            _refuse_other_problems(rows, references, gold, origin_prompt)
            return self._checked(rows, predictions)

    def _checked(self, rows: Sequence[Mapping[str, Any]], predictions: Sequence[Any]) -> dict[str, Any]:
        origin, directory = origin_of(rows), Path(self.output_dir).resolve()
        own = {DATA: origin[DATA]} if DATA in origin else {}
        its = chosen(origin["name"], {**own, **self.options}, directory.name)
        refuse_another(its.benchmark, origin)
        its = replace(its, options=preflight(its.options))
        texts = _texts(rows, predictions)
        samples = programs_in(its.benchmark, texts, origin["style"])
        place, model = free_place(directory, its, samples, log), directory.parent.name
        keep_samples(place, model, texts, samples)
        checked = check(its.benchmark, samples, its.options, say=log.info)
        run = finish(place, model, its, checked, _about(its, directory, origin["style"]))
        for level, line in lines_of(run):
            log.log(level, "%s", line)
        if run.withheld:
            msg = f"NO SCORE: {run.withheld} (opencompass … -m eval -r evaluates again)"
            raise IncompleteRunError(msg)
        return {**metrics_of(run), "details": [_details(one, run) for one in checked]}


def metrics_of(run: PassRun) -> dict[str, float]:
    """Return the numbers of a run, shares in percent; pass@1 on base and plus tests comes first: it is the main one."""
    found: dict[str, float] = {}
    for name, pass_at in (("pass@1", run.result.plus), ("pass@1_base", run.result.base)):
        if 1 in pass_at:
            found[name] = 100 * pass_at[1].estimate
            found[f"{name}_low"], found[f"{name}_high"] = 100 * pass_at[1].low, 100 * pass_at[1].high
    return {**found, "coverage": 100 * run.coverage, "n_problems": run.result.n_problems}


def _details(one: Checked, run: PassRun) -> dict[str, Any]:
    """Return one row; no key is ``correct``, of which OpenCompass would make statistics of its own."""
    (row,) = row_of([one])
    return {"problem": one.task_id, **row, "run": str(run.path)}


def _texts(rows: Sequence[Mapping[str, Any]], predictions: Sequence[Any]) -> list[Generated]:
    pairs = list(zip(rows, predictions, strict=True))
    odd = [row["id"] for row, text in pairs if text is not None and not isinstance(text, str)]
    twice = [name for name, n in Counter(row["id"] for row in rows).items() if n > 1]
    if odd or twice:
        msg = f"{len(odd or twice)} problems have not one text each: {listed(odd or twice)}; expected n=1 and k=1."
        raise DataError(msg)
    return [Generated(row["id"], text or "") for row, text in pairs]


def _refuse_other_problems(
    rows: Sequence[Mapping[str, Any]], references: Sequence[str], gold: Any, asked: Sequence[Any] | None
) -> None:
    """Refuse predictions that were made for other problems.

    Raises:
        DataError: other names, or other texts under the same names.
    """
    is_same = list(gold) == list(references)
    style = origin_of(rows)["style"]
    for row, text in zip(rows, asked or [None] * len(rows), strict=True):
        question = row["completed"] if style == "base" else row["question"]
        is_same = is_same and asks(text, Prompt(id=row["id"], messages=(Message("user", question),)))
    if not is_same:
        msg = "The predictions are not of these problems: the benchmark changed since they were made. Infer again."
        raise DataError(msg)


def _about(its: Chosen, directory: Path, style: str) -> dict[str, Any]:
    return {
        "name": "opencompass",
        "version": importlib.metadata.version("opencompass"),
        "work_dir": str(directory.parents[2]),  # its configs/ say how the samples were generated
        "dataset": directory.name,
        "style": style,
        "prefill": "no: OpenCompass does not begin answers" if style == "chat" else "",
        "workers": its.options.workers,
    }
