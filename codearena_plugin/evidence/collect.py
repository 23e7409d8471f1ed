"""Find the evidence of many texts: several sandboxes at once, equal code once, every finished row kept at once."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from codearena_plugin.evidence.files import Appender, read_evidence
from codearena_plugin.evidence.pieces import Piece, pieces_of
from codearena_plugin.evidence.place import place_of
from codearena_plugin.evidence.record import BlockEvidence, Key, Side, SideRow, text_sha256
from codearena_plugin.evidence.trying import cost, left_alone, may_be_late, try_piece
from codearena_plugin.execution.choose import choose
from codearena_plugin.execution.pool import default_workers
from codearena_plugin.execution.sandbox import Executor, Sandbox, SandboxOptions
from codearena_plugin.execution.toolchains import tool_version

PATIENCE = 30.0
"""Seconds of work, or of waiting, for the pieces of one side: what is left then is left alone, on either side."""
_SPENT = f"the blocks before it took {PATIENCE:.0f} s"


@dataclass(frozen=True, slots=True)
class SideText:
    """One side of a prompt as it is read: an answer without its reasoning trace, or the baseline's."""

    prompt_id: str
    side: Side
    text: str

    @property
    def key(self) -> Key:
        """By what its evidence is found."""
        return self.prompt_id, self.side, text_sha256(self.text)


@dataclass(frozen=True, slots=True)
class Collecting:
    """Where collecting stands."""

    done: int
    total: int
    reused: int


def collect(
    texts: Sequence[SideText],
    known: Mapping[Key, SideRow],
    path: Path,
    options: SandboxOptions,
    *,
    workers: int | None = None,
    observe: Callable[[Collecting], None] | None = None,
) -> dict[Key, SideRow]:
    """Return one row for every text, in their order; what a file lacks of them is added to it row by row.

    A piece that ran out of time while it worked is tried once more when all others are done, alone; then that counts.
    No side holds up the others for long: when its pieces have taken ``PATIENCE``, the rest of them is left alone.

    Args:
        known: rows from earlier and elsewhere; those of this place are used, and what they say of equal code too.
        path: of the file; a row is on disk before it is counted as done.
        options: of the sandbox; each of the ``workers`` (default: cores of this process) has one of its own.
        observe: told after every row.

    Raises:
        ConfigError: no sandbox can be had. DataError: the file cannot be written.
    """
    name, executor = choose(options)
    place = place_of(name, options)
    here = {key: row for key, row in known.items() if (row.sandbox, row.place) == (name, place)}
    found = {text.key: here[text.key] for text in texts if text.key in here}
    left = list({text.key: text for text in texts if text.key not in found}.values())
    total, reused = len({text.key for text in texts}), len(found)
    there = read_evidence(path)
    elsewhere = [row for key, row in found.items() if there.get(key) != row]
    if left or elsewhere:
        tries = _Tries(executor, options, place, here.values())
        with contextlib.ExitStack() as stack:
            stack.callback(tries.close)
            appender = stack.enter_context(Appender(path))
            appender.add(*elsewhere)

            def keep(row: SideRow) -> None:
                appender.add(row)
                found[row.key] = row
                if observe is not None:
                    observe(Collecting(len(found), total, reused))

            late = [] if not left else _in_parallel(tries, left, workers or default_workers(), keep)
            for text in late:
                keep(tries.row(text, is_alone=True))
    return {text.key: found[text.key] for text in texts}


def _in_parallel(
    tries: _Tries, texts: Sequence[SideText], workers: int, keep: Callable[[SideRow], None]
) -> list[SideText]:
    """Keep the rows of the texts as they come; return the texts that a busy machine may have made late."""
    late: list[SideText] = []
    pool = ThreadPoolExecutor(min(workers, len(texts)), thread_name_prefix="evidence")
    try:
        futures = {pool.submit(tries.row, text): text for text in texts}
        for future in as_completed(futures):
            row = future.result()
            if any(map(may_be_late, row.blocks)):
                late.append(futures[future])
            else:
                keep(row)
    except BaseException:
        tries.stop()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    order = {text.key: place for place, text in enumerate(texts)}
    return sorted(late, key=lambda text: order[text.key])


class _Tries:
    """Sandboxes, one a thread, and what was found of each piece so far: equal pieces are tried once."""

    def __init__(self, executor: Executor, options: SandboxOptions, place: str, known: Iterable[SideRow]) -> None:
        self._executor, self._options, self._place = executor, options, place
        self._own = threading.local()
        self._opened: list[Sandbox] = []
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        self._found: dict[str, Future[BlockEvidence]] = {}
        self._alone: set[str] = set()
        self._tools: dict[str, str] = {}
        for block in (block for row in known for block in row.blocks if block.tried):
            self._found[block.key] = _done(block)
            self._alone.add(block.key)

    def row(self, text: SideText, *, is_alone: bool = False) -> SideRow:
        """Return the evidence of a text."""
        pieces, left_out = pieces_of(text.text)
        blocks: list[BlockEvidence] = []
        for piece in pieces:
            if self._is_over.is_set():
                raise CancelledError
            is_spent = sum(map(cost, blocks)) >= PATIENCE
            blocks.append(left_alone(piece, _SPENT) if is_spent else self._block(piece, is_alone=is_alone))
        sandbox = self._sandbox()
        tools = {language: self._tool(language) for language in sorted({one.language for one in blocks if one.tried})}
        named = {language: tool for language, tool in tools.items() if tool}
        return SideRow(*text.key, sandbox.name, sandbox.notice, tuple(blocks), left_out, self._place, named)

    def stop(self) -> None:
        """Try no further piece: who interrupts waits for those under way and not for the rest of their answers."""
        self._is_over.set()

    def close(self) -> None:
        """Close all sandboxes."""
        for sandbox in self._opened:
            sandbox.close()

    def _block(self, piece: Piece, *, is_alone: bool) -> BlockEvidence:
        key = piece.key
        mine: Future[BlockEvidence] = Future()
        with self._lock:
            known = self._found.get(key)
            if known is not None and is_alone and key not in self._alone and _is_late(known):
                self._alone.add(key)
                known = None
            if known is None:
                self._found[key] = mine
        if known is not None:
            return known.result()
        try:
            mine.set_result(try_piece(self._sandbox(), piece))
        except BaseException as exc:
            mine.set_exception(exc)
            raise
        return mine.result()

    def _tool(self, language: str) -> str:
        if language not in self._tools:  # two threads may ask at once, and hear the same
            self._tools[language] = tool_version(self._sandbox(), language)
        return self._tools[language]

    def _sandbox(self) -> Sandbox:
        sandbox: Sandbox | None = getattr(self._own, "sandbox", None)
        if sandbox is None:
            sandbox = self._own.sandbox = self._executor.open(self._options)
            with self._lock:
                self._opened.append(sandbox)
        return sandbox


def _is_late(found: Future[BlockEvidence]) -> bool:
    return found.done() and found.exception() is None and may_be_late(found.result())


def _done(block: BlockEvidence) -> Future[BlockEvidence]:
    future: Future[BlockEvidence] = Future()
    future.set_result(block)
    return future
