"""The gap as a picture: preference over pass@1, with error bars, names, and the line of the models."""

from __future__ import annotations

import io
import math
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from codearena_plugin.errors import ConfigError, DataError, MissingExtraError
from codearena_plugin.gap.execution import title_of
from codearena_plugin.report.gap.cells import RATES
from codearena_plugin.report.untrusted import one_line

ENDINGS = (".svg", ".png")
_WIDTH, _HEIGHT, _DPI = 10.0, 7.0, 110
_FONT = 7.0
_COLOURS = {"published": "#4c6a92", "yours": "#c2410c"}
_LONGEST_NAME = 40
_NOT_XML = re.compile(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_RADII = (8.0, 13.0, 19.0, 26.0, 34.0, 44.0)
_LEADER = 14.0  # a name farther from its point than this is joined to it


class Spot(NamedTuple):
    """One model in the picture; all shares in per cent."""

    name: str
    group: str
    x: float
    y: float
    x_error: tuple[float, float]
    y_error: tuple[float, float]


class Box(NamedTuple):
    """A rectangle in points of the page."""

    left: float
    bottom: float
    right: float
    top: float

    def overlap(self, other: Box) -> float:
        """Return the common area, 0 where there is none."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.top, other.top) - max(self.bottom, other.bottom)
        return max(0.0, width) * max(0.0, height)


def check_plot(path: Path) -> None:
    """Refuse a file that cannot be a plot, before anything is computed.

    Raises:
        ConfigError: an ending other than .svg or .png.
        MissingExtraError: matplotlib is not installed.
    """
    if path.suffix.lower() not in ENDINGS:
        msg = f"--plot writes {' or '.join(ENDINGS)}, got {path.name!r}."
        raise ConfigError(msg)
    try:
        import matplotlib as mpl  # noqa: F401
    except ImportError as exc:
        feature = "--plot"
        raise MissingExtraError(feature, "report") from exc


def write_plot(path: Path, gap: Mapping[str, Any]) -> None:
    """Write the picture; the same gap gives the same file on one version of matplotlib.

    Args:
        path: ending in .svg or .png.
        gap: plain data of schema ``codearena-gap/1``.

    Raises:
        ConfigError: another ending.
        DataError: no model has both axes, or the file cannot be written.
        MissingExtraError: matplotlib is not installed.
    """
    check_plot(path)
    spots = _spots(gap)
    if not spots:
        msg = f"There is nothing to plot: no model has both a score and a result on {title_of(gap['axis'])}."
        raise DataError(msg)
    content = _drawn(spots, gap, path.suffix.lower().removeprefix("."))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as exc:
        msg = f"{str(path)!r} cannot be written: {exc.strerror or exc}."
        raise DataError(msg) from exc


def _spots(gap: Mapping[str, Any]) -> list[Spot]:
    found = []
    for model in gap["models"]:
        preferred, executed = model["preference"], model["execution"].get(gap["axis"])
        if preferred and executed:
            name = _NOT_XML.sub("�", one_line(model["name"], _LONGEST_NAME))
            x, y = 100 * executed["estimate"], 100 * preferred["estimate"]
            found.append(Spot(name, model["group"], x, y, _error(executed, x), _error(preferred, y)))
    return found


def _error(interval: Mapping[str, Any], centre: float) -> tuple[float, float]:
    """Return how far the interval reaches below and above; none where it is not known."""
    if interval["low"] is None:
        return 0.0, 0.0
    return max(0.0, centre - 100 * interval["low"]), max(0.0, 100 * interval["high"] - centre)


def _drawn(spots: Sequence[Spot], gap: Mapping[str, Any], form: str) -> bytes:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    # a fixed salt and no date: the same picture is the same file
    settings: Any = {"svg.fonttype": "none", "svg.hashsalt": "codearena", "font.size": 9, "axes.unicode_minus": False}
    with mpl.rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # a name in a script that the font lacks is shown as boxes
        figure = Figure(figsize=(_WIDTH, _HEIGHT), dpi=_DPI, layout="constrained")
        axes = figure.add_subplot()
        _draw_line(axes, spots, gap)
        for group in dict.fromkeys(spot.group for spot in spots):
            _draw_group(axes, [spot for spot in spots if spot.group == group], group, len({s.group for s in spots}) > 1)
        axes.set_xlabel(f"pass@1 on {title_of(gap['axis'])}, %", parse_math=False)
        axes.set_ylabel(f"preference: {RATES[gap['options']['rate']]}, %")
        axes.set_ylim(0, 100)
        axes.grid(alpha=0.25, linewidth=0.5)
        axes.legend(loc="upper left", frameon=False)
        figure.canvas.draw()  # sets the transforms that the names are placed by
        _draw_names(axes, spots)
        target = io.BytesIO()
        figure.savefig(target, format=form, metadata={"Date": None} if form == "svg" else {"Software": None})
    return target.getvalue()


def _draw_group(axes: Any, spots: Sequence[Spot], group: str, is_named: bool) -> None:
    columns = list(zip(*spots, strict=True))
    axes.errorbar(
        columns[2],
        columns[3],
        xerr=list(zip(*columns[4], strict=True)),
        yerr=list(zip(*columns[5], strict=True)),
        fmt="o" if group == "published" else "D",
        markersize=4,
        linewidth=0.6,
        alpha=0.75,
        color=_COLOURS[group],
        label=f"{group}, 95 % intervals" if is_named else "models, 95 % intervals",
    )


def _draw_line(axes: Any, spots: Sequence[Spot], gap: Mapping[str, Any]) -> None:
    """Draw the expected score, and one standard deviation of the models about it."""
    line = gap["line"]
    if line["why_absent"] is not None:
        return
    low, high = min(spot.x for spot in spots) - 3, max(spot.x for spot in spots) + 3
    shares = [min(max((low + (high - low) * i / 120) / 100, 0.001), 0.999) for i in range(121)]
    logits = [line["intercept"] + line["slope"] * math.log(x / (1 - x)) for x in shares]
    at = [100 * x for x in shares]
    below, middle, above = ([_percent(z + step * line["scatter"]) for z in logits] for step in (-1, 0, 1))
    axes.plot(at, middle, color="#444444", linewidth=1, label=f"expected, line of {line['n']} models")
    axes.fill_between(at, below, above, color="#444444", alpha=0.08, linewidth=0, label="± scatter of the models")


def _percent(logit: float) -> float:
    return 50 * (1 + math.tanh(logit / 2))


def _draw_names(axes: Any, spots: Sequence[Spot]) -> None:
    """Write every name beside its point, where it covers least of other names, points and bars."""

    def on_page(x: float, y: float) -> tuple[float, float]:
        left, bottom = axes.transData.transform((x, y)) * 72 / _DPI
        return float(left), float(bottom)

    taken = [box for spot in spots for box in _obstacles(spot, on_page)]
    frame = Box(*(72 / _DPI * float(value) for value in axes.bbox.extents))
    for spot in spots:
        x, y = on_page(spot.x, spot.y)
        width, height = 0.58 * _FONT * len(spot.name), 1.15 * _FONT
        box, away = min(
            (_candidate(x, y, angle, radius, (width, height)) for radius in _RADII for angle in range(16)),
            key=lambda found: _cost(found[0], found[1], taken, frame),
        )
        taken.append(box)
        axes.annotate(
            spot.name,
            (spot.x, spot.y),
            xytext=(box.left - x, box.bottom - y + 0.2 * _FONT),
            textcoords="offset points",
            fontsize=_FONT,
            color=_COLOURS[spot.group],
            parse_math=False,
            arrowprops={"arrowstyle": "-", "linewidth": 0.4, "color": "#888888"} if away > _LEADER else None,
        )


def _obstacles(spot: Spot, on_page: Callable[[float, float], tuple[float, float]]) -> list[Box]:
    """Return what a name should not cover: a point and its two bars."""
    x, y = on_page(spot.x, spot.y)
    left, bottom = on_page(spot.x - spot.x_error[0], spot.y - spot.y_error[0])
    right, top = on_page(spot.x + spot.x_error[1], spot.y + spot.y_error[1])
    return [Box(x - 3, y - 3, x + 3, y + 3), Box(left, y - 1, right, y + 1), Box(x - 1, bottom, x + 1, top)]


def _candidate(x: float, y: float, angle: int, radius: float, size: tuple[float, float]) -> tuple[Box, float]:
    """Return where a name would stand in one of 16 directions, and how far from its point."""
    dx, dy = radius * math.cos(angle * math.pi / 8), radius * math.sin(angle * math.pi / 8)
    left = x + dx - size[0] * (1 - math.cos(angle * math.pi / 8)) / 2
    bottom = y + dy - size[1] / 2
    return Box(left, bottom, left + size[0], bottom + size[1]), radius


def _cost(box: Box, away: float, taken: Sequence[Box], frame: Box) -> float:
    area = (box.right - box.left) * (box.top - box.bottom)
    outside = area - box.overlap(frame)
    return sum(box.overlap(other) for other in taken) + 5 * outside + 1.2 * away
