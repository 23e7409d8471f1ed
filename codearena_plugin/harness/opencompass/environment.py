"""OpenCompass' own variables for a judge, as fall-backs to ours: who has set them up for another suite is done."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from codearena_plugin.judging.options import KEY_VARIABLE

TWINS: Mapping[str, str] = {
    "CODEARENA_JUDGE_MODEL": "OC_JUDGE_MODEL",
    "CODEARENA_JUDGE_BASE_URL": "OC_JUDGE_API_BASE",
    KEY_VARIABLE: "OC_JUDGE_API_KEY",
}


def with_twins(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which OpenCompass' variables stand in where ours are not set.

    >>> with_twins({"OC_JUDGE_MODEL": "theirs"})["CODEARENA_JUDGE_MODEL"]
    'theirs'
    >>> with_twins({"OC_JUDGE_MODEL": "theirs", "CODEARENA_JUDGE_MODEL": "ours"})["CODEARENA_JUDGE_MODEL"]
    'ours'
    """
    unset = {ours: theirs for ours, theirs in TWINS.items() if not environ.get(ours)}
    return {**environ, **{ours: environ[theirs] for ours, theirs in unset.items() if environ.get(theirs)}}


@contextmanager
def lent_key() -> Iterator[None]:
    """Let a judge back end, which reads its key when it is made, find ``OC_JUDGE_API_KEY`` under our name."""
    lent = with_twins(os.environ).get(KEY_VARIABLE)
    if not lent or os.environ.get(KEY_VARIABLE):
        yield
        return
    os.environ[KEY_VARIABLE] = lent
    try:
        yield
    finally:
        os.environ.pop(KEY_VARIABLE, None)
