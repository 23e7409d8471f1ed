"""What a back end gave, as something that can be counted and kept: back ends are also strangers' code."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from codearena_plugin.judging.backends.protocol import CallFailedError
from codearena_plugin.records import CallError, Reply, Usage

_ABSURD_TOKENS = 1 << 31  # a count that no call has, and that neither a database nor a budget should believe
_MAY_BE_ABSENT = ("finish_reason", "refusal", "served_model")


def checked_reply(given: object) -> Reply:
    """Return a back end's reply with token counts that can be believed.

    Raises:
        CallFailedError: it is no reply, one with fields of wrong types, or one that reports a failure.
    """
    if not isinstance(given, Reply):
        why = f"the back end returned {_type(given)}, not a Reply"
        raise CallFailedError(CallError("bad-reply", why), is_retryable=False, is_lost=True)
    if given.error is not None:
        raise CallFailedError(checked_error(given.error), is_retryable=False)
    for name in ("text", *_MAY_BE_ABSENT):
        value = getattr(given, name)
        if not isinstance(value, str) and not (value is None and name in _MAY_BE_ABSENT):
            why = f"the back end's reply has a {name} of type {_type(value)}"
            raise CallFailedError(CallError("bad-reply", why), is_retryable=False, is_lost=True)
    usage: Any = given.usage
    prompt, completion = (token_count(getattr(usage, name, None)) for name in ("prompt_tokens", "completion_tokens"))
    return replace(given, usage=Usage(prompt, completion))


def checked_error(given: Any) -> CallError:
    """Return a back end's account of a failed call, or what is wrong with that account."""
    if not isinstance(given, CallError):
        return CallError("bad-reply", f"the back end's reply has an error of type {_type(given)}")
    kind: Any = given.kind
    return CallError(kind if isinstance(kind, str) else "bad-reply", str(given.message))  # type: ignore[arg-type]


def token_count(value: object) -> int | None:
    """Return a count of tokens; ``None``, unknown, for what cannot be one."""
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 <= value < _ABSURD_TOKENS else None


def _type(value: object) -> str:
    return type(value).__name__
