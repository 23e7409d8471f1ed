"""Put replies on disk in groups: those that arrive together share one commit."""

from __future__ import annotations

import asyncio

from codearena_plugin.errors import StoreError
from codearena_plugin.judging.asking.store import ReplyStore, Row


class Writer:
    """Writes to one store, in a thread."""

    def __init__(self, store: ReplyStore) -> None:
        self._store = store
        self._pending: list[tuple[Row, asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None

    async def put(self, row: Row) -> None:
        """Return when the row is on disk; raise what kept it from getting there."""
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pending.append((row, kept))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain())
        await kept

    async def _drain(self) -> None:
        while self._pending:
            batch, self._pending = self._pending, []
            await self._write(batch)

    async def _write(self, batch: list[tuple[Row, asyncio.Future[None]]]) -> None:
        problem: Exception | None = None
        try:
            await asyncio.to_thread(self._store.put, [row for row, _ in batch])
        except Exception as exc:  # whatever it is, those who wait must hear of it
            if len(batch) > 1 and not isinstance(exc, StoreError):  # one row is at fault: the others shall not pay
                for one in batch:
                    await self._write([one])
                return
            problem = exc
        for _, kept in batch:
            if kept.done():
                continue
            if problem is None:
                kept.set_result(None)
            else:
                kept.set_exception(problem)

    async def aclose(self) -> None:
        """Wait for what is being written."""
        if self._task is not None:
            await self._task
