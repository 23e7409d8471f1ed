"""The canonical judge request, and the key under which its reply is kept.

Two requests with the same key are the same question to the same judge: the text, the model, the sampling and the
judge card's comparability number. Where the judge is reached (URL, key, concurrency) is no part of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from codearena_plugin.records import Message

Scalar = str | int | float | bool | None
_REPLY_LIMITS = ("max_tokens", "max_completion_tokens", "max_gen_toks")  # lm-eval's back ends take the last


@dataclass(frozen=True, slots=True)
class JudgeRequest:
    """One question to a judge.

    Attributes:
        judge: card name and comparability number, ``"codearena@1"`` (``JudgeCard.comparability``).
        model: the judge model as the back end calls it.
        sampling: parameters of the protocol, e.g. ``temperature``, ``max_tokens``; only what is set.
    """

    judge: str
    model: str
    messages: tuple[Message, ...]
    sampling: Mapping[str, Scalar]


def reply_limit(sampling: Mapping[str, Scalar]) -> int | None:
    """Return how many tokens the judge may write at most, under whichever name it was told; ``None``: not told."""
    return next((int(sampling[name] or 0) for name in _REPLY_LIMITS if sampling.get(name)), None)


def canonical_json(request: JudgeRequest) -> str:
    r"""Return the request as JSON with sorted keys: the text that is hashed and kept for audit.

    A lone surrogate, which UTF-8 cannot carry, is kept as its ``\udXXX`` escape.
    """
    return json.dumps(
        {
            "judge": request.judge,
            "model": request.model,
            "messages": [{"role": message.role, "content": message.content} for message in request.messages],
            "sampling": dict(request.sampling),
        },
        sort_keys=True,
        separators=(",", ":"),
    )


def request_key(request: JudgeRequest) -> str:
    """Return the sha256, in hex, of the canonical request."""
    return hashlib.sha256(canonical_json(request).encode("ascii")).hexdigest()
