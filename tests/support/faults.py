"""What tests of faults share: short scripts for the judge server, and looks at what a run left behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from judge_server import Script

from codearena_plugin.runs.judge import Run

RATES = ("win_rate", "tie_rate", "loss_rate", "score")


def statuses(run: Run) -> dict[str, int]:
    return {status: n for status, n in run.result.statuses.items() if n}


def written(folder: Path) -> bytes:
    return b"\0".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def assert_no_score_anywhere(run: Run) -> None:
    stored = json.loads((run.path / "result.json").read_text())
    assert stored["withheld"]
    for table in [stored["metrics"], *(row for rows in stored["strata"].values() for row in rows)]:
        assert [table[rate] for rate in RATES] == [None] * 4


def is_judgement(body: dict[str, Any]) -> bool:
    return "<answer_a>" in body["messages"][-1]["content"]


def whenever(**done: Any) -> Script:
    return lambda body, _times: done if is_judgement(body) else None


def first_time(**done: Any) -> Script:
    return lambda _body, times: done if times == 1 else None
