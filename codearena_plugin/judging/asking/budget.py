"""What a run may still spend, and why it stops."""

from __future__ import annotations

from dataclasses import dataclass

from codearena_plugin.judging.asking.prices import EXPECTED_COMPLETION_TOKENS, Price, estimate_tokens
from codearena_plugin.judging.asking.request import JudgeRequest, reply_limit
from codearena_plugin.records import Usage


@dataclass
class Budget:
    """Calls, tokens and dollars of this run: spent, and reserved by calls under way.

    A call under way may cost as much as its token limit allows, and is counted so until its bill is known. Thus
    ``max_cost_usd`` holds whatever the judge writes, as far as prompts can be estimated and servers count.

    Attributes:
        calls: HTTP requests sent, retries included.
        uncounted: calls whose bill is not known. Against the limit, a reply without token counts counts at its
            estimate; a call that was sent and brought nothing back (a timeout, a lost connection) counts at the most
            that it may have cost.
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
    _under_way: int = 0

    def refusal(self, request: JudgeRequest) -> str | None:
        """Return why this request may not be sent any more; ``None`` if it may."""
        if self.max_calls is not None and self.calls >= self.max_calls:
            return f"budget reached: max_calls={self.max_calls}"
        if self.max_cost_usd is not None and self.cost_usd + (most := self.highest_cost(request)) > self.max_cost_usd:
            return (
                f"budget reached: max_cost_usd={self.max_cost_usd:g}, spent about ${self.cost_usd:.4f}, "
                f"and one more call may cost up to ${most:.4f}"
            )
        return None

    def must_wait(self, request: JudgeRequest) -> bool:
        """Return whether a call that is not refused fits the limit only if those under way turn out cheaper."""
        if self.max_cost_usd is None or not self._under_way:
            return False
        return self.cost_usd + self._reserved + self.highest_cost(request) > self.max_cost_usd

    def expected_cost(self, request: JudgeRequest) -> float:
        """Return about what a request will cost in US dollars, 0 where the price is unknown."""
        return self._cost(request, EXPECTED_COMPLETION_TOKENS)

    def highest_cost(self, request: JudgeRequest) -> float:
        """Return about what a request costs if the judge writes up to its token limit, where it has one."""
        return self._cost(request, reply_limit(request.sampling) or EXPECTED_COMPLETION_TOKENS)

    def _cost(self, request: JudgeRequest, completion_tokens: int) -> float:
        if self.price is None:
            return 0.0
        return self.price.cost(sum(estimate_tokens(message.content) for message in request.messages), completion_tokens)

    def reserve(self, request: JudgeRequest) -> float:
        """Count a call that is about to be sent; return its reservation for ``settle``."""
        reserved = self.highest_cost(request) if self.max_cost_usd is not None else 0.0
        self.calls += 1
        self._under_way += 1
        self._reserved += reserved
        return reserved

    def settle(self, request: JudgeRequest, reserved: float, usage: Usage | None, *, is_lost: bool = False) -> None:
        """Replace a reservation by what the call really used.

        Args:
            usage: ``None`` for a call that gave no reply.
            is_lost: it gave no reply to us, but may have been answered, and billed, all the same.
        """
        self._under_way -= 1
        self._reserved -= reserved
        if usage is None:
            self.uncounted += is_lost
            self.cost_usd += self.highest_cost(request) if is_lost else 0.0
            return
        self.replies += 1
        if usage.prompt_tokens is None or usage.completion_tokens is None:
            self.uncounted += 1
            self.cost_usd += self.expected_cost(request)
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
