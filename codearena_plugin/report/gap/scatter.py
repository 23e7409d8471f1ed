"""The gap as a picture in a page: its colours follow the page, and every point says what it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes

from codearena_plugin.gap.execution import title_of
from codearena_plugin.report.facts import interval_cells, percent, share
from codearena_plugin.report.gap.cells import RATES, by_distance, is_outside, signed
from codearena_plugin.report.gap.spots import Spot, expected_line, place_names, spots_of
from codearena_plugin.report.page.elements import Html, joined
from codearena_plugin.report.page.svg import COLOURS, DPI, RC, figure, to_html
from codearena_plugin.report.untrusted import one_line

_SIZES = {"wide": (1080, 680), "narrow": (350, 400)}
_FONT = 11.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 14, 10, 46
_MOST_NAMES = 45
_FEW_NAMES = 4
_ROLES = {"published": "accent", "yours": "second"}


def scatter(gap: Mapping[str, Any]) -> Html | None:
    """Return preference over pass@1, for wide and for narrow windows; ``None`` where no model has both axes.

    A window that is too narrow for all names shows those of the user's models and of those farthest from the line;
    so does a wide one with very many models. The others have theirs in their tips.
    """
    spots = spots_of(gap)
    if not spots:
        return None
    with mpl.rc_context(RC):
        return joined([_drawn(gap, spots, width) for width in _SIZES])


def _drawn(gap: Mapping[str, Any], spots: Sequence[Spot], window: str) -> Html:
    width, height = _SIZES[window]
    drawn = figure(width, height)
    inside = (width - _LEFT - _RIGHT) / width, (height - _TOP - _BOTTOM) / height
    axes = drawn.add_axes((_LEFT / width, _BOTTOM / height, *inside))
    line = expected_line(gap["line"], spots)
    _draw_line(axes, line)
    for spot in spots:
        _draw_spot(axes, spot)
    _dress(axes, gap)
    drawn.canvas.draw()  # sets the transforms that the names are placed by
    _draw_names(axes, spots, _named(gap, spots, _MOST_NAMES if window == "wide" else 0), line)
    label = f"Preference over pass@1 on {title_of(gap['axis'])}, one point a model, with 95 % intervals"
    return to_html(
        drawn,
        label=label,
        names=[one_line(model["name"], 40) for model in gap["models"]],
        tips=[_tip(model, gap) for model in gap["models"]],
        prefix=f"gap-{window}-",
        class_=f"plot {window}",
    )


def _named(gap: Mapping[str, Any], spots: Sequence[Spot], most: int) -> list[Spot]:
    """Return whose names are written: all, or where they are too many the user's few and the outermost."""
    if len(spots) <= most:
        return list(spots)
    far = [model["name"] for place, model in enumerate(by_distance(gap)) if place < _FEW_NAMES or is_outside(model)]
    own = [spot for spot in spots if spot.group == "yours"]
    chosen = {spot.place for spot in own if len(own) <= _FEW_NAMES}
    chosen |= {spot.place for spot in spots if gap["models"][spot.place]["name"] in far}
    return [spot for spot in spots if spot.place in chosen]


def _draw_spot(axes: Axes, spot: Spot) -> None:
    colour, gid = COLOURS[_ROLES[spot.group]], f"tip-{spot.place}_"
    (left, right), (below, above) = spot.x_error, spot.y_error
    for end, (x, y) in {
        "x": ([spot.x - left, spot.x + right], [spot.y, spot.y]),
        "y": ([spot.x, spot.x], [spot.y - below, spot.y + above]),
    }.items():
        axes.plot(x, y, color=colour, linewidth=0.8, alpha=0.6, gid=gid + end, solid_capstyle="round")
    axes.plot(
        [spot.x],
        [spot.y],
        marker="o" if spot.group == "published" else "D",
        markersize=6.4 if spot.group == "published" else 5.4,
        markerfacecolor=colour if spot.group == "published" else COLOURS["surface"],
        markeredgecolor=colour,
        markeredgewidth=1.3,
        gid=f"{gid}m",
        zorder=3,
    )


def _draw_line(axes: Axes, line: Sequence[Sequence[float]]) -> None:
    """Draw the expected score, and one standard deviation of the models about it; nothing where there is no line."""
    if not line:
        return
    at, below, middle, above = zip(*line, strict=True)
    axes.fill_between(at, below, above, color=COLOURS["muted"], alpha=0.12, linewidth=0)
    axes.plot(at, middle, color=COLOURS["muted"], linewidth=1.2)


def _dress(axes: Axes, gap: Mapping[str, Any]) -> None:
    axes.set_xlabel(f"pass@1 on {title_of(gap['axis'])}, %", fontsize=12, labelpad=5)
    axes.set_ylabel(f"preference: {RATES[gap['options']['rate']]}, %", fontsize=12, color=COLOURS["muted"])
    axes.set_ylim(0, 100)
    axes.margins(x=0.03)
    axes.grid(visible=True, color=COLOURS["line"], linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, pad=6, labelsize=12, labelcolor=COLOURS["muted"])
    for drawn in (axes.patch, axes.figure.patch, *axes.spines.values()):
        drawn.set_visible(False)


def _draw_names(axes: Axes, spots: Sequence[Spot], named: Sequence[Spot], line: Sequence[Sequence[float]]) -> None:
    """Write names beside their points: as numbers, of which ``to_html`` makes names, that are longer."""
    for spot, dx, dy, leader in place_names(axes, DPI, spots, named, line, _FONT):
        at, gid = (spot.x, spot.y), f"tip-{spot.place}_n"
        name = axes.annotate(f"@{spot.place}", at, xytext=(dx, dy), textcoords="offset points", fontsize=_FONT, gid=gid)
        name.set_color(COLOURS["ink"])
        if leader:  # by itself: an arrow of the name would begin where the number ends, and run through the name
            arrow = {"arrowstyle": "-", "linewidth": 0.5, "color": COLOURS["muted"], "shrinkA": 0, "shrinkB": 0}
            axes.annotate("", at, xytext=leader, textcoords="offset points", arrowprops=arrow)


def _tip(model: Mapping[str, Any], gap: Mapping[str, Any]) -> str:
    preferred, executed, residual = model["preference"], model["execution"].get(gap["axis"]), model["residual"]
    if not preferred or not executed:
        return one_line(model["name"])
    score, interval, n = interval_cells(preferred)
    ends = "" if executed["low"] is None else f" ({percent(executed['low'])} – {percent(executed['high'])})"
    of = executed["n_expected"] or executed["n"]
    problems = "" if executed["n"] is None else f", {share(executed['n'], of)} problems"
    parts = [
        f"{one_line(model['name'])}: {RATES[gap['options']['rate']]} {score} ({interval}), n = {n}",
        f"pass@1 on {title_of(gap['axis'])} {percent(executed['estimate'])}{ends}{problems}",
    ]
    if residual:
        parts.append(f"expected {percent(residual['expected'])}, gap {signed(residual['gap'])}")
    return "; ".join(parts)
