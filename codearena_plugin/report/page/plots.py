"""The plots of the page: intervals in rows, drawn with matplotlib.

matplotlib, because its axes, ticks and scales are right without our help and its SVG can be put into a page as it is,
without a script; plots that draw themselves in the browser would need one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from codearena_plugin.report.board import EFFECTS
from codearena_plugin.report.facts import interval_cells, percent
from codearena_plugin.report.page.elements import Html, joined
from codearena_plugin.report.page.svg import COLOURS, RC, figure, to_html
from codearena_plugin.report.untrusted import one_line

_WIDE, _NARROW = 1080, 350  # pixels; which of the two is seen, the page's style sheet decides
_CHARACTER = 6.6  # pixels that a character of a label takes, on the safe side
_ROW, _MANY_ROWS = 30, 21
_TOP, _BOTTOM, _RIGHT = 8, 44, 14


@dataclass(frozen=True)
class Mark:
    """A point with its interval; ``is_second`` is drawn hollow and below the first."""

    estimate: float
    low: float
    high: float
    is_second: bool = False


@dataclass(frozen=True)
class Row:
    """A row of a plot: its name, its marks, and what its tip says."""

    name: str
    marks: tuple[Mark, ...]
    tip: str


@dataclass(frozen=True)
class Panel:
    """One set of axes, side by side with others over the same rows."""

    title: str
    rows: tuple[Row, ...]
    neutral: float | None
    limits: tuple[float, float] | None = None


def forest(board: Mapping[str, Any]) -> Html | None:
    """Return all scores with their intervals, the controlled ones beside them; ``None`` where nobody has a score."""
    rows = tuple(_score_row(entry) for entry in board["entries"] if entry["score"])
    panel = Panel(f"score, % (50 = {one_line(board['reference'], 40)})", rows, neutral=50.0)
    return _plot([panel], "Scores with 95 % intervals, one row a model", "forest") if rows else None


def _score_row(entry: Mapping[str, Any]) -> Row:
    raw, controlled = entry["score"], entry["controlled"]
    marks = (_percent_mark(raw), *((_percent_mark(controlled, is_second=True),) if controlled else ()))
    tip = f"{entry['name']}: {percent(raw['estimate'])} ({interval_cells(raw)[1]})"
    if controlled:
        tip += f"; style controlled {percent(controlled['estimate'])} ({interval_cells(controlled)[1]})"
    return Row(entry["name"], marks, f"{tip}; n = {raw['n']}")


def effects(board: Mapping[str, Any]) -> Html | None:
    """Return the effects of style with their intervals; ``None`` where none were fitted."""
    rows = []
    for found in board["style"].get("coefficients", []):
        name = EFFECTS.get(found["name"], found["name"])
        tip = f"{name}: {found['estimate']:+.3f} ({found['low']:+.3f} to {found['high']:+.3f}); n = {found['n']}"
        rows.append(Row(name, (Mark(found["estimate"], found["low"], found["high"]),), tip))
    title = "change of the log-odds of winning"
    return _plot([Panel(title, tuple(rows), 0.0)], "Effects of style with 95 % intervals", "style") if rows else None


_JUDGE_PANELS: Mapping[str, tuple[str, float | None]] = {
    "order_consistency": ("order consistency, %", None),
    "first_position": ("first answer wins, %", 50.0),
    "tie_rate": ("judged equal, %", None),
}


def judge(board: Mapping[str, Any]) -> Html | None:
    """Return how far the judge can be relied on, model by model: three rates side by side."""
    found = board["reliability"].get("model", {})
    panels = []
    for rate, (title, neutral) in _JUDGE_PANELS.items():
        rows = tuple(_rate_row(name, title, numbers[rate]) for name, numbers in found.items())
        panels.append(Panel(title, rows, neutral, (-3.0, 103.0)))
    return _plot(panels, "Reliability of the judge with 95 % intervals, one row a model", "judge") if found else None


def _rate_row(name: str, title: str, interval: Mapping[str, Any] | None) -> Row:
    if interval is None:
        return Row(name, (), f"{name}: {title}: unknown")
    estimate, low_high, n = interval_cells(interval)
    return Row(name, (_percent_mark(interval),), f"{name}: {title} {estimate} ({low_high}); n = {n}")


def _percent_mark(interval: Mapping[str, Any], *, is_second: bool = False) -> Mark:
    return Mark(100 * interval["estimate"], 100 * interval["low"], 100 * interval["high"], is_second)


def _plot(panels: Sequence[Panel], label: str, prefix: str) -> Html:
    """Return a plot twice, for wide and for narrow windows."""
    with mpl.rc_context(RC):
        wide = _drawn(panels, _WIDE, label, f"{prefix}-w-", "plot wide")
        narrow = [_drawn([panel], _NARROW, label, f"{prefix}-n{i}-", "plot narrow") for i, panel in enumerate(panels)]
    return joined([wide, *narrow])


def _drawn(panels: Sequence[Panel], width: int, label: str, prefix: str, class_: str) -> Html:
    rows = panels[0].rows
    longest = 34 if width == _WIDE else 15
    names = [one_line(row.name, longest) for row in rows]
    left = 14 + _CHARACTER * max(map(_wide, names))
    step = _ROW if len(rows) <= 15 else _MANY_ROWS
    height = _TOP + _BOTTOM + step * len(rows)
    drawn = figure(width, height)
    gap = 34
    each = (width - left - _RIGHT - gap * (len(panels) - 1)) / len(panels)
    tips: list[str] = []
    for place, panel in enumerate(panels):
        x = left + place * (each + gap)
        axes = drawn.add_axes((x / width, _BOTTOM / height, each / width, step * len(rows) / height))
        _fill(axes, panel, tips, n_ticks=max(3, int(each / 90)))
        axes.set_yticks(range(len(rows)), [f"@{i}" for i in range(len(rows))] if place == 0 else [""] * len(rows))
    return to_html(drawn, label=label, names=names, tips=tips, prefix=prefix, class_=class_)


def _fill(axes: Axes, panel: Panel, tips: list[str], *, n_ticks: int) -> None:
    has_second = any(mark.is_second for row in panel.rows for mark in row.marks)
    for place, row in enumerate(panel.rows):
        for mark in row.marks:
            y = place + (0.0 if not has_second else 0.17 if mark.is_second else -0.13)
            colour = COLOURS["second" if mark.is_second else "accent"]
            gid = f"tip-{len(tips)}_"
            tips.append(row.tip)
            axes.plot([mark.low, mark.high], [y, y], color=colour, linewidth=1.6, solid_capstyle="round", gid=f"{gid}l")
            axes.plot(
                [mark.estimate],
                [y],
                marker="D" if mark.is_second else "o",
                markersize=4.6 if mark.is_second else 6.4,
                markerfacecolor=COLOURS["surface"] if mark.is_second else colour,
                markeredgecolor=colour,
                markeredgewidth=1.3,
                gid=f"{gid}m",
            )
    if panel.neutral is not None:
        axes.axvline(panel.neutral, color=COLOURS["muted"], linewidth=1, linestyle=(0, (4, 3)), zorder=0)
    axes.set_ylim(len(panel.rows) - 0.5, -0.5)
    if panel.limits:
        axes.set_xlim(*panel.limits)
    axes.xaxis.set_major_locator(MaxNLocator(n_ticks, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(_tick))
    axes.set_xlabel(panel.title, fontsize=12, labelpad=5)
    axes.grid(visible=True, axis="x", color=COLOURS["line"], linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, pad=6, labelsize=12)
    axes.patch.set_visible(False)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.figure.patch.set_visible(False)


def _tick(value: float, _place: int) -> str:
    return f"{value:g}".replace("-", "−")


def _wide(name: str) -> float:
    """Return how many characters wide a name is; signs of East Asia are almost two."""
    return sum(1.8 if ord(char) > 0x1100 else 1.0 for char in name)
