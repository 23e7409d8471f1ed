"""How long to wait before a question is put again."""

from __future__ import annotations

import email.utils
import math
import random
import time
from collections.abc import Mapping

_BASE_S = 0.5
_CAP_S = 30.0
_RETRY_AFTER_CAP_S = 300.0


def backoff_s(attempt: int, retry_after_s: float | None) -> float:
    """Return how long to wait after the n-th failed attempt: what the server asks, else exponential with full jitter.

    Reference: Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    if retry_after_s is not None:
        return min(max(retry_after_s, 0.0), _RETRY_AFTER_CAP_S) + random.uniform(0, 0.1)  # noqa: S311  not for secrets
    longest = min(_CAP_S, _BASE_S * 2.0 ** min(attempt - 1, 60))
    return random.uniform(0.1, 1.0) * longest  # noqa: S311


def asked_wait_s(headers: Mapping[str, str]) -> float | None:
    """Return the wait that a server asks for, in seconds: ``retry-after-ms``, or ``Retry-After`` as number or date."""
    in_ms, value = headers.get("retry-after-ms"), headers.get("Retry-After")
    for text, unit in ((in_ms, 1000), (value, 1)):
        try:
            seconds = float(text or "") / unit
        except ValueError:
            continue
        return seconds if math.isfinite(seconds) else None
    try:
        return email.utils.parsedate_to_datetime(value or "").timestamp() - time.time()
    except (ValueError, TypeError, OverflowError):
        return None
