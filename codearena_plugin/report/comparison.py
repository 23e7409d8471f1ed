"""Runs side by side, printed: a table of scores and a table of paired differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console

from codearena_plugin.report.facts import RATES, Cells, headline, interval_cells, percent
from codearena_plugin.report.table import cells_table, facts_table
from codearena_plugin.report.untrusted import one_line
from codearena_plugin.runs.compare import Pair, sampling_notes
from codearena_plugin.runs.files import StoredRun


def print_comparison(console: Console, named: Mapping[str, StoredRun], pairs: Sequence[Pair]) -> None:
    """Print what was compared, a table of scores, highest first, and a table of differences."""
    first = next(iter(named.values())).result["manifest"]
    console.print(facts_table(headline(first, n_runs=len(named))))
    console.print(cells_table(_scores(named), min_width=None))
    console.print(cells_table(_differences(pairs), min_width=None))
    console.print(
        "Differences in points of score, paired prompt by prompt; p two-sided, Holm's for all pairs together."
    )
    if any(pair.found.only_a or pair.found.only_b for pair in pairs):
        console.print("Prompts that are scored in one run of a pair only are in no difference.")
    for note in sampling_notes(list(named.values())):
        console.print(f"Note: {note}.")


def _scores(named: Mapping[str, StoredRun]) -> Cells:
    by_score = sorted(named.items(), key=lambda item: -float(item[1].result["metrics"]["score"]["estimate"]))
    rows: list[tuple[str, ...]] = []
    for name, run in by_score:
        metrics = run.result["metrics"]
        score, interval, n = interval_cells(metrics["score"])
        others = [interval_cells(metrics[rate])[0] for rate in RATES if rate != "score"]
        rows.append((one_line(name), score, interval, *others, percent(metrics["coverage"]), n))
    first, *rest = RATES.values()
    return Cells(("model", first, "95 % interval", *rest, "coverage", "n"), rows)


def _differences(pairs: Sequence[Pair]) -> Cells:
    rows: list[tuple[str, ...]] = []
    for pair in pairs:
        found = pair.found.difference
        interval = f"{100 * found.low:+.1f} to {100 * found.high:+.1f}"
        p_values = (_p(pair.found.p_value), _p(pair.p_holm))
        name = f"{one_line(pair.a)} − {one_line(pair.b)}"
        rows.append((name, f"{100 * found.estimate:+.1f}", interval, *p_values, str(pair.found.n_common)))
    return Cells(("difference", "points", "95 % interval", "p", "p (Holm)", "n"), rows)


def _p(value: float) -> str:
    return "< 0.0001" if value < 0.0001 else f"{value:.4f}"
