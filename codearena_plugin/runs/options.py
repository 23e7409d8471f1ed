"""Options of a run that are not the judge's: which data, which baseline, where results go."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from codearena_plugin.errors import ConfigError, unknown_name
from codearena_plugin.execution.choose import OPTIONS as SANDBOX_OPTIONS
from codearena_plugin.execution.choose import resolve_sandbox
from codearena_plugin.execution.sandbox import SandboxOptions
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
    "codearena_evidence": "evidence.jsonl, or a run directory with one: what the answers' code does when it is run",
    "codearena_execute": "true: run the answers' code in a sandbox, where evidence is wanted and missing",
    "codearena_workers": "sandboxes at once; default: one for each core",
    **{f"codearena_{name}": what for name, what in SANDBOX_OPTIONS.items()},
    # of the EvalPlus tasks, which may share a command line with ours
    "codearena_engine": "engine of pass@1: builtin or evalplus",
    "codearena_evalplus_python": "interpreter that has the evalplus package",
    "codearena_evalplus_data": "EvalPlus data: a .jsonl(.gz) file or a directory with both",
    "codearena_prefill": "false: chat answers to EvalPlus problems are not begun for the model",
}


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the user chose; ``None`` where nothing.

    Attributes:
        execute: the user agreed that the answers' code is run.
        workers: sandboxes at once.
    """

    suite: SuiteOptions
    output: Path | None = None
    answers: str | None = None
    only_answered: bool = False
    evidence: Path | None = None
    execute: bool = False
    sandbox: SandboxOptions = field(default_factory=SandboxOptions)
    workers: int | None = None


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
    max_words = _whole("codearena_max_words", chosen["codearena_max_words"], example=1024)
    workers = _whole("codearena_workers", chosen["codearena_workers"], example=4)
    if workers is not None and workers < 1:
        msg = f"codearena_workers={workers} cannot be used: expected a whole number of at least 1."
        raise ConfigError(msg)
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
        only_answered=_boolean("codearena_only_answered", chosen["codearena_only_answered"]),
        evidence=Path(str(chosen["codearena_evidence"])).expanduser() if chosen["codearena_evidence"] else None,
        execute=_boolean("codearena_execute", chosen["codearena_execute"]),
        sandbox=resolve_sandbox(options, environ=environ),
        workers=workers,
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


def _whole(key: str, value: Any, *, example: int) -> int | None:
    try:
        return None if value is None else int(value)
    except (TypeError, ValueError, OverflowError) as exc:
        msg = f"{key}={value!r} cannot be used: expected a whole number such as {example}."
        raise ConfigError(msg) from exc


def _boolean(key: str, value: Any) -> bool:
    known = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False, "none": False}
    if str(value).lower() not in known:
        msg = f"{key}={value!r} cannot be used: expected true or false."
        raise ConfigError(msg)
    return known[str(value).lower()]


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
