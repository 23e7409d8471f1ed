"""Both axes by programming language, where both sides exist: preference on a language's prompts, pass@1 in it.

Nothing is made up for a side that is missing: a language without results, or without prompts, has no row. The one
number that is derived is a benchmark's whole where results give its languages only (``with_means``).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from codearena_plugin.gap.correlating import correlation_of
from codearena_plugin.gap.execution import LANGUAGES, Execution, title_of
from codearena_plugin.gap.matching import Part
from codearena_plugin.gap.preference import Preference
from codearena_plugin.gap.record import Correlation, GapOptions, LanguageCell, Model, OfLanguage
from codearena_plugin.runs.files import StoredRun
from codearena_plugin.runs.strata import strata_of_run
from codearena_plugin.scoring.association.correlation import FEWEST_MODELS
from codearena_plugin.scoring.association.noise import Measured

ByLanguage = Mapping[str, Measured]
"""Programming language -> the rate by prompt, over the prompts of that language."""

_MOST_NAMED = 8


def preference_by_language(preference: Preference, run: StoredRun, data: str | None = None) -> ByLanguage | None:
    """Return a run's rate by programming language; a prompt of several languages counts in each.

    Args:
        preference: of that run.
        run: whose prompts' languages are asked for.
        data: where the suite's file lies now, if the run does not hold the languages.

    Returns:
        ``None`` where the languages of its prompts are not at hand.

    Raises:
        DataError: the run's file of languages is there and cannot be read.
    """
    strata = strata_of_run(run, data)
    if strata is None:
        return None
    values: dict[str, dict[str, float]] = {}
    measured = preference.measured
    for prompt_id, value in zip(measured.clusters or (), measured.values, strict=True) if measured else ():
        for language in strata["language"][prompt_id]:
            values.setdefault(language, {})[prompt_id] = value
    return {name: Measured(tuple(found.values()), tuple(found)) for name, found in values.items()}


def with_means(models: Sequence[Model]) -> list[Model]:
    """Return models with the mean over a benchmark's languages where results hold no number for the whole.

    Every language counts alike, as in MultiPL-E's own average. The same problems in several languages are not
    independent, so the mean has no interval. Means over different languages do not compare: it is made for models with
    every language that any model has, and not at all where the source's own numbers are over fewer.
    """
    found = [(model, _languages_of(model)) for model in models]
    every: dict[str, set[str]] = {}
    for _, languages in found:
        for benchmark, names in languages.items():
            every.setdefault(benchmark, set()).update(names)
    over_fewer = {
        benchmark
        for model, languages in found
        for benchmark, names in languages.items()
        if benchmark in model.executions and set(names) != every[benchmark]
    }
    complete = {benchmark: names for benchmark, names in every.items() if benchmark not in over_fewer}
    return [
        _with_means(model, [name for name, names in languages.items() if set(names) == complete.get(name)])
        for model, languages in found
    ]


def _languages_of(model: Model) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for benchmark, language in model.parts:
        found.setdefault(benchmark, []).append(language)
    return found


def _with_means(model: Model, benchmarks: Sequence[str]) -> Model:
    means = {
        name: _mean([one for (benchmark, _), one in model.parts.items() if benchmark == name])
        for name in benchmarks
        if name not in model.executions
    }
    return replace(model, executions={**model.executions, **means})


def _mean(parts: Sequence[Execution]) -> Execution:
    engines, sources = (
        list(dict.fromkeys(names)) for names in zip(*((p.engine, p.source) for p in parts), strict=True)
    )
    names = ", ".join(sorted(one.language for one in parts))
    counted = f"mean of {len(parts)} languages" if len(parts) > 1 else "one language"
    return replace(
        parts[0],
        estimate=math.fsum(one.estimate for one in parts) / len(parts),
        measured=None if len(parts) > 1 else parts[0].measured,
        n_expected=None if len(parts) > 1 else parts[0].n_expected,
        engine=f"{'; '.join(engines)}, {counted}",
        source="; ".join(sources),
        notes=(f"{counted}, each counted alike: {names}",),
        notices=tuple(dict.fromkeys(notice for one in parts for notice in one.notices)),
        has_partial_parts=any(one.is_partial for one in parts),
        pass_at={},
        language="",
    )


def by_language(
    models: Sequence[Model], preferred: Mapping[str, ByLanguage | None], axis: str, options: GapOptions
) -> tuple[OfLanguage, ...]:
    """Return every language and benchmark in which at least one model has both axes, most prompts first.

    Args:
        models: the user's; published preference is not known by language.
        preferred: name of a run -> its rate by language.
        axis: its results are those of its language, if it asks for one language; others are by language already.
        options: of the gap.
    """
    measured = {name: found or {} for name, found in preferred.items()}
    results: dict[Part, dict[str, Execution]] = {}
    for model in models:
        for (benchmark, language), one in _parts(model, axis):
            results.setdefault((language, benchmark), {})[model.preference.name] = one
    found = []
    for (language, benchmark), executions in results.items():
        names = [model.preference.name for model in models]
        both = [LanguageCell(name, measured.get(name, {}).get(language), executions.get(name)) for name in names]
        cells = tuple(cell for cell in both if cell.preference or cell.execution)
        if any(cell.preference and cell.execution for cell in cells):
            found.append(_correlated(language, benchmark, cells, options))
    return tuple(sorted(found, key=lambda one: (-_prompts(one), one.language, one.benchmark)))


def _prompts(found: OfLanguage) -> int:
    return max(len(cell.preference.values) if cell.preference else 0 for cell in found.cells)


def _correlated(language: str, benchmark: str, cells: tuple[LanguageCell, ...], options: GapOptions) -> OfLanguage:
    """Return a language with the rank correlations over its models that rest on enough prompts and problems."""
    both = [
        (cell.preference, cell.execution)
        for cell in cells
        if cell.preference and cell.execution and _is_enough(cell.preference, cell.execution, options)
    ]
    if len(both) < FEWEST_MODELS:
        return OfLanguage(language, benchmark, cells, Correlation(benchmark, len(both), None, None))
    preferred, results = zip(*both, strict=True)
    return OfLanguage(language, benchmark, cells, correlation_of(benchmark, preferred, results, options))


def _is_enough(preferred: Measured, executed: Execution, options: GapOptions) -> bool:
    n = executed.n
    is_many = len(preferred.values) >= options.min_n and (n is None or n >= options.min_n)
    return is_many and (options.partial or not executed.is_partial)


def _parts(model: Model, axis: str) -> Iterator[tuple[Part, Execution]]:
    yield from model.parts.items()
    if axis in LANGUAGES and axis in model.executions:
        yield (axis, LANGUAGES[axis]), model.executions[axis]


def language_notes(
    models: Sequence[Model], preferred: Mapping[str, ByLanguage | None], found: Sequence[OfLanguage]
) -> Iterator[str]:
    """Yield which sides are missing: runs whose languages are unknown, languages with one side only."""
    for name in (name for name, one in preferred.items() if one is None):
        yield f"{name}: the languages of its prompts are not at hand; name the suite's file with --data"
    shown = {(one.language, one.benchmark) for one in found}
    prompted = {name for one in preferred.values() for name in one or ()}
    for benchmark in dict.fromkeys(benchmark for model in models for benchmark, _ in model.parts):
        languages = {language for model in models for b, language in model.parts if b == benchmark}
        if alone := sorted(language for language in languages if (language, benchmark) not in shown):
            yield f"{title_of(benchmark)} by language, without a prompt: {_some(alone)}"
    if alone := sorted(prompted - {language for language, _ in shown}):
        yield f"languages of prompts without results: {_some(alone)}"


def _some(names: Sequence[str]) -> str:
    left_out = len(names) - _MOST_NAMED
    return ", ".join([*names[:_MOST_NAMED], *([f"and {left_out} more"] if left_out > 0 else [])])
