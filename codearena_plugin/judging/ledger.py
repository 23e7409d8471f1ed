"""Games as JSON lines: the one verdict file of every harness, with the raw replies in it.

Schema ``codearena-games/1``, one object a line: ``prompt_id``, ``order``, ``status``, ``label``, ``reason``,
``cached``, ``request_keys`` and ``replies`` (text, finish_reason, refusal, prompt_tokens, completion_tokens, latency_s,
attempts, served_model, error: kind and message). A verdict can be read again from it without a call.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from codearena_plugin.atomic import write_atomically
from codearena_plugin.errors import DataError
from codearena_plugin.records import LABELS, ORDERS, STATUSES, CallError, Game, Reply, Usage, Verdict

SCHEMA = "codearena-games/1"


def game_to_json(game: Game) -> dict[str, Any]:
    """Return a game as plain data."""
    return {
        "prompt_id": game.prompt_id,
        "order": game.order,
        "status": game.verdict.status,
        "label": game.verdict.label,
        "reason": game.verdict.reason,
        "cached": game.cached,
        "request_keys": list(game.request_keys),
        "replies": [_reply_to_json(reply) for reply in game.replies],
    }


def game_from_json(row: Any) -> Game:
    """Return a game from plain data; raises KeyError, TypeError or ValueError where it is none."""
    if row["order"] not in ORDERS or row["status"] not in STATUSES or row["label"] not in {*LABELS, None}:
        msg = f"unknown order, status or label: {row['order']!r}, {row['status']!r}, {row['label']!r}"
        raise ValueError(msg)
    if len(row["request_keys"]) != len(row["replies"]):
        msg = f"{len(row['request_keys'])} request keys for {len(row['replies'])} replies"
        raise ValueError(msg)
    return Game(
        prompt_id=str(row["prompt_id"]),
        order=row["order"],
        request_keys=tuple(row["request_keys"]),
        replies=tuple(_reply_from_json(reply) for reply in row["replies"]),
        verdict=Verdict(row["status"], row["label"], row.get("reason", "")),
        cached=bool(row.get("cached", False)),
    )


def _reply_to_json(reply: Reply) -> dict[str, Any]:
    return {
        "text": reply.text,
        "finish_reason": reply.finish_reason,
        "refusal": reply.refusal,
        "prompt_tokens": reply.usage.prompt_tokens,
        "completion_tokens": reply.usage.completion_tokens,
        "latency_s": reply.latency_s,
        "attempts": reply.attempts,
        "served_model": reply.served_model,
        "error": {"kind": reply.error.kind, "message": reply.error.message} if reply.error else None,
    }


def _reply_from_json(row: Any) -> Reply:
    error = row["error"]
    if not isinstance(row["text"], str):
        msg = f"a reply's text is {type(row['text']).__name__}"
        raise TypeError(msg)
    return Reply(
        text=row["text"],
        finish_reason=row["finish_reason"],
        usage=Usage(row["prompt_tokens"], row["completion_tokens"]),
        latency_s=row["latency_s"],
        attempts=row["attempts"],
        error=CallError(error["kind"], error["message"]) if error else None,
        refusal=row["refusal"],
        served_model=row["served_model"],
    )


def write_games(path: Path, games: Iterable[Game]) -> None:
    """Write the verdict file; a half-written one never takes the place of a whole one."""
    write_atomically(path, (json.dumps(game_to_json(game)) + "\n" for game in games), encoding="ascii")


def read_games(path: Path) -> Iterator[Game]:
    """Yield the games of a verdict file.

    Raises:
        DataError: it cannot be read, or a line is no game (names file and line).
    """
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    yield game_from_json(json.loads(line))
                except (ValueError, KeyError, TypeError, RecursionError) as exc:
                    msg = f"{path}:{number}: not a line of {SCHEMA} ({type(exc).__name__}: {exc})."
                    raise DataError(msg) from exc
    except (OSError, UnicodeDecodeError) as exc:
        msg = f"Verdict file {str(path)!r} cannot be read: {exc}. Expected a run's games.jsonl."
        raise DataError(msg) from exc
