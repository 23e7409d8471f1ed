"""Which executor is taken, what each says of this machine, and who runs the code."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import boxes
import pytest

from codearena_plugin.errors import ConfigError
from codearena_plugin.execution import choose
from codearena_plugin.execution.backends import bubblewrap, landlock
from codearena_plugin.execution.backends.box import BoxError
from codearena_plugin.execution.backends.interpreter import interpreter_for
from codearena_plugin.execution.backends.local import NOTICE
from codearena_plugin.execution.backends.users import unused_users
from codearena_plugin.execution.sandbox import Job, Limits, Probe, SandboxOptions, Step

LOCAL = SandboxOptions(name="unsafe-local", allow_unsafe=True)
ONLY_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root has other users to become")


@pytest.mark.parametrize("name", boxes.ISOLATING)
def test_a_probe_says_what_it_found_and_remembers(name: str) -> None:
    options = boxes.options_for(name)
    probe = choose.executor_named(name).probe(options)
    assert probe.works
    assert " ms to open, " in probe.line
    assert probe.line.endswith(" ms a Python run")
    assert choose.executor_named(name).probe(options) is probe


def test_a_missing_bubblewrap_is_said_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    probe = bubblewrap.BubblewrapExecutor().probe(SandboxOptions())
    assert probe == Probe(False, "bwrap is not installed (Debian: apt-get install bubblewrap)")
    with pytest.raises(ConfigError, match="apt-get install bubblewrap"):
        bubblewrap.BubblewrapExecutor().open(SandboxOptions())


def test_forbidden_user_namespaces_are_said_with_what_to_do() -> None:
    line = bubblewrap.explain("bwrap: No permissions to create new namespace, likely because the kernel …")
    assert "user namespaces are forbidden here" in line
    assert "Docker" in line


def test_a_kernel_without_landlock_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landlock, "landlock_abi", lambda: 0)
    probe = landlock.LandlockExecutor().probe(SandboxOptions())
    assert not probe.works
    assert "Linux 5.13" in probe.line


def test_no_place_for_a_scratch_directory_is_said_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    options = boxes.options_for("landlock")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "absent"))
    with pytest.raises(ConfigError, match=r"no scratch directory can be made: .*; set TMPDIR to a directory"):
        landlock.LandlockExecutor().open(options)


def test_an_old_landlock_serves_root_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landlock, "landlock_abi", lambda: 3)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    probe = landlock.LandlockExecutor().probe(SandboxOptions())
    assert not probe.works
    assert "Linux 6.12" in probe.line


@pytest.mark.parametrize("abi", range(1, 8))
def test_a_landlock_of_each_version_holds_what_it_knows(abi: int, monkeypatch: pytest.MonkeyPatch) -> None:
    options = boxes.options_for("landlock")
    if abi > landlock.landlock_abi():
        pytest.skip("this kernel's is older")
    if os.geteuid() != 0 and abi < 6:
        pytest.skip("serves root only")
    monkeypatch.setattr(landlock, "landlock_abi", lambda: abi)
    with landlock.LandlockExecutor().open(options) as box:
        program = "open('own', 'w')\ntry: open('/etc/passwd')\nexcept PermissionError: print('shut')"
        assert boxes.ending_of(box, program).stdout == b"shut\n"


def test_landlock_has_no_browser_profile() -> None:
    with boxes.opened("landlock") as box:
        ending = box.run(Job((Step(("python", "-c", "1")),), profile="browser")).last
    assert ending.how == "lost"
    assert "no profile 'browser'; bubblewrap has" in ending.problem


def test_the_first_isolating_executor_that_works_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    boxes.options_for("bubblewrap")
    name, _ = choose.choose(SandboxOptions())
    assert name == "bubblewrap"


def test_where_nothing_isolates_nothing_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def probe(self, options: SandboxOptions) -> Probe:
            return Probe(False, "not today")

    monkeypatch.setattr(choose, "executor_named", lambda name: Broken())
    with pytest.raises(
        ConfigError, match=r"No sandbox works here, so no code was run \(bubblewrap: not today; .*unsafe"
    ):
        choose.open_sandbox(SandboxOptions())


def test_options_come_from_metadata_and_the_environment() -> None:
    environ = {"CODEARENA_SANDBOX": "landlock", "CODEARENA_SANDBOX_READ": "/opt/a:/opt/b"}
    options = choose.resolve_sandbox({"codearena_sandbox_python": "/usr/bin/python3"}, environ=environ)
    assert options == SandboxOptions(name="landlock", python="/usr/bin/python3", read_only=("/opt/a", "/opt/b"))
    assert choose.resolve_sandbox({}, environ={}) == SandboxOptions()
    assert choose.resolve_sandbox({"codearena_sandbox": "unsafe-local"}, environ={}).allow_unsafe
    with pytest.raises(ConfigError, match="Did you mean 'bubblewrap'"):
        choose.resolve_sandbox({"codearena_sandbox": "bublewrap"}, environ={})


def test_a_python_that_cannot_be_used_is_named() -> None:
    said = "codearena_sandbox_python='/no/python' cannot be used: No such file or directory; give the path of a Python"
    for name in ("auto", "bubblewrap", "landlock", "unsafe-local"):
        with pytest.raises(ConfigError, match=f"^{said}"):
            choose.choose(SandboxOptions(name=name, python="/no/python", allow_unsafe=True))
    probe = bubblewrap.BubblewrapExecutor().probe(SandboxOptions(python="/no/python"))
    assert not probe.works
    assert said in probe.line
    with pytest.raises(ConfigError, match="does not answer as a Python does"):
        interpreter_for("/bin/true")


def test_a_python_may_be_named_as_a_shell_finds_it() -> None:
    if not shutil.which("python3"):
        pytest.skip("no python3 on PATH")
    assert interpreter_for("python3").path == str(Path(shutil.which("python3") or "").absolute())


def test_a_path_to_read_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigError, match="codearena_sandbox_read names '/no/tools', which does not exist"):
        choose.choose(SandboxOptions(read_only=("/usr", "/no/tools")))


def test_a_named_environment_brings_its_packages(tmp_path: Path) -> None:
    folder = tmp_path / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = folder / "bin" / "python"
    (next(folder.glob("lib/python3*/site-packages")) / "mine.py").write_text("X = 3")
    with boxes.opened("bubblewrap", python=str(python)) as box:
        assert boxes.ending_of(box, "import mine\nprint(mine.X)").stdout == b"3\n"
        assert box.run(Job((Step(("python", "-c", "import mine; print(mine.X)")),))).last.stdout == b"3\n"


def _other_pythons() -> list[str]:
    """Return interpreters of other versions that lie about here, as pyenv and uv keep them."""
    homes = (Path.home() / ".pyenv" / "versions", Path.home() / ".local" / "share" / "uv" / "python")
    return sorted(str(path) for home in homes for path in home.glob("*3.*/bin/python") if path.exists())


@pytest.mark.parametrize("python", _other_pythons() or [""], ids=lambda path: Path(path).parts[-3] if path else "none")
def test_other_versions_of_python_serve_too(python: str) -> None:
    if not python:
        pytest.skip("no other Python here")
    try:
        interpreter_for(python)
    except ConfigError as exc:
        assert "must be 3.8 or later" in str(exc)  # noqa: PT017
        return
    with boxes.opened("bubblewrap", python=python, modules={"trusted": "X = 1"}) as box:
        program = "import atexit, threading, trusted\natexit.register(print, 'bye')\n"
        program += "threading.Timer(0.02, print, ['late']).start()"
        assert boxes.ending_of(box, program).stdout == b"late\nbye\n"
        assert boxes.ending_of(box, "exit(4)").exit_code == 4


def test_a_further_path_can_be_read_and_its_programs_found(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin").chmod(0o755)  # whatever the umask
    tool = tmp_path / "bin" / "my-tool"
    tool.write_text("#!/bin/sh\necho tool\n")
    tool.chmod(0o755)
    with boxes.opened("bubblewrap", read_only=(str(tmp_path),)) as box:
        assert box.run(Job((Step(("my-tool",)),))).last.stdout == b"tool\n"
        program = f"try: open({str(tmp_path / 'x')!r}, 'w')\nexcept OSError as exc: print(exc.errno)"
        assert boxes.ending_of(box, program).stdout == b"30\n"  # EROFS


@ONLY_ROOT
@pytest.mark.parametrize("name", boxes.ISOLATING)
def test_as_root_code_runs_as_a_user_that_nobody_is(name: str) -> None:
    program = "import os\nprint(os.getuid(), os.getgid(), os.getgroups(), set(os.getresuid()) == {os.getuid()})"
    users = set()
    for _ in range(2):
        with boxes.opened(name) as box:
            user, group, groups, rest = boxes.ending_of(box, program).stdout.decode().split(maxsplit=3)
            assert user == group != "0"
            assert (groups, rest) == ("[]", "True\n")
            users.add(user)
    assert len(users) == 2


@ONLY_ROOT
def test_unused_users_are_two_and_nobodys() -> None:
    users = unused_users()
    assert users
    own, steps = users
    assert own != steps
    assert {own, steps}.isdisjoint(entry.stat().st_uid for entry in os.scandir("/proc") if entry.name.isdigit())


def test_no_sandbox_is_only_had_on_request() -> None:
    with pytest.raises(ConfigError, match="--unsafe-local"):
        choose.open_sandbox(SandboxOptions(name="unsafe-local"))
    with choose.open_sandbox(LOCAL) as local:
        assert (local.is_isolated, local.notice) == (False, NOTICE)


def test_without_a_sandbox_jobs_end_as_in_one() -> None:
    with choose.open_sandbox(LOCAL) as local:
        ending = boxes.ending_of(local, "import sys\nprint(sys.stdin.read())\nsys.exit(2)", stdin=b"in")
        assert (ending.how, ending.exit_code, ending.stdout) == ("exited", 2, b"in\n")
        assert boxes.ending_of(local, "while True: pass", limits=Limits(cpu_s=0.4)).how == "timeout"
        assert boxes.ending_of(local, "import time\ntime.sleep(9)", limits=Limits(wall_s=0.3)).how == "timeout"
        assert boxes.ending_of(local, "print('x' * 9)", limits=Limits(output_bytes=5)).how == "output"
        assert boxes.ending_of(local, "import os\nos.kill(os.getpid(), 11)").signal == 11
        assert local.run(Job((Step(("no-such-tool",)),))).last.how == "lost"
        finished = local.run(boxes.python_job("open('o', 'w').write('1')", returns=("o", "absent")))
        assert finished.files == {"o": b"1"}


@pytest.mark.skipif(platform.system() != "Linux", reason="found by /proc")
def test_without_a_sandbox_a_daemon_is_found_and_killed() -> None:
    program = (
        "import os, time\nif os.fork() == 0:\n  os.setsid()\n  if os.fork() == 0:\n    time.sleep(60)\n  os._exit(0)\n"
        "os.wait()"
    )
    with choose.open_sandbox(LOCAL) as local:
        assert boxes.ending_of(local, program).survivors == 1


def test_a_machine_whose_calls_are_not_known_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from codearena_plugin.execution.backends import box

    monkeypatch.setattr(box.platform, "machine", lambda: "riscv64")
    with pytest.raises(BoxError, match="riscv64"):
        box.hello(SandboxOptions(), ())
