"""A result as tables for people; the input is the plain data of ``result.json``, so a stored run prints the same.

Every rate stands beside its n. A withheld rate is ``null`` in that data and is therefore nowhere to be printed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from codearena_plugin.report.untrusted import one_line, visible

DEMO_MARK = "DEMO: prompts of our own, for trying things out; scores compare with nothing published"
MAIN_TABLES = ("class", "difficulty")
ALL_TABLES = ("class", "sub_class", "language", "difficulty", "natural_language")
_RATES = {"score": "score", "win_rate": "win", "tie_rate": "tie", "loss_rate": "loss"}
_ABSENT = "–"
_NETWORKLESS = ("static", "replay")


def print_result(console: Console, result: Mapping[str, Any], *, path: Path | None, tables: Sequence[str]) -> None:
    """Print a result: who, how, the rates, what failed, the parts, what it took, where it lies."""
    for part in _parts(result, tables):
        console.print(part)
    if path is not None:
        console.print(Text(f"run: {visible(str(path))}"), soft_wrap=True)  # in one piece, to be copied


def _parts(result: Mapping[str, Any], tables: Sequence[str]) -> Iterator[RenderableType]:
    yield headline(result["manifest"])
    yield rates_table(result)
    yield _facts(_counts(result))
    for kind in tables:
        if result["strata"].get(kind):
            yield strata_table(kind, result["strata"][kind])
    yield _facts(_spending(result))


def headline(manifest: Mapping[str, Any], *, n_runs: int | None = None) -> Table:
    """Return who was compared with whom, on what, by which judge; ``n_runs`` where several share the manifest."""
    suite, judge = manifest["suite"], manifest["judge"]
    rows = [
        ("runs", f"{n_runs}, each model compared with {suite['baseline']}")
        if n_runs
        else ("model", f"{manifest['model']}, compared with {suite['baseline']}"),
        ("suite", f"{suite['name']} {suite['version']}, {suite['n_prompts']} prompts, {suite['source']}"),
        ("judge", f"{judge['model']} with card {judge['card']}, order {judge['order']}, mode {judge['mode']}"),
    ]
    if suite["is_demo"]:
        rows.insert(2, ("", DEMO_MARK))
    if suite["left_out"]:
        rows.append(("left out", f"{len(suite['left_out'])} prompts for their length"))
    if judge["notice"]:
        rows.append(("notice", judge["notice"]))
    if n_runs is None:
        rows.extend(("answers", note) for note in _answer_notes(manifest["answers"]))
    return _facts(rows)


def _answer_notes(answers: Mapping[str, Any]) -> list[str]:
    found = {
        "empty": answers["empty"],
        "cut at the model's token limit": answers["cut_at_token_limit"],
        "with a reasoning trace, which the judge does not see": answers["reasoning_stripped"],
    }
    noted = [f"{n} {what}" for what, n in found.items() if n]
    return [f"{'; '.join(noted)} (of {answers['n']})"] if noted else []


def rates_table(result: Mapping[str, Any]) -> Table:
    """Return the rates with their intervals; of a withheld result only coverage and consistency."""
    metrics = result["metrics"]
    table = _table("", "%", "95 % interval", "n")
    if result["withheld"]:
        table.add_row("score", "withheld", "", "")
    else:
        for name, label in _RATES.items():
            table.add_row(label, *interval_cells(metrics[name]), style="bold" if name == "score" else None)
    table.add_row("coverage", _percent(metrics["coverage"]), "", f"{metrics['n_scored']} of {metrics['n_prompts']}")
    if metrics["order_consistency"]:
        table.add_row("order consistency", *interval_cells(metrics["order_consistency"]))
    return table


def strata_table(kind: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return a result by class, language, …, rows in the order given; without rates where none may be shown."""
    title = f"by {kind.replace('_', ' ')}"
    if all(row["score"] is None for row in rows):
        table = _table(title, "n")
        for row in rows:
            table.add_row(one_line(row["name"], 80), _share(row["n_scored"], row["n_prompts"]))
        return table
    table = _table(title, "score", "95 % interval", "win", "tie", "loss", "n")
    for row in rows:
        score, interval, _ = interval_cells(row["score"])
        rest = (interval_cells(row[name])[0] for name in ("win_rate", "tie_rate", "loss_rate"))
        table.add_row(one_line(row["name"], 80), score, interval, *rest, _share(row["n_scored"], row["n_prompts"]))
    return table


def interval_cells(interval: Mapping[str, Any] | None) -> tuple[str, str, str]:
    """Return estimate, interval and n of a rate as text, in per cent.

    >>> interval_cells({"estimate": 0.604, "low": 0.5, "high": 0.7, "stderr": 0.05, "n": 390})
    ('60.4', '50.0 – 70.0', '390')
    """
    if interval is None:
        return _ABSENT, _ABSENT, "0"
    low, high = (_percent(interval[end]) for end in ("low", "high"))
    return _percent(interval["estimate"]), f"{low} – {high}", str(interval["n"])


def failed_games(statuses: Mapping[str, int]) -> str:
    """Return how many games failed in which way.

    >>> failed_games({"scored": 60, "unparsable": 3, "truncated": 1, "refused": 0})
    '3 unparsable, 1 truncated'
    """
    bad = [f"{n} {status}" for status, n in statuses.items() if n and status != "scored"]
    return ", ".join(bad) or "none"


def _counts(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    statuses = result["statuses"]
    rows = [("games", f"{sum(statuses.values())}, of which failed: {failed_games(statuses)}")]
    for status, reasons in result["problems"].items():
        rows += [(f"  {status}", f"{n} × {one_line(reason)}") for reason, n in reasons.items()]
    if result["stopped"]:
        rows.append(("stopped", result["stopped"]))
    return rows


def _spending(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    spent = result["spending"]
    if spent is None:
        return [("calls", "none, stored replies were read again")]
    seconds = f"{spent['wall_s']:.1f} s"
    backend = result["manifest"]["judge"]["backend"]
    if backend in _NETWORKLESS:
        return [("calls", f"none, back end {backend}; {seconds}")]
    tokens = f"{spent['prompt_tokens']:,} + {spent['completion_tokens']:,} tokens"
    stored = f"{spent['stored_games']} games from the store"
    return [
        ("calls", f"{spent['http_requests']} sent, {spent['replies']} replies, {stored}; {tokens}; {seconds}"),
        ("cost", dollars(spent["cost_usd"])),
    ]


def dollars(cost_usd: float | None) -> str:
    """Return an amount as text; what is not known is not 0.

    >>> dollars(None), dollars(0.1234), dollars(0.0)
    ('unknown', '$0.12', '$0.00')
    """
    if cost_usd is None:
        return "unknown"
    return f"${cost_usd:.4f}" if 0 < cost_usd < 0.01 else f"${cost_usd:,.2f}"


def _facts(rows: Sequence[tuple[str, str]]) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in rows:
        grid.add_row(name, Text(one_line(value, 500)))
    return grid


def _table(first: str, *others: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(first, overflow="fold", min_width=18)
    for name in others:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _share(n: int, of: int) -> str:
    return str(n) if n == of else f"{n} of {of}"
