"""The gap as a record: both axes of every model, how they go together, and who stands apart.

Its plain form, ``Gap.to_json``, has schema ``codearena-gap/1``; tables, files and the plot are made from that. Its
``languages`` is ``null`` if they were not asked for, else a list of ``{"language", "benchmark", "n", "spearman",
"kendall", "models": [{"name", "preference", "execution"}]}``: n counts the models of the correlations, a side that does
not exist is ``null``, preference is an interval over the prompts of that language, and execution is as in ``models``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import codearena_plugin
from codearena_plugin.gap.execution import CONFIDENCE, Execution
from codearena_plugin.gap.matching import Part
from codearena_plugin.gap.preference import Preference, Rate
from codearena_plugin.scoring.association.correlation import RankCorrelation
from codearena_plugin.scoring.association.line import Line, Residual
from codearena_plugin.scoring.association.noise import Measured
from codearena_plugin.scoring.association.places import Shift

SCHEMA = "codearena-gap/1"


@dataclass(frozen=True, slots=True)
class GapOptions:
    """What a user may choose.

    Attributes:
        benchmark: the axis of execution; ``None``: the one that most models have.
        rate: the axis of preference: the score (win + tie / 2), or the win rate that the paper plots.
        n_bootstraps: resamples, at least 100.
        seed: of these, at least 0.
        partial: let results that rest on a part of a benchmark's problems into line, correlations and pairs.
        by_language: also set both axes side by side language by language.
        min_n: cells by language of fewer prompts or problems are bracketed, and in no correlation.
    """

    benchmark: str | None = None
    rate: Rate = "score"
    n_bootstraps: int = 2000
    seed: int = 0
    partial: bool = False
    by_language: bool = False
    min_n: int = 10


@dataclass(frozen=True)
class Model:
    """One model on both axes.

    Attributes:
        executions: benchmark -> its result.
        parts: (benchmark, programming language) -> its result there.
        residual: from the line of the other models; ``None`` without a line, a score, or a result on the axis.
        places: among the models that the line rests on.
    """

    preference: Preference
    executions: Mapping[str, Execution]
    parts: Mapping[Part, Execution] = field(default_factory=dict)
    residual: Residual | None = None
    places: Shift | None = None


@dataclass(frozen=True, slots=True)
class Correlation:
    """Rank correlations of preference with one benchmark; ``None`` where there are too few models, or no order."""

    benchmark: str
    n: int
    spearman: RankCorrelation | None
    kendall: RankCorrelation | None


@dataclass(frozen=True, slots=True)
class Pair:
    """Two models that tests do not tell apart: how much more ``a`` is preferred than ``b``.

    Attributes:
        difference: of the preference rates, with its 95 % interval; greater than 0.
        executions: benchmark -> pass@1 of a and of b.
    """

    a: str
    b: str
    difference: float
    low: float
    high: float
    executions: Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class LanguageCell:
    """One model in one programming language; ``None`` for a side that does not exist."""

    model: str
    preference: Measured | None
    execution: Execution | None


@dataclass(frozen=True)
class OfLanguage:
    """Both axes in one programming language.

    Attributes:
        benchmark: that the results are of.
        cells: the user's models that have a side, by preference over all languages.
        correlation: over the models with both sides, of enough prompts and problems each.
    """

    language: str
    benchmark: str
    cells: tuple[LanguageCell, ...]
    correlation: Correlation


@dataclass(frozen=True)
class Gap:
    """What preference and execution say about the same models.

    Attributes:
        axis: the benchmark that line, residuals and places are on.
        basis: "published" or "yours": whose line it is, and among whom a model has its place.
        models: by preference, the best first; those without a score last.
        line: or why there is none.
        n_equal: pairs of one group that are equal on tests within a point, base and plus.
        pairs: those of them that differ in preference, the most different first.
        languages: with both sides in at least one model, most prompts first; ``None`` if they were not asked for.
        lacking: models without any result; they are in ``models`` too.
        unused: names of results that belong to no model.
        notices: what every output must carry: that a suite is for trying, what a judge is not.
        notes: what a reader should know about these numbers.
        manifest: of the first run; ``None`` without runs.
    """

    options: GapOptions
    axis: str
    basis: str
    models: tuple[Model, ...]
    correlations: tuple[Correlation, ...]
    line: Line | str
    n_equal: int
    pairs: tuple[Pair, ...]
    languages: tuple[OfLanguage, ...] | None
    lacking: tuple[str, ...]
    unused: tuple[str, ...]
    notices: tuple[str, ...]
    notes: tuple[str, ...]
    manifest: Mapping[str, Any] | None

    def to_json(self, *, created: str) -> dict[str, Any]:
        """Return the gap as plain data; what is withheld or undefined is ``null``, never a number.

        Args:
            created: when, ISO 8601.
        """
        return {
            "schema": SCHEMA,
            "created": created,
            "package": {"name": "codearena-plugin", "version": codearena_plugin.__version__},
            "options": {"confidence": CONFIDENCE, **dataclasses.asdict(self.options)},
            "axis": self.axis,
            "basis": self.basis,
            "models": [_model_to_json(model) for model in self.models],
            "correlations": [_correlation_to_json(one) for one in self.correlations],
            "line": _line_to_json(self.line),
            "n_equal": self.n_equal,
            "pairs": [dataclasses.asdict(pair) for pair in self.pairs],
            "languages": None if self.languages is None else [_language_to_json(one) for one in self.languages],
            "lacking": list(self.lacking),
            "unused": list(self.unused),
            "notices": list(self.notices),
            "notes": list(self.notes),
            "manifest": dict(self.manifest) if self.manifest else None,
        }


def _model_to_json(model: Model) -> dict[str, Any]:
    preference = model.preference
    measured = preference.measured
    return {
        "name": preference.name,
        "model": preference.model,
        "group": preference.group,
        "source": preference.source,
        "withheld": preference.withheld,
        "n_prompts": preference.n_prompts,
        "preference": dataclasses.asdict(measured.interval(CONFIDENCE)) if measured else None,
        "execution": {name: _execution_to_json(one) for name, one in model.executions.items()},
        "residual": model.residual._asdict() if model.residual else None,
        "places": model.places._asdict() if model.places else None,
    }


def _execution_to_json(one: Execution) -> dict[str, Any]:
    interval = one.interval
    return {
        "estimate": one.estimate,
        "low": interval.low if interval else None,
        "high": interval.high if interval else None,
        "stderr": interval.stderr if interval else None,
        "n": one.n,
        "n_expected": one.n_expected,
        "engine": one.engine,
        "source": one.source,
        "model": one.model,
        "language": one.language,
        "notes": list(one.notes),
        "notices": list(one.notices),
        "pass_at": {str(k): dataclasses.asdict(interval) for k, interval in one.pass_at.items()},
    }


def _correlation_to_json(one: Correlation) -> dict[str, Any]:
    return {
        "benchmark": one.benchmark,
        "n": one.n,
        "spearman": one.spearman._asdict() if one.spearman else None,
        "kendall": one.kendall._asdict() if one.kendall else None,
    }


def _language_to_json(one: OfLanguage) -> dict[str, Any]:
    models = [
        {
            "name": cell.model,
            "preference": dataclasses.asdict(cell.preference.interval(CONFIDENCE)) if cell.preference else None,
            "execution": _execution_to_json(cell.execution) if cell.execution else None,
        }
        for cell in one.cells
    ]
    return {"language": one.language, **_correlation_to_json(one.correlation), "models": models}


def _line_to_json(line: Line | str) -> dict[str, Any]:
    if isinstance(line, str):
        return {"why_absent": line}
    found = {field.name: getattr(line, field.name) for field in dataclasses.fields(line) if field.name != "covariance"}
    return {"why_absent": None, **found, "covariance": line.covariance.tolist()}
