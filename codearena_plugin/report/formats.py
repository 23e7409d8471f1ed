"""Results in other forms than a table on a terminal: what ``codearena rescore --format`` prints."""

from __future__ import annotations

import json

from codearena_plugin.report import facts
from codearena_plugin.report.untrusted import one_line
from codearena_plugin.runs.result import Result

_TABLES = ("class", "difficulty", "language")


def as_json(result: Result) -> str:
    """Return the whole result as JSON, schema ``codearena-result/1``."""
    return json.dumps(result.to_json(), indent=1)


def as_markdown(result: Result) -> str:
    """Return what the tables on a terminal say as Markdown; a withheld score is said, not shown."""
    found = result.to_json()
    lines = [*_list(facts.headline(found["manifest"])), ""]
    if found["withheld"]:
        lines += [f"No score: {_text(found['withheld'])}.", ""]
    lines += [*_table(facts.rates(found)), "", *_list(facts.counts(found)), ""]
    for cells in facts.strata_shown(found, _TABLES):
        lines += [*_table(cells), ""]
    return "\n".join([*lines, *_list(facts.spending(found))])


def _list(rows: facts.Facts) -> list[str]:
    return [f"{'  ' if name.startswith(' ') else ''}- {name.strip()}: {_text(value)}" for name, value in rows]


def _table(cells: facts.Cells) -> list[str]:
    marks = ["---", *("--:" for _ in cells.columns[1:])]
    return [_row(cells.columns), _row(marks), *(_row([_text(cell) for cell in row]) for row in cells.rows)]


def _row(cells: tuple[str, ...] | list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _text(value: str) -> str:
    """Return a text that Markdown shows and does not obey: names and reasons come from models and servers."""
    line = one_line(str(value), 500).replace("\\", "\\\\")
    for mark in "|`*[<":
        line = line.replace(mark, f"\\{mark}")
    return line
