"""Verdict files as other programs write them, small and made by hand."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from codearena_plugin.judging.ledger import game_to_json
from codearena_plugin.prompts.suite import Suite
from codearena_plugin.runs.files import StoredRun

BASELINE = "o3-mini-2025-01-31"


def v2(uid: Any, *games: Any, model: Any = "m", **other: Any) -> dict[str, Any]:
    """Return a line of arena-hard-auto v2; a game is a label, ``None``, or all of it."""
    row = {"uid": uid, "category": "hard_prompt", "judge": "gpt-4.1", "model": model, "baseline": BASELINE}
    return {**row, "games": [_game(game) for game in games], **other}


def v01(uid: Any, *games: Any, model: str = "m", **other: Any) -> dict[str, Any]:
    """Return a line of arena-hard-auto v0.1, which names no baseline."""
    row = {"question_id": uid, "model": model, "judge": "gpt-4-1106-preview"}
    return {**row, "games": [_game(game) for game in games], **other}


def said(text: str | None, score: str | None) -> dict[str, Any]:
    """Return a game with the judge's text, as v2 keeps it."""
    return {"score": score, "judgment": {"answer": text}, "prompt": [{"role": "user", "content": "…"}]}


def _game(game: Any) -> Any:
    return {"score": game} if isinstance(game, str) else game


def write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    """Write rows as JSON lines, in a folder that may not be there yet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def samples_of(run: StoredRun, suite: Suite) -> list[dict[str, Any]]:
    """Return what lm-eval's ``--log_samples`` writes for a run of the task ``codearena``."""
    answers = {answer.prompt_id: answer.text for answer in run.answers}
    games: dict[str, list[dict[str, Any]]] = {}
    for game in run.games:
        games.setdefault(game.prompt_id, []).append(game_to_json(game))
    return [
        {
            "doc_id": place,
            "doc": {
                "id": prompt.id,
                "question": prompt.messages[-1].content,
                "messages": [{"role": turn.role, "content": turn.content} for turn in prompt.messages],
                "baseline": prompt.baselines[suite.baseline],
                "class": prompt.category.main_class if prompt.category else None,
                "sub_class": prompt.category.sub_class if prompt.category else None,
                "languages": list(prompt.languages),
                "difficulty": prompt.difficulty,
                "natural_language": prompt.natural_language,
            },
            "target": prompt.baselines[suite.baseline],
            "resps": [[answers[prompt.id]]],
            "filtered_resps": [answers[prompt.id]],
            "filter": "none",
            "judgement": {"outcome": {}, "games": games[prompt.id], "prompt_id": prompt.id},
        }
        for place, prompt in enumerate(suite.prompts)
    ]


def judge_samples_of(run: StoredRun) -> list[dict[str, Any]]:
    """Return what ``--log_samples`` writes for a run of the task ``judge_codearena``."""
    return [
        {
            "doc_id": place,
            "doc": {
                "id": game.prompt_id,
                "game": f"{game.prompt_id}/{game.order}",
                "order": game.order,
                "messages": [{"role": "user", "content": "Compare these answers."}],
                "question": "Compare these answers.",
                "baseline": "",
            },
            "target": "",
            "resps": [[game.replies[0].text]],
            "filtered_resps": [game.replies[0].text],
            "filter": "none",
            "judgement": {"outcome": {}, "games": [game_to_json(game)], "prompt_id": game.prompt_id},
        }
        for place, game in enumerate(run.games)
    ]
