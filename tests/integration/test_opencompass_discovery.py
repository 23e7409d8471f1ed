"""However our package is installed and OpenCompass is called, it finds our configs; they dump and reload."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import discovery_env
import pytest
from discovery_env import Environment
from opencompass_runs import BIN, CONFIGS, MARKS, ROOT

pytestmark = MARKS
OPENCOMPASS = "import sys; from opencompass.cli.main import main; sys.argv[0] = 'opencompass'; main()"
CODEARENA = "import sys; from codearena_plugin.cli.main import main; sys.exit(main())"
DRY = ("--datasets", "codearena_mini", "--summarizer", "codearena", "--hf-path", "nowhere", "--dry-run", "-w", "out")
FOUND = "Partitioned into 1 tasks."
OFF = {"CODEARENA_AUTOLOAD": "0"}
RELOAD = """
import sys, tempfile
from pathlib import Path
from mmengine.config import Config
from mmengine.utils import get_object_from_string

def types(value):
    if isinstance(value, dict):
        if isinstance(value.get("type"), str):
            yield value["type"]
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for part in value:
            yield from types(part)

for file in sys.argv[1:]:
    config = Config.fromfile(file, format_python_code=False)
    again = Path(tempfile.mkdtemp(), "again.py")
    config.dump(again)
    reloaded = Config.fromfile(again, format_python_code=False)
    names = sorted(set(types(reloaded.to_dict())))
    missing = [name for name in names if get_object_from_string(name) is None]
    once_more = again.with_name("once_more.py")
    reloaded.dump(once_more)
    same = Config.fromfile(once_more, format_python_code=False).to_dict() == reloaded.to_dict()
    print(Path(file).name, same and set(reloaded) <= set(config), missing, len(names))
"""

Make = Callable[[str], Environment]


@pytest.fixture(scope="module")
def peers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with links to everything in OpenCompass' environment but our package."""
    folder = tmp_path_factory.mktemp("peers") / "site-packages"
    folder.mkdir()
    (site,) = (BIN.parent / "lib").glob("python3*/site-packages")
    for item in site.iterdir():
        if "codearena" not in item.name and item.suffix != ".pth" and item.name != "__pycache__":
            (folder / item.name).symlink_to(item)
    return folder


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory, peers: Path) -> Make:
    wheel = discovery_env.build_wheel(tmp_path_factory.mktemp("dist"))

    def made(how: str) -> Environment:
        home = tmp_path_factory.mktemp(how.replace(" ", "")) / "env"
        subprocess.run([BIN / "python", "-m", "venv", "--without-pip", home], check=True)
        environment = Environment(home)
        (environment.site / "peers.pth").write_text(f"{peers}\n")
        environment.install(how, wheel)
        return environment

    return made


@pytest.fixture(scope="module")
def env(make: Make) -> Environment:
    return make("pip")


def dry_run(env: Environment, code: str, *arguments: str, ok: bool = True, **environ: str) -> str:
    done = env.run("-c", code, *arguments, *DRY, ok=ok, env=environ)
    return done.stdout + done.stderr


@pytest.mark.parametrize("how", ["pip", "pip -e"])
def test_a_bare_name_is_found_and_every_config_dumps_and_reloads(how: str, make: Make) -> None:
    here = make(how)
    assert FOUND in dry_run(here, OPENCOMPASS)
    configs = Path(here.run("-c", CODEARENA, "path", "opencompass").stdout.strip())
    ours = [path for path in configs.rglob("*.py") if path.name != "__init__.py"]
    assert sorted(path.name for path in ours if path.parent.name == "datasets") == [
        *("codearena.py", "codearena_humaneval_plus.py", "codearena_humaneval_plus_base.py", "codearena_mbpp_plus.py"),
        *("codearena_mbpp_plus_base.py", "codearena_mini.py", "codearena_mini_subjective.py"),
        "codearena_subjective.py",
    ]
    examples = sorted((ROOT / "examples" / "opencompass").glob("*.py"))
    assert examples
    printed = here.run("-c", RELOAD, *map(str, [*ours, *examples])).stdout.splitlines()
    lines = [line for line in printed if line.split(" ")[0].endswith(".py")]
    assert len(lines) == len(ours) + len(examples)
    assert [line for line in lines if " True [] " not in line] == []


def test_turned_off_it_is_found_by_config_dir_by_the_wrapper_and_by_stubs(env: Environment) -> None:
    assert FOUND not in dry_run(env, OPENCOMPASS, ok=False, **OFF)
    configs = env.run("-c", CODEARENA, "path", "opencompass").stdout.strip()
    assert FOUND in dry_run(env, OPENCOMPASS, "--config-dir", configs, **OFF)
    assert FOUND in dry_run(env, CODEARENA, "opencompass", **OFF)
    env.run("-c", CODEARENA, "opencompass", "init")
    assert FOUND in dry_run(env, OPENCOMPASS, **OFF)


def test_the_links_of_a_checkout_are_files_in_a_wheel(env: Environment) -> None:
    where = env.site.joinpath(*CONFIGS.split("."), "datasets")
    files = {path.name: path for path in where.glob("*.py")}
    assert len(files) == 9
    assert not any(path.is_symlink() for path in files.values())
    source = ROOT / "tasks" / "codearena" / "opencompass" / "codearena.py"
    assert files["codearena.py"].read_text() == source.read_text()
