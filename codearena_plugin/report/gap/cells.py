"""What a gap says, as facts and cells: the one truth behind the terminal, Markdown, CSV and LaTeX.

The input is plain data of schema ``codearena-gap/1``.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from codearena_plugin.gap.execution import base_and_plus, title_of
from codearena_plugin.report.board import ABSENT, p_cell
from codearena_plugin.report.facts import Cells, Facts, interval_cells, percent, share
from codearena_plugin.report.published import YOURS
from codearena_plugin.report.untrusted import one_line

INTERVAL = "95 % interval"
RATES: Mapping[str, str] = {"score": "score", "win_rate": "win rate"}
_OVER = ("other models", "other prompts")
_NAMED = 3
_FEW_SOURCES = 8


def gap_facts(gap: Mapping[str, Any]) -> Facts:
    """Return what was compared, the line, who lies farthest from it, and what to know about the numbers."""
    facts = [
        ("preference", _preference(gap)),
        ("execution", f"pass@1 on {title_of(gap['axis'])}, in per cent; {'; '.join(_engines(gap))}"),
        *_others(gap),
        ("line", _line(gap)),
    ]
    named = [_apart(model) for model in by_distance(gap)[:_NAMED]]
    if named:
        facts.append(("farthest from the line", f"in standard errors, gaps in points: {'; '.join(named)}"))
        facts.append(("outside what is expected", _outside(by_distance(gap))))
    facts += [("notice", one_line(notice, 300)) for notice in gap["notices"]]
    facts += [("note", one_line(note, 300)) for note in gap["notes"]]
    facts += [
        (one_line(model["name"]), f"no score: {one_line(model['withheld'])}")
        for model in gap["models"]
        if model["withheld"]
    ]
    if gap["lacking"]:
        facts.append(("without results", ", ".join(one_line(name) for name in gap["lacking"])))
    if gap["unused"]:
        facts.append(("results of no run", ", ".join(one_line(name) for name in gap["unused"])))
    return facts


def _preference(gap: Mapping[str, Any]) -> str:
    rate = "score, win + tie / 2, in per cent" if gap["options"]["rate"] == "score" else "win rate, in per cent"
    groups = {model["group"] for model in gap["models"]}
    sources = []
    if "yours" in groups and gap["manifest"]:
        suite = gap["manifest"]["suite"]
        sources.append(f"runs on {suite['name']} against {suite['baseline']}")
    if "published" in groups:
        sources.append(next(model["source"] for model in gap["models"] if model["group"] == "published"))
    return one_line(f"{rate}; {' and '.join(sources)}", 300)


def _engines(gap: Mapping[str, Any]) -> list[str]:
    found = [model["execution"].get(gap["axis"]) for model in gap["models"]]
    return list(dict.fromkeys(one_line(one["engine"], 100) for one in found if one))


def _others(gap: Mapping[str, Any]) -> Facts:
    """Return which benchmarks could be the axis instead; of one model alone, with its pass@1 there."""
    results = [model["execution"] for model in gap["models"]]
    own = base_and_plus(gap["axis"])
    names = [name for name in dict.fromkeys(itertools.chain(*results)) if name not in own]
    if not names:
        return []
    shown = [
        f"{title_of(name)} {percent(results[0][name]['estimate'])}" if len(results) == 1 else title_of(name)
        for name in names
    ]
    other = next((name for name in names if name.endswith("+")), names[0])
    return [("other benchmarks", f"{', '.join(shown)}; codearena gap --benchmark {other} sets the axis")]


def _line(gap: Mapping[str, Any]) -> str:
    line = gap["line"]
    if line["why_absent"] is not None:
        return one_line(f"none: {line['why_absent']}", 300)
    return (
        f"logit preference = {line['intercept']:.2f} {line['slope']:+.2f} · logit pass@1, over {line['n']} "
        f"{gap['basis'] if gap['basis'] == 'published' else 'of your'} models; beyond noise they lie "
        f"{line['scatter']:.2f} log-odds from it (standard deviation)"
    )


def _apart(model: Mapping[str, Any]) -> str:
    found = model["residual"]
    low, high = (signed(found[end]) for end in ("gap_low", "gap_high"))
    return f"{one_line(model['name'])} {signed(found['gap'])} ({low} to {high})"


def _outside(models: Sequence[Mapping[str, Any]]) -> str:
    """Return who lies outside the interval of prediction, and how many would by chance."""
    names = [one_line(model["name"]) for model in models if is_outside(model)]
    counted = f"{len(names)} of {len(models)}; {0.05 * len(models):.1f} would be by chance"
    return f"{', '.join(names) or 'none'} ({counted})"


def by_distance(gap: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the models that have a residual, the one farthest from the line first."""
    found = [model for model in gap["models"] if model["residual"]]
    return sorted(found, key=lambda model: (-abs(model["residual"]["z"]), model["name"]))


def is_outside(model: Mapping[str, Any]) -> bool:
    """Return whether a model lies outside the interval that other models with its pass@1 are expected in."""
    found = model["residual"]
    return not found["expected_low"] <= model["preference"]["estimate"] <= found["expected_high"]


def shown_name(model: Mapping[str, Any], gap: Mapping[str, Any]) -> str:
    """Return a model's name; of the user's a sign says so, where others stand beside them."""
    is_marked = model["group"] == "yours" and gap["basis"] == "published"
    return (YOURS if is_marked else "") + one_line(model["name"])


def signed(points: float) -> str:
    """Return a difference of shares in points.

    >>> signed(0.196), signed(-0.0004)
    ('+19.6', '+0.0')
    """
    return f"{round(100 * points, 1) + 0.0:+.1f}"


def shown_benchmarks(gap: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the axis, last, and before it its problems with the other tests, base or plus, if a model has them."""
    [other] = set(base_and_plus(gap["axis"])) - {gap["axis"]}
    return (other, gap["axis"]) if any(other in m["execution"] for m in gap["models"]) else (gap["axis"],)


def axes_cells(gap: Mapping[str, Any], *, brief: bool = False) -> Cells:
    """Return both axes of every model: preference, and pass@1 on base and plus tests with the interval of the axis.

    ``brief`` writes base and plus into one column, to fit a terminal.
    """
    benchmarks = shown_benchmarks(gap)
    rows = []
    for model in gap["models"]:
        preferred = ("withheld", "") if model["withheld"] else interval_cells(model["preference"])[:2]
        n_scored = share(model["preference"]["n"] if model["preference"] else 0, model["n_prompts"])
        results = [model["execution"].get(name) for name in benchmarks]
        on_axis = model["execution"].get(gap["axis"])
        shares = [percent(one["estimate"]) if one else ABSENT for one in results]
        shares = [" / ".join(shares)] if brief else shares
        rows.append((shown_name(model, gap), *preferred, n_scored, *shares, *_of_axis(on_axis)))
    rate = RATES[gap["options"]["rate"]]
    if brief:
        return Cells(("model", rate, INTERVAL, "n", _joined(benchmarks), INTERVAL, "n"), rows)
    return Cells(("model", rate, INTERVAL, "prompts", *map(title_of, benchmarks), INTERVAL, "problems"), rows)


def _joined(benchmarks: Sequence[str]) -> str:
    """Return the titles of base and plus tests in one.

    >>> _joined(("humaneval", "humaneval+")), _joined(("mbpp+", "mbpp")), _joined(("multipl_e",))
    ('HumanEval / +', '+ / MBPP', 'MultiPL-E')
    """
    first, *axis = benchmarks
    if not axis:
        return title_of(first)
    return f"{title_of(first)} / +" if axis[0].endswith("+") else f"+ / {title_of(axis[0])}"


def _of_axis(result: Mapping[str, Any] | None) -> tuple[str, str]:
    """Return interval and number of problems of a result."""
    if result is None or result["n"] is None:
        return ABSENT, ABSENT
    of = result["n_expected"] or result["n"]
    return f"{percent(result['low'])} – {percent(result['high'])}", share(result["n"], of)


def residual_cells(gap: Mapping[str, Any], *, brief: bool = False) -> Cells:
    """Return what others with a model's pass@1 are expected to score, its gap, and how many places it moves.

    ``brief`` writes places and their interval into one column, in whole places.
    """
    rows = [(shown_name(model, gap), *_residual(model, brief=brief)) for model in by_distance(gap)]
    places = ("places up",) if brief else ("places up", INTERVAL)
    return Cells(("model", "expected", INTERVAL, "gap", INTERVAL, *places), rows)


def _residual(model: Mapping[str, Any], *, brief: bool = False) -> tuple[str, ...]:
    found = model["residual"]
    expected = f"{percent(found['expected_low'])} – {percent(found['expected_high'])}"
    own = f"{signed(found['gap_low'])} to {signed(found['gap_high'])}"
    return percent(found["expected"]), expected, signed(found["gap"]), own, *_shift(model["places"], brief=brief)


def _shift(places: Mapping[str, Any] | None, *, brief: bool) -> tuple[str, ...]:
    if places is None:
        return (ABSENT,) if brief else (ABSENT, ABSENT)
    up, low, high = places["places"], places["low"], places["high"]
    if low is None:
        return (_places(up),) if brief else (_places(up), ABSENT)
    if brief:
        return (f"{_places(up)} ({math.floor(low)} to {math.ceil(high)})",)
    return _places(up), f"{_places(low)} to {_places(high)}"


def _places(n: float) -> str:
    return f"{n:+g}" if n else "0"


def correlation_cells(gap: Mapping[str, Any], *, brief: bool = False) -> Cells:
    """Return the rank correlations with every benchmark; no row for one with too few models.

    ``brief`` leaves the second interval of Kendall's out.
    """
    rows = [
        (title_of(one["benchmark"]), str(one["n"]), *_correlation(one["spearman"]), *_correlation(one["kendall"]))
        for one in _correlated(gap)
    ]
    columns = ("benchmark", "models", "Spearman", *_OVER, "Kendall", *_OVER)
    return Cells(columns[:-1], [row[:-1] for row in rows]) if brief else Cells(columns, rows)


def long_correlation_cells(gap: Mapping[str, Any]) -> Cells:
    """Return the same with one number a cell, and a name of its own for every column."""
    kinds = {"spearman": "Spearman", "kendall": "Kendall"}
    columns = [
        name
        for kind in kinds.values()
        for name in (kind, *(f"{kind} {over} {end}" for over in _OVER for end in ("low", "high")))
    ]
    rows = []
    for one in _correlated(gap):
        cells = [title_of(one["benchmark"]), str(one["n"])]
        for found in (one[kind] for kind in kinds):
            ends = (*found["other_models"], *(found["other_prompts"] or (None, None)))
            cells += [f"{found['estimate']:.4f}", *("" if end is None else f"{end:.4f}" for end in ends)]
        rows.append(tuple(cells))
    return Cells(("benchmark", "models", *columns), rows)


def _correlated(gap: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [one for one in gap["correlations"] if one["spearman"] and one["kendall"]]


def _correlation(found: Mapping[str, Any]) -> tuple[str, str, str]:
    ends = [found["other_models"], found["other_prompts"]]
    intervals = [f"{pair[0]:.2f} – {pair[1]:.2f}" if pair else ABSENT for pair in ends]
    return f"{found['estimate']:.2f}", intervals[0], intervals[1]


def pair_cells(gap: Mapping[str, Any]) -> Cells:
    """Return the pairs that are equal on tests and apart in preference."""
    benchmarks = shown_benchmarks(gap)
    rows = []
    for pair in gap["pairs"]:
        shares = [pair["executions"].get(name) for name in benchmarks]
        results = [f"{percent(one[0])} / {percent(one[1])}" if one else ABSENT for one in shares]
        ends = f"{signed(pair['low'])} to {signed(pair['high'])}"
        name = f"{one_line(pair['a'])} − {one_line(pair['b'])}"
        rows.append((name, signed(pair["difference"]), ends, *results))
    return Cells(("equal on tests", "preference", INTERVAL, *map(title_of, benchmarks)), rows)


def long_pair_cells(gap: Mapping[str, Any]) -> Cells:
    """Return the same with one number, and one name, a cell."""
    benchmarks = shown_benchmarks(gap)
    rows = []
    for pair in gap["pairs"]:
        shares = [pair["executions"].get(name, (None, None)) for name in benchmarks]
        results = ["" if one is None else percent(one) for both in shares for one in both]
        names = (one_line(pair["a"]), one_line(pair["b"]))
        rows.append((*names, signed(pair["difference"]), f"{signed(pair['low'])} to {signed(pair['high'])}", *results))
    titles = [f"{title_of(name)}{of}" for name in benchmarks for of in ("", " of the other")]
    return Cells(("model", "other model", "preference", INTERVAL, *titles), rows)


def source_cells(gap: Mapping[str, Any]) -> Cells:
    """Return where every execution number comes from and which engine gave it: a row a source, engine and benchmark."""
    found: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for model in gap["models"]:
        for name, one in model["execution"].items():
            found.setdefault((one["source"], one["engine"], title_of(name)), []).append(one)
    for part in gap["languages"] or ():
        title = f"{title_of(part['benchmark'])} in {one_line(part['language'], 40)}"
        for one in (model["execution"] for model in part["models"] if model["execution"]):
            if one["language"]:
                found.setdefault((one["source"], one["engine"], title), []).append(one)
    rows = [
        (one_line(source, 120), one_line(engine, 80), title, str(len(results)), ", ".join(_sizes(results)))
        for (source, engine, title), results in found.items()
    ]
    return Cells(("source", "engine", "benchmark", "models", "problems"), rows)


def source_facts(gap: Mapping[str, Any]) -> Facts:
    """Return the same in a line a source and engine."""
    found: dict[tuple[str, str], list[str]] = {}
    for source, engine, benchmark, models, problems in source_cells(gap).rows:
        found.setdefault((source, engine), []).append(f"{benchmark} ({models} × {problems})")
    lines = [(source, f"{engine}: {', '.join(results)}") for (source, engine), results in found.items()]
    shown = [("source", f"{source}: {text}") for source, text in lines[:_FEW_SOURCES]]
    left_out = len(lines) - _FEW_SOURCES
    return [*shown, ("source", f"{left_out} more in --format json")] if left_out > 0 else shown


def _sizes(results: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    sizes = {(one["n"], one["n_expected"] or one["n"]) for one in results}
    for n, of in sorted(sizes, key=lambda pair: pair[0] or 0):
        yield "unknown" if n is None else share(n, of)


def whole_cells(gap: Mapping[str, Any]) -> Cells:
    """Return a row a model with everything: for programs, and for those who make tables of their own."""
    axes = axes_cells(gap)
    absent = (ABSENT,) * 6
    rows = []
    for model, row in zip(gap["models"], axes.rows, strict=True):
        residual, places = model["residual"], model["places"]
        one = model["execution"].get(gap["axis"])
        stands = (f"{places['on_x']:g}", f"{places['on_y']:g}") if places else (ABSENT, ABSENT)
        source = (one_line(one["engine"], 80), one_line(one["source"], 120)) if one else (ABSENT, ABSENT)
        p_value = p_cell(residual["p_value"]) if residual else ABSENT
        rows.append((*row, *(_residual(model) if residual else absent), p_value, *stands, *source))
    more = ("p", "place on tests", "place by preference", "engine", "source")
    return Cells((*axes.columns, *residual_cells(gap).columns[1:], *more), rows)
