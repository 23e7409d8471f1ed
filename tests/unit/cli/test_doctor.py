from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest

from codearena_plugin.cli import checks
from codearena_plugin.cli.checks import PROBLEM, all_checks
from codearena_plugin.harness.lm_eval import hook
from codearena_plugin.plugins import Plugin


@pytest.fixture(autouse=True)
def _clean(codearena):
    """An empty home, directory and environment."""


@pytest.fixture
def active(monkeypatch):
    status = hook.Status(pth=None, active=True, turned_off=False, native=False)
    monkeypatch.setattr(hook, "status", lambda: status)
    return status


def _by_name(**options):
    return {check.name: check for check in all_checks(options, ping=False)}


def test_a_sound_installation_has_no_problem(codearena, active):
    done = codearena("doctor")
    assert done.code == 0, done.out
    for name in ("python", "codearena-plugin", "lm-eval", "datasets", "start-up shim", "reply store", "judge"):
        assert f" {name} " in done.out


def test_keys_are_said_to_be_set_and_never_shown(codearena, active, monkeypatch):
    assert _by_name()["OPENAI_API_KEY"].found == "not set"
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    done = codearena("doctor", "--judge-base-url", "http://user:sk-very-secret@127.0.0.1:9/v1?key=sk-very-secret")
    assert done.code == 0
    assert "sk-very-secret" not in done.out + done.err


def test_an_old_lm_eval_is_a_problem_and_an_absent_one_is_not(active, monkeypatch):
    monkeypatch.setattr(checks, "installed", lambda name: "0.4.9.1" if name == "lm-eval" else None)
    assert _by_name()["lm-eval"].state == PROBLEM
    monkeypatch.setattr(checks, "installed", lambda _name: None)
    assert _by_name()["lm-eval"].state == "note"


def test_a_shim_that_does_not_run_is_a_problem_unless_it_was_turned_off(active, monkeypatch):
    monkeypatch.setattr(checks, "installed", lambda _name: "0.4.13")
    monkeypatch.setattr(hook, "status", lambda: replace(active, active=False))
    assert _by_name()["start-up shim"].state == PROBLEM
    monkeypatch.setattr(hook, "status", lambda: replace(active, active=False, turned_off=True))
    assert _by_name()["start-up shim"].state == "note"


def test_a_directory_with_the_name_of_a_task_is_a_problem_where_lm_eval_would_take_it(active, monkeypatch, tmp_path):
    (tmp_path / "codearena").mkdir()
    assert _by_name()["./codearena"].state == "note"
    monkeypatch.setattr(hook, "status", lambda: replace(active, active=False, turned_off=True))
    assert _by_name()["./codearena"].state == PROBLEM


def test_the_store_is_counted_and_a_foreign_one_is_a_problem(codearena, active, tmp_path):
    mine = tmp_path / "store.sqlite3"
    assert "none yet" in _by_name(judge_store=str(mine))["reply store"].found
    from codearena_plugin.judging.asking.store import ReplyStore

    with ReplyStore(mine):
        pass
    assert "0 rows, 0 of them failures" in _by_name(judge_store=str(mine))["reply store"].found
    foreign = tmp_path / "foreign.sqlite3"
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE t (x)")
    connection.close()
    done = codearena("doctor", "--store", foreign)
    assert done.code == 2
    assert "SQLite file of another program" in " ".join(done.out.split())
    assert "reply store" in done.err


def test_task_files_that_cannot_be_read_are_a_problem(active, monkeypatch, tmp_path):
    broken = tmp_path / "broken.yaml"
    broken.write_text("task: [unclosed")
    monkeypatch.setattr(checks, "_task_files", lambda: [broken])
    found = next(check for check in checks._definitions())
    assert found.state == PROBLEM
    assert "broken.yaml" in found.found


def test_a_wrong_judge_setting_is_a_problem(active, monkeypatch):
    monkeypatch.setenv("CODEARENA_JUDGE_ORDER", "random")
    assert "CODEARENA_JUDGE_ORDER='random'" in _by_name()["judge"].found


def test_the_static_judge_needs_no_ping(codearena, active):
    done = codearena("doctor", "--ping", "--judge", "static")
    assert done.code == 0
    assert "needs no network" in done.out


def test_the_static_judge_is_said_to_be_no_preference_model(active):
    assert "a smoke test, not a preference model" in _by_name(judge="static")["judge"].found
    assert "smoke test" not in _by_name()["judge"].found


def test_a_judge_that_does_not_answer_is_a_problem(codearena, active):
    done = codearena("doctor", "--ping", "--judge-base-url", "http://127.0.0.1:9/v1")
    assert done.code == 2
    assert "judge ping" in done.err


def test_plugins_lists_every_kind_and_names_broken_ones(codearena, monkeypatch):
    monkeypatch.setattr("codearena_plugin.plugins.plugins", lambda: [Plugin("odd", "1.0", "ImportError: no\x1b[31m")])
    done = codearena("plugins")
    assert done.code == 0
    for name in ("codearena_mini", "codearena-paper", "static", "replay", "task_dirs"):
        assert name in done.out
    assert "plugin odd 1.0: BROKEN, skipped: ImportError: no␛[31m" in done.out


def test_opencompass_own_variables_name_the_judge_where_nothing_else_does(active, monkeypatch):
    for name, value in {"MODEL": "theirs", "API_BASE": "http://127.0.0.1:9/v1", "API_KEY": "secret"}.items():
        monkeypatch.setenv(f"OC_JUDGE_{name}", value)
    monkeypatch.setattr(checks, "installed", lambda _name: None)
    assert "theirs" not in _by_name()["judge"].found
    monkeypatch.setattr(checks, "installed", lambda _name: "0.5.4")
    found = _by_name()
    assert found["judge"].found.startswith("theirs with card codearena@")
    assert found["OpenCompass' judge"].found.startswith("OC_JUDGE_MODEL, OC_JUDGE_API_BASE, OC_JUDGE_API_KEY stand in")
    chosen = _by_name(judge="static")
    assert "OpenCompass' judge" not in chosen
    assert "theirs" not in chosen["judge"].found
