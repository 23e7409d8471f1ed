from __future__ import annotations

import os
import resource
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from codearena_plugin.errors import StoreError
from codearena_plugin.judging.asking.request import JudgeRequest, request_key
from codearena_plugin.judging.asking.store import APPLICATION_ID, ReplyStore, Row
from codearena_plugin.records import CallError, Message, Reply, Usage


def request(text: str = "u") -> JudgeRequest:
    return JudgeRequest("j@1", "m", (Message("user", text),), {"temperature": 0.2})


KEY = request_key(request())
FAILURE = Reply(error=CallError("server", "HTTP 500: oops"), attempts=3)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "replies.sqlite3"


def test_a_reply_comes_back_whole(path: Path) -> None:
    reply = Reply("text\x00\ud83d 👍", "stop", Usage(3, None), 0.5, 2, None, "ref\ud800used", "m-1")
    with ReplyStore(path) as store:
        store.put([Row(request(), reply)])
    with ReplyStore(path) as store:
        found = store.get(KEY)
    assert found == Reply("text\x00\ud83d 👍", "stop", Usage(3, None), 0.5, 2, None, "ref?used", "m-1")


def test_a_failure_is_a_row_and_never_an_answer(path: Path) -> None:
    with ReplyStore(path) as store:
        store.put([Row(request(), FAILURE)])
        assert store.get(KEY) is None
        store.put([Row(request(), Reply("yes"))])
        store.put([Row(request(), FAILURE)])
        assert store.get(KEY) == Reply("yes")
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(error_kind), count(*) FROM replies").fetchone() == (2, 3)


def test_the_newest_answer_wins_and_the_older_stay(path: Path) -> None:
    with ReplyStore(path) as store:
        store.put([Row(request(), Reply("old")), Row(request(), Reply("new"))])
        assert store.get(KEY) == Reply("new")
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM replies").fetchone() == (2,)


@pytest.mark.parametrize("field", ["finish_reason", "refusal", "served_model"])
def test_lone_surrogates_in_any_field_are_kept_as_something(path: Path, field: str) -> None:
    with ReplyStore(path) as store:
        store.put([Row(request(), Reply("t", **{field: "x\udc80"}))])  # type: ignore[arg-type]
        store.put([Row(request("v\ud800"), Reply(error=CallError("server", "\udfff")))])
        found = store.get(KEY)
    assert found is not None
    assert getattr(found, field) == "x?"


@hypothesis_settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.text(alphabet=st.characters(exclude_categories=())))
def test_any_text_survives(tmp_path: Path, text: str) -> None:
    with ReplyStore(tmp_path / "r.sqlite3") as store:
        store.put([Row(request(text), Reply(text))])
        assert store.get(request_key(request(text))) == Reply(text)


def test_a_row_that_cannot_be_written_leaves_the_store_usable(path: Path) -> None:
    with ReplyStore(path) as store:
        with pytest.raises((StoreError, OverflowError)):
            store.put([Row(request(), Reply("t", usage=Usage(10**30, 1)))])
        store.put([Row(request(), Reply("t"))])
        assert store.get(KEY) == Reply("t")


def test_threads_write_and_read_at_once(path: Path) -> None:
    with ReplyStore(path) as store, ReplyStore(path) as other:

        def write(which: ReplyStore, name: str) -> None:
            for i in range(40):
                which.put([Row(request(f"{name}{i}"), Reply(f"{name}{i}"))])

        threads = [threading.Thread(target=write, args=args) for args in ((store, "a"), (other, "b"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for name in ("a17", "b39"):
            assert store.get(request_key(request(name))) == other.get(request_key(request(name))) == Reply(name)


WRITER = """
import sys, time
from pathlib import Path
from codearena_plugin.judging.asking.request import JudgeRequest
from codearena_plugin.judging.asking.store import ReplyStore, Row
from codearena_plugin.records import Message, Reply
folder, name, begin = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
for number in range(40):
    while time.time() < begin + number * 0.03:
        pass
    with ReplyStore(folder / f"{number}.sqlite3") as store:
        store.put([Row(JudgeRequest("j", "m", (Message("user", f"{name}{i}"),), {}), Reply(name)) for i in range(3)])
"""


def test_processes_that_open_a_new_store_at_the_same_moment_all_write_to_it(tmp_path: Path) -> None:
    """Each tries it forty times: switching a new file to WAL once failed with "database is locked"."""
    begin = str(time.time() + 1.0)
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), name, begin], stderr=subprocess.PIPE, text=True)
        for name in "abc"
    ]
    for writer in writers:
        _, said = writer.communicate(timeout=60)
        assert writer.returncode == 0, said
    for path in tmp_path.glob("*.sqlite3"):
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("SELECT count(DISTINCT key), count(*) FROM replies").fetchone() == (9, 9)
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def plain(error: StoreError, path: Path) -> None:
    assert "\n" not in str(error)
    assert str(path) in str(error)


def test_another_programs_database_is_refused_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "places.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE moz_places (id)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program") as caught:
        ReplyStore(path)
    plain(caught.value, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_newer_schema_is_refused(path: Path) -> None:
    ReplyStore(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 2")
    connection.close()
    with pytest.raises(StoreError, match="Upgrade") as caught:
        ReplyStore(path)
    plain(caught.value, path)


@pytest.mark.parametrize("content", [b"PK\x03\x04 not a database at all" * 50, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_a_file_that_is_no_database_is_refused_and_not_touched(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "r.sqlite3"
    path.write_bytes(content)
    with pytest.raises(StoreError) as caught:
        ReplyStore(path)
    plain(caught.value, path)
    assert path.read_bytes() == content


def test_a_store_cut_in_half_is_an_error_and_no_wrong_answer(path: Path) -> None:
    with ReplyStore(path) as store:
        store.put([Row(request(str(i)), Reply("x" * 3000)) for i in range(200)])
    size = path.stat().st_size
    os.truncate(path, size // 2)
    with pytest.raises(StoreError) as caught, ReplyStore(path) as store:  # noqa: PT012  any of these may find out
        for i in range(200):
            assert store.get(request_key(request(str(i)))) in (None, Reply("x" * 3000))
        store.put([Row(request(str(i)), Reply("y" * 3000)) for i in range(200)])
    plain(caught.value, path)


def test_an_empty_file_becomes_a_store(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    with ReplyStore(path) as store:
        store.put([Row(request(), Reply("t"))])
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)


@pytest.mark.parametrize("place", ["/proc/none/r.sqlite3", "/dev/null/r.sqlite3", "/proc/r.sqlite3"])
def test_a_place_that_cannot_be_written_is_named(place: str) -> None:
    with pytest.raises(StoreError, match="judge_store=PATH") as caught:
        ReplyStore(Path(place))
    plain(caught.value, Path(place))


def test_a_place_that_cannot_hold_a_shared_store_is_refused() -> None:
    """SQLite goes on without WAL, in silence, where it cannot have it; in memory it never can."""
    with pytest.raises(StoreError, match=r"journal mode 'memory'.*network.*judge_store=PATH") as caught:
        ReplyStore(Path(":memory:"))
    plain(caught.value, Path(":memory:"))


def test_a_directory_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        ReplyStore(tmp_path)
    plain(caught.value, tmp_path)


FULL_DISK = """
import resource, sys
from pathlib import Path
from codearena_plugin.errors import StoreError
from codearena_plugin.judging.asking.request import JudgeRequest
from codearena_plugin.judging.asking.store import ReplyStore, Row
from codearena_plugin.records import Message, Reply
kept = 0
with ReplyStore(Path(sys.argv[1])) as store:
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
    try:
        for i in range(200):
            store.put([Row(JudgeRequest("j", "m", (Message("user", str(i)),), {}), Reply("x" * 5000))])
            kept += 1
    except StoreError as exc:
        assert "\\n" not in str(exc)
        print(kept)
"""


def test_a_full_disk_is_an_error_and_what_was_kept_stays(path: Path) -> None:
    assert resource.RLIMIT_FSIZE
    done = subprocess.run([sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    kept = int(done.stdout)
    assert 10 < kept < 200
    with ReplyStore(path) as store:
        found = [store.get(request_key(JudgeRequest("j", "m", (Message("user", str(i)),), {}))) for i in range(kept)]
    assert found == [Reply("x" * 5000)] * kept
