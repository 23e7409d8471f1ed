"""Where names stand in the picture of a gap: beside their points, joined to them by lines that run through no name."""

from __future__ import annotations

import pytest

from codearena_plugin.report.gap.spots import Spot, expected_line, place_names

FONT = 8.0


def spot(place: int, x: float, y: float) -> Spot:
    return Spot(place, f"model-{place:02d}-Instruct", "published", x, y, (4.0, 4.0), (3.0, 3.0))


def test_a_line_to_a_name_ends_where_the_name_begins() -> None:
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), dpi=100)
    axes = figure.add_subplot()
    spots = [spot(i, 50 + 3 * (i % 5), 50 + 2 * (i // 5)) for i in range(25)]  # so close that names must stand apart
    axes.plot([one.x for one in spots], [one.y for one in spots])
    axes.set(xlim=(0, 100), ylim=(0, 100))
    figure.canvas.draw()
    line = {"why_absent": None, "intercept": 0.0, "slope": 1.0, "scatter": 0.5}
    found = list(place_names(axes, 100, spots, spots, expected_line(line, spots), FONT))
    assert [one.spot for one in found] == spots
    assert any(one.leader for one in found)
    for one in found:
        if one.leader:
            x, y = one.leader
            assert one.dx - 1e-9 <= x <= one.dx + 0.58 * FONT * len(one.spot.name) + 1e-9
            assert (x**2 + y**2) ** 0.5 <= 45, "it is the end that is nearer"
            assert not (one.dx < 0 < one.dx + 1 and x == one.dx), "it does not go on below the name"


def test_there_is_no_line_to_draw_where_there_is_none() -> None:
    assert expected_line({"why_absent": "too few models"}, [spot(0, 50, 50)]) == []
