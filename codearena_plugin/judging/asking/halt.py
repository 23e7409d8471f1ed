"""Why a run asks no more, and waiting that ends when it does."""

from __future__ import annotations

import asyncio
import time

from codearena_plugin.errors import CodeArenaError


class Halt:
    """The one place that knows whether a run still goes on.

    Attributes:
        reason: why no further question is sent; ``None`` while all goes on. The first reason stays.
        error: the error behind ``reason`` where it is one.
    """

    def __init__(self, deadline_s: float | None) -> None:
        self.reason: str | None = None
        self.error: CodeArenaError | None = None
        self._deadline_s = deadline_s
        self._deadline = float("inf")
        self._napping: set[asyncio.Future[None]] = set()

    def start_clock(self) -> None:
        """Let the time limit run from now."""
        if self._deadline_s is not None:
            self._deadline = time.monotonic() + self._deadline_s

    def left_s(self) -> float:
        """Return how much time is left; infinite without a limit."""
        return self._deadline - time.monotonic()

    def check_clock(self) -> None:
        """Stop if the time is over."""
        if self.left_s() <= 0:
            self.stop(f"time limit reached: deadline_s={self._deadline_s:g}")

    def stop(self, reason: str, error: CodeArenaError | None = None) -> None:
        """Send no further question, and wake who waits to send one."""
        if self.reason is None:
            self.reason = reason
            self.error = error
            for waking in self._napping:
                if not waking.done():
                    waking.set_result(None)

    async def nap(self, seconds: float) -> None:
        """Sleep, but wake when the run stops: nobody waits five minutes to hear that it is over."""
        waking = asyncio.get_running_loop().create_future()
        self._napping.add(waking)
        try:
            await asyncio.wait([waking], timeout=max(seconds, 0))
        finally:
            self._napping.discard(waking)
