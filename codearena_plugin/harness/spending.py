"""What judging took, added up over the processes or parts that judged side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from codearena_plugin.judging.play import Spending


def sum_of(rows: Sequence[Mapping[str, Any] | None]) -> Spending | None:
    """Return the spending of all parts together: times side by side, everything else added."""
    parts = [row for row in rows if row is not None]
    if not parts:
        return None
    costs = [part["cost_usd"] for part in parts]
    counts = ["http_requests", "replies", "stored_games", "prompt_tokens", "completion_tokens", "lowest_concurrency"]
    added = {name: sum(part[name] for part in parts) for name in counts}
    return Spending(
        **added,
        cost_usd=None if None in costs else sum(costs),
        wall_s=max(part["wall_s"] for part in parts),
        is_remote=any(part["is_remote"] for part in parts),
    )
