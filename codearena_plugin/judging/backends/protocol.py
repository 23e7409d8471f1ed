"""What a judge back end is: something that answers one request, once."""

from __future__ import annotations

from typing import Protocol

from codearena_plugin.errors import CodeArenaError
from codearena_plugin.judging.asking.request import JudgeRequest
from codearena_plugin.records import CallError, Reply


class CallFailedError(CodeArenaError):
    """One attempt gave no reply; the engine decides whether to try again.

    Attributes:
        error: what will be recorded if nobody tries again.
        is_retryable: the same request may succeed later.
        retry_after_s: how long the server asks us to wait, if it does.
        is_lost: the request went out and its answer was lost: it may have been billed.
    """

    def __init__(
        self, error: CallError, *, is_retryable: bool, retry_after_s: float | None = None, is_lost: bool = False
    ) -> None:
        super().__init__(f"{error.kind}: {error.message}")
        self.error = error
        self.is_retryable = is_retryable
        self.retry_after_s = retry_after_s
        self.is_lost = is_lost


class Backend(Protocol):
    """A judge as the engine sees it. Retries, limits and the store are the engine's business, in one place."""

    @property
    def is_remote(self) -> bool:
        """Whether asking costs calls, time or money: decides on preflight, estimates and budgets."""
        ...

    async def ask(self, request: JudgeRequest) -> Reply:
        """Send one request once.

        Raises:
            CallFailedError: no reply this time.
            JudgeAccessError: every request will be refused (key, URL, model); the run must stop.
        """
        ...

    async def aclose(self) -> None:
        """Release connections."""
        ...
