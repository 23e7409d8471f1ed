"""The text that a base model completes, as it is: nothing in it is a template."""

from __future__ import annotations

from typing import Any

from opencompass.openicl.icl_inferencer import GenInferencer

from codearena_plugin.execution.evalplus.problems import BenchmarkName
from codearena_plugin.execution.evalplus.run import base_stops
from codearena_plugin.harness.opencompass.template import ColumnTemplate


class CompletionTemplate(ColumnTemplate):
    """Gives a row's ``completed`` to the model."""

    column = "completed"

    def given(self, value: str) -> str:
        """Return the text itself."""
        return value


class CompletionInferencer(GenInferencer):  # type: ignore[misc]
    """Has the model complete texts, up to EvalPlus' stop sequences."""

    def __init__(self, benchmark: BenchmarkName, **options: Any) -> None:
        given = options.pop("stopping_criteria", [])
        super().__init__(**options, stopping_criteria=[*base_stops(benchmark), *given])
