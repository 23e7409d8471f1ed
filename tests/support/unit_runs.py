"""Small stored runs: outcomes as a word of w, t, f, l and -, one letter a prompt."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from codearena_plugin.judging.settings import resolve_settings
from codearena_plugin.prompts.suite import Suite, fingerprint
from codearena_plugin.records import Answer, Game, Message, Prompt, Reply, Verdict
from codearena_plugin.runs.files import StoredRun, load_run, save_answers, save_result
from codearena_plugin.runs.judge import manifest_of, sealed
from codearena_plugin.runs.result import make_result
from codearena_plugin.runs.strata import save_strata
from codearena_plugin.runs.style import save_style

LABELS = {"w": ("B>A", "A>B"), "t": ("A=B", "A=B"), "l": ("A>B", "B>A"), "f": ("A>B", "A>B"), "-": (None, "B>A")}
"""Outcome -> labels of both games: f is a tie in which both games went to the answer that was shown first."""


def a_suite(n: int, baseline: str = "base", name: str = "s") -> Suite:
    prompts = tuple(
        Prompt(
            f"p{i}",
            (Message("user", f"question {i}"),),
            languages=(("Python", "Rust")[i % 2],),
            baselines={baseline: f"stored answer {i} of {baseline}"},
        )
        for i in range(n)
    )
    return Suite(name, "1-A", "r", "a test", fingerprint(prompts, baseline), baseline, prompts)


def write_run(
    folder_of_runs: Path,
    name: str,
    word: str,
    /,
    *,
    folder: str | None = None,
    texts: Callable[[int], str] | None = None,
    min_coverage: str = "0.5",
    suite: Suite | None = None,
    **judge: Any,
) -> StoredRun:
    """Write a run whose outcomes are ``word`` and load it; further options are the judge's, without their prefix."""
    suite = suite or a_suite(len(word))
    options = {"base_url": "http://127.0.0.1:9/v1", "model": "j", "min_coverage": min_coverage, **judge}
    settings = resolve_settings({f"judge_{key}": value for key, value in options.items()}, environ={})
    answers = [
        Answer(p.id, name, texts(i) if texts else f"answer {i} of {name}", "stop") for i, p in enumerate(suite.prompts)
    ]
    games = [
        _game(p.id, order, label)
        for p, letter in zip(suite.prompts, word, strict=True)
        for order, label in zip(("baseline_first", "answer_first"), LABELS[letter], strict=True)
    ]
    directory = folder_of_runs / (folder or name)
    directory.mkdir(parents=True)
    save_answers(directory, answers)
    result = make_result(
        suite,
        games,
        sealed(manifest_of(suite, answers, settings, {}), games, directory),
        policy="both",
        mode="default",
        min_coverage=settings.min_coverage,
    )
    save_result(directory, games, result)
    save_strata(directory, suite.prompts)
    save_style(directory, suite, answers)
    return load_run(directory)


def _game(prompt_id: str, order: Any, label: Any) -> Game:
    verdict = Verdict("scored", label) if label else Verdict("unparsable", reason="no label")
    return Game(prompt_id, order, ("key",), (Reply(text=str(label), attempts=1),), verdict)
