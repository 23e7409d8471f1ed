"""The sections of the page, from the leaderboard's plain data: the same cells and words as every other format."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from codearena_plugin.report import board as cells
from codearena_plugin.report.facts import Cells, Facts, interval_cells, percent
from codearena_plugin.report.page import heat, plots
from codearena_plugin.report.page.elements import Child, Html, element, joined
from codearena_plugin.report.tables.named import (
    CONTROLLED_NOTE,
    FEW_MODELS,
    KINDS,
    NamedRun,
    Table,
    kinds_that_differ,
    stratum_caveats,
)
from codearena_plugin.report.untrusted import one_line

_OPEN_KINDS = ("class", "language")
_MANY_PAIRS = 12
_MANY_ROWS = 15
_OUTCOMES = (("win", "wins"), ("tie", "ties"), ("loss", "losses"))


def title_of(board: Mapping[str, Any]) -> str:
    """Return what the page is about, on one line.

    >>> title_of({"entries": [{"name": "a"}, {"name": "b"}], "suite": {"name": "codearena"}})
    'a and b on codearena'
    """
    names = [one_line(entry["name"], 60) for entry in board["entries"]]
    who = " and ".join(names) if len(names) < 3 else f"{len(names)} models"
    return f"{who} on {one_line(board['suite']['name'], 60)}"


def header(board: Mapping[str, Any]) -> Html:
    """Return title, notices, the numbers that a reader looks for first, and who was compared with whom."""
    judge = board["manifests"][0]["judge"]
    baseline = one_line(board["reference"], 80) if board["method"] == "mean" else "its baseline, of several"
    what = f"Judged by {one_line(judge['model'], 80)}, each answer against that of {baseline}"
    notices = [element("p", notice, class_="callout") for notice in (*board["notices"], *board["notes"])]
    known = [(name, text) for name, text in cells.board_facts(board) if name not in {"notice", "note"}]
    top = element("header", element("h1", title_of(board)), element("p", what), class_="top")
    return joined([top, *notices, _tiles(board), facts_list(known)])


def _tiles(board: Mapping[str, Any]) -> Html:
    scored = [entry for entry in board["entries"] if entry["score"]]
    tiles: list[tuple[str, str, str]] = []
    if scored:
        best = scored[0]
        estimate, interval, n = interval_cells(best["score"])
        who = one_line(best["name"], 60)
        name = "Score" if len(scored) == 1 else "Highest score"
        tiles.append((name, f"{estimate} %", f"{who}, {interval}, n = {n}"))
    apart = board["separability"]
    if apart["n_pairs"]:
        tiles.append(
            ("Pairs told apart", f"{apart['told_apart_holm']} of {apart['n_pairs']}", "p < 0.05, Holm's correction")
        )
    covered = [entry["coverage"] for entry in board["entries"] if entry["coverage"] is not None]
    if covered:
        tiles.append(
            (
                "Coverage",
                f"{percent(min(covered))} %",
                "prompts scored, lowest of all models" if len(covered) > 1 else "prompts scored",
            )
        )
    found = board["reliability"].get("all", {}).get("all")
    if found and found["order_consistency"]:
        estimate, interval, n = interval_cells(found["order_consistency"])
        tiles.append(("Order consistency", f"{estimate} %", f"{interval}, n = {n}"))
    return element(
        "dl",
        *(
            element("div", element("dt", name), element("dd", value, element("small", more)), class_="tile")
            for name, value, more in tiles
        ),
        class_="tiles",
    )


def facts_list(facts: Facts) -> Html:
    """Return facts as a list of definitions."""
    rows = (joined([element("dt", name.strip()), element("dd", one_line(text, 500))]) for name, text in facts)
    return element("dl", *rows, class_="facts")


def leaderboard(board: Mapping[str, Any], table: Table, link: heat.Link) -> Html:
    """Return the plot of all scores, and the table."""
    withheld = cells.withheld_facts(board)
    has_control = board["style"]["why_absent"] is None
    key = [element("span", element("i"), "score"), element("span", element("i", class_="second"), "style controlled")]
    plot = plots.forest(board)
    bars = [heat.bar(entry) for entry in board["entries"]]
    has_rates = any(bars)  # rates against several baselines are not one rate
    shares = [element("span", element("i", class_=f"square {name}"), word) for name, word in _OUTCOMES]
    return section(
        "leaderboard",
        table.title,
        table.note,
        card(plot, figure=True, more=element("div", *key, class_="key") if has_control else None) if plot else None,
        card(
            heat.plain(table, link=link, extra=("win, tie, loss", bars) if has_rates else None),
            more=element("div", *shares, class_="key") if has_rates else None,
        ),
        card(element("div", element("h3", "Without a score"), facts_list(withheld), class_="pad"))
        if withheld
        else None,
    )


def differences(board: Mapping[str, Any], table: Table, link: heat.Link) -> Html | None:
    """Return the paired differences: as a matrix where there are three models or more, and as a table."""
    if not table.cells.rows:
        return None
    grid = heat.matrix(board, link=link)
    many = len(board["pairs"]) > _MANY_PAIRS
    parts: list[Child] = []
    if many:
        near = Table("neighbours", "Neighbours", cells.difference_cells(board, neighbours_only=True))
        parts.append(listed("Each model and the next", near, str))
    if grid:
        words = "Row minus column, in points of score. Coloured where Holm's test tells the two apart; rank order."
        parts.append(card(element("p", words, class_="pad small quiet"), grid))
    whole = heat.plain(table, link=str)
    parts.append(folded(f"All {len(board['pairs'])} pairs", whole) if many else card(whole))
    return section("differences", table.title, table.note, *parts)


def strata(board: Mapping[str, Any], link: heat.Link) -> Html | None:
    """Return the heat maps by class, language and so on; a kind with one stratum says nothing and is left out."""
    kinds = kinds_that_differ(board)
    if not kinds:
        return None
    least = board["options"]["min_n"]
    parts = []
    for kind in kinds:
        small = heat.small_strata(board, kind)
        names = [name for name in board["strata"][kind]["names"] if name not in small]
        inside = [heat.strata(board, kind, names, link=link)]
        if small:
            title = f"{len(small)} more, of fewer than {least} prompts each"
            inside.append(element("details", element("summary", title), heat.strata(board, kind, small, link=link)))
        cells_of_kind = board["strata"][kind]["cells"].values()
        says_something = any(not cell["small"] for row in cells_of_kind for cell in row.values())
        parts.append(folded(f"By {KINDS[kind]}", joined(inside), is_open=kind in _OPEN_KINDS and says_something))
    is_wide = all(len(board["strata"][kind]["cells"]) <= FEW_MODELS for kind in kinds)
    shown = "its 95 % interval and the number" if is_wide else "and the number"
    point = "Click a cell" if is_wide else "Point at a cell for its 95 % interval, click it"
    words = (
        f"Score in per cent, {shown} of prompts it rests on. Cells of fewer than {least} prompts are greyed and have "
        f"no colour: they rank nobody. {point} for its verdicts."
    )
    if board["options"]["pooled"]:
        words += " The raw score is in the title of each cell."
    return section("parts", "Classes and languages", " ".join([words, *stratum_caveats(board)]), *parts)


def style(board: Mapping[str, Any], tables: Mapping[str, Table], link: heat.Link) -> Html:
    """Return the effects of style, and raw and controlled scores side by side; or why there are none."""
    facts = element("div", facts_list(cells.style_facts(board)), class_="pad")
    if "style" not in tables:
        return section("style", "Style", "", card(facts))
    plot = plots.effects(board)
    parts = [card(plot, figure=True, more=facts) if plot else card(facts), card(heat.plain(tables["style"], link=str))]
    if "controlled" in tables:
        parts.append(element("h3", tables["controlled"].title, class_="sub"))
        parts.append(element("p", CONTROLLED_NOTE, class_="note small quiet"))
        parts.append(listed("", tables["controlled"], link))
    return section("style", tables["style"].title, tables["style"].note, *parts)


def reliability(board: Mapping[str, Any], tables: Mapping[str, Table], link: heat.Link) -> Html | None:
    """Return how far the judge can be relied on: by model as a plot, and all parts as tables."""
    found = [table for name, table in tables.items() if name.startswith("reliability_")]
    if not found:
        return None
    plot = plots.judge(board)
    parts: list[Child] = [card(plot, figure=True)] if plot else []
    for table in found:
        by = table.name.removeprefix("reliability_")
        made = heat.plain(table, link=link if by == "model" else str)
        parts.append(card(made) if by == "all" else folded(f"By {KINDS.get(by, by)}", made))
    return section("judge", "Can the judge be relied on?", found[0].note, *parts)


def failures(tables: Mapping[str, Table], link: heat.Link) -> Html:
    """Return coverage and failed games with their reasons."""
    words = "A failed game is counted here and scored nowhere."
    parts = [*_with_sum(tables["coverage"], link)]
    if "failures" in tables:
        parts.append(listed(tables["failures"].title, tables["failures"], link))
    return section("coverage", tables["coverage"].title, words, *parts)


def cost(tables: Mapping[str, Table], link: heat.Link) -> Html:
    """Return what judging took."""
    return section("cost", tables["cost"].title, "", *_with_sum(tables["cost"], link))


def _with_sum(table: Table, link: heat.Link) -> list[Html]:
    """Return a table whose last row is a sum; of a long one the sum, and the rest folded."""
    columns, rows = table.cells
    if len(rows) <= _MANY_ROWS:
        return [card(heat.plain(table, link=link))]
    short = table._replace(cells=Cells(columns, rows[-1:]))
    rest = table._replace(cells=Cells(columns, rows[:-1]))
    return [card(heat.plain(short, link=str)), folded("By model", heat.plain(rest, link=link))]


def manifests(runs: Sequence[NamedRun]) -> Html:
    """Return everything that is needed to repeat the runs, folded."""
    parts = [
        element(
            "details",
            element("summary", one_line(name)),
            element("pre", json.dumps(result["manifest"], indent=1, ensure_ascii=False)),
            class_="card manifest",
        )
        for name, result in runs
    ]
    if len(parts) > _MANY_ROWS:
        parts = [folded(f"{len(parts)} manifests", element("div", *parts, class_="pad"))]
    return section("manifests", "Manifests", "What is needed to repeat each run.", *parts)


def section(name: str, title: str, note: str, *parts: Child) -> Html:
    """Return a section under a heading, with a note on how it is read."""
    return element(
        "section", element("h2", title), element("p", note, class_="note") if note else None, *parts, id=name
    )


def card(*parts: Child, figure: bool = False, more: Html | None = None) -> Html:
    """Return a framed part of a section; ``more`` stands below a figure."""
    inside: Iterable[Child] = [element("div", *parts, class_="figure")] if figure else parts
    return element("div", *inside, more, class_="card")


def listed(title: str, table: Table, link: heat.Link) -> Html:
    """Return a table in a frame, folded where it is long."""
    made = heat.plain(table, link=link)
    if len(table.cells.rows) > _MANY_ROWS:
        return folded(f"{title or table.title}: {len(table.cells.rows)} rows", made)
    return card(element("div", element("h3", title), class_="pad") if title else None, made)


def folded(title: str, part: Html, *, is_open: bool = False) -> Html:
    """Return a framed part that can be opened and closed."""
    return element("details", element("summary", title), part, class_="card", open=is_open)
