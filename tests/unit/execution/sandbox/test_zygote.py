"""The parts of the zygote that can be tried without a box."""

from __future__ import annotations

import ast
import os
import socket
import stat
import sys
import threading
from pathlib import Path

import pytest

from codearena_plugin.execution.zygote import clean, framing, kernel, main, room, scan, step
from codearena_plugin.execution.zygote.unforked import unforked

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # Python 3.12: pytest has threads

SOURCES = sorted(Path(clean.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_the_zygote_is_written_for_python_3_8_and_the_standard_library(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"), feature_version=(3, 8))
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            top = name.split(".")[0]
            assert top in sys.stdlib_module_names or name.startswith("codearena_plugin.execution.zygote")


def test_a_message_arrives_as_it_was_sent_in_pieces_too() -> None:
    ours, theirs = socket.socketpair()
    blobs = [b"", b"x" * 3_000_000, b"\0\xff", *[b"y"] * 200]
    sender = threading.Thread(target=framing.send, args=(ours, {"sizes": list(map(len, blobs))}, blobs))
    with ours, theirs:
        sender.start()
        got = framing.receive(theirs)
        sender.join()
        assert got
        assert [bytes(blob) for blob in framing.split(got[1], got[0]["sizes"])] == blobs
        ours.shutdown(socket.SHUT_RDWR)
        assert framing.receive(theirs) is None


@pytest.mark.parametrize(
    "sent",
    [
        framing._SIZES.pack(framing.HEADER_MOST + 1, 0),
        framing._SIZES.pack(2, 11) + b"{}" + b"x" * 11,
        framing._SIZES.pack(1, 0) + b"{",
        framing._SIZES.pack(2, 0) + b"[]",
        framing._SIZES.pack(2, 0) + b"\xff\xfe",
    ],
)
def test_what_is_no_message_or_too_long_is_refused(sent: bytes) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(sent)
        with pytest.raises(framing.FramingError):
            framing.receive(theirs, most=10)


def test_half_a_message_is_none() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        with ours:
            ours.sendall(framing._SIZES.pack(2, 5) + b"{}abc")
        assert framing.receive(theirs) is None


@pytest.mark.parametrize("sizes", [[1], [3, -1], [4], []])
def test_sizes_must_be_those_of_the_body(sizes: list[int]) -> None:
    with pytest.raises(framing.FramingError):
        framing.split(memoryview(b"ab"), sizes)


def test_a_fork_finds_unforked_memory_empty() -> None:
    kept = unforked(10_000)
    kept[:6] = b"secret"
    if (pid := os.fork()) == 0:
        os._exit(bytes(kept[:6]) != bytes(6))
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert bytes(kept[:6]) == b"secret"


def test_a_scratch_directory_is_emptied_whatever_lies_in_it(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("x")
    root.mkdir()
    (root / "link").symlink_to(outside)
    (root / "dir").mkdir()
    (root / "dir" / "link").symlink_to(outside)
    os.mkfifo(root / "dir" / "pipe")
    Path(os.fsdecode(bytes(root / "dir") + b"/\xff\n")).mkdir()
    (root / "\n1").mkdir()
    (root / "dir" / "locked").mkdir()
    (root / "dir" / "locked" / "file").write_text("x")
    (root / "dir" / "locked").chmod(0)
    top = Path.cwd()
    os.chdir(root)
    for _ in range(3000):
        Path("d").mkdir()
        os.chdir("d")
    os.chdir(top)
    assert clean.empty(str(root), None)
    assert sorted(path.name for path in root.iterdir()) == ["tmp", "work"]
    assert not list((root / "work").iterdir())
    assert (outside / "kept").read_text() == "x"


def test_a_scratch_directory_with_too_much_in_it_is_given_up(tmp_path: Path) -> None:
    for at in range(20):
        (tmp_path / f"d{at}").mkdir()
        (tmp_path / f"d{at}" / "f").write_text("x")
    assert not clean.empty(str(tmp_path), 10)
    assert clean.empty(str(tmp_path), None)
    assert not clean.empty(str(tmp_path / "absent"), None)


def test_a_file_is_brought_back_only_if_it_is_one(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / "dir").mkdir()
    (work / "dir" / "f").write_bytes(b"abc")
    (work / "link").symlink_to("dir")
    (work / "flink").symlink_to("dir/f")
    found = {
        name: clean.read(str(tmp_path), name, 3)
        for name in ("dir/f", "./dir//f", "link/f", "flink", "dir", "absent", "dir/absent", "", "dir/f/x", "a\0b")
    }
    assert {name: bytes(content) for name, content in found.items() if content is not None} == {
        "dir/f": b"abc",
        "./dir//f": b"abc",
    }
    assert clean.read(str(tmp_path), "dir/f", 2) is None


def test_only_a_file_of_the_job_is_made_executable(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "outside").write_text("x")
    (tmp_path / "outside").chmod(0o600)
    (tmp_path / "work" / "link").symlink_to(tmp_path / "outside")
    (tmp_path / "work" / "a").write_text("x")
    for name in ("a", "link", "absent"):
        clean.make_executable(str(tmp_path), name)
    assert stat.S_IMODE((tmp_path / "work" / "a").stat().st_mode) == 0o755
    assert stat.S_IMODE((tmp_path / "outside").stat().st_mode) == 0o600


def test_room_counts_bytes_entries_and_deleted_files_that_are_open(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x" * 100_000)
    assert 800_000 < room.left_of_bytes(str(tmp_path), 1_000_000, []) <= 900_001
    assert room.left_of_bytes(str(tmp_path), 50_000, []) == 0
    with (tmp_path / "g").open("wb") as file:
        file.write(b"x" * 2_000_000)
        file.flush()
        (tmp_path / "g").unlink()
        assert room.left_of_bytes(str(tmp_path), 1_000_000, []) > 0
        assert room.left_of_bytes(str(tmp_path), 1_000_000, [os.getpid()]) == 0


def test_room_counts_what_lies_in_a_folder_that_cannot_be_listed(tmp_path: Path) -> None:
    for name, mode in (("unlisted", 0o300), ("shut", 0), ("unsearched", 0o600)):
        (tmp_path / name / "inner").mkdir(parents=True)
        (tmp_path / name / "inner" / "f").write_bytes(b"x" * 100_000)
        (tmp_path / name / "inner").chmod(mode)
        (tmp_path / name).chmod(mode)
    try:
        assert 600_000 < room.left_of_bytes(str(tmp_path), 1_000_000, []) <= 700_001
        assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o300, 0, 0o600}
    finally:
        for path in tmp_path.iterdir():
            path.chmod(0o700)
            (path / "inner").chmod(0o700)


def test_a_folder_that_lies_too_deep_to_be_counted_counts_as_too_much(tmp_path: Path) -> None:
    deepest = tmp_path.joinpath(*["d"] * room.DEPTH_MOST)
    deepest.mkdir(parents=True)
    assert room.left_of_bytes(str(tmp_path), 1 << 30, []) > 0
    (deepest / "d").mkdir()
    assert room.left_of_bytes(str(tmp_path), 1 << 30, []) == 0


def test_what_is_nearly_full_is_looked_at_sooner_but_not_all_the_time() -> None:
    mib = 1 << 20
    assert room.pause(1024 * mib, 0) == 0.05
    assert room.pause(16 * mib, 0) < 0.005
    assert room.pause(0, 0) == 0.001
    assert room.pause(0, 0.04) == 0.04


def test_use_is_summed_over_descendants() -> None:
    reading, writing = os.pipe()
    ready, born = os.pipe()
    if (pid := os.fork()) == 0:
        if os.fork() == 0:
            os.write(born, b"x")
            os.read(reading, 1)
            os._exit(0)
        os.read(reading, 1)
        os.wait()
        os._exit(0)
    try:
        os.read(ready, 1)
        use = scan.use_of_descendants(os.getpid())
        assert len(use.pids) >= 2
        assert pid in use.pids
        assert set(use.pids) == set(scan.descendants(os.getpid())) == set(scan._descendants_by_parent(os.getpid()))
        assert use.resident > 1 << 20
        assert 0 < scan.proportional(use) <= use.memory
    finally:
        os.write(writing, b"xx")
        os.waitpid(pid, 0)
        for number in (reading, writing, ready, born):
            os.close(number)


def _kept_open(hides: bool) -> tuple[int, int]:
    """Return a forked process, of another account where we are root, and a pipe's end that ends it when it closes."""
    reading, writing = os.pipe()
    ready, said = os.pipe()
    if (pid := os.fork()) == 0:
        os.close(writing)
        kernel.prctl(kernel.PR_SET_DUMPABLE, 0 if hides else 1)
        pairs = [socket.socketpair() for _ in range(20)]
        os.write(said, b"x")
        os.read(reading, 1)
        os._exit(len(pairs) != 20)
    os.read(ready, 1)
    for number in (reading, ready, said):
        os.close(number)
    return pid, writing


@pytest.mark.parametrize("hides", [False, True])
def test_what_sockets_may_hold_is_counted_and_no_less_where_it_is_hidden(hides: bool) -> None:
    if hides and os.geteuid() == 0:
        pytest.skip("root sees what is hidden")
    pid, writing = _kept_open(hides)
    try:
        use = scan.use_of([pid])
        assert use.memory >= (scan.DESCRIPTORS if hides else 40) * scan._SOCKET
        assert scan.proportional(use) >= 40 * scan._SOCKET
        assert (scan.files_of(pid) is None) == hides
    finally:
        os.close(writing)
        os.waitpid(pid, 0)
    assert scan.files_of(pid) == []


def test_what_ends_hides_nothing() -> None:
    if (pid := os.fork()) == 0:
        os._exit(0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # a zombie: its folder is root's
    assert scan.files_of(pid) == []
    os.waitpid(pid, 0)


def test_a_step_after_one_that_could_not_be_swept_is_nobodys_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    ending = {"how": "exited", "exit_code": 0, "problem": ""}
    unswept = step.Done(ending, memoryview(b"out"), memoryview(b""), is_clean=False)
    monkeypatch.setattr(main, "run_step", lambda *_: unswept)
    zygote = object.__new__(main._Zygote)
    monkeypatch.setattr(zygote, "_plan", lambda _: None, raising=False)
    zygote._scratch, zygote._box, zygote._state = "/nowhere", None, ()  # type: ignore[assignment]
    steps = [{"stdin": 0}, {"stdin": 0}]
    for job, hows in ((steps, ["exited", "lost"]), (steps[:1], ["exited"])):
        answer, blobs = zygote._run({"files": [], "returns": [], "returns_most": 0, "steps": job}, memoryview(b""))
        assert [ending["how"] for ending in answer["endings"]] == hows
        assert [len(blob) for blob in blobs] == [3, 0, 0, 0][: 2 * len(job)]
        assert not answer["clean"]
