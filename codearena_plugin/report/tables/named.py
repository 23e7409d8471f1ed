"""All tables of a leaderboard, named: what the page, and every file format, is made from.

Most of them are ``report.board``'s; here are those that need the runs themselves: coverage, failures and cost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from codearena_plugin.records import STATUSES
from codearena_plugin.report import board as cells
from codearena_plugin.report.facts import Cells, dollars, interval_cells, percent
from codearena_plugin.report.untrusted import one_line

KINDS: Mapping[str, str] = {
    "class": "class",
    "language": "programming language",
    "difficulty": "difficulty",
    "natural_language": "natural language",
    "sub_class": "sub-class",
}
"""Kind of stratum -> what it is called, in the order in which tables are shown."""

FEW_MODELS = 6
"""So many models stand side by side as columns; more of them are rows."""

FAILURES = tuple(status for status in STATUSES if status != "scored")
TOGETHER = "all together"
_LONGEST_REASON = 200


class Table(NamedTuple):
    """A table with a name that files and links use, and a title and a note for people.

    ``words`` are the places of the columns that hold words; the others hold numbers, to be aligned at their right.
    ``long`` is the same with one number a cell, where a program would have to take the cells apart.
    """

    name: str
    title: str
    cells: Cells
    note: str = ""
    words: tuple[int, ...] = (0,)
    long: Cells | None = None


class NamedRun(NamedTuple):
    """A run's result under the name that the leaderboard gives it, and its baseline where there are several."""

    name: str
    result: Mapping[str, Any]


def tables_of(board: Mapping[str, Any], runs: Sequence[NamedRun]) -> list[Table]:
    """Return all tables that have a row, in the order in which they are read.

    Args:
        board: of schema ``codearena-leaderboard/1``.
        runs: those that it was made from.
    """
    tables = [
        Table("leaderboard", "Leaderboard", cells.leaderboard_cells(board), leaderboard_note(board)),
        Table("differences", "Paired differences", cells.difference_cells(board), differences_note(board)),
        *(_stratum(board, kind) for kind in kinds_that_differ(board)),
        Table("style", "Style effects", cells.style_cells(board), STYLE_NOTE, words=(0, 3)),
        Table("controlled", "Raw and controlled score", controlled_cells(board), CONTROLLED_NOTE),
        *(
            Table(f"reliability_{by}", f"Reliability of the judge by {KINDS.get(by, by)}", found, RELIABILITY_NOTE)
            for by in board["reliability"]
            if (found := cells.reliability_cells(board, by)).rows
        ),
        Table("coverage", "Coverage and failed games", coverage_cells(runs)),
        Table("failures", "Why games failed", reason_cells(runs), words=(0, 1, 2)),
        Table("cost", "What judging took", cost_cells(runs)),
    ]
    return [table for table in tables if table.cells.rows]


_HOW_SURE = (
    "Intervals are 95 %, clustered by prompt. Ranks in brackets are those that paired differences to all rivals cannot "
    "rule out."
)
POOLED = "shrunk toward the model's own mean (partial pooling); kinds with fewer than four cells are not shrunk"
STYLE_NOTE = "Change of the log-odds of winning with one standard deviation more of it than the baseline has."
CONTROLLED_NOTE = "The controlled score is what is expected if every answer were styled like the baseline's."
RELIABILITY_NOTE = (
    "Order consistency: prompts whose two games name the same winner. First wins: decided games won by the answer "
    "that is shown first; a judge without position bias has 50. Judged equal: games that end in a tie. In brackets "
    "the 95 % interval."
)


def leaderboard_note(board: Mapping[str, Any]) -> str:
    """Return what a score is and how its row is read."""
    reference = one_line(board["reference"], 80)
    if board["method"] == "mean":
        return f"Score = win + tie / 2, in per cent; 50 is as good as the baseline, {reference}. {_HOW_SURE}"
    return f"Score = share of points expected against {reference}, in per cent, fitted over all runs. {_HOW_SURE}"


def differences_note(board: Mapping[str, Any]) -> str:
    """Return where differences come from: from pairs of prompts, or with several baselines from the fit."""
    whence = "paired prompt by prompt" if board["method"] == "mean" else "from the fit over all runs"
    return f"In points of score, {whence}; p two-sided, Holm's correction is for all pairs together."


def stratum_note(board: Mapping[str, Any]) -> str:
    """Return how the cells of a stratum are read."""
    least = board["options"]["min_n"]
    read = f"Score in per cent [prompts that were scored]; in round brackets where they are fewer than {least}."
    return " ".join([read, *stratum_caveats(board)])


def stratum_caveats(board: Mapping[str, Any]) -> list[str]:
    """Return what else the cells of a stratum are: against whom, and whether they are shrunk."""
    against = [] if board["method"] == "mean" else ["Each run is scored against its own baseline."]
    shrunk = [f"Scores are {POOLED}."] if board["options"]["pooled"] else []
    return against + shrunk


def kinds_that_differ(board: Mapping[str, Any]) -> list[str]:
    """Return the kinds of strata that part the prompts; one with a single stratum says nothing new."""
    return [kind for kind in KINDS if len(board["strata"].get(kind, {"names": ()})["names"]) > 1]


def _stratum(board: Mapping[str, Any], kind: str) -> Table:
    shown = cells.strata_cells(board, kind, pooled=bool(board["options"]["pooled"]))
    if len(shown.rows) <= FEW_MODELS:
        shown = _turned(shown)
    return Table(
        f"by_{kind}", f"Score by {KINDS[kind]}", shown, stratum_note(board), long=long_strata_cells(board, kind)
    )


def _turned(shown: Cells) -> Cells:
    rows = [(name, *(row[place] for row in shown.rows)) for place, name in enumerate(shown.columns) if place]
    return Cells((shown.columns[0], *(row[0] for row in shown.rows)), rows)


def long_strata_cells(board: Mapping[str, Any], kind: str) -> Cells:
    """Return a row for every model and stratum that it has a prompt of; a score that is not there is empty."""
    rows = []
    for entry, of_entry in board["strata"][kind]["cells"].items():
        for name in board["strata"][kind]["names"]:
            if (cell := of_entry.get(name)) is None:
                continue
            scores = [_flat(cell[which]) for which in ("score", "pooled")]
            few = "yes" if cell["small"] else "no"
            n = (str(cell["n_scored"]), str(cell["n_prompts"]))
            rows.append((one_line(entry), one_line(name), *scores[0], *scores[1], *n, few))
    ends = ("estimate", "low", "high")
    columns = [f"{which} {end}" for which in ("score", "pooled") for end in ends]
    return Cells(("model", KINDS[kind], *columns, "scored", "prompts", "few"), rows)


def _flat(interval: Mapping[str, Any] | None) -> tuple[str, ...]:
    return tuple(percent(interval[end]) for end in ("estimate", "low", "high")) if interval else ("", "", "")


def controlled_cells(board: Mapping[str, Any]) -> Cells:
    """Return raw and controlled scores side by side; no row without style control."""
    rows = []
    for entry in board["entries"]:
        raw, controlled = entry["score"], entry["controlled"]
        if raw is None or controlled is None:
            continue
        change = f"{100 * (controlled['estimate'] - raw['estimate']):+.1f}"
        rows.append(
            (
                one_line(entry["name"]),
                *interval_cells(raw)[:2],
                *interval_cells(controlled)[:2],
                change,
                cells.rank_cell(entry["rank"]),
                cells.rank_cell(entry["controlled_rank"]),
                str(controlled["n"]),
            )
        )
    columns = ("raw", "95 % interval", "controlled", "95 % interval", "change", "raw rank", "controlled rank", "n")
    return Cells(("model", *columns), rows)


def coverage_cells(runs: Sequence[NamedRun]) -> Cells:
    """Return, for every run, the share of prompts that were scored and how its games ended."""
    rows = []
    for name, result in runs:
        metrics, statuses = result["metrics"], result["statuses"]
        scored = f"{metrics['n_scored']} of {metrics['n_prompts']}"
        failed = (str(statuses.get(status, 0)) for status in FAILURES)
        rows.append((one_line(name), percent(metrics["coverage"]), scored, str(sum(statuses.values())), *failed))
    if len(runs) > 1:
        rows.append(_all_coverage([run.result for run in runs]))
    return Cells(("model", "coverage", "prompts", "games", *FAILURES), rows)


def _all_coverage(results: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    scored, prompts = (sum(result["metrics"][what] for result in results) for what in ("n_scored", "n_prompts"))
    counts = [sum(result["statuses"].get(status, 0) for result in results) for status in FAILURES]
    games = sum(sum(result["statuses"].values()) for result in results)
    share = percent(scored / prompts) if prompts else cells.ABSENT
    return TOGETHER, share, f"{scored:,} of {prompts:,}", f"{games:,}", *(f"{n:,}" for n in counts)


def reason_cells(runs: Sequence[NamedRun]) -> Cells:
    """Return the most frequent reasons of failed games, why runs were stopped, and why scores are withheld."""
    rows = []
    for name, result in runs:
        shown = one_line(name)
        for status, reasons in result["problems"].items():
            rows += [(shown, status, one_line(reason, _LONGEST_REASON), str(n)) for reason, n in reasons.items()]
        for what in ("stopped", "withheld"):
            if result[what]:
                rows.append((shown, what, one_line(result[what], _LONGEST_REASON), ""))
    return Cells(("model", "status", "reason", "games"), rows)


def cost_cells(runs: Sequence[NamedRun]) -> Cells:
    """Return what judging took, run by run; what is not known is said to be unknown, never 0."""
    rows = [(one_line(name), *_cost_row(result["spending"])) for name, result in runs]
    if len(runs) > 1:
        rows.append((TOGETHER, *_cost_row(_all_spending([run.result["spending"] for run in runs]))))
    return Cells(("model", "requests", "replies", "from store", "tokens in", "tokens out", "seconds", "cost"), rows)


def _all_spending(found: Sequence[Mapping[str, Any] | None]) -> Mapping[str, Any] | None:
    """Return what all runs took; ``None``, unknown, where that of one is."""
    known = [spent for spent in found if spent is not None]
    if len(known) < len(found):
        return None
    costs = [spent["cost_usd"] for spent in known]
    total: dict[str, Any] = {name: sum(spent[name] for spent in known) for name in (*_COUNTS, "wall_s")}
    total["cost_usd"] = None if None in costs else sum(costs)
    return total | {"is_remote": any(spent.get("is_remote", True) for spent in known)}


_COUNTS = ("http_requests", "replies", "stored_games", "prompt_tokens", "completion_tokens")


def _cost_row(spent: Mapping[str, Any] | None) -> tuple[str, ...]:
    if spent is None:
        return (*(cells.ABSENT for _ in range(6)), "unknown")
    seconds = f"{spent['wall_s']:,.1f}"
    if not spent.get("is_remote", True):
        return "none", f"{spent['replies']:,}", "0", cells.ABSENT, cells.ABSENT, seconds, "none"
    return (*(f"{spent[name]:,}" for name in _COUNTS), seconds, dollars(spent["cost_usd"]))
