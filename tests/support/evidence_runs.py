"""Evidence for tests: rows without running anything, and a sandbox where one works."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import pytest

from codearena_plugin.errors import ConfigError
from codearena_plugin.evidence.found import Evidence
from codearena_plugin.evidence.pieces import pieces_of
from codearena_plugin.evidence.record import SIDES, BlockEvidence, Side, SideRow, text_sha256
from codearena_plugin.execution.choose import choose
from codearena_plugin.execution.sandbox import SandboxOptions
from codearena_plugin.prompts.suite import Suite
from codearena_plugin.reasoning import strip_reasoning
from codearena_plugin.records import Answer


@functools.cache
def sandbox_name() -> str | None:
    """Return the sandbox that isolates and works here, if any."""
    try:
        return choose(SandboxOptions())[0]
    except ConfigError:
        return None


def needs_sandbox() -> None:
    if sandbox_name() is None:
        pytest.skip("no sandbox that isolates works on this machine")


def a_block(**fields: Any) -> BlockEvidence:
    given = {"key": "k", "kind": "program", "language": "Python", "n_blocks": 1, "n_lines": 10, "tried": True}
    return BlockEvidence(**{**given, **fields})


def a_row(*blocks: BlockEvidence, side: Side = "answer", text: str = "", **fields: Any) -> SideRow:
    given = {"prompt_id": "p000", "sandbox": "bubblewrap", "notice": ""}
    return SideRow(**{**given, **fields}, side=side, sha256=text_sha256(text), blocks=blocks)


def evidence_of(suite: Suite, answers: tuple[Answer, ...], grades: Mapping[tuple[str, Side], str]) -> Evidence:
    """Return evidence as if it had been found: "good", "failed" or, unless it is given, nothing to try."""
    texts = {answer.prompt_id: strip_reasoning(answer.text)[0] for answer in answers}
    rows = {}
    for prompt in suite.prompts:
        for side in SIDES:
            text = texts[prompt.id] if side == "answer" else prompt.baselines[suite.baseline]
            grade = grades.get((prompt.id, side))
            blocks = () if grade is None else (a_block(**GRADES[grade]),)
            rows[prompt.id, side] = a_row(*blocks, side=side, text=text, prompt_id=prompt.id)
    return Evidence(rows)


GRADES: Mapping[str, Mapping[str, Any]] = {
    "good": {"reached": "ran", "excerpt": "42"},
    "failed": {"reached": "parsed", "failed": "ran", "why": "ValueError: no", "excerpt": "ValueError: no"},
}


def kinds(text: str) -> list[tuple[str, str]]:
    """Return kind and language of every piece of an answer."""
    return [(piece.kind, piece.language) for piece in pieces_of(text)[0]]
