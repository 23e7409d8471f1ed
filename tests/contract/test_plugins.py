"""What we promise to third parties: a real installed plugin is found and used, a broken one is named and skipped."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from codearena_plugin import hookspecs, plugins

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "third_party_judge"
CODEARENA = Path(sys.executable).parent / "codearena"


def run(*args: str, path: Path, expect: int = 0) -> str:
    done = subprocess.run(
        [CODEARENA, *args],
        env={**os.environ, "PYTHONPATH": str(path), "COLUMNS": "120"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout + done.stderr


def fake_distribution(folder: Path, name: str, module: str, source: str) -> None:
    """Put an importable module and its entry point into a folder, as an installer would."""
    (folder / f"{module}.py").write_text(source)
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[codearena]\n{name} = {module}\n")


@pytest.fixture(scope="session")
def third_party(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder into which the example plugin is really installed."""
    pytest.importorskip("hatchling", reason="hatchling builds the example plugin and is not installed here")
    folder = tmp_path_factory.mktemp("third-party")
    source = folder / "source"
    subprocess.run(["cp", "-r", EXAMPLE, source], check=True)  # building must not write into the repository
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"),
            *("--disable-pip-version-check", "--target", folder / "site", source),
        ],
        check=True,
        capture_output=True,
        timeout=180,
    )
    return folder / "site"


def test_an_installed_judge_is_listed_and_judges(third_party: Path, mini_answers: Path, tmp_path: Path) -> None:
    assert "shortest" in run("plugins", path=third_party)
    answers = str(mini_answers / "answers_hasty.jsonl")
    arguments = (
        "judge",
        answers,
        "--suite",
        "codearena_mini",
        "--judge",
        "shortest",
        "--output",
        str(tmp_path / "run"),
    )
    printed = run(*arguments, path=third_party)
    assert "32" in printed
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result["manifest"]["judge"]["card"] == "shortest@1-A"
    assert result["metrics"]["coverage"] == 1.0
    assert result["metrics"]["order_consistency"]["estimate"] == 1.0


def test_a_broken_plugin_is_skipped_and_named(tmp_path: Path) -> None:
    fake_distribution(tmp_path, "broken-plugin", "broken_plugin", "raise RuntimeError('out of order')\n")
    printed = run("plugins", path=tmp_path)
    assert "broken-plugin" in printed
    assert "out of order" in printed
    assert "codearena-paper" in printed, "the others are still there"


def test_two_plugins_with_one_name_are_an_error_that_names_both(tmp_path: Path, mini_answers: Path) -> None:
    source = (
        "from codearena_plugin import Offer, hookimpl\n\n@hookimpl\ndef codearena_judges():\n"
        "    return [Offer('static', 'mine:X', 'mine')]\n"
    )
    fake_distribution(tmp_path, "clashing-plugin", "clashing_plugin", source)
    answers = str(mini_answers / "answers_hasty.jsonl")
    printed = run("judge", answers, "--suite", "codearena_mini", "--dry-run", path=tmp_path, expect=2)
    assert "Two plugins offer judge 'static'" in printed
    assert "Traceback" not in printed


def test_a_judge_whose_target_does_not_exist_is_listed_and_fails_only_when_used(
    tmp_path: Path, mini_answers: Path
) -> None:
    source = (
        "from codearena_plugin import Offer, hookimpl\n\n@hookimpl\ndef codearena_judges():\n"
        "    return [Offer('ghost', 'no_such_module:X', 'a ghost')]\n"
    )
    fake_distribution(tmp_path, "ghost-plugin", "ghost_plugin", source)
    assert "ghost" in run("plugins", path=tmp_path)
    answers = str(mini_answers / "answers_hasty.jsonl")
    printed = run("judge", answers, "--suite", "codearena_mini", "--judge", "ghost", path=tmp_path, expect=2)
    assert "no_such_module" in printed


def test_every_offer_of_our_own_can_be_imported() -> None:
    for kind in plugins.KINDS:
        for name in plugins.offers(kind):
            assert plugins.resolve(kind, name) is not None


def test_every_hook_is_prefixed_and_documented() -> None:
    hooks = [
        value for name, value in inspect.getmembers(hookspecs, inspect.isfunction) if hasattr(value, "codearena_spec")
    ]
    assert {hook.__name__ for hook in hooks} >= {f"codearena_{kind}" for kind in plugins.KINDS}
    readme = (ROOT / "README.md").read_text()
    for hook in hooks:
        assert hook.__name__.startswith("codearena_")
        assert hook.__doc__
        assert hook.__name__ in readme, f"{hook.__name__} is not in README.md"
