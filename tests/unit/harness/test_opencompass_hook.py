"""Configs of installed packages are found where OpenCompass and the user have none of that name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from codearena_plugin.harness.opencompass import hook

Match = Callable[[list[str], str], list[str]]


@pytest.fixture
def match(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a patched search over ``theirs/datasets``, with one package that offers ``ours``."""
    for name in ("theirs/datasets/arc.py", "ours/datasets/codearena.py", "ours/datasets/arc.py", "user/datasets/x.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.setattr(hook, "config_dirs", lambda: [tmp_path / "ours"])

    def match_cfg_file(workdir: list[str], pattern: str) -> list[str]:
        found = [str(path) for place in workdir for path in sorted(Path(place).rglob(f"{pattern}.py"))]
        if not found:
            raise ValueError(pattern)
        return found

    module: Any = ModuleType("opencompass.utils.run")
    module.match_cfg_file = match_cfg_file
    hook.patch_match(module)
    hook.patch_match(module)
    return module.match_cfg_file


def test_ours_is_found_and_a_name_of_theirs_stays_theirs(match: Match, tmp_path: Path) -> None:
    theirs = [str(tmp_path / "theirs" / "datasets")]
    assert match(theirs, "codearena") == [str(tmp_path / "ours" / "datasets" / "codearena.py")]
    assert match(theirs, "arc") == [str(tmp_path / "theirs" / "datasets" / "arc.py")]


def test_what_nobody_has_fails_as_it_did(match: Match, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nothing"):
        match([str(tmp_path / "theirs" / "datasets")], "nothing")
    with pytest.raises(ValueError, match="codearena"):
        match([str(tmp_path / "theirs" / "models")], "codearena")


def test_an_opencompass_without_the_function_is_left_alone() -> None:
    module = ModuleType("opencompass.utils.run")
    hook.patch_match(module)
    assert not hasattr(module, "match_cfg_file")


def test_our_own_directory_is_offered() -> None:
    assert hook.config_dir().resolve() in hook.config_dirs()
