"""The gap as a picture: preference over pass@1, with error bars, names, and the line of the models."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from codearena_plugin.errors import ConfigError, DataError, MissingExtraError
from codearena_plugin.gap.execution import title_of
from codearena_plugin.report.gap.cells import RATES
from codearena_plugin.report.gap.spots import Spot, expected_line, place_names, spots_of

ENDINGS = (".svg", ".png")
_WIDTH, _HEIGHT, _DPI = 10.0, 7.0, 110
_FONT = 7.0
_COLOURS = {"published": "#4c6a92", "yours": "#c2410c"}
_NOT_XML = re.compile(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


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
    spots = spots_of(gap)
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


def _drawn(spots: Sequence[Spot], gap: Mapping[str, Any], form: str) -> bytes:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    # a fixed salt and no date: the same picture is the same file
    settings: Any = {"svg.fonttype": "none", "svg.hashsalt": "codearena", "font.size": 9, "axes.unicode_minus": False}
    with mpl.rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # a name in a script that the font lacks is shown as boxes
        figure = Figure(figsize=(_WIDTH, _HEIGHT), dpi=_DPI, layout="constrained")
        axes = figure.add_subplot()
        if line := expected_line(gap["line"], spots):
            _draw_line(axes, line, gap["line"]["n"])
        for group in dict.fromkeys(spot.group for spot in spots):
            _draw_group(axes, [spot for spot in spots if spot.group == group], group, len({s.group for s in spots}) > 1)
        axes.set_xlabel(f"pass@1 on {title_of(gap['axis'])}, %", parse_math=False)
        axes.set_ylabel(f"preference: {RATES[gap['options']['rate']]}, %")
        axes.set_ylim(0, 100)
        axes.grid(alpha=0.25, linewidth=0.5)
        axes.legend(loc="upper left", frameon=False)
        figure.canvas.draw()  # sets the transforms that the names are placed by
        _draw_names(axes, spots, line)
        target = io.BytesIO()
        figure.savefig(target, format=form, metadata={"Date": None} if form == "svg" else {"Software": None})
    return target.getvalue()


def _draw_group(axes: Any, spots: Sequence[Spot], group: str, is_named: bool) -> None:
    axes.errorbar(
        [spot.x for spot in spots],
        [spot.y for spot in spots],
        xerr=list(zip(*(spot.x_error for spot in spots), strict=True)),
        yerr=list(zip(*(spot.y_error for spot in spots), strict=True)),
        fmt="o" if group == "published" else "D",
        markersize=4,
        linewidth=0.6,
        alpha=0.75,
        color=_COLOURS[group],
        label=f"{group}, 95 % intervals" if is_named else "models, 95 % intervals",
    )


def _draw_line(axes: Any, line: Sequence[Sequence[float]], n: int) -> None:
    """Draw the expected score, and one standard deviation of the ``n`` models about it."""
    at, below, middle, above = zip(*line, strict=True)
    axes.plot(at, middle, color="#444444", linewidth=1, label=f"expected score, line of {n} models")
    label = "one standard deviation of these models"
    axes.fill_between(at, below, above, color="#444444", alpha=0.08, linewidth=0, label=label)


def _draw_names(axes: Any, spots: Sequence[Spot], line: Sequence[Sequence[float]]) -> None:
    """Write every name beside its point."""
    for spot, dx, dy, leader in place_names(axes, _DPI, spots, spots, line, _FONT):
        name, common = _NOT_XML.sub("�", spot.name), {"xy": (spot.x, spot.y), "textcoords": "offset points"}
        axes.annotate(name, xytext=(dx, dy), fontsize=_FONT, color=_COLOURS[spot.group], parse_math=False, **common)
        if leader:
            arrow = {"arrowstyle": "-", "linewidth": 0.4, "color": "#888888", "shrinkA": 0, "shrinkB": 0}
            axes.annotate("", xytext=leader, arrowprops=arrow, **common)
