"""From what a user names to what a gap is made from: files and names, read and checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from codearena_plugin.errors import ConfigError
from codearena_plugin.gap.analysis import Inputs
from codearena_plugin.gap.languages import preference_by_language
from codearena_plugin.gap.matching import read_match
from codearena_plugin.gap.preference import preferences_of
from codearena_plugin.gap.reading import read_results
from codearena_plugin.gap.record import GapOptions
from codearena_plugin.gap.reference import SOURCES
from codearena_plugin.runs.compare import sampling_notes
from codearena_plugin.runs.files import StoredRun


@dataclass(frozen=True, slots=True)
class Asked:
    """What a user names beside runs.

    Attributes:
        execution: files of results, or names in ``reference.SOURCES``.
        match: texts of the form ``run name=results name``.
        published: set the runs among the published models.
        data: where the suite's file lies now, for the languages of prompts.
    """

    execution: Sequence[str] = ()
    match: Sequence[str] = ()
    published: bool = False
    data: str | None = None


def inputs_of(runs: Sequence[StoredRun], asked: Asked, options: GapOptions) -> Inputs:
    """Return what was named, read and checked.

    Raises:
        ConfigError: options that do not go together, or a run that is given twice.
        DataError: a file that cannot be read, or runs that do not compare.
    """
    said = [read_match(text) for text in asked.match]
    sources = [name for name in asked.execution if name in SOURCES]
    if not runs and not asked.published:
        msg = "No run was given. Name run directories, or --published for the published models alone."
        raise ConfigError(msg)
    if runs and not asked.execution:
        msg = f"No execution results were given. Name files with --execution, or {' or '.join(SOURCES)}."
        raise ConfigError(msg)
    if not runs and options.by_language:
        msg = "Published preference is not known by programming language: --by language needs runs of yours."
        raise ConfigError(msg)
    if not runs and (said or len(sources) < len(asked.execution)):
        msg = "Without a run there is nothing to match files of results with: name run directories."
        raise ConfigError(msg)
    preferences = preferences_of(runs, options.rate)
    pairs = zip(preferences, runs, strict=True) if options.by_language else ()
    return Inputs(
        preferences=preferences,
        results=read_results(asked.execution),
        said=said,
        published_results=read_results(sources or ["paper"]) if asked.published else None,
        manifests=[run.result["manifest"] for run in runs],
        notes=sampling_notes(runs),
        by_language={one.name: preference_by_language(one, run, asked.data) for one, run in pairs},
    )
