"""Which results belong to which model: by the same name, or by what a user says; never by likeness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from codearena_plugin.errors import ConfigError, DataError, unknown_name
from codearena_plugin.gap.execution import Execution, title_of
from codearena_plugin.gap.preference import Preference


@dataclass(frozen=True)
class Matching:
    """Results by model.

    Attributes:
        found: name of a preference -> benchmark -> its result; empty for a model without results.
        unused: names of results in files that belong to no model, in the order of the files.
    """

    found: Mapping[str, Mapping[str, Execution]]
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
        DataError: a model has two results on one benchmark; names both sources.
    """
    known = {name for one in results for name in (one.model, one.alias) if name}
    wanted: dict[str, set[str]] = {}
    for name, of_results in said:
        if name not in {one.name for one in preferences}:
            raise ConfigError(unknown_name("run in --match", name, [one.name for one in preferences]))
        if of_results not in known:
            raise ConfigError(unknown_name("name of results in --match", of_results, known))
        wanted.setdefault(name, set()).add(of_results)
    found: dict[str, Mapping[str, Execution]] = {}
    used: set[str] = set()
    for preference in preferences:
        names = wanted.get(preference.name, {preference.name, preference.model})
        own = [one for one in results if {one.model, one.alias} & names]
        found[preference.name] = _by_benchmark(preference.name, own)
        used.update(one.model for one in own)
    left = [one.model for one in results if one.model not in used and not one.is_reference]
    return Matching(found, tuple(dict.fromkeys(left)))


def _by_benchmark(name: str, results: Sequence[Execution]) -> dict[str, Execution]:
    found: dict[str, Execution] = {}
    for one in results:
        if (other := found.get(one.benchmark)) is not None:
            msg = (
                f"{name!r} has two results on {title_of(one.benchmark)}: in {other.source!r} and in {one.source!r}. "
                "Leave one out, or say which with --match."
            )
            raise DataError(msg)
        found[one.benchmark] = one
    return found
