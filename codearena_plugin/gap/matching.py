"""Which results belong to which model: by the same name, or by what a user says; never by likeness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from codearena_plugin.errors import ConfigError, DataError, unknown_name
from codearena_plugin.gap.execution import Execution, title_of
from codearena_plugin.gap.preference import Preference

Part: TypeAlias = tuple[str, str]
"""A benchmark, and a programming language that a part of it asks for."""


@dataclass(frozen=True)
class Matching:
    """Results by model.

    Attributes:
        found: name of a preference -> benchmark -> its result; empty for a model without results.
        parts: name of a preference -> (benchmark, programming language) -> its result there.
        unused: names of results in files that belong to no model, in the order of the files.
    """

    found: Mapping[str, Mapping[str, Execution]]
    parts: Mapping[str, Mapping[Part, Execution]]
    unused: tuple[str, ...]


def read_match(text: str) -> tuple[str, str]:
    """Return the two names of ``RUN NAME=RESULTS NAME``; the first may hold no equals sign.

    Raises:
        ConfigError: it is not of this form.

    >>> read_match("my model=org/my-model")
    ('my model', 'org/my-model')
    """
    name, equals, results = text.partition("=")
    if not equals or not name.strip() or not results.strip():
        msg = f"--match expects 'run name=results name', got {text[:80]!r}."
        raise ConfigError(msg)
    return name.strip(), results.strip()


def match_results(
    preferences: Sequence[Preference], results: Sequence[Execution], said: Sequence[tuple[str, str]] = ()
) -> Matching:
    """Return the results of every model.

    A model for which something is said takes the results of the names that were said, and no others; every other
    model those of its own name.

    Args:
        preferences: with unique names.
        results: of all files.
        said: pairs of a preference's name and a name in the results; a name may occur in several.

    Raises:
        ConfigError: a name that was said is not there; suggests the nearest that is.
        DataError: a model has two results on one benchmark in one language; names both sources.
    """
    known = {name for one in results for name in (one.model, one.alias) if name}
    wanted: dict[str, set[str]] = {}
    for name, of_results in said:
        if name not in {one.name for one in preferences}:
            raise ConfigError(unknown_name("run in --match", name, [one.name for one in preferences]))
        if of_results not in known:
            raise ConfigError(unknown_name("name of results in --match", of_results, known))
        wanted.setdefault(name, set()).add(of_results)
    found: dict[str, Mapping[Part, Execution]] = {}
    used: set[str] = set()
    for preference in preferences:
        names = wanted.get(preference.name, {preference.name, preference.model})
        own = [one for one in results if {one.model, one.alias} & names]
        found[preference.name] = _by_part(preference.name, own)
        used.update(one.model for one in own)
    left = [one.model for one in results if one.model not in used and not one.is_reference]
    return Matching(
        {name: {part[0]: one for part, one in parts.items() if not part[1]} for name, parts in found.items()},
        {name: {part: one for part, one in parts.items() if part[1]} for name, parts in found.items()},
        tuple(dict.fromkeys(left)),
    )


def _by_part(name: str, results: Sequence[Execution]) -> dict[Part, Execution]:
    """Return benchmark and language -> result; the language is empty for a whole benchmark."""
    found: dict[Part, Execution] = {}
    for one in results:
        if (other := found.get((one.benchmark, one.language))) is not None:
            where = f"{title_of(one.benchmark)} in {one.language}" if one.language else title_of(one.benchmark)
            msg = (
                f"{name!r} has two results on {where}: in {other.source!r} and in {one.source!r}. "
                "Leave one out, or say which with --match."
            )
            raise DataError(msg)
        found[one.benchmark, one.language] = one
    return found
