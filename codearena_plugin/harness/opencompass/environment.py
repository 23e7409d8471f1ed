"""OpenCompass' own variables for a judge, where nothing of ours names one: who set them up for another suite is done.

They count together or not at all: a model of theirs at a URL of ours would be nobody's judge.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from codearena_plugin.judging.options import KEY_VARIABLE

TWINS: Mapping[str, str] = {
    "CODEARENA_JUDGE_MODEL": "OC_JUDGE_MODEL",
    "CODEARENA_JUDGE_BASE_URL": "OC_JUDGE_API_BASE",
    KEY_VARIABLE: "OC_JUDGE_API_KEY",
}


_DECIDING = ("judge", "judge_model", "judge_base_url", "judge_backend", "judge_replay")


def twins_used(environ: Mapping[str, str], options: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Return our variables for which OpenCompass' stand in, and theirs: none where a judge was chosen our way.

    Args:
        environ: of the process.
        options: of the evaluator or the command.

    >>> twins_used({"OC_JUDGE_MODEL": "theirs"})
    {'CODEARENA_JUDGE_MODEL': 'OC_JUDGE_MODEL'}
    >>> twins_used({"OC_JUDGE_API_BASE": "http://theirs", "CODEARENA_JUDGE_MODEL": "ours"})
    {}
    >>> twins_used({"OC_JUDGE_MODEL": "theirs"}, {"judge": "static"})
    {}
    """
    ours = [name for name in _DECIDING if (options or {}).get(name) or environ.get(f"CODEARENA_{name.upper()}")]
    if ours:
        return {}
    used = {name: theirs for name, theirs in TWINS.items() if environ.get(theirs) and not environ.get(name)}
    if "CODEARENA_JUDGE_BASE_URL" not in used:
        used.pop(KEY_VARIABLE, None)  # their key is for their URL alone
    return used


def with_twins(environ: Mapping[str, str], options: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Return an environment in which OpenCompass' variables stand in where no judge was chosen our way.

    >>> with_twins({"OC_JUDGE_MODEL": "theirs"})["CODEARENA_JUDGE_MODEL"]
    'theirs'
    """
    return {**environ, **{ours: environ[theirs] for ours, theirs in twins_used(environ, options).items()}}


@contextmanager
def lent_key(options: Mapping[str, Any] | None = None) -> Iterator[None]:
    """Let a judge back end, which reads its key when it is made, find ``OC_JUDGE_API_KEY`` under our name."""
    theirs = twins_used(os.environ, options).get(KEY_VARIABLE)
    if theirs is None:
        yield
        return
    os.environ[KEY_VARIABLE] = os.environ[theirs]
    try:
        yield
    finally:
        os.environ.pop(KEY_VARIABLE, None)
