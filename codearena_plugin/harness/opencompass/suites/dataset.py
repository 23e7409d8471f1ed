"""A suite as a data set of OpenCompass; its rows say how to load the suite again, so evaluators need no options."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from datasets import Dataset
from opencompass.datasets.base import BaseDataset

from codearena_plugin.errors import DataError
from codearena_plugin.harness.arrow import text_for_arrow
from codearena_plugin.harness.opencompass.exits import plain_errors
from codearena_plugin.prompts.suite import Suite, SuiteOptions, answered_part, load_suite
from codearena_plugin.records import Prompt
from codearena_plugin.runs.options import resolve_options


class CodeArenaDataset(BaseDataset):  # type: ignore[misc]
    """Rows: ``id``, ``messages`` (turns with role and content), category columns, and ``suite`` (how it was loaded)."""

    @staticmethod
    def load(suite: str = "codearena", **options: Any) -> Dataset:
        """Return the rows of a suite.

        Args:
            suite: name under which a plugin offers it.
            options: ``codearena_data``, ``codearena_baseline``, … as everywhere; else the environment. What else
                a data set's config holds is not ours.
        """
        with plain_errors():
            chosen = resolve_options(options, suite).suite
            loaded = load_suite(suite, chosen)
            origin = json.dumps({"name": suite, "options": asdict(chosen), "fingerprint": loaded.fingerprint})
            return Dataset.from_list([_row(prompt, origin) for prompt in loaded.prompts])


def suite_of(rows: Sequence[Mapping[str, Any]]) -> tuple[Suite, Suite]:
    """Return the suite that rows belong to: as much of it as they ask, and all of it.

    Raises:
        DataError: there is no row, or the suite's file changed since the rows were made.
    """
    if not rows:
        msg = "OpenCompass passed no row to the evaluator; look at test_range in the data set's reader_cfg."
        raise DataError(msg)
    origin = json.loads(rows[0]["suite"])
    suite = load_suite(origin["name"], SuiteOptions(**origin["options"]))
    if suite.fingerprint != origin["fingerprint"]:
        msg = f"{suite.source} changed while OpenCompass ran: fingerprint {suite.fingerprint[:12]}. Start again."
        raise DataError(msg)
    return answered_part(suite, {row["id"] for row in rows}), suite


def suite_name_of(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the name of the suite that rows belong to."""
    return str(json.loads(rows[0]["suite"])["name"])


def _row(prompt: Prompt, origin: str) -> dict[str, Any]:
    return {
        "id": prompt.id,
        "messages": [{"role": turn.role, "content": text_for_arrow(turn.content)} for turn in prompt.messages],
        "class": prompt.category.main_class if prompt.category else None,
        "sub_class": prompt.category.sub_class if prompt.category else None,
        "languages": list(prompt.languages),
        "difficulty": prompt.difficulty,
        "natural_language": prompt.natural_language,
        "suite": origin,
    }
