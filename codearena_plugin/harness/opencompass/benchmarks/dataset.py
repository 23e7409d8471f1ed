"""A benchmark of EvalPlus as a data set of OpenCompass; its rows say which file it was."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from datasets import Dataset
from opencompass.datasets.base import BaseDataset

from codearena_plugin.errors import DataError
from codearena_plugin.execution.evalplus.problems import Benchmark
from codearena_plugin.harness.opencompass.exits import plain_errors
from codearena_plugin.harness.passing.checking import DATA, chosen, known_style
from codearena_plugin.harness.passing.prompts import document_of


class BenchmarkDataset(BaseDataset):  # type: ignore[misc]
    """Rows: ``id`` (of the problem), ``messages`` (the conversation), ``completed`` (for base models), ``origin``."""

    @staticmethod
    def load(benchmark: str, style: str = "chat", **options: Any) -> Dataset:
        """Return the rows of a benchmark.

        Args:
            benchmark: "humaneval" or "mbpp".
            style: "chat" or "base".
            options: ``codearena_evalplus_data``; else the environment. What else a data set's config holds is not ours.
        """
        with plain_errors():
            own = {DATA: options[DATA]} if options.get(DATA) else {}
            found = chosen(benchmark, own, benchmark).benchmark
            origin = json.dumps({"name": found.name, "style": known_style(style), "md5": found.md5, **own})
            return Dataset.from_list([{**document_of(problem), "origin": origin} for problem in found.problems])


def origin_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return how the benchmark of rows was loaded: ``name``, ``style``, ``md5``, and its file where one was named.

    Raises:
        DataError: there is no row.
    """
    if not rows:
        msg = "OpenCompass passed no row to the evaluator; look at test_range in the data set's reader_cfg."
        raise DataError(msg)
    found: dict[str, Any] = json.loads(rows[0]["origin"])
    return found


def refuse_another(benchmark: Benchmark, origin: Mapping[str, Any]) -> None:
    """Refuse a benchmark that is not the one of the rows.

    Raises:
        DataError: the file changed.
    """
    if benchmark.md5 != origin["md5"]:
        msg = f"{benchmark.source} changed while OpenCompass ran: md5 {benchmark.md5[:12]}. Start again."
        raise DataError(msg)
