from __future__ import annotations

from codearena_plugin.judging.asking.engine import Progress
from codearena_plugin.report import progress
from codearena_plugin.report.progress import judging_progress, note


def test_away_from_a_terminal_a_line_now_and_then_says_where_the_run_stands(monkeypatch):
    monkeypatch.setattr(progress, "_LINE_EVERY_S", 0.0)
    lines: list[str] = []
    with judging_progress(say=lines.append) as observe:
        observe(Progress(total=10, done=5, failed=1, cost_usd=0.25))
    assert lines == ["judging: 5 of 10 games, about 0 s left, 1 failed · $0.25"]


def test_an_unknown_cost_is_said_to_be_unknown():
    assert note(Progress(total=1, cost_usd=None)) == "0 failed · cost unknown"
