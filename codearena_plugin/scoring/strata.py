"""The parts of a run: class, language, difficulty; rows in a fixed order, whatever row of the data comes first.

The published script writes its class columns in the order in which the classes happen to appear in the data; 27 of
the 42 rows of the paper's Table 3 have permuted columns, as their own counts show.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from codearena_plugin.records import Outcome
from codearena_plugin.scoring.summary import Summary, summarise


class Stratum(NamedTuple):
    """The rates of one part of a run."""

    name: str
    summary: Summary


def by_stratum(
    outcomes: Sequence[Outcome],
    strata: Mapping[str, Sequence[str]],
    order: Sequence[str],
    *,
    confidence: float = 0.95,
) -> list[Stratum]:
    """Return one row per stratum that has a prompt, first those in ``order``, then the others alphabetically.

    A stratum whose prompts all failed is kept, with coverage 0.0; one without a prompt is left out.

    Args:
        outcomes: shape (n,), in any order.
        strata: prompt id -> the names it belongs to; several (a prompt about two languages) or none.
        order: names in the order of the rows; need not be complete, may name strata that have no prompt.
        confidence: in (0, 1).

    Raises:
        ValueError: a prompt is missing from ``strata``.
    """
    members: dict[str, list[Outcome]] = {}
    for item in outcomes:
        if item.prompt_id not in strata:
            msg = f"Prompt {item.prompt_id!r} has no strata; give it an empty sequence if it belongs to none."
            raise ValueError(msg)
        for name in dict.fromkeys(strata[item.prompt_id]):
            members.setdefault(name, []).append(item)
    fixed = [name for name in dict.fromkeys(order) if name in members]
    others = sorted(members.keys() - set(fixed))
    return [Stratum(name, summarise(members[name], confidence=confidence)) for name in [*fixed, *others]]
