"""What runs at every Python start stays tiny, silent and harmless; what it adds to lm-eval only ever adds."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from codearena_plugin.harness.lm_eval import hook

STARTUP = Path(__file__).parents[2] / "codearena_plugin" / "startup"
SHIM = STARTUP / "_codearena_autoload.py"
PTH = STARTUP / "codearena_plugin_autoload.pth"


@pytest.fixture
def shim(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a copy of the shim, installed nowhere yet."""
    monkeypatch.delenv("CODEARENA_AUTOLOAD", raising=False)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    spec = importlib.util.spec_from_file_location("shim_under_test", SHIM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def peer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shim: Any) -> Iterator[list[str]]:
    """Make ``watched_peer`` importable and watched; return the names of the modules that were handed over."""
    (tmp_path / "watched_peer.py").write_text("ready = True\n")
    (tmp_path / "peer_hook.py").write_text(
        "seen = []\ndef note(module):\n    seen.append(module.ready and module.__name__)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(shim, "WATCHED", {"watched_peer": "peer_hook:note"})
    yield importlib.import_module("peer_hook").seen
    for name in ("watched_peer", "peer_hook"):
        sys.modules.pop(name, None)


def test_the_pth_and_start_files_are_one_line_that_hides_nothing() -> None:
    (line,) = PTH.read_text().splitlines()
    assert line.startswith("import ")  # else Python takes it for a directory
    assert not any(word in line for word in ("exec", "eval", "compile", "base64", "open", "subprocess"))
    assert line.endswith('__import__("_codearena_autoload").install()')
    assert PTH.with_suffix(".start").read_text() == "_codearena_autoload:install\n"  # Python 3.15 on


def test_the_shim_imports_only_os_and_sys_when_it_starts() -> None:
    imported = [node for node in ast.parse(SHIM.read_text()).body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [alias.name for node in imported for alias in node.names] == ["os", "sys"]


# --- in a fresh interpreter


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an environment with the shim's files and nothing else."""
    home = tmp_path_factory.mktemp("fresh")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    for file in STARTUP.glob("*codearena*.*"):
        shutil.copy(file, _site(home))
    return home


def _site(home: Path) -> Path:
    return next(home.glob("lib/python3*/site-packages"))


def run(home: Path, code: str, **env: str) -> tuple[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "CODEARENA"))}
    done = subprocess.run(
        [str(home / "bin" / "python"), "-c", code], env=kept | env, capture_output=True, text=True, check=True
    )
    return done.stdout.strip(), done.stderr


WAITING = "import sys; print(any(type(f).__module__ == '_codearena_autoload' for f in sys.meta_path))"


def test_an_interpreter_starts_silently_with_it_and_without_our_package(fresh: Path) -> None:
    assert run(fresh, WAITING) == ("True", "")
    assert run(fresh, "import sys; print('codearena_plugin' in sys.modules)") == ("False", "")


def test_codearena_autoload_0_turns_it_off(fresh: Path) -> None:
    assert run(fresh, WAITING, CODEARENA_AUTOLOAD="0") == ("False", "")


def test_a_pth_file_whose_module_vanished_is_silent(fresh: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path)], check=True)
    shutil.copy(PTH, _site(tmp_path))
    assert run(tmp_path, "print('up')") == ("up", "")


def test_lm_eval_still_imports_when_our_package_vanished(fresh: Path) -> None:
    peer = _site(fresh) / "lm_eval" / "models"
    peer.mkdir(parents=True)
    (peer / "__init__.py").write_text("ready = True\n")
    out, err = run(fresh, "import lm_eval.models as m; print(m.ready)")
    assert out == "True"
    assert "codearena-plugin could not register itself with lm_eval.models" in err
    assert "Traceback" not in err


# --- watching


def test_a_watched_module_is_handed_over_after_it_ran(shim: Any, peer: list[str]) -> None:
    shim.install()
    assert not peer
    module = importlib.import_module("watched_peer")
    assert peer == ["watched_peer"]
    assert module.__spec__ is not None
    assert module.__spec__.loader is module.__loader__


def test_a_module_that_is_imported_already_is_handed_over_at_once_and_once(shim: Any, peer: list[str]) -> None:
    importlib.import_module("watched_peer")
    shim.install()
    shim.install()
    assert peer == ["watched_peer"]


def test_a_reloaded_module_is_handed_over_again(shim: Any, peer: list[str]) -> None:
    shim.install()
    importlib.reload(importlib.import_module("watched_peer"))
    assert peer == ["watched_peer"] * 2


def test_two_finders_that_ask_each_other_do_not_loop(shim: Any, peer: list[str]) -> None:
    shim.install()
    other = type(shim._FINDER)()
    sys.meta_path.insert(0, other)
    importlib.import_module("watched_peer")
    assert "watched_peer" in peer


def test_what_goes_wrong_in_us_is_logged_and_the_import_succeeds(
    shim: Any, peer: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(shim, "WATCHED", {"watched_peer": "peer_hook:absent"})
    shim.install()
    assert importlib.import_module("watched_peer").ready
    assert "AttributeError" in caplog.text


# --- what lm-eval's index gets


class FakeIndex:
    """The part of lm-eval's ``TaskIndex`` that counts: names of a root, later roots win."""

    @staticmethod
    def build(paths: list[Path], *, resolve_includes: bool = True) -> dict[str, str]:
        assert resolve_includes
        return {file.stem: str(file) for root in paths for file in sorted(Path(root).glob("*.yaml"))}


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a patched index with one task of lm-eval's own, in ``tmp_path/lm_eval``."""
    for folder, names in {"lm_eval": ["arc"], "ours": ["codearena", "arc"], "user": ["codearena"]}.items():
        (tmp_path / folder).mkdir()
        for name in names:
            (tmp_path / folder / f"{name}.yaml").touch()
    monkeypatch.setattr(hook, "plugin_paths", lambda: [(tmp_path / "ours").resolve()])
    module = ModuleType("lm_eval.tasks._index")
    module.__file__ = str(tmp_path / "lm_eval" / "_index.py")
    patched: Any = type("TaskIndex", (FakeIndex,), {})
    vars(module)["TaskIndex"] = patched
    hook.patch_index(module)
    hook.patch_index(module)
    return SimpleNamespace(build=patched.build, root=tmp_path)


def test_our_tasks_are_added_and_built_in_names_stay(index: Any) -> None:
    found = index.build([index.root / "lm_eval"], resolve_includes=True)
    assert found == {
        "arc": str(index.root / "lm_eval" / "arc.yaml"),
        "codearena": str(index.root / "ours" / "codearena.yaml"),
    }


def test_the_users_include_path_wins(index: Any) -> None:
    found = index.build([index.root / "lm_eval", index.root / "user"])
    assert found["codearena"] == str(index.root / "user" / "codearena.yaml")


def test_an_index_without_the_defaults_stays_as_it_was(index: Any) -> None:
    assert list(index.build([index.root / "user"])) == ["codearena"]
    assert index.build([]) == {}


def test_a_directory_that_lm_eval_reads_itself_is_not_read_again(
    index: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "lm_eval.codearena")
    monkeypatch.setattr(hook, "_add_missing", pytest.fail)
    assert "codearena" in index.build([index.root / "lm_eval", index.root / "ours"])
    assert not caplog.records


# --- whose tasks are found


def test_installed_packages_bring_tasks_and_a_broken_one_is_named_and_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    dist = tmp_path / "theirs-1.0.dist-info"
    for folder in (dist, tmp_path / "their_tasks", tmp_path / "more"):
        folder.mkdir()
    (dist / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (dist / "entry_points.txt").write_text(
        "[lm_eval.tasks]\npackage = their_tasks\nfunction = their_tasks:places\npath = their_tasks:PLACE\n"
        "gone = their_tasks:GONE\nbroken = their_tasks:absent\n"
    )
    (tmp_path / "their_tasks" / "__init__.py").write_text(
        f"PLACE = {str(tmp_path / 'more')!r}\nGONE = PLACE + '/gone'\ndef places():\n    return [PLACE]\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    found = hook.plugin_paths()
    assert found[0] == hook.task_dir().resolve()
    assert found[1:].count((tmp_path / "their_tasks").resolve()) == 1
    assert found[1:].count((tmp_path / "more").resolve()) == 1
    assert "gone does not exist and is skipped" in caplog.text
    assert "entry point broken = 'their_tasks:absent' cannot be used: AttributeError" in caplog.text


def test_the_status_says_why_a_bare_task_name_does_not_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEARENA_AUTOLOAD", "0")
    assert hook.status().turned_off
    assert hook.Status(None, active=False, turned_off=True, native=False).line.startswith("turned off")
    assert hook.Status(None, active=False, turned_off=False, native=False).line.startswith("not installed")
    assert hook.Status(PTH, active=True, turned_off=False, native=False).line == f"active ({PTH})"
