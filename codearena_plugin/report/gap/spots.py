"""The models of a gap as points of a picture, and where their names stand in it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from codearena_plugin.report.untrusted import one_line

_LONGEST_NAME = 40
_RADII = (8.0, 13.0, 19.0, 26.0, 34.0, 44.0)
_LEADER = 14.0  # a name farther from its point than this is joined to it

OnPage = Callable[[float, float], tuple[float, float]]
"""A place in per cent on both axes -> the same in points of the page."""


class Spot(NamedTuple):
    """One model in the picture; all shares in per cent.

    Attributes:
        place: of the model in ``models``.
    """

    place: int
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


class NamePlace(NamedTuple):
    """Where a name stands, in points of the page from its point.

    Attributes:
        dx: with ``dy`` where its first letter begins.
        leader: where a line from the point meets it; ``None`` where it is so near that it needs none.
    """

    spot: Spot
    dx: float
    dy: float
    leader: tuple[float, float] | None


def spots_of(gap: Mapping[str, Any]) -> list[Spot]:
    """Return the models that have both axes."""
    found = []
    for place, model in enumerate(gap["models"]):
        preferred, executed = model["preference"], model["execution"].get(gap["axis"])
        if preferred and executed:
            name = one_line(model["name"], _LONGEST_NAME)
            x, y = 100 * executed["estimate"], 100 * preferred["estimate"]
            found.append(Spot(place, name, model["group"], x, y, _error(executed, x), _error(preferred, y)))
    return found


def _error(interval: Mapping[str, Any], centre: float) -> tuple[float, float]:
    """Return how far the interval reaches below and above; none where it is not known."""
    if interval["low"] is None:
        return 0.0, 0.0
    return max(0.0, centre - 100 * interval["low"]), max(0.0, 100 * interval["high"] - centre)


def expected_line(line: Mapping[str, Any], spots: Sequence[Spot]) -> list[tuple[float, float, float, float]]:
    """Return pass@1, and the expected score there less, without and with one standard deviation of the models.

    Args:
        line: of a gap.
        spots: which it reaches a little beyond.

    Returns:
        All in per cent; empty where there is no line.
    """
    if line["why_absent"] is not None:
        return []
    low, high, found = min(spot.x for spot in spots) - 3, max(spot.x for spot in spots) + 3, []
    for i in range(121):
        x = min(max((low + (high - low) * i / 120) / 100, 0.001), 0.999)
        logit = line["intercept"] + line["slope"] * math.log(x / (1 - x))
        below, middle, above = (50 * (1 + math.tanh((logit + step * line["scatter"]) / 2)) for step in (-1, 0, 1))
        found.append((100 * x, below, middle, above))
    return found


def place_names(
    axes: Any, dpi: float, spots: Sequence[Spot], named: Sequence[Spot], line: Sequence[Sequence[float]], font: float
) -> Iterator[NamePlace]:
    """Yield where every name stands: where it covers least of other names, points, bars and the line.

    Args:
        axes: of matplotlib, drawn once, so that its transforms are set.
        dpi: of its figure.
        spots: all of them.
        named: those that get a name.
        line: of ``expected_line``.
        font: size of the letters, in points.
    """

    def on_page(x: float, y: float) -> tuple[float, float]:
        left, bottom = axes.transData.transform((x, y)) * 72 / dpi
        return float(left), float(bottom)

    frame = Box(*(72 / dpi * float(value) for value in axes.bbox.extents))
    taken = [box for spot in spots for box in _obstacles(spot, on_page)]
    drawn = [on_page(x, middle) for x, _, middle, _ in line]
    taken += [Box(x, y - 1, further, y + 1) for (x, y), (further, _) in pairwise(drawn)]
    for spot in named:
        x, y = on_page(spot.x, spot.y)
        size = 0.58 * font * len(spot.name), 1.15 * font
        box, away = min(
            (_candidate(x, y, angle, radius, size) for radius in _RADII for angle in range(16)),
            key=lambda found: _cost(found[0], found[1], taken, frame),
        )
        taken.append(box)
        leader = min(max(x, box.left), box.right) - x, min(max(y, box.bottom), box.top) - y
        yield NamePlace(spot, box.left - x, box.bottom - y + 0.2 * font, leader if away > _LEADER else None)


def _obstacles(spot: Spot, on_page: OnPage) -> list[Box]:
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
