from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from codearena_plugin.atomic import write_atomically


def test_text_is_written_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "f.txt"
    write_atomically(path, "é\r\nb\n")
    assert path.read_bytes() == "é\r\nb\n".encode()
    write_atomically(path, (f"{i}\n" for i in range(3)))
    assert path.read_bytes() == b"0\n1\n2\n"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_can_be_kept_to_ascii(tmp_path: Path) -> None:
    with pytest.raises(UnicodeEncodeError):
        write_atomically(tmp_path / "f", "é", encoding="ascii")
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "f.txt"
    write_atomically(path, "old")

    def broken() -> Iterator[str]:
        yield "new"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_atomically(path, broken())
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_two_writers_of_one_process_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "f.txt"

    def outer() -> Iterator[str]:
        yield "outer "
        write_atomically(path, "inner")
        yield "still outer"

    write_atomically(path, outer())
    assert path.read_text() == "outer still outer"


def test_the_text_is_on_disk_before_it_takes_the_place_of_the_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, done = tmp_path / "f.txt", []
    fsync, replace = os.fsync, Path.replace

    def noted_fsync(number: int) -> None:
        done.append(("fsync", os.fstat(number).st_size))
        fsync(number)

    def noted_replace(self: Path, target: Path) -> Path:
        done.append(("replace", self.stat().st_size))
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(Path, "replace", noted_replace)
    write_atomically(path, "12345")
    assert done == [("fsync", 5), ("replace", 5)]


def test_others_may_read_it_as_the_user_s_mask_says(tmp_path: Path) -> None:
    write_atomically(tmp_path / "ours", "x")
    (tmp_path / "plain").write_text("x")
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("ours", "plain")}
    assert len(modes) == 1
