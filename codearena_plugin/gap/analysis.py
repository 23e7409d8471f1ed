"""From preferences and results to the gap: correlations, the line, who stands apart from it, and equals that differ."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from codearena_plugin.errors import ConfigError, DataError, unknown_name
from codearena_plugin.gap.correlating import Axes, correlation_of
from codearena_plugin.gap.execution import BENCHMARKS, CONFIDENCE, Execution, base_and_plus, title_of
from codearena_plugin.gap.languages import ByLanguage, by_language, language_notes, with_means
from codearena_plugin.gap.matching import match_results
from codearena_plugin.gap.preference import ODD, Group, Preference, published_preferences
from codearena_plugin.gap.record import Correlation, Gap, GapOptions, Model, Pair
from codearena_plugin.runs.caveats import notices
from codearena_plugin.scoring.association.correlation import FEWEST_MODELS
from codearena_plugin.scoring.association.line import (
    Line,
    NoLineError,
    Point,
    Residual,
    fit_line,
)
from codearena_plugin.scoring.association.noise import Measured
from codearena_plugin.scoring.association.places import rank_shift

EQUAL = 0.01
"""Models are called equal on tests where their pass@1 differ by no more than this, on base and plus tests."""

_FEWEST_BOOTSTRAPS = 100


@dataclass(frozen=True)
class Inputs:
    """What a gap is made from.

    Attributes:
        preferences: of the user's runs.
        results: for these runs.
        said: pairs of a run's name and a name in the results.
        published_results: for the published models; ``None``: these are not asked for.
        manifests: of these runs.
        notes: what a reader should know about them.
        by_language: name of a preference -> its rate by programming language, ``None`` where that is not known.
    """

    preferences: Sequence[Preference] = ()
    results: Sequence[Execution] = ()
    said: Sequence[tuple[str, str]] = ()
    published_results: Sequence[Execution] | None = None
    manifests: Sequence[Mapping[str, Any]] = ()
    notes: Sequence[str] = ()
    by_language: Mapping[str, ByLanguage | None] = field(default_factory=dict)


def gap_of(inputs: Inputs, options: GapOptions | None = None) -> Gap:
    """Return the gap.

    With published models the line is theirs alone and every run is placed among them; without, it is that of the runs.

    Raises:
        ConfigError: options that cannot be used, or a match that names nobody.
        DataError: no run has a result, a model has two on one benchmark, or all are by language and do not compare.
    """
    options = options or GapOptions()
    if options.n_bootstraps < _FEWEST_BOOTSTRAPS or options.seed < 0:
        msg = (
            f"{options.n_bootstraps} bootstraps with seed {options.seed}; expected {_FEWEST_BOOTSTRAPS} or more for an "
            "interval, and a seed of at least 0."
        )
        raise ConfigError(msg)
    own, unused = _own(inputs)
    others = _published(inputs, options)
    basis: Group = "published" if inputs.published_results is not None else "yours"
    models = sorted(with_means([*own, *others]), key=_by_preference)
    axis = _axis(models, options.benchmark)
    ours = [model for model in models if model.preference.group == "yours"]
    languages = by_language(ours, inputs.by_language, axis, options) if options.by_language else None
    placed = _Placed([model for model in models if _is_on(model, axis)], axis, basis, options)
    return Gap(
        options=options,
        axis=axis,
        basis=basis,
        models=tuple(placed.models.get(_key(model), model) for model in models),
        correlations=tuple(_correlations(models, basis, options)),
        line=placed.line,
        n_equal=placed.n_equal,
        pairs=placed.pairs,
        languages=languages,
        lacking=tuple(model.preference.name for model in own if not model.executions and not model.parts),
        unused=unused,
        notices=tuple(dict.fromkeys(_notices(inputs.manifests, models))),
        notes=(
            *inputs.notes,
            *_notes(models, axis, options),
            *_near_names(own, unused),
            *(language_notes(ours, inputs.by_language, languages) if languages is not None else ()),
        ),
        manifest=inputs.manifests[0] if inputs.manifests else None,
    )


def _notices(manifests: Sequence[Mapping[str, Any]], models: Sequence[Model]) -> Iterator[str]:
    """Yield what every output must carry: of runs, and of results, those on the axis or not."""
    for manifest in manifests:
        yield from notices(manifest)
    for model in models:
        for one in (*model.executions.values(), *model.parts.values()):
            yield from one.notices


def _own(inputs: Inputs) -> tuple[list[Model], tuple[str, ...]]:
    """Return the user's models, and the names of the results that belong to none of them."""
    if not inputs.preferences:
        return [], ()
    matching = match_results(inputs.preferences, inputs.results, inputs.said)
    if not any(matching.found.values()) and not any(matching.parts.values()):
        runs, results = (_listed(names) for names in (matching.found, matching.unused))
        there = f"Results in files: {results}." if results else "None of the published models has such a name."
        msg = f"No run has execution results. Runs: {runs}. {there} Say which belong together: --match 'run=results'."
        raise DataError(msg)
    own = [Model(one, matching.found[one.name], matching.parts[one.name]) for one in inputs.preferences]
    return own, matching.unused


def _listed(names: Sequence[str] | Mapping[str, object], most: int = 8) -> str:
    shown = [repr(name[:60]) for name in itertools.islice(names, most)]
    return ", ".join([*shown, f"and {len(names) - most} more"] if len(names) > most else shown)


def _published(inputs: Inputs, options: GapOptions) -> list[Model]:
    """Return the published models that have a result."""
    if inputs.published_results is None:
        return []
    preferences = published_preferences(options.rate)
    matching = match_results(preferences, inputs.published_results)
    models = [Model(one, matching.found[one.name], matching.parts[one.name]) for one in preferences]
    return [model for model in models if model.executions]


def _by_preference(model: Model) -> tuple[float, str]:
    return -(_mean(model.preference.measured) if model.preference.measured else -1.0), model.preference.name


def _key(model: Model) -> tuple[Group, str]:
    return model.preference.group, model.preference.name


def _mean(measured: Measured) -> float:
    return measured.interval(CONFIDENCE).estimate


def _is_on(model: Model, benchmark: str) -> bool:
    return model.preference.measured is not None and benchmark in model.executions


def _axis(models: Sequence[Model], asked: str | None) -> str:
    """Return the benchmark that was asked for, or the one that most of the user's, then most of all models have."""
    counts: dict[str, tuple[int, int]] = {}
    for model in models:
        for name in model.executions:
            own, every = counts.get(name, (0, 0))
            counts[name] = own + (model.preference.group == "yours"), every + 1
    if asked is not None:
        if asked not in counts:
            raise ConfigError(unknown_name("benchmark", asked, counts))
        return asked
    if not counts:
        msg = (
            "All results are by language, and no model has every language that another has, so that no number is for a "
            "whole benchmark. Give the models the same languages, or add rows without a language."
        )
        raise DataError(msg)
    preferred = [*BENCHMARKS, *sorted(set(counts) - set(BENCHMARKS))]
    return max((name for name in preferred if name in counts), key=lambda name: counts[name])


def _correlations(models: Sequence[Model], basis: Group, options: GapOptions) -> Iterator[Correlation]:
    """Yield the rank correlations of preference with every benchmark, over the models of the basis."""
    names = dict.fromkeys(name for model in models for name in model.executions)
    order = [*BENCHMARKS, *sorted(set(names) - set(BENCHMARKS))]
    for name in (name for name in order if name in names):
        both = [model for model in models if _counts(model, name, basis, options)]
        if len(both) < FEWEST_MODELS:
            yield Correlation(name, len(both), None, None)
            continue
        preferred = [model.preference.measured for model in both if model.preference.measured]
        yield correlation_of(name, preferred, [model.executions[name] for model in both], options)


def _counts(model: Model, benchmark: str, basis: Group, options: GapOptions) -> bool:
    """Return whether others are compared with a model: it is of the basis, and its result of the whole benchmark."""
    if model.preference.group != basis or not _is_on(model, benchmark):
        return False
    return options.partial or not model.executions[benchmark].is_partial


class _Placed:
    """The models with both axes: their line, their residuals and their places."""

    def __init__(self, models: Sequence[Model], axis: str, basis: Group, options: GapOptions) -> None:
        preferred = [model.preference.measured for model in models if model.preference.measured]
        axes = Axes(preferred, [model.executions[axis] for model in models], options)
        among = [i for i, model in enumerate(models) if _counts(model, axis, basis, options)]
        self.line: Line | str
        try:
            self.line, residuals = _residuals(models, among, axis)
        except NoLineError as exc:
            self.line, residuals = str(exc), {}
        self.models = {
            _key(model): replace(
                model,
                residual=residuals.get(i),
                places=rank_shift(i, among, axes.x, axes.y, noisy=axes.noisy) if len(among) > 1 else None,
            )
            for i, model in enumerate(models)
        }
        whole = [i for i, model in enumerate(models) if options.partial or not model.executions[axis].is_partial]
        equal = [_pair(models, i, j, axis, axes) for i, j in itertools.combinations(whole, 2)]
        self.n_equal = sum(pair is not None for pair in equal)
        self.pairs = tuple(sorted((one for one in equal if one and one.low > 0), key=lambda one: -one.difference))


def _residuals(models: Sequence[Model], among: Sequence[int], axis: str) -> tuple[Line, dict[int, Residual]]:
    """Return the line of the basis and all residuals, each from the line of the others: no model bends its own.

    A run of a published model is held to a line without its published self.

    Raises:
        NoLineError: there is no line.
    """
    points = {i: point for i, model in enumerate(models) if (point := _point(model, axis))}
    basis = [i for i in among if i in points]
    if among and not basis:
        msg = f"it is not known on how many problems {title_of(axis)} rests, so neither is its noise"
        raise NoLineError(msg)
    line, names = fit_line([points[i] for i in basis]), [_names(model, axis) for model in models]

    def is_same(i: int, j: int) -> bool:
        return i == j or (models[i].preference.group != models[j].preference.group and bool(names[i] & names[j]))

    def of_others(i: int) -> Line:
        others = [j for j in basis if not is_same(i, j)]
        return line if len(others) == len(basis) else fit_line([points[j] for j in others])

    return line, {i: of_others(i).residual(point, CONFIDENCE) for i, point in points.items()}


def _names(model: Model, axis: str) -> set[str]:
    """Return what a model is called, by its run or the paper and by its results."""
    result = model.executions[axis]
    return {model.preference.model, result.model, result.alias} - {""}


def _point(model: Model, axis: str) -> Point | None:
    """Return a model on both axes; ``None`` where the noise of an axis is not known: one prompt, or no n."""
    executed, preferred = model.executions[axis].interval, model.preference.measured
    if executed is None or preferred is None or executed.n < 2 or len(preferred.values) < 2:
        return None
    return Point(executed, preferred.interval(CONFIDENCE))


def _pair(models: Sequence[Model], i: int, j: int, axis: str, axes: Axes) -> Pair | None:
    """Return by how much a model is preferred to one below it; ``None`` if they differ on tests, or in group."""
    a, b = models[i], models[j]
    tests = [name for name in base_and_plus(axis) if name in a.executions and name in b.executions]
    shares = {name: (a.executions[name].estimate, b.executions[name].estimate) for name in tests}
    if a.preference.group != b.preference.group or any(abs(p - q) > EQUAL + 1e-9 for p, q in shares.values()):
        return None
    tail = (1 - CONFIDENCE) / 2
    low, high = np.nanquantile(axes.noisy_y[:, i] - axes.noisy_y[:, j], (tail, 1 - tail))
    return Pair(a.preference.name, b.preference.name, float(axes.y[i] - axes.y[j]), float(low), float(high), shares)


def _near_names(own: Sequence[Model], unused: Sequence[str]) -> Iterator[str]:
    """Yield which runs without results differ from unused results by case alone: likeness matches nothing by itself."""
    for name in (model.preference.name for model in own if not model.executions and not model.parts):
        for other in (other for other in unused if other.casefold() == name.casefold()):
            yield f"{name} and the results of {other} differ in case alone; --match '{name}={other}' joins them"


def _partial_notes(models: Sequence[Model], options: GapOptions) -> Iterator[str]:
    """Yield which results rest on a part of their benchmark, and what that means for them."""
    left_out = "" if options.partial else "not in line, correlations and pairs (--partial lets them in): "
    found: dict[str, list[str]] = {}
    for model in models:
        for name, one in model.executions.items():
            if one.is_partial:
                size = "some of its languages" if one.n is None else f"{one.n} of {one.n_expected}"
                found.setdefault(name, []).append(f"{one.model} ({size})")
    for name, partial in found.items():
        yield f"{left_out}results on a part of the problems of {title_of(name)}, {', '.join(partial)}"


def _notes(models: Sequence[Model], axis: str, options: GapOptions) -> Iterator[str]:
    """Yield what a reader should know: mixed engines and sizes, what sources say, incomplete results."""
    yield from _partial_notes(models, options)
    for model in (model for model in models if model.preference.group == "published" and _is_on(model, axis)):
        if model.preference.name in ODD:
            yield f"{model.preference.name}: {ODD[model.preference.name]}"
    for name in base_and_plus(axis):
        found = [model.executions[name] for model in models if name in model.executions]
        engines = list(dict.fromkeys(one.engine for one in found))
        if len(engines) > 1:
            yield f"{title_of(name)} comes from several engines, which do not measure the same: {'; '.join(engines)}"
        sizes = sorted({one.n_expected for one in found if one.n_expected})
        if len(sizes) > 1:
            counts = " and ".join(map(str, sizes))
            yield f"{title_of(name)} has {counts} problems, by model: not all were asked the same"
        for one in found:
            for note in one.notes:
                yield f"{one.model}, {title_of(name)}: {note}"
