"""Two judgements of the same answers: how many verdicts differ, and what that does to the score.

Whoever judges the same answers twice, as with and without evidence, asks whether a prompt's outcome stays. A judge
that is asked twice in the same way flips some verdicts too; only a repeated run tells how many.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from codearena_plugin.records import Interval, Outcome
from codearena_plugin.scoring.paired import PairedDifference, difference_of_scores
from codearena_plugin.scoring.rates import mean_interval

SCORES = (1.0, 0.5, 0.0)


@dataclass(frozen=True, slots=True)
class Flips:
    """What differs between two judgements.

    Attributes:
        table: (score in the first, score in the second) -> prompts; all nine cells.
        flipped: share of prompts whose outcome is not the same, in [0, 1].
        reversed: share of prompts whose winner is the other one: a win became a loss, or a loss a win.
        change: mean score of the second minus that of the first, paired prompt by prompt, in [-1, 1].
    """

    table: Mapping[tuple[float, float], int]
    flipped: Interval
    reversed: Interval
    change: PairedDifference


def flips(first: Sequence[Outcome], second: Sequence[Outcome], *, confidence: float = 0.95) -> Flips:
    """Return how two judgements of the same answers differ, over the prompts that both scored.

    Raises:
        ValueError: no prompt is scored in both, or ``confidence`` is outside (0, 1).

    >>> a = [Outcome(str(i), score, 0, None) for i, score in enumerate([1.0, 1.0, 0.5, 0.0])]
    >>> b = [Outcome(str(i), score, 0, None) for i, score in enumerate([1.0, 0.0, 1.0, 0.0])]
    >>> found = flips(a, b)
    >>> found.table[1.0, 0.0], found.flipped.estimate, found.reversed.estimate, found.change.difference.estimate
    (1, 0.5, 0.25, -0.125)
    """
    a, b = ({one.prompt_id: one.score for one in outcomes if one.score is not None} for outcomes in (first, second))
    change = difference_of_scores(b, a, confidence=confidence)
    pairs = [(a[key], b[key]) for key in a.keys() & b.keys()]
    return Flips(
        {(x, y): pairs.count((x, y)) for x in SCORES for y in SCORES},
        mean_interval([float(x != y) for x, y in pairs], confidence=confidence),
        mean_interval([float(abs(x - y) == 1.0) for x, y in pairs], confidence=confidence),
        change,
    )
