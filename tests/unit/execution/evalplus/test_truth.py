"""What was kept of the reference solutions: used again only if it is whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from evalplus_small import small

from codearena_plugin.execution.evalplus import truth
from codearena_plugin.execution.evalplus.problems import Benchmark
from codearena_plugin.execution.evalplus.wire import pack
from codearena_plugin.execution.sandbox import SandboxOptions

OPTIONS = SandboxOptions(name="unsafe-local", allow_unsafe=True)
TASK = "HumanEval/0"


def _sealed(value: object) -> bytes:
    kept = pack(value)
    return truth._digest(kept) + kept


@pytest.fixture
def benchmark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Benchmark:
    monkeypatch.setenv("CODEARENA_HOME", str(tmp_path / "home"))
    found = small(tmp_path)
    [first] = [problem for problem in found.problems if problem.task_id == TASK]
    return Benchmark(found.name, found.label, (first,), found.md5, found.source)


def _kept(tmp_path: Path) -> Path:
    [path] = (tmp_path / "home").rglob("HumanEval_0-*")
    return path


@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw: b"",
        lambda raw: raw[:-1],
        lambda raw: raw[:40] + bytes([raw[40] ^ 1]) + raw[41:],
        lambda raw: b"\xff" * 5000,
        lambda raw: raw[16:],  # as it was kept before there was a digest
        lambda raw: _sealed(7),
        lambda raw: _sealed((1, 2)),
        lambda raw: _sealed(((b"", ()), (b"", ()))),
        lambda raw: _sealed(((b"e\0\0\0\0", 5), (b"", ()))),
    ],
)
def test_a_file_that_is_not_whole_is_made_again(
    spoil: Callable[[bytes], bytes], benchmark: Benchmark, tmp_path: Path
) -> None:
    [first] = truth.truths(benchmark, benchmark.problems, OPTIONS, 1)
    assert not first.broken
    path = _kept(tmp_path)
    raw = path.read_bytes()
    path.write_bytes(spoil(raw))
    assert truth._read(path.parent, benchmark.problems[0]) is None
    [again] = truth.truths(benchmark, benchmark.problems, OPTIONS, 1)
    assert (again.base.expected, again.plus.expected) == (first.base.expected, first.plus.expected)
    assert truth._read(path.parent, benchmark.problems[0]) == again


def test_a_home_that_cannot_be_written_costs_the_time_and_no_verdict(
    benchmark: Benchmark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "a-file").write_text("")
    monkeypatch.setenv("CODEARENA_HOME", str(tmp_path / "a-file"))
    [found] = truth.truths(benchmark, benchmark.problems, OPTIONS, 1)
    assert not found.broken
    assert caplog.text.count("cannot be written") == 1
