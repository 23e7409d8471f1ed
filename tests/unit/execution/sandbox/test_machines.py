"""Machines and accounts other than this one: not root, root with few rights, a crowd that cannot be seen, no memory."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import boxes
import pytest

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else, or bind itself")

SOMEBODY = 65534
START = """
import os, sys
name, program, readable, *places = sys.argv[1:]
sys.path[:0] = places
from codearena_plugin.errors import ConfigError
from codearena_plugin.execution.choose import executor_named
from codearena_plugin.execution.sandbox import Job, Limits, SandboxOptions, Step
options = SandboxOptions(name=name, python=sys.executable, read_only=(readable,) if readable else ())
probe = executor_named(name).probe(options)
if not probe.works:
    sys.exit("skip: " + probe.line)
step = Step(("python", "a.py"), limits=Limits(processes=8, file_bytes=1 << 22))
with executor_named(name).open(options) as box:
    for _ in range(2):
        ending = box.run(Job((step,), {"a.py": program.encode()})).last
        print(ending.how, ending.signal or ending.exit_code, ending.problem)
        print(ending.stdout.decode() + ending.stderr.decode(), end="")
"""
AS_SOMEBODY = ("setpriv", "--reuid", str(SOMEBODY), "--regid", str(SOMEBODY), "--clear-groups")


def said(name: str, program: str, *before: str, readable: str = "") -> str:
    """Return how a program ended, twice in one box, and what it said, with commands before the interpreter's."""
    import pluggy

    import codearena_plugin

    places = [str(Path(module.__file__ or "").parents[1]) for module in (codearena_plugin, pluggy)]
    for needed in (boxes.SYSTEM_PYTHON, *(word for word in before if word in {"setpriv", "unshare"})):
        if not shutil.which(needed):
            pytest.skip(f"no {needed}")
    command = [*before, boxes.SYSTEM_PYTHON, "-B", "-c", START, name, program, readable, *places]
    asked = subprocess.run(command, capture_output=True, text=True, cwd="/", timeout=120, check=False)
    if asked.returncode and ("skip: " in asked.stderr or "No module named" in asked.stderr):
        pytest.skip(asked.stderr.strip().splitlines()[-1])
    assert not asked.stderr
    return asked.stdout


@pytest.mark.parametrize("name", boxes.ISOLATING)
def test_somebody_who_is_not_root_has_sandboxes_too(name: str) -> None:
    program = (
        "import os\nprint(os.getuid())\ntry: os.kill(os.getppid(), 9)\nexcept OSError: pass\n"
        "try: open('/etc/shadow')\nexcept OSError: print('shut')"
    )
    assert said(name, program, *AS_SOMEBODY) == f"exited 0 \n{SOMEBODY}\nshut\n" * 2


AS_MAPPED_ROOT = (*AS_SOMEBODY, "unshare", "--user", "--map-root-user", "--mount")


def test_a_root_of_a_user_namespace_with_no_other_user_runs_code_as_another() -> None:
    program = "import os, pwd\nprint(os.getresuid(), os.getgroups(), pwd.getpwuid(os.getuid()).pw_name)"
    wanted = "exited 0 \n(1000, 1000, 1000) [] box\n" * 2
    assert said("bubblewrap", program, *AS_MAPPED_ROOT) == wanted
    with pytest.raises(pytest.skip.Exception, match=r"no ids to spare\): start it as a user"):
        said("landlock", "", *AS_MAPPED_ROOT)


CHANGE = """
import fcntl, os, struct
file = os.open(PATH, os.O_RDONLY)
for what, change in (
    ("lease", lambda: fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)),
    ("flags", lambda: fcntl.ioctl(file, 0x40086602, struct.pack("q", 0x40))),
    ("project", lambda: fcntl.ioctl(file, 0x401C5820, bytes(28))),
    ("mode", lambda: os.fchmod(file, 0)),
    ("time", lambda: os.utime(file, (1, 1))),
):
    try:
        change()
    except OSError:
        continue
    print(what)
"""


@pytest.mark.parametrize("name", boxes.ISOLATING)
def test_the_own_files_of_somebody_stay_as_they_are(name: str, shared: Path) -> None:
    file = shared / "own"
    file.touch()
    os.chown(file, SOMEBODY, SOMEBODY)
    before = file.stat().st_ctime_ns
    found = said(name, CHANGE.replace("PATH", repr(str(file))), *AS_SOMEBODY, readable=str(shared))
    allowed = "mode\ntime\n" if name == "landlock" else ""  # it says so, and nothing is done
    assert found == f"exited 0 \n{allowed}" * 2
    assert file.stat().st_ctime_ns == before  # any change of it would show there


CROWD = """
import os, resource, threading, time
resource.setrlimit(resource.RLIMIT_STACK, (1 << 16, 1 << 16))
threading.stack_size(1 << 16)
for _ in range(400):
    threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
print("ready", flush=True)
time.sleep(100)
"""


@pytest.mark.parametrize("name", boxes.ISOLATING)
def test_a_crowd_of_the_same_account_that_cannot_be_seen_takes_nothing_from_a_step(name: str) -> None:
    fork = "import os\nif os.fork() == 0: os._exit(0)\nos.wait()\nprint('forked')"
    command = [*AS_SOMEBODY, boxes.SYSTEM_PYTHON, "-c", CROWD]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as crowd:
        try:
            assert crowd.stdout
            assert crowd.stdout.readline() == b"ready\n"
            unseen = ("unshare", "--pid", "--fork", "--mount-proc", *AS_SOMEBODY)
            assert said(name, fork, *unseen) == "exited 0 \nforked\n" * 2
        finally:
            crowd.kill()


@pytest.mark.parametrize("name", boxes.ISOLATING)
def test_too_many_processes_are_refused_or_ended_whoever_counts_them(name: str) -> None:
    bomb = (
        "import os, time\nmade = 0\ntry:\n  while made < 60:\n    if os.fork() == 0: time.sleep(50)\n    made += 1\n"
        "except OSError: pass\nelse: time.sleep(50)\nprint('refused')"
    )
    assert said(name, bomb, *AS_SOMEBODY) in {"exited 0 \nrefused\n" * 2, "signalled 9 \n" * 2}


def test_a_root_that_may_become_nobody_is_told_what_to_do() -> None:
    few = ("setpriv", "--bounding-set=-setuid,-setgid", "--inh-caps=-setuid,-setgid")
    with pytest.raises(pytest.skip.Exception, match="lacks CAP_CHOWN, CAP_SETUID or CAP_SETGID"):
        said("landlock", "", *few)


def test_a_scratch_directory_that_steps_may_not_enter_is_told(shared: Path) -> None:
    shared.chmod(0o700)
    with pytest.raises(pytest.skip.Exception, match=rf"cannot use {shared}/codearena-box-\w+: set TMPDIR"):
        said("landlock", "", "env", f"TMPDIR={shared}")


@pytest.mark.parametrize("name", boxes.ISOLATING)
def test_an_account_with_too_low_a_limit_is_told_which(name: str) -> None:
    with pytest.raises(pytest.skip.Exception, match="hard limit RLIMIT_NOFILE is below 1024"):
        said(name, "", "prlimit", "--nofile=256:256", *AS_SOMEBODY)


NOEXEC = 'mount -t tmpfs -o noexec none /mnt && export TMPDIR=/mnt && exec "$@"'


def test_a_scratch_directory_in_which_nothing_can_be_started_is_told() -> None:
    alone = ("unshare", "--mount", "sh", "-c", NOEXEC, "sh")
    with pytest.raises(pytest.skip.Exception, match=r"no program can be started in /mnt \(noexec\): set TMPDIR"):
        said("landlock", "", *alone)
    assert said("bubblewrap", "print(1)", *alone) == "exited 0 \n1\n" * 2


@pytest.fixture
def shared() -> Iterator[Path]:
    """A directory that any account may enter, unlike pytest's."""
    folder = Path("/tmp", f"codearena-test-{uuid.uuid4().hex}")
    folder.mkdir()
    folder.chmod(0o755)  # whatever the umask
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def little_memory() -> Iterator[Path]:
    """A control group with 100 MiB for what joins it."""
    group = Path("/sys/fs/cgroup/memory", f"codearena-test-{uuid.uuid4().hex}")
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(100 << 20))
    except OSError as exc:
        pytest.skip(f"no memory controller of the first version to be had: {exc.strerror}")
    yield group
    until = time.monotonic() + 30
    while (group / "cgroup.procs").read_text() and time.monotonic() < until:  # they are being buried
        time.sleep(0.05)
    group.rmdir()


IN_GROUP = """
import os, sys
with open(sys.argv[1], "w") as file:
    file.write(str(os.getpid()))
os.execvp(sys.argv[2], sys.argv[2:])
"""


@pytest.mark.parametrize("name", boxes.ISOLATING)
def test_what_the_kernel_kills_for_want_of_memory_is_nobodys_verdict(name: str, little_memory: Path) -> None:
    join = (sys.executable, "-c", IN_GROUP, str(little_memory / "cgroup.procs"))
    greedy = "x = bytearray(b'x') * (300 << 20)"
    assert said(name, greedy, *join) == "lost None the machine ran out of memory, and its kernel killed a process\n" * 2
    by_itself = "import os\nos.kill(os.getpid(), 9)"
    assert said(name, by_itself) == "signalled 9 \n" * 2
