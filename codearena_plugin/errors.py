"""The exceptions of codearena-plugin.

* CodeArenaError
  + UsageError             the caller can fix it; the command line prints one line and exits 2
    - DataError            a file or row is not what it should be; names file, line and field
    - ConfigError          a card, option or environment variable has a wrong value
    - MissingExtraError    an optional package is absent; prints the exact install command
    - JudgeAccessError     the judge refused us for good: key, URL, model name
    - StoreError           the reply store is foreign, corrupt or cannot be written
  + IncompleteRunError     coverage too low or a budget reached; exit 3; a rerun resumes

A failed judge call is none of these: it is a value (``records.CallError``) that is counted and shown.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class CodeArenaError(Exception):
    """Base of every error that this package raises on purpose.

    Its text is one line that says what happened, the value, what was expected and what to do.
    """

    exit_code = 1


class UsageError(CodeArenaError):
    """Something the caller can put right."""

    exit_code = 2


class DataError(UsageError):
    """A file or a row of it is not what it should be."""


class ConfigError(UsageError):
    """A card, an option or an environment variable has a value that cannot be used."""


class MissingExtraError(UsageError):
    """An optional package is needed and absent."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs an optional package: pip install 'codearena-plugin[{extra}]'")


class JudgeAccessError(UsageError):
    """The judge refuses every request: wrong key, wrong URL, unknown model."""


class StoreError(UsageError):
    """The reply store cannot be used as it is."""


class IncompleteRunError(CodeArenaError):
    """The run ended in order, without a trustworthy score; what was answered is kept."""

    exit_code = 3


def unknown_name(kind: str, name: str, known: Iterable[str]) -> str:
    """Return a message for a wrong name that suggests the nearest right one.

    >>> unknown_name("judge", "codearna", ["codearena", "static"])
    "Unknown judge 'codearna'. Did you mean 'codearena'? Available: codearena, static."
    """
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"Unknown {kind} {name!r}.{hint} Available: {', '.join(names) or 'none'}."
