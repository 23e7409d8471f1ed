"""What ``codearena execute`` does: read the answers, run their code, print what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from codearena_plugin.cli.asking import as_asked, run_code
from codearena_plugin.cli.stored import answers_file
from codearena_plugin.errors import ConfigError
from codearena_plugin.evidence.files import evidence_path
from codearena_plugin.evidence.found import check_named
from codearena_plugin.prompts.answers import read_answers
from codearena_plugin.prompts.suite import answered_part, load_suite
from codearena_plugin.report.console import open_console
from codearena_plugin.report.evidence.tables import print_evidence
from codearena_plugin.runs.files import GAMES, RESULT, load_run, made
from codearena_plugin.runs.options import resolve_options


def execute_file(path: Path, suite_name: str, options: Mapping[str, Any], *, model: str | None) -> None:
    """Run the code of the answers in a file and of the baseline; what is found lies in ``evidence.jsonl``.

    Raises:
        UsageError: nothing was run: a wrong option or file, no sandbox; or the evidence there was shown to a judge.
        DataError: the directory cannot be written.
    """
    chosen = resolve_options(options, suite_name)
    check_named(chosen.evidence)
    file = answers_file(path)
    if not file.expanduser().exists():  # before a suite is downloaded for it
        msg = f"Answers {str(file)!r} are not there."
        raise ConfigError(msg)
    suite = load_suite(suite_name, as_asked(chosen.suite, options))
    answers = read_answers(file, suite, model=model, allow_missing=chosen.only_answered)
    absent = [answer.prompt_id for answer in answers if answer.is_absent]
    if absent:
        msg = f"{path}: {len(absent)} answers are not known, only their verdicts were imported. Give the answers."
        raise ConfigError(msg)
    suite = answered_part(suite, {answer.prompt_id for answer in answers})
    directory = made(chosen.output) if chosen.output else file.expanduser().parent
    is_run = all((directory / name).is_file() for name in (GAMES, RESULT))
    if is_run and "evidence" in load_run(directory).result["manifest"]:
        msg = f"{str(directory)!r} holds the evidence that its judge was shown, which stays. Choose another --output."
        raise ConfigError(msg)
    evidence = run_code(suite, answers, chosen, [file], directory)
    if is_run and file.parent.resolve() == directory.resolve():
        evidence.save(directory)  # in order, and nothing but this run's
    print_evidence(open_console(), evidence, path=evidence_path(directory))
