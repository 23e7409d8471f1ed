"""Which file a benchmark is, and what is said where it is not the released one."""

from __future__ import annotations

import functools
import gzip
import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from evalplus_small import HUMANEVAL, released_or_skip, small, write_small

from codearena_plugin.errors import ConfigError, DataError
from codearena_plugin.execution.evalplus import data
from codearena_plugin.execution.evalplus.data import RELEASES, Release, load_benchmark


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def host(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """Serve a folder on the loopback; the value is the folder and its URL."""
    folder = tmp_path / "served"
    folder.mkdir()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setenv("CODEARENA_HOME", str(tmp_path / "home"))
    return {"XDG_CACHE_HOME": str(tmp_path / "cache")}


def test_a_file_of_one_s_own_is_read_and_said_to_be_no_released_one(tmp_path: Path) -> None:
    benchmark = small(tmp_path)
    text = (tmp_path / "humaneval.jsonl").read_bytes()
    assert [problem.task_id for problem in benchmark.problems] == [row["task_id"] for row in HUMANEVAL]
    assert benchmark.md5 == hashlib.md5(text).hexdigest()
    assert benchmark.notice.startswith("not the released file: ")
    assert benchmark.problems[3].atol == 1e-4


def test_a_packed_file_and_the_override_variable_give_the_same(tmp_path: Path) -> None:
    path = write_small(tmp_path)["humaneval"]
    packed = tmp_path / "x.jsonl.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    found = load_benchmark("humaneval", environ={"HUMANEVAL_OVERRIDE_PATH": str(packed)})
    assert (found.md5, found.problems) == (small(tmp_path).md5, small(tmp_path).problems)
    assert found.source == str(packed)


@pytest.mark.parametrize("place", ["cache", "home", "url"])
def test_the_released_file_is_found_or_downloaded_and_its_md5_decides(
    place: str, tmp_path: Path, homes: dict[str, str], host: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = write_small(tmp_path)["humaneval"].read_bytes()
    release = Release("HumanEval+", "HumanEvalPlus", "v9", hashlib.md5(text).hexdigest(), "HUMANEVAL_OVERRIDE_PATH")
    monkeypatch.setattr(data, "RELEASES", {**RELEASES, "humaneval": release})
    monkeypatch.setattr(data, "_HOST", host[1])
    cached, own = tmp_path / "cache" / "evalplus" / release.file, tmp_path / "home" / "evalplus" / release.file
    cached.parent.mkdir(parents=True)
    cached.write_bytes(text if place == "cache" else text + b"\n")  # of another md5: passed over
    if place == "home":
        own.parent.mkdir(parents=True)
        own.write_bytes(text)
    if place == "url":
        served = host[0] / "humanevalplus_release" / "releases" / "download" / "v9" / "HumanEvalPlus.jsonl.gz"
        served.parent.mkdir(parents=True)
        served.write_bytes(gzip.compress(text))
    found = load_benchmark("humaneval", environ=homes)
    assert (found.version, found.notice) == ("v9", "")
    assert found.source == str(cached if place == "cache" else own)
    assert own.is_file() == (place != "cache")
    if place == "url":
        served.unlink()
        assert load_benchmark("humaneval", environ=homes).source == str(own)  # once is enough


def test_a_download_of_another_md5_is_refused(
    homes: dict[str, str], host: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "_HOST", host[1])
    with pytest.raises(DataError, match=r"cannot be downloaded .*404.*Put the file at .*HUMANEVAL_OVERRIDE_PATH"):
        load_benchmark("humaneval", environ=homes)
    served = host[0] / "humanevalplus_release" / "releases" / "download" / "v0.1.10" / "HumanEvalPlus.jsonl.gz"
    served.parent.mkdir(parents=True)
    served.write_bytes(gzip.compress(b"{}\n"))
    with pytest.raises(DataError, match=r"gave a file with md5 .*expected fe585eb4.*not kept"):
        load_benchmark("humaneval", environ=homes)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 1: not JSON"),
        ("[" * 100_000, "line 1: not JSON"),
        ("[]", "line 1: task_id is \\[\\]"),
        (json.dumps({**HUMANEVAL[0], "atol": "x"}), "line 1: atol is 'x'"),
        (json.dumps(HUMANEVAL[0]) + "\n" + json.dumps(HUMANEVAL[0]), "line 2: .*a second time"),
        (json.dumps({**HUMANEVAL[0], "task_id": "Mbpp/124"}), "not those of the problem of that number"),
        ("", "no problem in it"),
    ],
)
def test_a_wrong_file_is_named_with_its_line(line: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(line)
    with pytest.raises(DataError, match=said):
        load_benchmark("humaneval", data=str(path))


def test_a_wrong_place_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"the data path names .* which is no file"):
        load_benchmark("humaneval", data=str(tmp_path / "x"))
    with pytest.raises(ConfigError, match=r"holds no MbppPlus-v0.2.0.jsonl"):
        load_benchmark("mbpp", data=str(tmp_path))
    with pytest.raises(ConfigError, match="Unknown benchmark"):
        load_benchmark("x", data=None)  # type: ignore[arg-type]


def test_the_other_benchmarks_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps(HUMANEVAL[0]))
    with pytest.raises(DataError, match=r"has problems of HumanEval\+ .*expected those of MBPP\+"):
        load_benchmark("mbpp", data=str(path))


def test_the_released_data_are_the_released_data() -> None:
    place = released_or_skip()
    humaneval, mbpp = load_benchmark("humaneval", data=place), load_benchmark("mbpp", data=place)
    assert (len(humaneval.problems), humaneval.version, humaneval.notice) == (164, "v0.1.10", "")
    assert (len(mbpp.problems), mbpp.version, mbpp.notice) == (378, "v0.2.0", "")
    assert sum(len(one.plus_inputs) for one in humaneval.problems) > 120_000
