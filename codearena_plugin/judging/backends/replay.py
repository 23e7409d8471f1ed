"""Replies of a stored run, by request key: no calls. What the run does not hold is a failure, not a question."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from codearena_plugin.errors import ConfigError
from codearena_plugin.judging.asking.request import JudgeRequest, request_key
from codearena_plugin.judging.backends.protocol import CallFailedError
from codearena_plugin.judging.ledger import read_games
from codearena_plugin.judging.settings import JudgeSettings
from codearena_plugin.records import CallError, Reply


def create(settings: JudgeSettings) -> ReplayBackend:
    """Return the back end for the run that ``judge_replay`` names: a run directory, or its games.jsonl.

    Raises:
        ConfigError: no run is named. DataError: it cannot be read.
    """
    if settings.replay is None:
        msg = "judge_backend='replay' needs a stored run: give judge_replay=RUN."
        raise ConfigError(msg)
    path = Path(settings.replay).expanduser()
    games = read_games(path / "games.jsonl" if path.is_dir() else path)
    return ReplayBackend(
        {
            key: reply
            for game in games
            for key, reply in zip(game.request_keys, game.replies, strict=True)
            if reply.error is None
        }
    )


class ReplayBackend:
    """Answers from a mapping of request key to reply."""

    is_remote = False

    def __init__(self, replies: Mapping[str, Reply]) -> None:
        self._replies = replies

    async def ask(self, request: JudgeRequest) -> Reply:
        """Return the stored reply; see ``protocol.Backend``."""
        reply = self._replies.get(request_key(request))
        if reply is None:
            raise CallFailedError(
                CallError("missing", "the stored run does not answer this request"), is_retryable=False
            )
        return reply

    async def aclose(self) -> None:
        """Nothing is open."""
