"""Runs side by side, printed: scores and paired differences; or what two judgements of the same answers flip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console

from codearena_plugin.records import Interval
from codearena_plugin.report.facts import RATES, Cells, headline, interval_cells, percent
from codearena_plugin.report.table import cells_table, facts_table
from codearena_plugin.report.untrusted import one_line
from codearena_plugin.runs.caveats import notices
from codearena_plugin.runs.compare import Pair, differences, sampling_notes
from codearena_plugin.runs.files import StoredRun
from codearena_plugin.scoring.flips import Flips


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


def print_flips(console: Console, runs: Sequence[StoredRun], found: Flips) -> None:
    """Print what two judgements of the same answers make of every prompt, how many differ, and by how much."""
    about = runs[0].result["manifest"]
    facts = [("answers", f"{about['model']}, compared with {about['suite']['baseline']}")]
    for number, run in enumerate(runs, 1):
        judge, evidence = run.result["manifest"]["judge"], run.result["manifest"].get("evidence")
        shown = f", evidence shown ({evidence['sandbox']})" if evidence else ""
        facts.append((f"judge {number}", f"{judge['model']} with card {judge['card']}{shown}: {run.path}"))
    facts += [("notice", notice) for run in runs for notice in notices(run.result["manifest"])]
    console.print(facts_table(list(dict.fromkeys(facts))))
    names = {1.0: "win", 0.5: "tie", 0.0: "loss"}
    rows = [
        (f"judge 1: {names[a]}", *(str(found.table[a, b]) for b in names), str(sum(found.table[a, b] for b in names)))
        for a in names
    ]
    rows.append(("all", *(str(sum(found.table[a, b] for a in names)) for b in names), str(sum(found.table.values()))))
    console.print(cells_table(Cells(("prompts", *(f"judge 2: {name}" for name in names.values()), "all"), rows)))
    change = found.change.difference
    shares = [
        ("verdicts that differ", *_share_cells(found.flipped), str(found.flipped.n)),
        ("win turned to loss, or loss to win", *_share_cells(found.reversed), str(found.reversed.n)),
    ]
    console.print(cells_table(Cells(("", "%", "95 % interval", "n"), shares)))
    console.print(
        f"Score, judge 2 − judge 1: {100 * change.estimate:+.1f} points "
        f"({100 * change.low:+.1f} to {100 * change.high:+.1f}), p {_p(found.change.p_value)}, paired prompt by prompt."
    )
    console.print("A judge that is asked twice in the same way flips verdicts too; a repeated run tells how many.")
    if found.change.only_a or found.change.only_b:
        console.print("Prompts that only one judge scored are in no number.")
    for difference in differences(runs):
        console.print(f"Differs: {one_line(difference)}.")


def _share_cells(share: Interval) -> tuple[str, str]:
    return percent(share.estimate), f"{percent(share.low)} – {percent(share.high)}"


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
