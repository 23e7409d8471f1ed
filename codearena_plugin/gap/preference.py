"""How much models are preferred: from runs, and from the paper's table as corrected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from codearena_plugin.leaderboard.published import SOURCE, published
from codearena_plugin.leaderboard.table3 import PublishedRow
from codearena_plugin.records import Outcome
from codearena_plugin.runs.compare import check_comparable, distinct_names, stored_outcomes
from codearena_plugin.runs.files import StoredRun
from codearena_plugin.scoring.association.noise import Measured

Rate = Literal["score", "win_rate"]
Group = Literal["yours", "published"]
RATES: tuple[Rate, ...] = get_args(Rate)

ODD: Mapping[str, str] = {
    "CodeLlama-7B-Instruct": "its published score, far above those of CodeLlama-13B, -34B and -70B, looks odd without "
    "being provably wrong"
}
"""Published models that stand far from the line -> what to know of their score (``leaderboard/data/README.md``)."""

_TIES: Mapping[Rate, float] = {"score": 0.5, "win_rate": 0.0}


@dataclass(frozen=True)
class Preference:
    """One model's preference score.

    Attributes:
        name: unique within its group.
        model: as its run or the paper names it.
        group: "yours" from a run, "published" from the paper.
        measured: the rate by prompt; ``None`` where it is withheld.
        withheld: why there is none.
        n_prompts: asked; those that were scored are in ``measured``.
        source: run directory, or the citation.
    """

    name: str
    model: str
    group: Group
    measured: Measured | None
    withheld: str | None
    n_prompts: int
    source: str


def preferences_of(runs: Sequence[StoredRun], rate: Rate) -> list[Preference]:
    """Return the rate of every run, in the order given.

    Raises:
        ConfigError: a run is given twice.
        DataError: the runs are of different suites or judges; says what differs.
    """
    if not runs:
        return []
    check_comparable(runs)
    return [_of_run(name, run, rate) for name, run in distinct_names(runs).items()]


def _of_run(name: str, run: StoredRun, rate: Rate) -> Preference:
    withheld = run.result["withheld"]
    by_prompt = _by_prompt(stored_outcomes(run), rate)
    return Preference(
        name=name,
        model=run.model,
        group="yours",
        measured=None if withheld else Measured(tuple(by_prompt.values()), tuple(by_prompt)),
        withheld=str(withheld) if withheld else None,
        n_prompts=int(run.result["metrics"]["n_prompts"]),
        source=str(run.path),
    )


def _by_prompt(outcomes: Sequence[Outcome], rate: Rate) -> dict[str, float]:
    """Return prompt id -> its rate; unscored prompts are left out, several answers to one are averaged."""
    found: dict[str, list[float]] = {}
    for one in outcomes:
        if one.score is not None:
            found.setdefault(one.prompt_id, []).append(_TIES[rate] if one.score == 0.5 else one.score)
    return {prompt_id: sum(values) / len(values) for prompt_id, values in found.items()}


def published_preferences(rate: Rate) -> list[Preference]:
    """Return the 42 published models, the best first."""
    return [_of_row(row, rate) for row in published()]


def _of_row(row: PublishedRow, rate: Rate) -> Preference:
    total = row.total
    values = (1.0,) * total.wins + (_TIES[rate],) * total.ties + (0.0,) * total.losses
    return Preference(row.model, row.model, "published", Measured(values), None, total.n, SOURCE)
