"""One run, or one part of it, in six numbers, each with its n."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from codearena_plugin.records import Interval, Outcome
from codearena_plugin.scoring.rates import mean_interval


@dataclass(frozen=True, slots=True)
class Summary:
    """The rates of a sequence of outcomes, each in [0, 1], with intervals clustered by prompt.

    Attributes:
        n_prompts: outcomes that were due; a prompt that was answered r times counts r times.
        n_scored: those of them that have a score.
        coverage: n_scored / n_prompts; 0.0 if nothing was due. Read no rate without it.
        win_rate: share of scored prompts where the answer beat the baseline; ``None`` if none was scored.
        tie_rate: likewise, neither was better.
        loss_rate: likewise, the baseline beat the answer.
        score: win_rate + tie_rate / 2.
        order_consistency: share of prompts whose two games name the same winner; ``None`` without two orders.
    """

    n_prompts: int
    n_scored: int
    coverage: float
    win_rate: Interval | None
    tie_rate: Interval | None
    loss_rate: Interval | None
    score: Interval | None
    order_consistency: Interval | None


def summarise(outcomes: Sequence[Outcome], *, confidence: float = 0.95) -> Summary:
    """Return the rates of ``outcomes``, shape (n,), in any order; equal prompt ids are one cluster.

    A prompt without a score is in ``n_prompts`` and in no rate. An empty sequence has coverage 0.0 and no rate.

    Raises:
        ValueError: a score is NaN or outside [0, 1], or ``confidence`` is outside (0, 1).
    """
    scored = [(item.prompt_id, item.score) for item in outcomes if item.score is not None]
    ids = [prompt_id for prompt_id, _ in scored]
    scores = [score for _, score in scored]
    consistent = [(item.prompt_id, item.consistent) for item in outcomes if item.consistent is not None]
    return Summary(
        n_prompts=len(outcomes),
        n_scored=len(scored),
        coverage=len(scored) / len(outcomes) if outcomes else 0.0,
        score=_interval(scores, ids, confidence),
        win_rate=_interval([float(score > 0.5) for score in scores], ids, confidence),
        tie_rate=_interval([float(score == 0.5) for score in scores], ids, confidence),
        loss_rate=_interval([float(score < 0.5) for score in scores], ids, confidence),
        order_consistency=_interval(
            [float(same) for _, same in consistent], [prompt_id for prompt_id, _ in consistent], confidence
        ),
    )


def withheld_reason(summary: Summary, min_coverage: float) -> str | None:
    """Return why no score may be shown, as one line, or ``None`` if it may.

    A score is withheld if nothing was scored or the coverage is below ``min_coverage``, in [0, 1]: the prompts that
    failed are not a random part of the suite.

    Raises:
        ValueError: ``min_coverage`` is NaN or outside [0, 1].
    """
    if not 0 <= min_coverage <= 1:
        msg = f"min_coverage is {min_coverage!r}; expected a number from 0 to 1, such as 0.95."
        raise ValueError(msg)
    if summary.n_scored == 0:
        return f"none of {summary.n_prompts} prompts was scored"
    if summary.coverage < min_coverage:
        return (
            f"only {summary.n_scored} of {summary.n_prompts} prompts were scored "
            f"(coverage {summary.coverage:.4f}, required {min_coverage:g})"
        )
    return None


def _interval(values: Sequence[float], clusters: Sequence[str], confidence: float) -> Interval | None:
    return mean_interval(values, clusters=clusters, confidence=confidence) if values else None
