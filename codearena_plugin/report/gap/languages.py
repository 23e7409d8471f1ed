"""Both axes by programming language, as cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from codearena_plugin.gap.execution import title_of
from codearena_plugin.report.board import ABSENT
from codearena_plugin.report.facts import Cells, percent, share
from codearena_plugin.report.gap.cells import INTERVAL, RATES, correlation_cells
from codearena_plugin.report.untrusted import one_line


def language_cells(gap: Mapping[str, Any], *, brief: bool = False, least: int | None = None) -> Cells:
    """Return both axes of every model by programming language; what rests on few prompts or problems is in brackets.

    ``brief`` writes language and benchmark as a row of their own above the models, to fit a terminal; ``least`` is how
    many are not few, else what the gap's options say.
    """
    rows = []
    least = gap["options"]["min_n"] if least is None else least
    for found in gap["languages"] or ():
        where = (one_line(found["language"], 40), title_of(found["benchmark"]))
        if brief:
            rows.append((", ".join(where), *[""] * 6))
        for model in found["models"]:
            sides = (*_side(model["preference"], least), *_side(model["execution"], least))
            rows.append(
                (f"  {one_line(model['name'])}", *sides) if brief else (*where, one_line(model["name"]), *sides)
            )
    rate = RATES[gap["options"]["rate"]]
    if brief:
        return Cells(("language", rate, INTERVAL, "n", "pass@1", INTERVAL, "n"), rows)
    names = ("language", "benchmark", "model", rate, INTERVAL, "prompts", "pass@1", INTERVAL, "problems")
    return Cells(names, rows)


def long_language_cells(gap: Mapping[str, Any]) -> Cells:
    """Return the same without brackets, and a column that says what they say: whether it rests on few."""
    least, shown = gap["options"]["min_n"], language_cells(gap, least=0)
    sides = [
        [model[side] for side in ("preference", "execution") if model[side]]
        for found in gap["languages"] or ()
        for model in found["models"]
    ]
    few = ("yes" if any(one["n"] is not None and one["n"] < least for one in found) else "no" for found in sides)
    return Cells((*shown.columns, "few"), [(*row, word) for row, word in zip(shown.rows, few, strict=True)])


def _side(found: Mapping[str, Any] | None, least: int) -> tuple[str, str, str]:
    """Return estimate, interval and n of one side in one language."""
    if found is None:
        return ABSENT, ABSENT, ABSENT
    ends = ABSENT if found["low"] is None else f"{percent(found['low'])} – {percent(found['high'])}"
    if found["n"] is None:
        return percent(found["estimate"]), ends, "unknown"
    cells = percent(found["estimate"]), ends, share(found["n"], found.get("n_expected") or found["n"])
    return cells if found["n"] >= least else (f"({cells[0]})", f"({cells[1]})", cells[2])


def language_correlation_cells(gap: Mapping[str, Any], *, brief: bool = False) -> Cells:
    """Return the rank correlations by programming language; no row for one with too few models."""
    found = [one for one in gap["languages"] or () if one["spearman"] and one["kendall"]]
    made = correlation_cells({"correlations": found}, brief=brief)
    rows = [(f"{one_line(one['language'], 40)}, {row[0]}", *row[1:]) for one, row in zip(found, made.rows, strict=True)]
    return Cells(("language", *made.columns[1:]), rows)


def language_note(gap: Mapping[str, Any]) -> str:
    """Return how the tables by language are read."""
    return (
        "Preference over the prompts of a language, pass@1 over its problems; a prompt of several languages counts in "
        f"each. In brackets: fewer than {gap['options']['min_n']} prompts or problems; these are in no correlation."
    )
