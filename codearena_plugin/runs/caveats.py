"""What every output about a run must carry: that its suite is for trying, what its judge is not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DEMO_MARK = "DEMO: prompts of our own, for trying things out; scores compare with nothing published"
REFERENCE_MARK = "reference mode: a game that failed counts 0 points, as in the published script"


def notices(manifest: Mapping[str, Any]) -> list[str]:
    """Return the notices of a run's manifest; none for a real suite, a judge model and the default mode."""
    found = (
        DEMO_MARK if manifest["suite"]["is_demo"] else "",
        manifest["judge"]["notice"],
        REFERENCE_MARK if manifest["judge"]["mode"] == "reference" else "",
        manifest.get("evidence", {}).get("notice", ""),
    )
    return [notice for notice in found if notice]
