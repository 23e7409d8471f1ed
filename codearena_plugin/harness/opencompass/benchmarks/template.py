"""The text that a base model completes, as it is: nothing in it is a template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opencompass.openicl.icl_inferencer import GenInferencer
from opencompass.openicl.icl_prompt_template import PromptTemplate

from codearena_plugin.execution.evalplus.problems import BenchmarkName
from codearena_plugin.execution.evalplus.run import base_stops


class CompletionTemplate(PromptTemplate):  # type: ignore[misc]
    """Gives a row's ``completed`` to the model."""

    def __init__(self) -> None:
        super().__init__(template="{completed}")

    def generate_item(self, entry: Mapping[str, Any], *_: Any, **__: Any) -> str:
        """Return the text of a row."""
        return str(entry["completed"])

    generate_ice_item = generate_item
    generate_label_prompt_item = generate_item


class CompletionInferencer(GenInferencer):  # type: ignore[misc]
    """Has the model complete texts, up to EvalPlus' stop sequences."""

    def __init__(self, benchmark: BenchmarkName, **options: Any) -> None:
        given = options.pop("stopping_criteria", [])
        super().__init__(**options, stopping_criteria=[*base_stops(benchmark), *given])
