from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from codearena_plugin import paths
from codearena_plugin.cli.main import main

MINI = paths.data_dir("tasks") / "codearena_mini" / "data"


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


Codearena = Callable[..., Done]


@pytest.fixture
def codearena(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Codearena:
    """The command line, in an empty directory with an empty home and no settings in the environment."""
    for name in list(os.environ):
        if name.startswith(("CODEARENA_", "OPENAI_")) or name == "COLUMNS":
            monkeypatch.delenv(name)
    monkeypatch.setenv("CODEARENA_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Done:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        return Done(code, *capsys.readouterr())

    return run


@pytest.fixture
def static_run(codearena: Codearena, tmp_path: Path) -> Callable[[str], Path]:
    """Makes a finished run of one of the mini suite's answer sets, judged by the static judge."""

    def make(answers: str, *options: object) -> Path:
        directory = tmp_path / f"run-{answers}"
        done = codearena(
            "judge", MINI / f"answers_{answers}.jsonl", "--suite", "codearena_mini", "--output", directory, *options
        )
        assert done.code == 0, done.err
        return directory

    return make
