"""The reply store: one SQLite file in WAL mode, one row per reply, keyed by the sha256 of the canonical request.

Replies and failures are both rows, and rows are only ever added; a failure is never handed out as an answer.
Several processes may share the file. Rows are committed with ``synchronous=FULL`` before anybody sees them, so neither
kill -9 nor a power cut loses a reply that was used.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from codearena_plugin.errors import StoreError
from codearena_plugin.judging.asking.request import JudgeRequest, canonical_json, request_key
from codearena_plugin.records import CallError, Reply, Usage

APPLICATION_ID = 0x43417231  # "CAr1": tells our file from other SQLite files
SCHEMA_VERSION = 1
_BUSY_TIMEOUT_S = 60

_SCHEMA = """
CREATE TABLE requests (key TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE replies (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    created REAL NOT NULL,
    text BLOB NOT NULL,
    finish_reason TEXT,
    refusal TEXT,
    prompt_tokens INTEGER,
    completion_tokens INTEGER,
    latency_s REAL NOT NULL,
    attempts INTEGER NOT NULL,
    served_model TEXT,
    error_kind TEXT,
    error_message TEXT
);
CREATE INDEX replies_by_key ON replies (key);
"""

_COLUMNS = (
    "text, finish_reason, refusal, prompt_tokens, completion_tokens, latency_s, attempts, served_model, "
    "error_kind, error_message"
)


@dataclass(frozen=True, slots=True)
class Row:
    """One reply to be kept, with the request that it answers, and the request's key where it is known already."""

    request: JudgeRequest
    reply: Reply
    key: str | None = None


class ReplyStore:
    """An open reply store. Use as a context manager.

    Raises:
        StoreError: on opening or at any later call: foreign, corrupt, newer than this package, or not writable.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._plain_errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = _connect(path)
        try:
            with self._plain_errors():
                self._open()
                self._reader = _connect(path)  # its own view: it can only see what is committed
        except BaseException:
            self._connection.close()
            raise

    def _open(self) -> None:
        run = self._connection.execute
        tables = run("SELECT count(*) FROM sqlite_master").fetchone()[0]
        owner = run("PRAGMA application_id").fetchone()[0]
        if tables and owner != APPLICATION_ID:
            msg = f"{str(self.path)!r} is an SQLite file of another program. Choose another judge_store."
            raise StoreError(msg)
        version = run("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            msg = (
                f"Reply store {str(self.path)!r} has schema {version}, this package knows {SCHEMA_VERSION}. "
                "Upgrade codearena-plugin."
            )
            raise StoreError(msg)
        self._use_wal()
        run("PRAGMA synchronous = FULL")
        run("BEGIN IMMEDIATE")  # also proves, before anything is paid for, that the file can be written
        try:
            if not run("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                for statement in _SCHEMA.split(";"):
                    run(statement)
                run(f"PRAGMA application_id = {APPLICATION_ID}")
                run(f"PRAGMA user_version = {SCHEMA_VERSION}")
            run("COMMIT")
        except sqlite3.Error:
            self._roll_back()
            raise

    def _use_wal(self) -> None:
        """Switch to WAL. SQLite does not wait for another process that is switching the same new file; we do.

        Where the file system cannot share memory, SQLite goes on without WAL and says so only in its answer.
        """
        end = time.monotonic() + _BUSY_TIMEOUT_S
        mode = None
        while mode is None:
            try:
                mode = self._connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
            except sqlite3.OperationalError as exc:
                if "locked" not in str(exc) or time.monotonic() > end:
                    raise
                time.sleep(0.01)
        if mode != "wal":
            msg = (
                f"Reply store {str(self.path)!r} cannot be shared and killed safely where it lies: SQLite stays in "
                f"journal mode {mode!r}, as on some network file systems. Choose a file on a local disk with "
                "judge_store=PATH (CODEARENA_JUDGE_STORE)."
            )
            raise StoreError(msg)

    def get(self, key: str) -> Reply | None:
        """Return the newest reply to a request; ``None`` if it was never answered. Failures do not count."""
        with self._plain_errors():
            row = self._reader.execute(
                f"SELECT {_COLUMNS} FROM replies WHERE key = ? AND error_kind IS NULL ORDER BY id DESC LIMIT 1",  # noqa: S608
                (key,),
            ).fetchone()
        return None if row is None else _reply(row)

    def put(self, rows: Iterable[Row]) -> None:
        """Add rows in one transaction; they are on disk when this returns."""
        now = time.time()
        requests, replies = [], []
        for row in rows:
            body = canonical_json(row.request)
            key = row.key or request_key(row.request)
            requests.append((key, body))
            replies.append((key, now, *_values(row.reply)))
        with self._plain_errors():
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                self._connection.executemany("INSERT OR IGNORE INTO requests VALUES (?, ?)", requests)
                self._connection.executemany(
                    f"INSERT INTO replies (key, created, {_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",  # noqa: S608
                    replies,
                )
                self._connection.execute("COMMIT")
            except BaseException:
                self._roll_back()
                raise

    def close(self) -> None:
        """Close the file."""
        self._reader.close()
        self._connection.close()

    def __enter__(self) -> ReplyStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    @contextmanager
    def _plain_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as exc:
            msg = (
                f"Reply store {str(self.path)!r} cannot be used: {exc}. Replies kept so far stay in it. "
                "Free the disk or its lock, or choose another file with judge_store=PATH (CODEARENA_JUDGE_STORE)."
            )
            raise StoreError(msg) from exc
        except OSError as exc:
            msg = (
                f"Reply store {str(self.path)!r} cannot be opened: {exc.strerror or exc}. "
                "Choose another file with judge_store=PATH (CODEARENA_JUDGE_STORE)."
            )
            raise StoreError(msg) from exc


def _connect(path: Path) -> sqlite3.Connection:
    # the writer runs in a thread of its own; each connection is still used by one thread at a time
    return sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)


def _values(reply: Reply) -> tuple[object, ...]:
    error = reply.error
    return (
        reply.text.encode("utf-8", "surrogatepass"),  # a judge may send half a surrogate pair; TEXT cannot hold it
        _storable(reply.finish_reason),
        _storable(reply.refusal),
        reply.usage.prompt_tokens,
        reply.usage.completion_tokens,
        reply.latency_s,
        reply.attempts,
        _storable(reply.served_model),
        error.kind if error else None,
        _storable(error.message) if error else None,
    )


def _storable(text: str | None) -> str | None:
    return None if text is None else text.encode("utf-8", "replace").decode("utf-8")


def _reply(row: tuple[Any, ...]) -> Reply:
    text, finish, refusal, prompt_tokens, completion_tokens, latency_s, attempts, served, kind, message = row
    return Reply(
        text=bytes(text).decode("utf-8", "surrogatepass"),
        finish_reason=finish,
        usage=Usage(prompt_tokens, completion_tokens),
        latency_s=latency_s,
        attempts=attempts,
        error=CallError(kind, str(message)) if kind else None,
        refusal=refusal,
        served_model=served,
    )
