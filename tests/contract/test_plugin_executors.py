"""A third party's sandbox: one module and one entry point, then it is used by its name, and only by its name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PLUGIN = '''
"""A sandbox that answers every job with the names of its files: what a plugin must offer, no more."""
from codearena_plugin import Offer, hookimpl
from codearena_plugin.execution.sandbox import Ending, Finished, Probe


class Echo:
    name = "echo"
    is_isolated = True
    notice = ""

    def run(self, job):
        return Finished((Ending("exited", exit_code=0, stdout=",".join(job.files).encode()),))

    def close(self):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Executor:
    def probe(self, options):
        return Probe(options.url != "http://broken", "echoes since 1970")

    def open(self, options):
        return Echo()


executor = Executor()


@hookimpl
def codearena_executors():
    return [Offer("echo", "echo_sandbox:executor", "echoes"), Offer("ghost", "no_such_module:x", "a ghost")][:N]
'''
USE = """
import json
from codearena_plugin.execution.choose import choose, open_sandbox, resolve_sandbox
from codearena_plugin.execution.pool import run_jobs
from codearena_plugin.execution.sandbox import Job, Step
options = resolve_sandbox({"codearena_sandbox": "echo"})
jobs = [Job((Step(("python", name)),), {name: b""}) for name in ("a.py", "b.py", "c.py")]
print(json.dumps({
    "one": open_sandbox(options).run(jobs[0]).last.stdout.decode(),
    "pool": sorted(finished.last.stdout.decode() for _, finished in run_jobs(options, jobs, workers=2)),
}))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return install(tmp_path, offers=1)


def install(folder: Path, *, offers: int) -> Path:
    """Put the plugin and its entry point into a folder, as an installer would."""
    (folder / "echo_sandbox.py").write_text(PLUGIN.replace("N]", f"{offers}]"))
    info = folder / "echo-sandbox-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: echo-sandbox\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[codearena]\necho-sandbox = echo_sandbox\n")
    return folder


def run(*args: str, path: Path, expect: int = 0, **environ: str) -> str:
    done = subprocess.run(
        [*args],
        env={**os.environ, "PYTHONPATH": str(path), "COLUMNS": "200", **environ},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout + done.stderr


CODEARENA = str(Path(sys.executable).parent / "codearena")


def test_a_plugins_sandbox_is_listed_probed_and_used_by_its_name(folder: Path) -> None:
    assert "echo" in run(CODEARENA, "plugins", path=folder)
    said = run(CODEARENA, "doctor", "--sandbox", "echo", path=folder)
    assert "echo, as asked for" in said
    assert "isolates: echoes since 1970" in said
    used = json.loads(run(sys.executable, "-c", USE, path=folder))
    assert used == {"one": "a.py", "pool": ["a.py", "b.py", "c.py"]}


def test_a_plugins_sandbox_is_never_taken_unasked(folder: Path) -> None:
    program = (
        "from codearena_plugin.execution.choose import ORDER, probes, resolve_sandbox\n"
        "print(ORDER, list(probes(resolve_sandbox({}))))"
    )
    said = run(sys.executable, "-c", program, path=folder)
    order, names = said.split(") [")
    assert "echo" not in order
    assert "echo" in names


def test_a_plugins_sandbox_that_does_not_work_says_why(folder: Path) -> None:
    said = run(CODEARENA, "doctor", "--sandbox", "echo", path=folder, expect=2, CODEARENA_SANDBOX_URL="http://broken")
    assert "'echo' was asked for and does not work: echoes since 1970" in said


def test_a_sandbox_whose_module_is_not_there_is_a_problem_that_names_it(tmp_path: Path) -> None:
    said = run(CODEARENA, "doctor", path=install(tmp_path, offers=2), expect=2)
    assert "no_such_module" in said
    assert "Traceback" not in said
