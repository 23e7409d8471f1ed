"""Tables of numbers as HTML: plain ones, and those whose cells have a colour."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from codearena_plugin.report.facts import interval_cells, percent
from codearena_plugin.report.page.elements import Child, Html, element, joined
from codearena_plugin.report.tables.named import FEW_MODELS, TOGETHER, Table
from codearena_plugin.report.untrusted import one_line

_STEPS = 8  # of colour to either side, see page.css
_MOST_UPRIGHT = 9  # columns whose names fit without being turned
_MOST_IN_MATRIX = 12
_WORTH_FOLDING = 6

Link = Callable[[str], Child]
"""A model's name on the board -> how the page shows it, as a link to its verdicts where it has some."""


def plain(table: Table, *, link: Link, extra: tuple[str, Sequence[Html]] | None = None) -> Html:
    """Return a table as HTML; ``extra`` is one more column, its name and its cells."""
    words = table.words
    more = [element("th", extra[0], scope="col")] if extra else []
    head = [
        element("th", name, scope="col", class_="w" if i in words else None)
        for i, name in enumerate(table.cells.columns)
    ]
    rows = []
    for number, row in enumerate(table.cells.rows):
        class_ = "w sum-of" if row[0] == TOGETHER else "w"
        first = element("th", link(row[0]), scope="row", class_=class_)
        others = [element("td", cell, class_="w" if i in words else None) for i, cell in enumerate(row[1:], 1)]
        rows.append(element("tr", first, *others, *([element("td", extra[1][number])] if extra else [])))
    made = element("table", element("thead", element("tr", *head, *more)), element("tbody", *rows), class_="cells")
    return element("div", made, class_="scroll", tabindex=0, role="region", aria_label=table.title)


def small_strata(board: Mapping[str, Any], kind: str) -> list[str]:
    """Return the strata in which no model has enough scored prompts; none where they are too few to be set apart."""
    found = board["strata"][kind]
    small = [
        name for name in found["names"] if all(row[name]["small"] for row in found["cells"].values() if name in row)
    ]
    return small if len(small) >= _WORTH_FOLDING and len(found["names"]) > len(small) else []


def strata(board: Mapping[str, Any], kind: str, names: Sequence[str], *, link: Link) -> Html:
    """Return the scores of all models in these strata of a kind; the models in rows where they are many."""
    cells: Mapping[str, Mapping[str, Any]] = board["strata"][kind]["cells"]
    pooled = bool(board["options"]["pooled"])
    is_wide = len(cells) <= FEW_MODELS
    to_stratum = {name: _to(kind, name) for name in names}
    if is_wide:
        head = [element("th", link(model), scope="col") for model in cells]
        rows = [
            [
                element("th", to_stratum[name], scope="row", class_="w"),
                *(_cell(cells[m].get(name), pooled, with_interval=True) for m in cells),
            ]
            for name in names
        ]
    else:
        head = [element("th", element("span", to_stratum[name]), scope="col") for name in names]  # a span can be turned
        rows = [
            [element("th", link(model), scope="row", class_="w"), *(_cell(row.get(name), pooled) for name in names)]
            for model, row in cells.items()
        ]
    turned = " turned" if not is_wide and len(names) > _MOST_UPRIGHT else ""
    return _heat(head, rows, f"cells heat{turned}", f"score by {kind}", kind)


def _to(kind: str, name: str) -> Html:
    return element("a", one_line(name, 80), href=f"#{kind}={quote(' '.join(name.split()), safe='')}")


def _cell(cell: Mapping[str, Any] | None, pooled: bool, *, with_interval: bool = False) -> Html:
    """Return a cell: its score, its interval where there is room, else in its title, and its n."""
    shown = cell and (cell["pooled"] if pooled else cell["score"])
    if not cell or not shown:
        n = cell["n_scored"] if cell else 0
        return element("td", "–", element("small", str(n)), class_="none")
    estimate, interval, _ = interval_cells(shown)
    class_ = "grey" if cell["small"] else _step(shown["estimate"] - 0.5, 0.5)
    seen = element("small", interval.replace(" ", "\u202f")) if with_interval else None
    title = [] if with_interval else [interval]
    if pooled:
        title.append("raw {} ({})".format(*interval_cells(cell["score"])))
    n = element("small", str(cell["n_scored"]))
    return element("td", estimate, seen, n, class_=class_, title="; ".join(title) or None)


def _step(value: float, largest: float) -> str | None:
    """Return the class of a colour: how far a value is from 0, on a scale that ends at ``largest``."""
    step = min(_STEPS, round(_STEPS * abs(value) / largest)) if largest else 0
    return f"{'p' if value > 0 else 'n'}{step}" if step else None


def matrix(board: Mapping[str, Any], *, link: Link) -> Html | None:
    """Return all paired differences, row minus column; ``None`` where two models or fewer have a score."""
    names = [entry["name"] for entry in board["entries"] if entry["score"]]
    if len(names) < 3:
        return None
    found = {(pair["a"], pair["b"]): pair for pair in board["pairs"]}
    fine = len(names) > _MOST_IN_MATRIX
    largest = max((abs(pair["difference"]["estimate"]) for pair in board["pairs"]), default=0.0)
    rows = []
    for number, a in enumerate(names, 1):
        cells = [_difference(found, a, b, largest, fine) for b in names]
        rows.append([element("th", joined([f"{number} ", link(a)]), scope="row", class_="w"), *cells])
    head = [
        element("th", str(i) if fine else joined([f"{i} ", link(name)]), scope="col") for i, name in enumerate(names, 1)
    ]
    return _heat(head, rows, "cells heat fine" if fine else "cells heat", "paired differences, row minus column")


def _difference(found: Mapping[tuple[str, str], Any], a: str, b: str, largest: float, fine: bool) -> Html:
    if a == b:
        return element("td", class_="self")
    sign = 1.0
    pair = found.get((a, b))
    if pair is None and (pair := found.get((b, a))) is not None:
        sign = -1.0
    if pair is None:
        return element("td", "–", class_="none")
    difference = pair["difference"]
    low, high = sorted((sign * difference["low"], sign * difference["high"]))
    interval = f"{_points(low)} to {_points(high)}"
    estimate = sign * difference["estimate"]
    apart = pair["p_holm"] < 0.05
    class_ = _step(estimate, largest) if apart else None
    if fine:
        title = f"{one_line(a, 60)} − {one_line(b, 60)}: {_points(estimate)} ({interval})"
        return element("td", f"{100 * estimate:.0f}".replace("-", "−") if apart else "·", class_=class_, title=title)
    text = element("b", _points(estimate)) if apart else _points(estimate)
    return element("td", text, element("small", interval), class_=class_)


def _points(share: float) -> str:
    return f"{100 * share:+.1f}".replace("-", "−")


def _heat(
    head: Sequence[Html], rows: Sequence[Sequence[Html]], class_: str, label: str, kind: str | None = None
) -> Html:
    corner = element("th", class_="w")
    body = element("tbody", *(element("tr", *row) for row in rows))
    made = element("table", element("thead", element("tr", corner, *head)), body, class_=class_, data_kind=kind)
    return element("div", made, class_="scroll", tabindex=0, role="region", aria_label=label)


def bar(entry: Mapping[str, Any]) -> Html:
    """Return the shares of wins, ties and losses of an entry as a small bar; empty where they are withheld."""
    shares = [entry[name]["estimate"] if entry[name] else 0.0 for name in ("win_rate", "tie_rate", "loss_rate")]
    if not any(shares):
        return Html("")
    at, parts = 0.0, []
    for share, name in zip(shares, ("win", "tie", "loss"), strict=True):
        width = 120 * share
        parts.append(element("rect", x=f"{at:.1f}", y="0", width=f"{width:.1f}", height="10", class_=f"f-{name}"))
        at += width
    label = ", ".join(f"{percent(share)} % {name}" for share, name in zip(shares, ("won", "tied", "lost"), strict=True))
    return element(
        "svg", element("title", label), *parts, viewBox="0 0 120 10", class_="bars", role="img", aria_label=label
    )
