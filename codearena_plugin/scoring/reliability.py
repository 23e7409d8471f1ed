"""How far a judge can be relied on, read off its games: failures, love of the first place, ties, consistency.

None of it needs to know which answer is better. A judge that goes by the answers gives the first place half of its
decided games and names the same winner in both orders.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from codearena_plugin.records import ORDERS, STATUSES, Game, Interval, Label, Order, Status
from codearena_plugin.scoring.points import game_points
from codearena_plugin.scoring.rates import check_confidence, share_interval


@dataclass(frozen=True, slots=True)
class Reliability:
    """What games say about their judge; shares in [0, 1], intervals clustered by prompt.

    Attributes:
        n_prompts: different prompts that the games are about.
        n_games: all of them, failed ones included.
        statuses: how many games ended in each status; all statuses, in fixed order.
        first_position: share of decided games that the answer shown first won, of the prompts whose games were scored
            in both orders; 0.5 of a judge without a bias. Games that failed or tied are in it nowhere. ``None`` if none
            was decided, and of a run in one order: there it says only who is better.
        tie_rate: share of scored games that are a tie; ``None`` if none was scored.
        order_consistency: share of pairs of games, the same answer in both orders and both scored, that name the same
            winner; ``None`` if there is no such pair.
    """

    n_prompts: int
    n_games: int
    statuses: Mapping[Status, int]
    first_position: Interval | None
    tie_rate: Interval | None
    order_consistency: Interval | None


def reliability(runs: Sequence[Sequence[Game]], *, confidence: float = 0.95) -> Reliability:
    """Return what the games of one run or of several say about their judge.

    Args:
        runs: the games of each run, in any order. Both orders of a prompt are a pair within a run only; the games of
            a prompt are one cluster in all runs.
        confidence: in (0, 1).

    Raises:
        ValueError: a run has two games of the same prompt and order, or ``confidence`` is outside (0, 1).
    """
    return _summed(_counted(runs).values(), confidence)


def reliability_by(
    runs: Sequence[Sequence[Game]],
    strata: Mapping[str, Sequence[str]],
    order: Sequence[str],
    *,
    confidence: float = 0.95,
) -> list[tuple[str, Reliability]]:
    """Return one row per stratum that has a game, first those in ``order``, then the others alphabetically.

    Args:
        runs: as for ``reliability``.
        strata: prompt id -> the names it belongs to; several (a prompt about two languages) or none.
        order: names in the order of the rows; need not be complete, may name strata that have no game.
        confidence: in (0, 1).

    Raises:
        ValueError: a prompt is missing from ``strata``; else as ``reliability``.
    """
    members: dict[str, list[_Counts]] = {}
    for prompt_id, counts in _counted(runs).items():
        if prompt_id not in strata:
            msg = f"Prompt {prompt_id!r} has no strata; give it an empty sequence if it belongs to none."
            raise ValueError(msg)
        for name in dict.fromkeys(strata[prompt_id]):
            members.setdefault(name, []).append(counts)
    fixed = [name for name in dict.fromkeys(order) if name in members]
    others = sorted(members.keys() - set(fixed))
    return [(name, _summed(members[name], confidence)) for name in [*fixed, *others]]


class _Counts:
    """The games of one prompt, counted."""

    __slots__ = ("consistent", "decided", "first", "pairs", "scored", "statuses", "ties")

    def __init__(self) -> None:
        self.statuses: dict[Status, int] = {}
        self.scored = self.ties = self.decided = self.first = self.pairs = self.consistent = 0


# 1 the place or side in question won, 0 a tie, -1 the other won
_FIRST_WON: Mapping[Label, int] = {"A>>B": 1, "A>B": 1, "A=B": 0, "B>A": -1, "B>>A": -1}
_ANSWER_WON: Mapping[tuple[Label, Order], int] = {
    (label, order): (points > 0) - (points < 0)
    for label in _FIRST_WON
    for order in ORDERS
    for points in [game_points(label, order)]
}


_OTHER: Mapping[Order, Order] = dict(zip(ORDERS, reversed(ORDERS), strict=True))


def _counted(runs: Iterable[Iterable[Game]]) -> dict[str, _Counts]:
    """Return prompt id -> the counts of its games: one pass, for a leaderboard has tens of thousands of them."""
    found: dict[str, _Counts] = {}
    for games in runs:
        _count_run(games, found)
    return found


def _count_run(games: Iterable[Game], found: dict[str, _Counts]) -> None:
    of_this_run: dict[tuple[str, Order], tuple[int, int] | None] = {}  # did the answer win, did the first; None: failed
    for game in games:
        prompt_id, order, verdict = game.prompt_id, game.order, game.verdict
        counts = found.get(prompt_id)
        if counts is None:
            counts = found[prompt_id] = _Counts()
        counts.statuses[verdict.status] = counts.statuses.get(verdict.status, 0) + 1
        if (prompt_id, order) in of_this_run:
            msg = f"Prompt {prompt_id!r} has two games in order {order!r} in one run; expected one at most."
            raise ValueError(msg)
        label = verdict.label
        if label is None:
            of_this_run[prompt_id, order] = None
            continue
        first_won = _FIRST_WON[label]
        counts.scored += 1
        counts.ties += first_won == 0
        answer_won = _ANSWER_WON[label, order]
        of_this_run[prompt_id, order] = answer_won, first_won
        other = of_this_run.get((prompt_id, _OTHER[order]))
        if other is not None:
            counts.pairs += 1
            counts.consistent += other[0] == answer_won
            # of both orders, or a model that loses would look like a judge who likes the baseline's place
            counts.decided += (first_won != 0) + (other[1] != 0)
            counts.first += (first_won == 1) + (other[1] == 1)


def _summed(prompts: Iterable[_Counts], confidence: float) -> Reliability:
    rows = list(prompts)
    statuses = {status: sum(row.statuses.get(status, 0) for row in rows) for status in STATUSES}
    return Reliability(
        n_prompts=len(rows),
        n_games=sum(statuses.values()),
        statuses=statuses,
        first_position=_share([(row.first, row.decided) for row in rows], confidence),
        tie_rate=_share([(row.ties, row.scored) for row in rows], confidence),
        order_consistency=_share([(row.consistent, row.pairs) for row in rows], confidence),
    )


def _share(counts: Sequence[tuple[int, int]], confidence: float) -> Interval | None:
    """Return the share of the parts in their wholes; prompts without a whole say nothing about it."""
    usable = [(part, whole) for part, whole in counts if whole]
    check_confidence(confidence)
    if not usable:
        return None
    return share_interval([part for part, _ in usable], [whole for _, whole in usable], confidence=confidence)
