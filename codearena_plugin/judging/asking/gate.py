"""How many requests may be under way at once: falls when the judge says "too many", recovers with success."""

from __future__ import annotations

import asyncio
from collections import deque

_RECOVERY_PER_SUCCESS = 0.5


class Gate:
    """An adaptive limit: halved at most once per round trip on a rate limit, raised by half a place per success.

    Waiting is first come, first served, so a prompt's two games stay neighbours (which prefix caches reward).
    """

    def __init__(self, ceiling: int) -> None:
        self.ceiling = ceiling
        self.limit = float(ceiling)
        self.lowest = float(ceiling)
        self.active = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._last_cut = float("-inf")

    async def enter(self) -> None:
        """Wait for a place."""
        if self.active < int(self.limit) and not self._waiting:
            self.active += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave()  # the place was ours already: hand it on
            raise

    def leave(self) -> None:
        """Give the place back."""
        self.active -= 1
        self._admit()

    def slow_down(self, started: float, now: float) -> None:
        """Halve the limit after a rate limit, unless the request began before the last cut took effect."""
        if started >= self._last_cut:
            self.limit = max(1.0, self.limit / 2)
            self.lowest = min(self.lowest, self.limit)
            self._last_cut = now

    def speed_up(self) -> None:
        """Take a success as a sign that a little more is welcome."""
        if self.limit < self.ceiling:
            self.limit = min(float(self.ceiling), self.limit + _RECOVERY_PER_SUCCESS)
            self._admit()

    def _admit(self) -> None:
        while self._waiting and self.active < int(self.limit):
            turn = self._waiting.popleft()
            if not turn.done():
                self.active += 1
                turn.set_result(None)
