"""Our own pass results: read as they are written, with engine, coverage and what must be said."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from unit_runs import write_run

from codearena_plugin.errors import DataError
from codearena_plugin.execution.evalplus.problems import PassResult
from codearena_plugin.gap.analysis import Inputs, gap_of
from codearena_plugin.gap.preference import preferences_of
from codearena_plugin.gap.reading import read_file, read_results
from codearena_plugin.gap.record import GapOptions
from codearena_plugin.records import Interval
from codearena_plugin.report.gap.cells import axes_cells, gap_facts

UNSAFE = "code ran WITHOUT a sandbox (--unsafe-local)"


def content(n: int = 164, **more: Any) -> dict[str, Any]:
    """Return such a file, from the record that it is made of."""
    half = Interval(0.5, 0.4, 0.6, 0.05, n)
    result = PassResult(
        benchmark="humaneval",
        label="HumanEval+",
        version="v0.1.10",
        md5="fe585eb4df8c88d844eeb463ea4d0302",
        base={1: dataclasses.replace(half, estimate=0.75), 10: half},
        plus={1: half},
        n_problems=n,
        n_samples=n,
        n_not_run=0,
        n_expected=164,
        engine="codearena builtin 1",
        sandbox="bubblewrap",
    )
    return {"schema": "codearena-pass/1", "model": "m", **dataclasses.asdict(result), **more}


def test_a_share_that_is_no_share_is_refused_however_long(tmp_path: Path) -> None:
    for wrong in (10**400, 1.01, -1, True, None):
        one = {"1": {"estimate": wrong, "n": 164}}
        with pytest.raises(DataError, match=r"base\.estimate"):
            read_file(write(tmp_path, content(base=one)))


def write(folder: Path, found: Any) -> Path:
    path = folder / "pass.json"
    path.write_text(json.dumps(found))
    return path


def test_base_and_plus_are_read_with_engine_sandbox_and_data(tmp_path: Path) -> None:
    base, plus = read_file(write(tmp_path, content()))
    assert (base.benchmark, base.estimate, plus.benchmark, plus.estimate) == ("humaneval", 0.75, "humaneval+", 0.5)
    assert (plus.model, plus.n, plus.n_expected, plus.is_partial) == ("m", 164, 164, False)
    assert plus.engine == "codearena builtin 1, HumanEval+ v0.1.10, sandbox bubblewrap"
    [other] = read_file(write(tmp_path, content(version="", plus={})))
    assert other.engine == "codearena builtin 1, HumanEval+ of md5 fe585eb4df8c, sandbox bubblewrap"


def test_a_directory_stands_for_what_was_written_into_it(tmp_path: Path) -> None:
    file = tmp_path / "execution.json"
    file.write_text(json.dumps(content()))
    assert read_results([str(tmp_path)]) == read_results([str(file)])
    with pytest.raises(DataError, match="given twice"):
        read_results([str(tmp_path), str(file)])
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"cannot be read: No such file.*a directory with execution\.json"):
        read_results([str(tmp_path / "empty")])


def test_a_part_of_the_benchmark_and_a_missing_sandbox_are_said_beside_the_number(tmp_path: Path) -> None:
    results = read_file(write(tmp_path, content(20, n_not_run=3, sandbox="unsafe-local", notices=[UNSAFE])))
    run = write_run(tmp_path, "m", "wl" * 10)
    found = gap_of(Inputs(preferences_of([run], "score"), results), GapOptions(n_bootstraps=100))
    plain = found.to_json(created="now")
    assert UNSAFE in plain["notices"]
    assert ("notice", UNSAFE) in gap_facts(plain)
    [row] = axes_cells(plain).rows
    assert row[-1] == "20 of 164"
    assert any("3 samples were not run and are in no number" in note for note in plain["notes"])
    assert any(note.startswith("not in line") for note in plain["notes"])


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"model": ""}, ("'model'", "not empty")),
        ({"engine": None}, ("'engine'", "not empty")),
        ({"benchmark": "mbpp+"}, ("'benchmark'", "humaneval or mbpp")),
        ({"base": {}, "plus": {}}, ("'base'", "no sample of this file was run")),
        ({"base": {}, "plus": {}, "withheld": "5 of 164\nwere not run"}, ("no score: 5 of 164 were not run",)),
        ({"base": {"10": {"estimate": 0.5, "n": 164}}}, ("'base'", "k = 1")),
        ({"base": {"1": {"estimate": 50, "n": 164}}}, ("'base.estimate'", "50", "a share")),
        ({"base": {"1": {"estimate": 0.5, "n": 1}}}, ("'base.n'", "at least 2")),
        ({"plus": {"1": {"estimate": 0.5, "n": 165}}}, ("'plus'", "at most 164")),
        ({"plus": [1]}, ("'plus'", "intervals by k")),
        ({"n_expected": True}, ("'n_expected'", "a whole number")),
        ({"notices": UNSAFE}, ("'notices'", "a list")),
    ],
)
def test_what_is_wrong_is_refused_with_file_and_field(tmp_path: Path, more: dict[str, Any], named) -> None:
    path = write(tmp_path, content(**more))
    with pytest.raises(DataError) as caught:
        read_file(path)
    assert all(part in str(caught.value) for part in (str(path), *named)), str(caught.value)
