"""Evidence as a judge is shown it: what the code in both answers did when it was run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from codearena_plugin.errors import ConfigError
from codearena_plugin.judging.protocol.card import JudgeCard


@dataclass(frozen=True, slots=True)
class SideEvidence:
    """What is known of one side's code.

    Attributes:
        text: for a reader; hostile, for it may quote what the code printed.
        good_share: how much of the code, of which that is known, did what could be tried without a failure, in [0, 1];
            ``None`` where nothing is known. For a judge that is a program.
    """

    text: str
    good_share: float | None = None


@dataclass(frozen=True, slots=True)
class PairEvidence:
    """The evidence of both sides of a prompt: there is none for one side alone."""

    baseline: SideEvidence
    answer: SideEvidence


EvidenceOf = Mapping[str, PairEvidence]
"""Prompt id -> what the judge is shown of both sides."""


def check_evidence(card: JudgeCard, evidence: EvidenceOf | None, prompt_ids: list[str]) -> None:
    """Refuse to plan games that a card cannot be asked about.

    Raises:
        ConfigError: the card needs evidence, and a prompt has none; says what to run.
    """
    if card.prompt.evidence != "needed":
        return
    missing = [prompt_id for prompt_id in prompt_ids if prompt_id not in (evidence or {})]
    if missing:
        msg = (
            f"Judge {card.name!r} is shown what the code does when it is run, and {len(missing)} of {len(prompt_ids)} "
            f"prompts have no such evidence ({missing[0]!r}, …). Run: codearena execute ANSWERS; or give "
            "codearena_execute=true, which runs the answers' code in a sandbox."
        )
        raise ConfigError(msg)
