"""Comparisons as rows: what a fit over models, prompts and contrasts of style is made from."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codearena_plugin.leaderboard.players import Match
from codearena_plugin.records import Game
from codearena_plugin.scoring.bradley_terry import Comparisons
from codearena_plugin.scoring.points import game_points

Array = NDArray[np.float64]

POSITION = "shown_first"


class Row(NamedTuple):
    """One comparison.

    Attributes:
        model: index of the model whose score it is.
        opponent: index of the model it met; -1 is the board's reference.
        prompt: index of the prompt, the cluster.
        score: of the model, in [0, 1].
        contrasts: of its answer with the opponent's, shape (k,).
    """

    model: int
    opponent: int
    prompt: int
    score: float
    contrasts: tuple[float, ...] = ()


class Compared(NamedTuple):
    """One comparison of a run: the prompt, the score of the run's answer in [0, 1], and its contrasts."""

    prompt_id: str
    score: float
    contrasts: tuple[float, ...] = ()


def rows_of(
    matches: Sequence[Match],
    compared: Sequence[Iterable[Compared]],
    names: Sequence[str],
    prompt_ids: Sequence[str],
) -> list[Row]:
    """Return the comparisons of all matches as rows.

    Args:
        matches: the runs, shape (n,).
        compared: what was compared in each of them, shape (n,).
        names: of the players but the reference; a row's indices point into it, -1 is the reference.
        prompt_ids: of all prompts; likewise.
    """
    player = {name: i for i, name in enumerate(names)}
    prompt = {prompt_id: i for i, prompt_id in enumerate(prompt_ids)}
    rows = []
    for match, found in zip(matches, compared, strict=True):
        model, opponent = player.get(match.player, -1), player.get(match.opponent, -1)
        for one in found:
            if model >= 0:
                rows.append(Row(model, opponent, prompt[one.prompt_id], one.score, one.contrasts))
            else:  # the reference's own run against another baseline, seen from the other side
                turned = tuple(-value for value in one.contrasts)
                rows.append(Row(opponent, -1, prompt[one.prompt_id], 1 - one.score, turned))
    return rows


def games_with_position(
    games: Sequence[Game], contrasts: Mapping[str, tuple[float, ...]], scored: Container[str]
) -> Iterator[Compared]:
    """Yield the games of the prompts that have a score, so that raw and controlled scores rest on the same prompts.

    A game that failed counts as equal: only in reference mode does its prompt have a score. The last contrast is +½
    where the answer was shown first, else -½.
    """
    for game in games:
        if game.prompt_id in scored:
            points = game_points(game.verdict.label, game.order) if game.verdict.label else 0
            score = 1.0 if points > 0 else 0.5 if points == 0 else 0.0
            shown_first = 0.5 if game.order == "answer_first" else -0.5
            yield Compared(game.prompt_id, score, (*contrasts[game.prompt_id], shown_first))


def prompts_met(rows: Sequence[Row], n_models: int) -> list[int]:
    """Return on how many prompts each model met another one, shape (n_models,)."""
    met: list[set[int]] = [set() for _ in range(n_models)]
    for row in rows:
        met[row.model].add(row.prompt)
        if row.opponent >= 0:
            met[row.opponent].add(row.prompt)
    return [len(prompts) for prompts in met]


def comparisons_of(rows: Sequence[Row], covariates: Array, *, n_models: int, n_prompts: int) -> Comparisons:
    """Return rows as arrays, with covariates of shape (R, k) in place of their contrasts."""
    return Comparisons(
        model=np.array([row.model for row in rows]),
        opponent=np.array([row.opponent for row in rows]),
        score=np.array([row.score for row in rows]),
        cluster=np.array([row.prompt for row in rows]),
        covariates=covariates,
        weight=np.ones(len(rows)),
        n_models=n_models,
        n_clusters=n_prompts,
    )
