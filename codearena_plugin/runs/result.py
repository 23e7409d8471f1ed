"""From games to a result: the numbers of a run with their coverage, or the reason why there are none.

Games and a suite in, a ``Result`` out; nothing is read or written, installed scorers are called. Its JSON schema,
``codearena-result/1``, is ``Result.to_json``.
"""

from __future__ import annotations

import dataclasses
import logging
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from codearena_plugin import plugins
from codearena_plugin.judging.play import Played, Spending, served_models
from codearena_plugin.prompts.suite import Suite
from codearena_plugin.records import (
    STATUSES,
    Game,
    Interval,
    OrderPolicy,
    Outcome,
    Prompt,
    ReadingMode,
)
from codearena_plugin.runs.strata import ORDER, strata_of_prompts
from codearena_plugin.scoring.points import outcome
from codearena_plugin.scoring.strata import Stratum, by_stratum
from codearena_plugin.scoring.summary import Summary, summarise, withheld_reason

_log = logging.getLogger(__name__)

SCHEMA = "codearena-result/1"
RATES = ("win_rate", "tie_rate", "loss_rate", "score")
STRATA = tuple(ORDER)
_EXAMPLES = 3


@dataclass(frozen=True)
class Result:
    """What a run found.

    Attributes:
        manifest: everything needed to repeat the run.
        withheld: why no score is given; the rates are then absent everywhere, never partly shown.
        statuses: how many games ended in each status, all statuses, in fixed order.
        problems: status -> the most frequent reasons with their counts.
        served_models: how many replies each model snapshot gave, as the server named it: an alias may move in mid-run.
        stopped: why asking ended before all games were played.
        spending: ``None`` where nothing was asked (a rescored run).
        extra: statistics of third-party scorers, by scorer; none where the score is withheld.
    """

    manifest: Mapping[str, Any]
    summary: Summary
    withheld: str | None
    strata: Mapping[str, Sequence[Stratum]]
    statuses: Mapping[str, int]
    problems: Mapping[str, Mapping[str, int]]
    served_models: Mapping[str, int] = field(default_factory=dict)
    stopped: str | None = None
    spending: Spending | None = None
    extra: Mapping[str, Mapping[str, Interval]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the result as plain data; a rate that is withheld or undefined is ``null``, never a number."""
        return {
            "schema": SCHEMA,
            "manifest": dict(self.manifest),
            "metrics": summary_to_json(self.summary, hide=self.withheld is not None),
            "withheld": self.withheld,
            "stopped": self.stopped,
            "statuses": dict(self.statuses),
            "served_models": dict(self.served_models),
            "problems": {status: dict(reasons) for status, reasons in self.problems.items()},
            "strata": {
                kind: [
                    {"name": row.name, **summary_to_json(row.summary, hide=self.withheld is not None)} for row in rows
                ]
                for kind, rows in self.strata.items()
            },
            "extra": {
                scorer: {name: dataclasses.asdict(interval) for name, interval in found.items()}
                for scorer, found in self.extra.items()
            },
            "spending": dataclasses.asdict(self.spending) if self.spending else None,
        }


def summary_to_json(summary: Summary, *, hide: bool = False) -> dict[str, Any]:
    """Return a summary as plain data; ``hide`` leaves coverage and consistency and withholds every rate."""
    shown: dict[str, Any] = {
        "n_prompts": summary.n_prompts,
        "n_scored": summary.n_scored,
        "coverage": summary.coverage,
    }
    for name in (*RATES, "order_consistency"):
        interval: Interval | None = getattr(summary, name)
        keep = interval is not None and not (hide and name in RATES)
        shown[name] = dataclasses.asdict(interval) if keep and interval else None
    return shown


def outcomes_of(
    prompts: Sequence[Prompt], games: Sequence[Game], *, policy: OrderPolicy, mode: ReadingMode
) -> list[Outcome]:
    """Return one outcome per prompt, in the order of the prompts; a prompt without games is unscored."""
    by_prompt: dict[str, list[Game]] = defaultdict(list)
    for game in games:
        by_prompt[game.prompt_id].append(game)
    return [outcome(prompt.id, by_prompt[prompt.id], policy=policy, mode=mode) for prompt in prompts]


def make_result(  # noqa: PLR0913  everything that decides the numbers, by name
    suite: Suite,
    games: Sequence[Game],
    manifest: Mapping[str, Any],
    *,
    policy: OrderPolicy,
    mode: ReadingMode,
    min_coverage: float,
    played: Played | None = None,
) -> Result:
    """Return the result of a run from its games."""
    outcomes = outcomes_of(suite.prompts, games, policy=policy, mode=mode)
    judged = truly_judged(suite.prompts, games, policy)
    summary = _with_true_coverage(summarise(outcomes), [prompt.id for prompt in suite.prompts], judged)
    withheld = withheld_reason(summary, min_coverage)
    return Result(
        manifest=manifest,
        summary=summary,
        withheld=withheld,
        extra={} if withheld else extra_scores(outcomes),
        strata=strata_of(suite.prompts, outcomes, judged),
        statuses={status: sum(game.verdict.status == status for game in games) for status in STATUSES},
        problems=problems_of(games),
        served_models=served_models(games),
        stopped=played.stopped if played else None,
        spending=played.spending if played else None,
    )


def truly_judged(prompts: Sequence[Prompt], games: Sequence[Game], policy: OrderPolicy) -> set[str]:
    """Return the ids of the prompts whose games were all scored.

    ``reference`` mode gives failed games 0 points as the published script does; what really was judged must still
    decide whether a score is shown.
    """
    scored = Counter(game.prompt_id for game in games if game.verdict.status == "scored")
    expected = 2 if policy == "both" else 1
    return {prompt.id for prompt in prompts if scored[prompt.id] == expected}


def _with_true_coverage(summary: Summary, prompt_ids: Sequence[str], judged: Set[str]) -> Summary:
    n_scored = sum(prompt_id in judged for prompt_id in prompt_ids)
    return dataclasses.replace(summary, n_scored=n_scored, coverage=n_scored / len(prompt_ids) if prompt_ids else 0.0)


def extra_scores(outcomes: Sequence[Outcome]) -> dict[str, Mapping[str, Interval]]:
    """Return what installed scorers make of the outcomes; one that fails is named in a warning and left out."""
    found: dict[str, Mapping[str, Interval]] = {}
    for name in plugins.offers("scorers"):
        try:
            scores = dict(plugins.resolve("scorers", name)(outcomes))
            wrong = [key for key, value in scores.items() if not isinstance(value, Interval)]
            if wrong:
                msg = f"{wrong[0]!r} is {scores[wrong[0]]!r}, expected an Interval"
                raise TypeError(msg)  # noqa: TRY301  one road for everything that a stranger's scorer does wrong
            found[name] = scores
        except Exception as exc:  # the boundary to strangers' code
            _log.warning("scorer %r failed and is left out: %s: %s", name, type(exc).__name__, exc)
    return found


def problems_of(games: Sequence[Game]) -> dict[str, dict[str, int]]:
    """Return, for each status but "scored" that occurred, its most frequent reasons and how often each was given."""
    reasons: dict[str, Counter[str]] = {status: Counter() for status in STATUSES if status != "scored"}
    for game in games:
        if game.verdict.status != "scored":
            reasons[game.verdict.status][game.verdict.reason] += 1
    return {status: dict(counted.most_common(_EXAMPLES)) for status, counted in reasons.items() if counted}


def strata_of(prompts: Sequence[Prompt], outcomes: Sequence[Outcome], judged: Set[str]) -> dict[str, list[Stratum]]:
    """Return the tables by class, sub-class, language, difficulty and natural language, rows in fixed order.

    Args:
        judged: ids of the prompts that count for coverage (``truly_judged``).
    """
    tables = {}
    for kind, of_prompt in strata_of_prompts(prompts).items():
        members = defaultdict(list)
        for prompt_id, rows in of_prompt.items():
            for name in dict.fromkeys(rows):
                members[name].append(prompt_id)
        tables[kind] = [
            Stratum(row.name, _with_true_coverage(row.summary, members[row.name], judged))
            for row in by_stratum(outcomes, of_prompt, ORDER[kind])
        ]
    return tables
