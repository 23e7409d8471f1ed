"""Promises about the package as a thing: what a wheel holds, what an import costs, how big a module may grow."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import files
from pathlib import Path

import pytest
import yaml

import codearena_plugin
from codearena_plugin import paths
from codearena_plugin.judging.asking.request import JudgeRequest, request_key
from codearena_plugin.judging.protocol.card import load_card
from codearena_plugin.judging.protocol.texts import load_texts, prompt_sha256
from codearena_plugin.prompts.suite import load_suite
from codearena_plugin.records import Message

ROOT = Path(__file__).parents[2]
HEAVY = ("numpy", "scipy", "torch", "lm_eval", "datasets", "pandas", "transformers", "aiohttp", "typer", "rich", "yaml")


def imported_by(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(' '.join(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.split())


def test_importing_the_package_imports_nothing_heavy() -> None:
    assert imported_by("import codearena_plugin").isdisjoint(HEAVY)


def test_listing_what_plugins_offer_imports_nothing_heavy() -> None:
    listing = "from codearena_plugin import plugins; [plugins.offers(kind) for kind in plugins.KINDS]"
    assert imported_by(listing).isdisjoint(HEAVY)


def test_the_public_names_are_the_promised_ones() -> None:
    assert sorted(codearena_plugin.__all__) == ["Offer", "hookimpl"]
    assert codearena_plugin.__version__.count(".") == 2


def test_no_module_outgrows_its_subject() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in (ROOT / "codearena_plugin").rglob("*.py")}
    assert lengths
    assert {str(path): n for path, n in lengths.items() if n > 400} == {}


def test_installed_files_stay_in_their_own_places() -> None:
    installed = {str(path).split("/", 1)[0] for path in files("codearena-plugin") or []}
    ours = {"codearena_plugin", "_codearena_autoload.py", "codearena_plugin_autoload.pth"}
    allowed = ours | {"codearena_plugin_autoload.start", "..", "__pycache__", "_editable_impl_codearena_plugin.pth"}
    assert {name for name in installed if not name.endswith(".dist-info")} <= allowed
    assert ours <= installed


@pytest.mark.skipif("CODEARENA_TEST_WHEEL" not in os.environ, reason="the tree may be tested too; make test says wheel")
def test_what_is_tested_is_the_installed_wheel() -> None:
    assert Path(codearena_plugin.__file__).parent != ROOT / "codearena_plugin"
    assert (Path(codearena_plugin.__file__).parent / "_data" / "tasks").is_dir()


def test_the_definitions_lie_where_the_package_finds_them() -> None:
    assert (paths.data_dir("tasks") / "codearena" / "task.yaml").is_file()
    assert (paths.data_dir("judges") / "codearena" / "judge.yaml").is_file()
    assert (paths.data_dir("tasks") / "codearena_mini" / "data" / "prompts.jsonl").is_file()


@pytest.mark.parametrize("name", ["codearena", "codearena-evidence", "codearena-paper", "static"])
def test_every_shipped_judge_card_is_valid_and_named_as_its_folder(name: str) -> None:
    card, folder = load_card(name)
    assert card.name == name == folder.name
    assert set(yaml.safe_load((folder / "judge.yaml").read_text())) <= set(type(card).model_fields)


def test_a_changed_prompt_must_raise_the_judge_s_version() -> None:
    """Whoever edits a prompt meets this test: raise N in the card's version, then pin the new hash."""
    card, folder = load_card("codearena")
    assert (card.comparability, prompt_sha256(card, load_texts(card, folder))[:16]) == ("codearena@1", PROMPT_HASH)


def test_the_key_of_a_request_is_stable() -> None:
    """Another key for the same request would make every stored reply unreachable."""
    request = JudgeRequest("codearena@1", "m", (Message("user", "hi \ud800 é"),), {"temperature": 0.2})
    assert request_key(request) == REQUEST_KEY


def test_the_mini_suite_is_what_it_says() -> None:
    suite = load_suite("codearena_mini")
    assert suite.is_demo
    assert len(suite.prompts) == 32
    assert len({prompt.category.main_class for prompt in suite.prompts if prompt.category}) == 7
    assert len({language for prompt in suite.prompts for language in prompt.languages}) >= 14
    assert {prompt.difficulty for prompt in suite.prompts} == {"easy", "medium", "hard"}
    assert {prompt.natural_language for prompt in suite.prompts} == {"en", "zh"}


def test_no_file_of_the_package_names_this_machine_or_a_registry() -> None:
    for path in (ROOT / "codearena_plugin").rglob("*.py"):
        text = path.read_text()
        assert f"{ROOT.parent}/" not in text, path
        assert f"{Path.home()}/" not in text, path


PROMPT_HASH = "859f752c002ff252"
REQUEST_KEY = "c4c656b570c93c061c4481258072ac2e044bf0742b1352eb9eb0326a9756ff30"
