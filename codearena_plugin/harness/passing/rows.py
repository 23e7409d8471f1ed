"""Verdicts on the samples of one problem as plain data: for a harness' logs, and on their way from other processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from codearena_plugin.execution.evalplus.problems import Checked

_MOST = 1000


def row_of(checked: Sequence[Checked]) -> list[dict[str, Any]]:
    """Return the verdicts, with inputs as text: some are sets, which JSON has not, and some are megabytes."""
    return [
        {
            "index": one.index,
            "base": one.base,
            "plus": one.plus,
            "why": one.why,
            "solution": one.solution,
            "base_failed": [_shown(value) for value in one.base_failed],
            "plus_failed": [_shown(value) for value in one.plus_failed],
        }
        for one in checked
    ]


def checked_from(task_id: str, rows: Sequence[Mapping[str, Any]]) -> list[Checked]:
    """Return what ``row_of`` was made from, with inputs as they are shown."""
    return [
        Checked(
            task_id=task_id,
            index=row["index"],
            solution=row["solution"],
            base=row["base"],
            plus=row["plus"],
            base_failed=tuple(row["base_failed"]),
            plus_failed=tuple(row["plus_failed"]),
            why=row["why"],
        )
        for row in rows
    ]


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= _MOST else f"{text[:_MOST]}… ({len(text)} characters)"
