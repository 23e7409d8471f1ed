"""What ``codearena doctor`` says of sandboxes, tool chains and the benchmarks' data."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from codearena_plugin.cli import execution_checks
from codearena_plugin.cli.check import PROBLEM
from codearena_plugin.errors import ConfigError
from codearena_plugin.execution import choose
from codearena_plugin.execution.evalplus.data import RELEASES
from codearena_plugin.execution.sandbox import Probe

SHARED = Path(__file__).parents[4] / "shared"


@pytest.fixture(autouse=True)
def _clean(codearena, monkeypatch, tmp_path):
    """An empty home, directory and environment."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for release in RELEASES.values():
        monkeypatch.delenv(release.variable, raising=False)


def found(**options):
    return {check.name: check for check in execution_checks.execution_checks(options)}


@pytest.fixture
def nothing_works(monkeypatch):
    names = (*choose.ORDER, choose.UNSAFE)
    monkeypatch.setattr(choose, "probes", lambda _options: {name: Probe(False, "not here") for name in names})


def test_every_sandbox_is_named_with_what_it_says():
    checks = found()
    for name in ("bubblewrap", "landlock", "sandbox-fusion", "unsafe-local"):
        assert checks[f"sandbox {name}"].found
        assert checks[f"sandbox {name}"].state != PROBLEM
    if checks["sandbox bubblewrap"].state == "ok":
        assert checks["sandbox bubblewrap"].found.startswith("isolates: bubblewrap")
        assert checks["sandbox"].found == "auto takes bubblewrap"


def test_no_sandbox_at_all_is_a_note_that_says_what_to_do(nothing_works):
    check = found()["sandbox"]
    assert check.state == "note"
    assert "for the reasons below, so what needs code to be run is refused" in check.found


def test_no_sandbox_with_the_python_that_was_named_is_a_problem(nothing_works):
    assert found(codearena_sandbox_python="/nope")["sandbox"].state == PROBLEM


def test_a_sandbox_that_was_asked_for_and_does_not_work_is_a_problem(nothing_works):
    check = found(codearena_sandbox="landlock")["sandbox"]
    assert check.state == PROBLEM
    assert "'landlock' was asked for and does not work: not here" in check.found


def test_a_sandbox_that_nobody_offers_is_a_problem_and_the_rest_is_checked_all_the_same(codearena):
    check = found(codearena_sandbox="bubblewarp")["sandbox"]
    assert check.state == PROBLEM
    assert "bubblewrap" in check.found
    assert "python" in codearena("doctor", "--sandbox", "bubblewarp").out


def test_a_sandbox_that_cannot_be_opened_after_all_is_said_to_be_so(monkeypatch):
    class Fickle:
        def probe(self, _options):
            return Probe(True, "ready")

        def open(self, _options):
            msg = "not now"
            raise ConfigError(msg)

    monkeypatch.setattr(choose, "executor_named", lambda _name: Fickle())
    assert found()["sandbox bubblewrap"].found == "ready, and then: not now"


def test_the_bare_machine_is_never_more_than_a_note():
    checks = found(codearena_sandbox="unsafe-local")
    assert checks["sandbox"].state == "note"
    assert checks["sandbox unsafe-local"].found.startswith("vouches for no isolation")


def test_missing_tool_chains_are_named_with_their_debian_packages(monkeypatch):
    monkeypatch.setattr(execution_checks, "missing", lambda name, _options: "no" if name in {"Go", "Rust"} else "")
    checks = found()
    assert "Go (Debian: golang-go)" in checks["no tool chain"].found
    assert "Rust (Debian: rustc)" in checks["no tool chain"].found
    assert checks["no tool chain"].state == "note"
    assert "Go," not in checks["tool chains"].found
    monkeypatch.setattr(execution_checks, "missing", lambda _name, _options: "")
    assert "no tool chain" not in found()


def test_the_data_of_a_benchmark_is_found_and_known_by_its_hash(monkeypatch, tmp_path):
    release = RELEASES["humaneval"]
    name = "HumanEval+ data"
    assert "not here yet" in found()[name].found
    file = tmp_path / "mine.jsonl"
    monkeypatch.setenv(release.variable, str(file))
    assert found()[name].state == PROBLEM
    file.write_text("{}\n")
    assert found()[name].state == "note"
    assert "results will say so" in found()[name].found
    monkeypatch.delenv(release.variable)
    cached = tmp_path / "cache" / "evalplus" / release.file
    cached.parent.mkdir(parents=True)
    cached.write_text("{}\n")
    assert "it is not used" in found()[name].found


def test_released_data_is_said_to_be_released(shared_evalplus, monkeypatch):
    release, path = shared_evalplus
    monkeypatch.setenv(release.variable, str(path))
    check = found()[f"{release.label} data"]
    assert check.state == "ok"
    assert str(path) in check.found


@pytest.fixture
def shared_evalplus():
    release = RELEASES["humaneval"]
    files = [*SHARED.glob(f"data/**/{release.file}"), *SHARED.glob(f"data/**/{release.file}.gz")]
    if not files:
        pytest.skip(f"{release.file} is not in ../shared/data")
    return release, files[0]


def test_the_fault_of_a_released_evalplus_is_named(monkeypatch):
    monkeypatch.setattr(execution_checks, "installed", lambda _name: "0.3.1")
    assert "always fails HumanEval/32" in found()["evalplus's fault"].found
    for version in (None, "0.4.0"):
        monkeypatch.setattr(execution_checks, "installed", lambda _name, version=version: version)
        assert "evalplus's fault" not in found()


def test_it_is_quick():
    began = time.perf_counter()
    found()
    assert time.perf_counter() - began < 20
