"""What a run may still spend, and why it stops."""

from __future__ import annotations

from dataclasses import dataclass

from codearena_plugin.judging.prices import EXPECTED_COMPLETION_TOKENS, Price, estimate_tokens
from codearena_plugin.judging.request import JudgeRequest
from codearena_plugin.records import Usage


@dataclass
class Budget:
    """Calls, tokens and dollars of this run: spent, and reserved by calls under way.

    Attributes:
        calls: HTTP requests sent, retries included.
        uncounted: replies whose token counts the server did not give; against the limit they count at their estimate.
    """

    price: Price | None
    max_calls: int | None = None
    max_cost_usd: float | None = None
    calls: int = 0
    replies: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0
    uncounted: int = 0
    _reserved: float = 0.0

    def refusal(self, request: JudgeRequest) -> str | None:
        """Return why this request may not be sent any more; ``None`` if it may."""
        if self.max_calls is not None and self.calls >= self.max_calls:
            return f"budget reached: max_calls={self.max_calls}"
        expected = self.cost_usd + self._reserved + self.expected_cost(request)
        if self.max_cost_usd is not None and expected > self.max_cost_usd:
            return f"budget reached: max_cost_usd={self.max_cost_usd:g}, spent about ${self.cost_usd:.4f}"
        return None

    def expected_cost(self, request: JudgeRequest) -> float:
        """Return about what a request will cost in US dollars, 0 where the price is unknown."""
        if self.price is None:
            return 0.0
        prompt_tokens = sum(estimate_tokens(message.content) for message in request.messages)
        return self.price.cost(prompt_tokens, EXPECTED_COMPLETION_TOKENS)

    def reserve(self, request: JudgeRequest) -> float:
        """Count a call that is about to be sent; return its reservation for ``settle``."""
        expected = self.expected_cost(request) if self.max_cost_usd is not None else 0.0
        self.calls += 1
        self._reserved += expected
        return expected

    def settle(self, reserved: float, usage: Usage | None) -> None:
        """Replace a reservation by what the call really used; ``None`` for a call that gave no reply."""
        self._reserved -= reserved
        if usage is None:
            return
        self.replies += 1
        if usage.prompt_tokens is None or usage.completion_tokens is None:
            self.uncounted += 1
            self.cost_usd += reserved
            return
        self.prompt_tokens += usage.prompt_tokens
        self.completion_tokens += usage.completion_tokens
        if self.price is not None:
            self.cost_usd += self.price.cost(usage.prompt_tokens, usage.completion_tokens)

    @property
    def known_cost_usd(self) -> float | None:
        """What was spent in US dollars; ``None`` where the price, or the use of any call, is unknown."""
        if self.price is None or (self.uncounted and self.price.cost(1, 1)):
            return None
        return self.cost_usd
