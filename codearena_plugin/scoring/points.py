"""From labels to outcomes: the paper's scoring rule, one prompt at a time.

A slight preference is 1 point, a significant one 2; the points of both games are summed, and their sign decides.

References:
    Yang et al. 2024, arXiv:2412.05210, sec. 4.2; the rule is read off the published ``judge_models.py`` (QwenLM/
    Qwen2.5-Coder), where ``A`` of the first game is the baseline.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from codearena_plugin.records import ORDERS, Game, Label, Order, OrderPolicy, Outcome, ReadingMode

_POINTS_OF_B: Mapping[Label, int] = {"A>>B": -2, "A>B": -1, "A=B": 0, "B>A": 1, "B>>A": 2}
_ANSWER_IS_B: Mapping[Order, int] = {"baseline_first": 1, "answer_first": -1}


def game_points(label: Label, order: Order) -> int:
    """Return the points of the answer in one game: -2, -1, 0, 1 or 2; positive where it beats the baseline.

    >>> game_points("B>>A", "baseline_first")
    2
    >>> game_points("B>>A", "answer_first")
    -2
    """
    return _ANSWER_IS_B[order] * _POINTS_OF_B[label]


def outcome(prompt_id: str, games: Sequence[Game], *, policy: OrderPolicy, mode: ReadingMode) -> Outcome:
    """Join the games of one prompt: more than 0 points in sum is a win (1.0), 0 a tie (0.5), less a loss (0.0).

    Args:
        prompt_id: the prompt that all ``games`` belong to.
        games: at most one per order that ``policy`` asks for, in any order; a game that is absent is not scored.
        policy: "both" expects two games, an order's name expects that one.
        mode: "default" scores a prompt only if every expected game is scored, so that no number comes from a
            failure. "reference" does as the published script: a game that was asked and not scored (unparsable,
            conflicting, refused, truncated, a failed call) counts 0 points, and two such games are a tie. That script
            asks every game, so a prompt with one that was never asked (skipped, absent, no reply) has no score here.

    Raises:
        ValueError: a game of another prompt, a second game of one order, or an order that ``policy`` does not ask for.
    """
    expected = ORDERS if policy == "both" else (policy,)
    points = _points_by_order(prompt_id, games, expected)
    played = [value for value in points.values() if value is not None]
    asked = sum(_was_asked(game) for game in games)
    consistent = len({_sign(value) for value in played}) == 1 if len(played) == len(ORDERS) else None
    if (len(played) if mode == "default" else asked) < len(expected):
        return Outcome(prompt_id, score=None, points=None, consistent=None)
    total = sum(played)
    return Outcome(prompt_id, score=(_sign(total) + 1) / 2, points=total, consistent=consistent)


def _was_asked(game: Game) -> bool:
    return game.verdict.status == "scored" or (game.verdict.status != "skipped" and bool(game.replies))


def _points_by_order(prompt_id: str, games: Sequence[Game], expected: Sequence[Order]) -> dict[Order, int | None]:
    points: dict[Order, int | None] = {}
    for game in games:
        if game.prompt_id != prompt_id:
            msg = f"A game of prompt {game.prompt_id!r} was given for prompt {prompt_id!r}."
            raise ValueError(msg)
        if game.order in points:
            msg = f"Prompt {prompt_id!r} has two games of order {game.order!r}; keep one of them."
            raise ValueError(msg)
        if game.order not in expected:
            msg = f"Prompt {prompt_id!r} has a game of order {game.order!r}; expected only {', '.join(expected)}."
            raise ValueError(msg)
        points[game.order] = None if game.verdict.label is None else game_points(game.verdict.label, game.order)
    return points


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)
