from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codearena_plugin.errors import DataError
from codearena_plugin.prompts.files import find_suite_file, read_rows, sha256_of

LINE = b'{"id": "a"}\n'


def written(tmp_path: Path, content: bytes, name: str = "x.jsonl") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


def test_plain_and_gzipped_files_read_alike_whatever_their_names(tmp_path: Path) -> None:
    plain = written(tmp_path, LINE, "a.jsonl.gz")  # not gzipped, in spite of its name
    zipped = written(tmp_path, gzip.compress(LINE), "b.jsonl")
    assert list(read_rows(plain)) == list(read_rows(zipped)) == [(1, {"id": "a"})]


def test_a_byte_order_mark_blank_lines_and_dos_line_ends_are_harmless(tmp_path: Path) -> None:
    path = written(tmp_path, b"\xef\xbb\xbf" + b'{"id": "a"}\r\n\r\n   \n{"id": "b"}')
    assert list(read_rows(path)) == [(1, {"id": "a"}), (4, {"id": "b"})]


@pytest.mark.parametrize(
    ("content", "line", "says"),
    [
        (LINE + b'{"id": "\xff"}\n', 2, "not UTF-8: byte 0xff"),
        (LINE + b'{"id": "cut', 2, "not JSON"),
        (LINE * 2 + b"[1]\n", 3, "got list, expected a JSON object"),
        (LINE + b"null\n", 2, "got NoneType"),
        (b'{"id": "a"} {"id": "b"}\n', 1, "not JSON"),
        ("{}".encode("utf-16"), 1, "not UTF-8"),
        (b"[" * 200_000, 1, "not JSON"),
    ],
)
def test_a_malformed_line_is_an_error_that_names_file_and_line(
    tmp_path: Path, content: bytes, line: int, says: str
) -> None:
    path = written(tmp_path, content)
    with pytest.raises(DataError) as caught:
        list(read_rows(path))
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert says in str(caught.value)


def test_a_truncated_gzip_file_is_an_error(tmp_path: Path) -> None:
    path = written(tmp_path, gzip.compress(LINE * 1000)[:-12])
    with pytest.raises(DataError, match="gzip data is damaged"):
        list(read_rows(path))


def test_a_file_that_only_begins_like_gzip_is_an_error(tmp_path: Path) -> None:
    path = written(tmp_path, b"\x1f\x8b nonsense")
    with pytest.raises(DataError, match="gzip data is damaged"):
        list(read_rows(path))


def test_a_directory_in_place_of_a_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        list(read_rows(tmp_path))


json_values = st.dictionaries(st.text(), st.one_of(st.text(), st.integers(), st.none()))


@given(rows=st.lists(json_values))
def test_every_row_comes_back_as_it_was_written(tmp_path_factory: pytest.TempPathFactory, rows: list[dict]) -> None:  # type: ignore[type-arg]
    path = written(tmp_path_factory.mktemp("rows"), "".join(json.dumps(row) + "\n" for row in rows).encode())
    assert [row for _, row in read_rows(path)] == rows


@pytest.mark.parametrize("name", ["CodeArena.jsonl", "CodeArena_v1.jsonl", "prompts.jsonl", "prompts.jsonl.gz"])
def test_the_one_suite_file_of_a_directory_is_found(tmp_path: Path, name: str) -> None:
    written(tmp_path, LINE, "answers.jsonl")
    path = written(tmp_path, LINE, name)
    assert find_suite_file(tmp_path) == find_suite_file(path) == path


def test_two_suite_files_in_a_directory_are_an_error_that_names_them(tmp_path: Path) -> None:
    written(tmp_path, LINE, "CodeArena.jsonl")
    written(tmp_path, LINE, "CodeArena_v1.jsonl")
    with pytest.raises(DataError, match=r"2 suite files \(there: CodeArena.jsonl, CodeArena_v1.jsonl\)"):
        find_suite_file(tmp_path)


def test_a_directory_without_a_suite_file_is_an_error_that_lists_what_is_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there: nothing"):
        find_suite_file(tmp_path)
    written(tmp_path, LINE, "data.parquet")
    with pytest.raises(DataError, match=r"0 suite files \(there: data.parquet\)"):
        find_suite_file(tmp_path)


def test_a_path_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        find_suite_file(tmp_path / "none.jsonl")


def test_the_digest_is_over_the_bytes(tmp_path: Path) -> None:
    assert sha256_of(written(tmp_path, b"")).startswith("e3b0c44298fc1c14")
