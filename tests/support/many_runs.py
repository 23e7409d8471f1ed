"""Run directories of many models, simulated: known strengths, a judge that likes the first answer, some failed games.

For the leaderboard's tests and benchmarks. What is simulated is only what the judge said; suite, answers, games and
result are made and written by the package itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from codearena_plugin.judging.protocol.parse import read_verdict
from codearena_plugin.judging.settings import resolve_settings
from codearena_plugin.prompts.suite import Suite, fingerprint
from codearena_plugin.prompts.taxonomy import SUB_CLASSES
from codearena_plugin.records import DIFFICULTIES, ORDERS, Answer, Game, Label, Message, Order, Prompt, Reply, Usage
from codearena_plugin.runs.files import load_run, save_answers, save_result
from codearena_plugin.runs.judge import manifest_of, sealed
from codearena_plugin.runs.result import make_result
from codearena_plugin.runs.strata import save_strata
from codearena_plugin.runs.style import save_style

BASELINE = "baseline-model"
_LANGUAGES = ("Python", "C++", "JavaScript", "SQL", "Rust", "Go", "HTML", "Bash")
_LABELS: Sequence[Label] = ("A>>B", "A>B", "A=B", "B>A", "B>>A")


@dataclass(frozen=True)
class Judge:
    """How the simulated judge decides: on merit, with noise, and for the answer that it sees first."""

    first_bonus: float = 0.5
    noise: float = 1.0
    failing: float = 0.01
    reply_chars: int = 1200


def a_large_suite(n_prompts: int, *, seed: int = 0) -> Suite:
    """Return a suite of short questions over all classes, eight languages and three difficulties."""
    random = Random(seed)
    prompts = tuple(
        Prompt(
            id=f"q{i:04}",
            messages=(Message("user", f"Question {i}: write program number {i}."),),
            languages=(_LANGUAGES[i % len(_LANGUAGES)],),
            category=SUB_CLASSES[i % len(SUB_CLASSES)],
            difficulty=DIFFICULTIES[i % 3],
            baselines={BASELINE: an_answer(random, i, 1.0)},
        )
        for i in range(n_prompts)
    )
    return Suite(
        name="simulated",
        version="1-A",
        revision="sha256:0",
        source="made by tests/support/many_runs.py",
        fingerprint=fingerprint(prompts, BASELINE),
        baseline=BASELINE,
        prompts=prompts,
    )


def an_answer(random: Random, number: int, length: float) -> str:
    """Return Markdown with prose, a list and a code block; ``length`` scales it."""
    code = [f"    total_{k} = compute({number}, {k})" for k in range(max(1, round(random.uniform(3, 12) * length)))]
    comments = [f"    # step {k} of the plan" for k in range(random.randrange(4))]
    bold = random.choice(("**", ""))
    points = [f"- {bold}note {k}{bold} on what was done" for k in range(round(random.uniform(0, 4) * length))]
    heading = ["## Solution"] if random.random() < 0.4 else []
    prose = "This is how it works. " * max(1, round(random.uniform(1, 8) * length))
    more = ["```bash", "python solve.py", "```"] if random.random() < 0.3 else []
    return "\n".join([*heading, prose, "", "```python", "def solve():", *comments, *code, "```", "", *points, *more])


def write_runs(
    root: Path, n_models: int, n_prompts: int, *, seed: int = 0, judge: Judge | None = None, suite: Suite | None = None
) -> list[Path]:
    """Write one run directory per model below ``root`` and return them, the weakest model first."""
    suite = suite or a_large_suite(n_prompts, seed=seed)
    merits = [2.5 * (2 * (i + 0.5) / n_models - 1) for i in range(n_models)]
    return [
        write_run(root / f"m{i:02}", suite, f"m{i:02}", merit, Random(seed * 1000 + i), judge or Judge())
        for i, merit in enumerate(merits)
    ]


def write_run(directory: Path, suite: Suite, model: str, merit: float, random: Random, judge: Judge) -> Path:
    """Write the run of one model that is better than the baseline by ``merit`` log-odds, and return its directory."""
    settings = resolve_settings(
        {"judge_base_url": "http://127.0.0.1:9/v1", "judge_model": "simulated", "judge_min_coverage": "0.9"}, environ={}
    )
    length = math.exp(random.gauss(0, 0.3))
    answers = [Answer(p.id, model, an_answer(random, i, length), "stop") for i, p in enumerate(suite.prompts)]
    games = [game for prompt in suite.prompts for game in _games(prompt.id, merit, random, judge)]
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
    return directory


def _games(prompt_id: str, merit: float, random: Random, judge: Judge) -> list[Game]:
    quality = merit + random.gauss(0, 1.5)
    return [_game(prompt_id, order, quality, random, judge) for order in ORDERS]


def _game(prompt_id: str, order: Order, quality: float, random: Random, judge: Judge) -> Game:
    bonus = judge.first_bonus if order == "answer_first" else -judge.first_bonus
    seen = quality + bonus + random.gauss(0, judge.noise)
    text = "The judge weighs both answers. " * (judge.reply_chars // 31)
    if random.random() >= judge.failing:
        steps = 0 if seen < -2 else 1 if seen < -0.4 else 2 if seen < 0.4 else 3 if seen < 2 else 4
        label = _LABELS[steps if order == "baseline_first" else 4 - steps]
        text += f"My final verdict is: [[{label}]]"
    replies = (Reply(text=text, finish_reason="stop", usage=Usage(900, 300), latency_s=0.5, attempts=1),)
    return Game(prompt_id, order, (f"{random.getrandbits(256):064x}",), replies, read_verdict(replies, mode="default"))


def loaded(paths: Sequence[Path]) -> list:
    """Return the runs as they are read from disk."""
    return [load_run(path) for path in paths]
