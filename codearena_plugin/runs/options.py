"""Options of a run that are not the judge's: which data, which baseline, where results go."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codearena_plugin.errors import ConfigError, unknown_name
from codearena_plugin.prompts.card import load_task_card
from codearena_plugin.prompts.suite import SuiteOptions

# key in --metadata (its environment twin is the same in capitals) -> what it is
OPTIONS: Mapping[str, str] = {
    "codearena_data": "path of the suite: a .jsonl, .jsonl.gz or directory",
    "codearena_baseline": "model whose stored answers are the opponent",
    "codearena_taxonomy": "the authors' tasktype_to_levels.json, or a file of its form",
    "codearena_max_words": "leave out prompts of this many words or more (the paper's filter: 1024)",
    "codearena_only_answered": "true: judge the prompts that have an answer, instead of refusing missing ones",
    "codearena_output": "directory for the run: answers, games, result",
    "codearena_answers": "answers to judge (task judge_codearena): JSONL, samples_*.jsonl or a run directory",
    "codearena_suite": "suite that those answers belong to",
}


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the user chose; ``None`` where nothing."""

    suite: SuiteOptions
    output: Path | None = None
    answers: str | None = None
    only_answered: bool = False


def resolve_options(options: Mapping[str, Any], task: str, *, environ: Mapping[str, str] | None = None) -> RunOptions:
    """Return the run options from ``--metadata`` (or command-line options), else the environment.

    A suite that is its own data (the mini suite) takes none, so that two tasks can share one command line.

    Raises:
        ConfigError: an unknown ``codearena_…`` option, or a value that cannot be used.
    """
    environ = os.environ if environ is None else environ
    for key in options:
        if str(key).startswith("codearena_") and key not in OPTIONS:
            raise ConfigError(unknown_name("option", str(key), OPTIONS))
    given = {key: value for key, value in options.items() if value is not None and value != ""}
    chosen = {key: given.get(key, environ.get(key.upper()) or None) for key in OPTIONS}
    words = chosen["codearena_max_words"]
    try:
        max_words = None if words is None else int(words)
    except (TypeError, ValueError, OverflowError) as exc:
        msg = f"codearena_max_words={words!r} cannot be used: expected a whole number such as 1024."
        raise ConfigError(msg) from exc
    own_data = _is_embedded(task)
    return RunOptions(
        suite=SuiteOptions(
            data=None if own_data else _text(chosen["codearena_data"]),
            baseline=None if own_data else _text(chosen["codearena_baseline"]),
            taxonomy=_text(chosen["codearena_taxonomy"]),
            max_words=max_words,
        ),
        output=Path(str(chosen["codearena_output"])).expanduser() if chosen["codearena_output"] else None,
        answers=_text(chosen["codearena_answers"]),
        only_answered=_boolean(chosen["codearena_only_answered"]),
    )


def default_judge(task: str) -> str:
    """Return the judge card that a suite's task card names; third-party suites have no card: the paper's protocol."""
    try:
        return load_task_card(task).judge
    except ConfigError:
        return "codearena"


def _is_embedded(task: str) -> bool:
    try:
        return load_task_card(task).source.embedded is not None
    except ConfigError:
        return False


def _boolean(value: Any) -> bool:
    known = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False, "none": False}
    if str(value).lower() not in known:
        msg = f"codearena_only_answered={value!r} cannot be used: expected true or false."
        raise ConfigError(msg)
    return known[str(value).lower()]


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
