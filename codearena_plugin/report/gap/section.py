"""The gap as a section of a page: what was compared, the picture, and the same tables as everywhere else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from codearena_plugin.report.gap.cells import gap_facts
from codearena_plugin.report.gap.scatter import scatter
from codearena_plugin.report.gap.tables import tables_of_gap
from codearena_plugin.report.page import heat
from codearena_plugin.report.page.elements import Child, Html, element, joined
from codearena_plugin.report.page.sections import card, facts_list, folded, section
from codearena_plugin.report.published import YOURS, comparability_cells, comparability_facts
from codearena_plugin.report.tables.named import Table

NAME, TITLE = "gap", "Preference and execution"
_NOTE = "Models that pass the same tests are not equally preferred. No code ran for this page: results were read."
_MAIN = "gap_residuals"
_OF_MODELS = ("gap", _MAIN)
_SOURCES = "gap_sources"
_MANY_ROWS = 15


def gap_section(gap: Mapping[str, Any], link: heat.Link = str) -> Html:
    """Return the section.

    Args:
        gap: plain data of schema ``codearena-gap/1``.
        link: of a run's name.
    """
    manifest = gap["manifest"] if gap["basis"] == "published" else None
    comparable = comparability_facts([manifest]) if manifest else []
    facts = element("div", facts_list([*comparable[:1], *gap_facts(gap)]), class_="pad")
    plot = scatter(gap)
    parts: list[Child] = []
    if plot:
        parts.append(card(plot, figure=True, more=_key(gap)))
    parts.append(card(facts))
    to = _linked(gap, link)
    for table in tables_of_gap(gap):
        parts += _table(table, to if table.name in _OF_MODELS else str)
    if manifest:
        parts += _comparable(manifest)
    return section(NAME, TITLE, _NOTE, *parts)


def _key(gap: Mapping[str, Any]) -> Html:
    """Return what the marks of the picture mean, only those that are in it."""
    groups = {model["group"] for model in gap["models"] if model["preference"]}
    parts = [element("span", element("i"), "published")] if "published" in groups else []
    if "yours" in groups:
        parts.append(element("span", element("i", class_="second"), "yours"))
    parts.append(element("span", "Bars: 95 % intervals."))
    line = gap["line"]
    if line["why_absent"] is None:
        parts.append(
            element("span", f"Line: expected score, of {line['n']} models; shaded: one standard deviation of these.")
        )
    return element("div", *parts, class_="key")


def _linked(gap: Mapping[str, Any], link: heat.Link) -> Callable[[str], Child]:
    """Return what links names as tables show them: of one's own runs only, which may bear a sign."""
    if gap["basis"] != "published":
        return link
    return lambda shown: joined([YOURS, link(shown.removeprefix(YOURS))]) if shown.startswith(YOURS) else shown


def _table(table: Table, link: heat.Link) -> list[Child]:
    """Return a table under its title; one that is long or read by few can be folded, and is, but for the gap itself."""
    made, n_rows = heat.plain(table, link=link), len(table.cells.rows)
    if table.name == _SOURCES or n_rows > _MANY_ROWS:
        note = element("p", table.note, class_="pad small quiet") if table.note else None
        return [folded(f"{table.title}: {n_rows} rows", joined([note, made]), is_open=table.name == _MAIN)]
    note = element("p", table.note, class_="note small quiet") if table.note else None
    return [element("h3", table.title, class_="sub"), note, card(made)]


def _comparable(manifest: Mapping[str, Any]) -> list[Child]:
    """Return what of one's own runs is as published, and what is not."""
    table = Table("gap_comparable", "Yours beside the published", comparability_cells([manifest]), words=(0, 1, 2, 3))
    facts = element("div", facts_list(comparability_facts([manifest])), class_="pad")
    return [element("h3", table.title, class_="sub"), card(heat.plain(table, link=str), facts)]
