"""Runs whose games were played elsewhere: what their manifests do not know, and how they are read all the same.

An import may hold verdicts without the answers and questions that they are about. Its manifest then says so:
``answers.absent`` is true (and ``answers.jsonl`` has ``null`` for every text, which no reader takes for an empty
answer), ``suite.questions`` is false. What is not known of the judge is ``"unknown"`` or ``null``, never a default.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from typing import Any

from codearena_plugin.prompts.suite import Suite
from codearena_plugin.records import Prompt

UNKNOWN = "unknown"


def is_imported(manifest: Mapping[str, Any]) -> bool:
    """Return whether the games of a run were imported."""
    return "imported" in manifest


def has_answers(manifest: Mapping[str, Any]) -> bool:
    """Return whether the texts of the answers are in the run."""
    return not manifest["answers"].get("absent", False)


def has_questions(manifest: Mapping[str, Any]) -> bool:
    """Return whether a suite with the questions belongs to the run; if not, only their ids are known."""
    return bool(manifest["suite"].get("questions", True))


def bare_suite(name: str, prompt_ids: Collection[str], baseline: str, *, source: str) -> Suite:
    """Return a suite of which only the ids are known, in an order that depends on nothing but them.

    Its fingerprint is over the ids and the name of the baseline, so that imports of the same prompts compare with each
    other, and with no run whose questions are known.
    """
    ids = sorted(prompt_ids, key=lambda prompt_id: (len(prompt_id), prompt_id))
    known = json.dumps(["ids only", baseline, ids], separators=(",", ":"))
    return Suite(
        name=name,
        version="(imported)",
        revision=UNKNOWN,
        source=source,
        fingerprint=hashlib.sha256(known.encode("ascii")).hexdigest(),
        baseline=baseline,
        prompts=tuple(Prompt(prompt_id, messages=()) for prompt_id in ids),
    )
