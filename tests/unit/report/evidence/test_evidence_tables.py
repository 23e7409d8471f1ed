"""Evidence on a terminal: nothing that was not run disappears from the counts of its side."""

from __future__ import annotations

from evidence_runs import a_block, a_row

from codearena_plugin.evidence.found import Evidence
from codearena_plugin.report.evidence.tables import reasons


def test_reasons_that_have_no_line_of_their_own_are_counted_for_each_side() -> None:
    many = [a_block(reached="parsed", why=f"it needs `m{i}`, which is not here") for i in range(20)]
    twice = [a_block(why="commands")] * 2
    rows = {("p", "answer"): a_row(*many, *twice), ("p", "baseline"): a_row(*twice, side="baseline")}
    facts = [words for _, words in reasons(Evidence(rows))]  # type: ignore[arg-type]
    assert facts[0] == "4 × commands (answers 2, baseline 2)"
    assert facts[-1] == "9 for 9 further reasons (answers 9, baseline 0)"
