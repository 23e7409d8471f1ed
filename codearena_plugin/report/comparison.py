"""Runs side by side, printed: a table of scores and a table of paired differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from codearena_plugin.report.table import headline, interval_cells
from codearena_plugin.report.untrusted import one_line
from codearena_plugin.runs.compare import Pair, sampling_notes
from codearena_plugin.runs.files import StoredRun


def print_comparison(console: Console, named: Mapping[str, StoredRun], pairs: Sequence[Pair]) -> None:
    """Print what was compared, a table of scores, highest first, and a table of differences."""
    first = next(iter(named.values())).result["manifest"]
    console.print(headline(first, n_runs=len(named)))
    console.print(_scores(named))
    console.print(_differences(pairs))
    console.print(
        "Differences in points of score, paired prompt by prompt; p two-sided, Holm's for all pairs together."
    )
    if any(pair.found.only_a or pair.found.only_b for pair in pairs):
        console.print("Prompts that are scored in one run of a pair only are in no difference.")
    for note in sampling_notes(list(named.values())):
        console.print(f"Note: {note}.")


def _scores(named: Mapping[str, StoredRun]) -> Table:
    table = _table("model", "score", "95 % interval", "win", "tie", "loss", "coverage", "n")
    by_score = sorted(named.items(), key=lambda item: -float(item[1].result["metrics"]["score"]["estimate"]))
    for name, run in by_score:
        metrics = run.result["metrics"]
        score, interval, n = interval_cells(metrics["score"])
        rest = [interval_cells(metrics[rate])[0] for rate in ("win_rate", "tie_rate", "loss_rate")]
        table.add_row(one_line(name), score, interval, *rest, f"{100 * metrics['coverage']:.1f}", n)
    return table


def _differences(pairs: Sequence[Pair]) -> Table:
    table = _table("difference", "points", "95 % interval", "p", "p (Holm)", "n")
    for pair in pairs:
        found = pair.found.difference
        table.add_row(
            f"{one_line(pair.a)} − {one_line(pair.b)}",
            f"{100 * found.estimate:+.1f}",
            f"{100 * found.low:+.1f} to {100 * found.high:+.1f}",
            _p(pair.found.p_value),
            _p(pair.p_holm),
            str(pair.found.n_common),
        )
    return table


def _p(value: float) -> str:
    return "< 0.0001" if value < 0.0001 else f"{value:.4f}"


def _table(first: str, *others: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(first, overflow="fold")
    for name in others:
        table.add_column(name, justify="right", no_wrap=True)
    return table
