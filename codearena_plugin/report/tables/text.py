"""Cells as text: Markdown, CSV and LaTeX. Names and reasons come from models and servers and are obeyed by none."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Sequence

from codearena_plugin.report.facts import Cells, Facts
from codearena_plugin.report.tables.named import Table
from codearena_plugin.report.untrusted import one_line

INTERVAL = "95 % interval"
_LONGEST = 500
_MARKDOWN = re.compile(r"[\\`*_{}\[\]<>#|~&$]")
_NUMBER = re.compile(r"[-+−]?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?")
_ENDS = re.compile(r"(\S+) (?:–|to) (\S+)")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "–": "--",
    "−": "$-$",
    "±": r"$\pm$",
    "…": r"\ldots{}",
    "×": r"$\times$",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}


def markdown(title: str, facts: Facts, tables: Sequence[Table]) -> str:
    """Return facts and tables as one Markdown document."""
    lines = [f"# {markdown_text(title)}", "", *(f"- {name.strip()}: {markdown_text(text)}" for name, text in facts), ""]
    for table in tables:
        lines += [f"## {markdown_text(table.title)}", "", *markdown_table(table.cells, table.words), ""]
        lines += [markdown_text(table.note), ""] if table.note else []
    return "\n".join(lines)


def markdown_table(cells: Cells, words: Collection[int] = (0,)) -> list[str]:
    """Return the lines of a table; columns that are not in ``words`` hold numbers."""
    marks = ["---" if place in words else "--:" for place in range(len(cells.columns))]
    rows = [cells.columns, *cells.rows]
    shown = [[markdown_text(cell) for cell in row] for row in rows]
    return [f"| {' | '.join(row)} |" for row in (shown[0], marks, *shown[1:])]


def markdown_text(text: str) -> str:
    r"""Return a text that Markdown shows and does not obey.

    >>> markdown_text("[a](b) | <c> @d")
    '\\[a\\](b) \\| \\<c\\> @d'
    """
    return _MARKDOWN.sub(r"\\\g<0>", one_line(text, _LONGEST))


def comma_separated(cells: Cells) -> str:
    """Return a table as CSV (RFC 4180): the ends of an interval in columns of their own, and no cell a formula."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    intervals = {place for place, name in enumerate(cells.columns) if name == INTERVAL}
    header: list[str] = []
    for place, name in enumerate(cells.columns):
        of = cells.columns[place - 1]
        header += [f"{of} low", f"{of} high"] if place in intervals else [name]
    rows = [[part for place, cell in enumerate(row) for part in _parts(cell, place in intervals)] for row in cells.rows]
    writer.writerows([[csv_text(cell) for cell in row] for row in (header, *rows)])
    return text.getvalue()


def _parts(cell: str, is_interval: bool) -> Sequence[str]:
    if not is_interval:
        return (cell,)
    found = _ENDS.fullmatch(cell)
    return found.groups() if found else ("", "")


def csv_text(text: str) -> str:
    """Return a cell that a spreadsheet shows instead of running: a formula gets an apostrophe, a number stays one.

    >>> [csv_text(text) for text in ("=HYPERLINK(1)", "+5.4", "1,064", "-1+cmd", "@x", "m")]
    ["'=HYPERLINK(1)", '+5.4', '1064', "'-1+cmd", "'@x", 'm']
    """
    line = one_line(text, _LONGEST)
    if _NUMBER.fullmatch(line):
        return line.replace(",", "").replace("−", "-")
    return f"'{line}" if line.startswith(_FORMULA) else line


def latex(tables: Sequence[Table]) -> str:
    """Return the tables as LaTeX for the package booktabs, each in a table environment of its own."""
    head = "% needs \\usepackage{booktabs}; wide tables: \\usepackage{graphicx} and \\resizebox{\\linewidth}{!}{...}\n"
    return head + "\n".join(_latex_table(table) for table in tables)


def _latex_table(table: Table) -> str:
    columns = "".join("l" if place in table.words else "r" for place in range(len(table.cells.columns)))
    caption = latex_text(f"{table.title}. {table.note}" if table.note else table.title)
    rows = [" & ".join(latex_text(cell) for cell in row) + r" \\" for row in (table.cells.columns, *table.cells.rows)]
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{caption}}}",
        rf"\label{{tab:{table.name.replace('_', '-')}}}",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        rows[0],
        r"\midrule",
        *rows[1:],
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
        "",
    ]
    return "\n".join(lines)


def latex_text(text: str) -> str:
    r"""Return a text that LaTeX prints and does not obey.

    >>> latex_text(r"\input{x} 50 % of a_b")
    '\\textbackslash{}input\\{x\\} 50 \\% of a\\_b'
    """
    shown = "".join(_LATEX.get(char, char) for char in one_line(text, _LONGEST))
    return f"{{{shown}}}" if shown.startswith("[") else shown  # after \\ a bracket would be an optional argument
