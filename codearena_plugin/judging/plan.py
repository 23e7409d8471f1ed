"""Plan the games of a suite: who is shown in which place, and which games are too long to be asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from codearena_plugin.judging.asking.prices import estimate_tokens
from codearena_plugin.judging.asking.request import JudgeRequest, reply_limit
from codearena_plugin.judging.protocol.evidence import EvidenceOf, PairEvidence, check_evidence
from codearena_plugin.judging.protocol.prompt import build_messages
from codearena_plugin.judging.settings import JudgeSettings
from codearena_plugin.records import ORDERS, Answer, Order, Prompt, Verdict


@dataclass(frozen=True, slots=True)
class Plan:
    """One game before it is played: its first request, or the verdict that makes asking pointless."""

    prompt_id: str
    order: Order
    request: JudgeRequest
    skipped: Verdict | None = None


def plan_games(
    prompts: Sequence[Prompt],
    baseline: str,
    answers: Mapping[str, Answer],
    settings: JudgeSettings,
    evidence: EvidenceOf | None = None,
) -> list[Plan]:
    """Return the games to play, both orders of a prompt next to each other.

    Args:
        answers: prompt id -> answer; every prompt must have one.
        evidence: of every prompt, where the card needs it; a card that shows none is not shown any.

    Raises:
        ConfigError: the card needs evidence, and a prompt has none.
    """
    check_evidence(settings.card, evidence, [prompt.id for prompt in prompts])
    orders = ORDERS if settings.order == "both" else (settings.order,)
    found = evidence or {}
    return [
        _plan(prompt, order, (prompt.baselines[baseline], answers[prompt.id].text), settings, found.get(prompt.id))
        for prompt in prompts
        for order in orders
    ]


def _plan(
    prompt: Prompt, order: Order, texts: tuple[str, str], settings: JudgeSettings, evidence: PairEvidence | None
) -> Plan:
    sides = (evidence.baseline, evidence.answer) if evidence else None
    if order == "answer_first":
        texts, sides = texts[::-1], sides[::-1] if sides else None
    messages = build_messages(
        settings.card,
        settings.texts,
        prompt.messages,
        *texts,
        languages=prompt.languages,
        evidence=sides,
    )
    request = JudgeRequest(settings.card.comparability, settings.model, messages, settings.sampling)
    return Plan(prompt.id, order, request, _too_long(request, settings))


def _too_long(request: JudgeRequest, settings: JudgeSettings) -> Verdict | None:
    window = settings.window_tokens
    if window is None:
        return None
    room = reply_limit(settings.sampling) or 0
    needed = sum(estimate_tokens(message.content) for message in request.messages) + room
    if needed <= window:
        return None
    return Verdict("skipped", reason=f"too long: about {needed} tokens with the reply, the judge takes {window}")
