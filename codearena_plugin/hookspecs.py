"""The extension surface: pluggy hooks of the one group ``codearena``.

A third party names a module under the entry-point group ``codearena`` and implements any of these there with
``codearena_plugin.hookimpl``. Every hook returns light ``Offer`` values: a name and an import string, so that
listing what is installed imports nothing heavy. Our own built-ins register through the same hooks (``builtin.py``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    import typer

hookspec = pluggy.HookspecMarker("codearena")
hookimpl = pluggy.HookimplMarker("codearena")


@dataclass(frozen=True, slots=True)
class Offer:
    """Something that a plugin offers, before it is imported.

    Attributes:
        name: what users type; lower case, unique within its kind.
        target: ``"package.module:object"``, imported only when the offer is used.
        summary: one line for ``codearena plugins``.
    """

    name: str
    target: str
    summary: str


@hookspec
def codearena_suites() -> Iterable[Offer]:  # type: ignore[empty-body]
    """Offer suites. The target is ``load(options: SuiteOptions) -> Suite`` (see ``prompts.suite``)."""


@hookspec
def codearena_judges() -> Iterable[Offer]:  # type: ignore[empty-body]
    """Offer judges. The target is a ``pathlib.Path`` (or a function returning one) of a folder with a judge card."""


@hookspec
def codearena_backends() -> Iterable[Offer]:  # type: ignore[empty-body]
    """Offer judge back ends. The target is ``create(settings: JudgeSettings) -> Backend`` (``judging.backends``)."""


@hookspec
def codearena_executors() -> Iterable[Offer]:  # type: ignore[empty-body]
    """Offer sandboxes that run code. The target is an ``Executor`` (``execution.sandbox``)."""


@hookspec
def codearena_scorers() -> Iterable[Offer]:  # type: ignore[empty-body]
    """Offer extra statistics, kept in every result under ``extra``.

    The target is ``score(outcomes: Sequence[Outcome]) -> Mapping[str, Interval]``.
    """


@hookspec
def codearena_reporters() -> Iterable[Offer]:  # type: ignore[empty-body]
    """Offer output formats for ``codearena rescore RUN --format NAME``.

    The target is ``report(result: Result) -> str``, the text of one run (``runs.result.Result``).
    """


@hookspec
def codearena_task_dirs() -> Iterable[Path]:  # type: ignore[empty-body]
    """Offer directories with more lm-eval task YAML; ``lm_eval --tasks`` finds what lies in them."""


@hookspec
def codearena_commands(app: typer.Typer) -> None:
    """Add commands to the ``codearena`` command line."""
