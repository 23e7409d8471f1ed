"""Environments to install the package into: real installers and the real lm-eval, with one of its thousands of tasks.

Reading all of lm-eval's own tasks takes seconds a call. So each environment sees lm-eval's real code through links, and
only one folder of its tasks; what the tests are about, how tasks are found, is the same.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

REPO = Path(__file__).parents[2]
BUILT_IN = "winogrande"  # the one task of lm-eval's own that stays
BENCHMARKS = tuple(f"codearena_{name}_plus{style}" for name in ("humaneval", "mbpp") for style in ("", "_base"))
OURS = ("codearena", "codearena_mini", "judge_codearena", *BENCHMARKS)
UV = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))

HOWS = ("pip", "pip -e", "uv", "uv -e")


@dataclass(frozen=True)
class Environment:
    """A virtual environment of its own, with what is on a user's machine and not more."""

    home: Path

    @property
    def python(self) -> str:
        return str(self.home / "bin" / "python")

    @property
    def site(self) -> Path:
        return next(self.home.glob("lib/python3*/site-packages"))

    def ours(self) -> list[str]:
        """Return what of us lies in the site directory."""
        return sorted(path.name for path in self.site.iterdir() if "codearena" in path.name)

    def run(self, *command: str, ok: bool = True, env: Mapping[str, str] | None = None) -> CompletedProcess[str]:
        """Run this environment's Python with arguments, away from the repository."""
        own = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(self.home / "hf"), "CODEARENA_HOME": str(self.home / "codearena")}
        done = subprocess.run(
            [self.python, *command],
            cwd=self.home,
            env=_clean(os.environ) | own | dict(env or {}),
            capture_output=True,
            text=True,
            check=False,
        )
        assert not ok or done.returncode == 0, f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def code(self, code: str, **env: str) -> str:
        """Return what a piece of Python prints."""
        return self.run("-c", code, env=env).stdout.strip()

    def install(self, how: str, wheel: Path) -> None:
        """Install the package: from the wheel, or (``-e``) from the checkout."""
        tool, _, editable = how.partition(" ")
        what = ["-e", str(REPO)] if editable else [str(wheel)]
        self._manage(tool, "install", "-q", "--no-deps", *what)

    def uninstall(self, how: str) -> None:
        tool = how.partition(" ")[0]
        self._manage(tool, "uninstall", "-q", *(["-y"] if tool == "pip" else []), "codearena-plugin")

    def _manage(self, tool: str, *args: str) -> None:
        if tool == "pip":
            command = [sys.executable, "-m", "pip", "--python", self.python, *args]
        else:
            command = [str(UV), "pip", args[0], "--no-cache", "--python", self.python, *args[1:]]
        done = subprocess.run(command, env=_clean(os.environ), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def _clean(environ: os._Environ[str]) -> dict[str, str]:
    drop = ("PYTHONPATH", "VIRTUAL_ENV", "CODEARENA_", "LMEVAL_", "LOGLEVEL")
    return {name: value for name, value in environ.items() if not name.startswith(drop)}


def new_environment(home: Path, peers: Path | None) -> Environment:
    """Make an environment; ``peers`` is a directory of packages that it sees."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    environment = Environment(home)
    if peers is not None:
        (environment.site / "peers.pth").write_text(f"{peers}\n")
    return environment


def build_wheel(folder: Path) -> Path:
    """Build the wheel as a release does."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=REPO, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def link_peers(folder: Path) -> Path:
    """Make a directory with links to every installed package but ours, and an lm-eval of one task folder.

    Its name has to be ``site-packages``: dill pickles by value what lies elsewhere, and fails at it.
    """
    lm_eval = _link_packages(folder, but="lm_eval")
    tasks = folder / "lm_eval" / "tasks"
    _link_all(lm_eval, folder / "lm_eval", but="tasks")
    _link_all(lm_eval / "tasks", tasks, but=None)
    shutil.copytree(lm_eval / "tasks" / BUILT_IN, tasks / BUILT_IN)  # lm-eval looks for YAML in no linked folder
    return folder


def link_all_peers(folder: Path) -> Path:
    """Make a directory with links to every installed package but ours."""
    _link_packages(folder, but="")
    return folder


def _link_packages(folder: Path, *, but: str) -> Path:
    """Link what lies beside lm-eval, and return where that is."""
    spec = importlib.util.find_spec("lm_eval")
    assert spec is not None
    assert spec.origin is not None
    lm_eval = Path(spec.origin).parent
    folder.mkdir(parents=True)
    for item in lm_eval.parent.iterdir():
        if "codearena" not in item.name and item.name not in {but, "__pycache__"} and item.suffix != ".pth":
            (folder / item.name).symlink_to(item)
    return lm_eval


def _link_all(source: Path, target: Path, *, but: str | None) -> None:
    """Link everything but one folder, or (``None``) the modules alone."""
    target.mkdir()
    for item in source.iterdir():
        if item.name not in {but, "__pycache__"} and (but or item.suffix == ".py"):
            (target / item.name).symlink_to(item)


SUMS = """
task: sums
dataset_path: json
dataset_kwargs: {data_files: {test: DOCS}}
output_type: generate_until
test_split: test
doc_to_text: question
doc_to_target: answer
metric_list: [{metric: exact_match}]
"""


def install_sums(environment: Environment) -> Path:
    """Put somebody else's package with the task ``sums`` there; return a file with answers, 3 of 4 right."""
    package, dist = environment.site / "their_tasks", environment.site / "theirs-1.0.dist-info"
    for folder in (package, dist):
        folder.mkdir()
    (package / "__init__.py").touch()
    (package / "sums.yaml").write_text(SUMS.replace("DOCS", str(package / "docs.jsonl")))
    (dist / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (dist / "entry_points.txt").write_text("[lm_eval.tasks]\ntheirs = their_tasks\n")
    docs = [{"id": f"p{n}", "question": f"{n} + {n}?", "answer": str(2 * n)} for n in range(4)]
    (package / "docs.jsonl").write_text("".join(json.dumps(doc) + "\n" for doc in docs))
    answers = environment.home / "answers.jsonl"
    lines = [{"id": f"p{n}", "response": "5" if n == 3 else str(2 * n)} for n in reversed(range(4))]
    answers.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return answers
