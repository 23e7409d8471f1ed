from __future__ import annotations

import importlib.util
from pathlib import Path

from codearena_plugin.harness.opencompass.hook import config_dir


def test_without_opencompass_the_install_line_is_printed(codearena, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    done = codearena("opencompass", "--datasets", "codearena_mini")
    assert done.code == 2
    assert "pip install 'codearena-plugin[opencompass]'" in done.err


def test_path_prints_the_directory_for_config_dir(codearena):
    done = codearena("path", "opencompass")
    assert (done.code, done.out.strip()) == (0, str(config_dir()))
    assert (config_dir() / "datasets" / "codearena.py").is_file()
    assert (config_dir() / "summarizers" / "codearena.py").is_file()


def test_init_writes_stubs_once_and_over_nothing_else(codearena):
    assert codearena("opencompass", "init").code == 0
    stub = Path("configs", "datasets", "codearena.py")
    assert "import codearena_datasets" in stub.read_text()
    assert codearena("opencompass", "init").code == 0, "our own stubs are in nobody's way"
    stub.write_text("mine = 1\n")
    Path("configs", "datasets", "codearena_mini.py").unlink()
    done = codearena("opencompass", "init")
    assert done.code == 2
    assert "is there already and is not our stub; nothing was written" in done.err
    assert stub.read_text() == "mine = 1\n"
    assert not Path("configs", "datasets", "codearena_mini.py").exists()
    assert codearena("opencompass", "init", "--force").code == 2
