"""Rows and files that the tests of this folder start from."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

WriteRows = Callable[..., Path]


def a_row(number: int = 1, **fields: Any) -> dict[str, Any]:
    """Return a plain good row; ``fields`` replace or add to it."""
    row: dict[str, Any] = {
        "id": f"p{number}",
        "messages": [{"role": "user", "content": f"Write function number {number} in Python."}],
        "gpt-4-turbo-2024-04-09_response": f"def f{number}(): ...",
        "difficulty": "easy",
        "programming_language": ["python"],
    }
    return row | fields


@pytest.fixture
def make_row() -> Callable[..., dict[str, Any]]:
    return a_row


@pytest.fixture
def write_rows(tmp_path: Path) -> WriteRows:
    def write(rows: Iterable[Any], name: str = "prompts.jsonl") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return path

    return write


@pytest.fixture(autouse=True)
def _no_data_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CODEARENA_DATA", raising=False)
