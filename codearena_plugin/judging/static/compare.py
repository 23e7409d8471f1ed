"""Set the traits of two answers side by side: a weighted difference, and one of the five labels.

Weights and thresholds are ours and uncalibrated: set by judgement, not fitted to anybody's preferences.
Swapping the answers negates every term of the sum exactly, so that the label is swapped too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from codearena_plugin.judging.static import traits
from codearena_plugin.records import Label
from codearena_plugin.syntax import parsing


@dataclass(frozen=True, slots=True)
class Criterion:
    """One trait as it is weighed: field of ``Traits``, what it means, how much a full difference counts."""

    trait: str
    meaning: str
    weight: float


CRITERIA = (
    Criterion("unrefused", "answers instead of refusing", 3.0),
    Criterion("has_code", "has code where code is asked for", 3.0),
    Criterion("right_language", "code is in the language asked for", 2.0),
    Criterion("parses", "code parses", 2.0),
    Criterion("complete", "is complete: no stubs, no cut", 2.0),
    Criterion("on_topic", "takes up the terms of the question", 2.0),
    Criterion("same_language", "speaks the language of the question", 1.5),
    Criterion("explained", "explains beside the code", 1.0),
    Criterion("concise", "is not padded or repetitive", 1.0),
)
EVIDENCE = Criterion("evidence", "code does what could be tried when it is run", 2.0)
"""Weighed only where both sides were tried; without evidence nothing of it is said."""
LENGTH_WEIGHT = 1.0  # for being out of all proportion longer than the other answer
SLIGHT, SIGNIFICANT = 0.25, 2.0  # points of difference from which an answer is better, and much better

_TOTAL = sum(criterion.weight for criterion in CRITERIA) + LENGTH_WEIGHT
_PROPORTIONATE, _DISPROPORTIONATE = 4.0, 12.0
_SHORTEST_MEASURE = 600  # characters; a shorter answer is measured as if it had so many


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the judge finds.

    Attributes:
        margin: in [-1, 1], as a share of all points; above 0 where A is better.
        reasons: readable lines of our own words and numbers, without a word of either answer.
    """

    label: Label
    margin: float
    reasons: tuple[str, ...]


def compare(
    question: str,
    languages: Sequence[str],
    answer_a: str,
    answer_b: str,
    good_shares: tuple[float | None, float | None] | None = None,
) -> Comparison:
    """Compare two answers to a question by the traits that can be read off them.

    Args:
        good_shares: of A and B, how much of the code did what could be tried when it was run, in [0, 1]; ``None`` for
            one of them: not known. Without it nobody ran anything.

    >>> compare("Write a function that adds two numbers", ["Python"], "No.", "").label
    'A>>B'
    """
    a, b = traits.read(question, languages, answer_a), traits.read(question, languages, answer_b)
    weighed = [_weigh(one, getattr(a, one.trait), getattr(b, one.trait)) for one in CRITERIA]
    total = _TOTAL
    if good_shares is not None:
        weighed.append(_weigh(EVIDENCE, *good_shares))
        total += EVIDENCE.weight
    points = 0.0
    for difference, _ in weighed:
        points += difference
    reasons = [reason for _, reason in weighed]
    length = LENGTH_WEIGHT * (_excess(answer_b, answer_a) - _excess(answer_a, answer_b))
    if length:
        reasons.append(f"- is in proportion to the other answer: {length:+.2f} points for A")
    points += length
    if (a.parses is None or b.parses is None) and not parsing.has_extra():
        reasons.append("- more languages could be parsed with: pip install 'codearena-plugin[syntax]'")
    reasons.append(
        f"Points for A over B: {points:+.2f} of {total:g}; better from {SLIGHT:g}, much better from {SIGNIFICANT:g}."
    )
    return Comparison(_label(points), points / total, tuple(reasons))


def _weigh(criterion: Criterion, left: float | None, right: float | None) -> tuple[float, str]:
    said = f"- {criterion.meaning}: A {_said(left)}, B {_said(right)}"
    if left is None or right is None:
        return 0.0, f"{said}; counts for neither"
    return criterion.weight * (left - right), f"{said} (weight {criterion.weight:g})"


def _said(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2f}"


def _excess(answer: str, other: str) -> float:
    """Return from 0 to 1 how far an answer is out of proportion to the other; 0 up to four times its length."""
    times = len(answer.strip()) / max(_SHORTEST_MEASURE, len(other.strip()))
    return min(1.0, max(0.0, (times - _PROPORTIONATE) / (_DISPROPORTIONATE - _PROPORTIONATE)))


def _label(points: float) -> Label:
    if abs(points) < SLIGHT:
        return "A=B"
    if abs(points) < SIGNIFICANT:
        return "A>B" if points > 0 else "B>A"
    return "A>>B" if points > 0 else "B>>A"
