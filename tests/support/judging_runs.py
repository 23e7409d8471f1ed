"""Small suites, their answers, and judge settings that point at a scripted server."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from judge_server import JudgeServer

from codearena_plugin.judging.settings import JudgeSettings, resolve_settings
from codearena_plugin.prompts.suite import Suite, fingerprint
from codearena_plugin.records import Answer, Message, Prompt
from codearena_plugin.runs.judge import Run, judge_answers

BASELINE = "baseline-model"


def a_suite(n: int = 6, *, lines: int = 4) -> Suite:
    """Return n prompts whose baseline answers have a few lines each, all different."""
    prompts = tuple(
        Prompt(
            id=f"p{i:03}",
            messages=(Message("user", f"Write program number {i} in Python."),),
            languages=("python",),
            baselines={BASELINE: "\n".join(f"baseline {i} line {k}" for k in range(lines))},
        )
        for i in range(n)
    )
    return Suite(
        name="small",
        version="1-A",
        revision="sha256:0",
        source="made by a test",
        fingerprint=fingerprint(prompts, BASELINE),
        baseline=BASELINE,
        prompts=prompts,
    )


def answers_to(suite: Suite, texts: Mapping[str, str] | None = None) -> tuple[Answer, ...]:
    """Return an answer to every prompt: by turns longer, as long as and shorter than the baseline, unless given."""
    texts = texts or {}
    return tuple(
        Answer(
            prompt.id,
            "candidate",
            texts.get(prompt.id, "\n".join(f"answer {i} line {k}" for k in range((6, 4, 1)[i % 3]))),
            "stop",
        )
        for i, prompt in enumerate(suite.prompts)
    )


def settings_for(server: JudgeServer | str, store: Path, **options: Any) -> JudgeSettings:
    """Return settings of the paper's protocol at a local server; nothing comes from the environment."""
    url = server if isinstance(server, str) else server.url
    given = {
        "base_url": url,
        "store": str(store),
        "concurrency": 4,
        "tries": 1,
        "timeout_s": 20,
        "model": "local-judge",
    }
    return resolve_settings({f"judge_{key}": value for key, value in (given | options).items()}, environ={})


def judged(
    server: JudgeServer | str,
    folder: Path,
    *,
    suite: Suite | None = None,
    texts: Mapping[str, str] | None = None,
    name: str = "run",
    **options: Any,
) -> Run:
    """Judge a small suite in ``folder``, whose store all runs of one test share."""
    suite = suite or a_suite()
    directory = folder / name
    directory.mkdir(exist_ok=True)
    settings = settings_for(server, Path(options.pop("store", folder / "replies.sqlite3")), **options)
    return judge_answers(suite, answers_to(suite, texts), settings, directory)


def verdicts(run: Run) -> list[tuple[str, str, str, str | None]]:
    """Return what was found, without how: prompt, order, status and label of every game."""
    return [(game.prompt_id, game.order, game.verdict.status, game.verdict.label) for game in run.games]
