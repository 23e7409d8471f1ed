"""Attacks on every isolating sandbox of this machine; what must hold is checked from the host.

Attacks are rows in ``tests/support/attacks_*.py``; ``python tests/support/attacks.py`` prints the table. No attack is
tried on ``unsafe-local``, which would let it through.
"""

from __future__ import annotations

import os
import pty
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import attacks
import pytest
from attacks_scene import Attack, Scene, Watch, marked

from codearena_plugin.execution.choose import open_sandbox, probes
from codearena_plugin.execution.sandbox import Job, Sandbox, SandboxOptions, Step

ISOLATING = ("bubblewrap", "landlock")


def options_for(executor: str) -> SandboxOptions:
    options = attacks.options_of(executor)
    probe = probes(options)[executor]
    if not probe.works:
        pytest.skip(f"{executor}: {probe.line}")
    return options


@pytest.fixture(scope="module", params=ISOLATING)
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """One sandbox for all attacks: each meets what those before it may have left."""
    with open_sandbox(options_for(request.param)) as opened:  # type: ignore[attr-defined]
        yield opened


@pytest.mark.parametrize("attack", attacks.ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_gets_nothing_and_the_next_run_is_right(sandbox: Sandbox, attack: Attack) -> None:
    if attack.language == "c" and not shutil.which("gcc"):
        pytest.skip("gcc is not here")
    verdict = attacks.mounted(attack, sandbox)
    if attack.known.get(sandbox.name) and verdict.open:
        pytest.xfail(attack.known[sandbox.name])
    assert verdict.open == (), verdict.seen.finished


INSIDE = {"connected", "family 16 type 3"}
"""What a browser may do: talk to itself, in a network of its own that leads nowhere."""
NOT_BY_A_BROWSER = ("limits", "files that are brought back", "the next run")
BY_A_BROWSER = [
    attack
    for name, group in attacks.GROUPS.items()
    for attack in group
    if name not in NOT_BY_A_BROWSER and attack.name != "crash"
]


@pytest.mark.parametrize("attack", BY_A_BROWSER, ids=lambda attack: attack.name)
def test_what_a_browser_needs_of_the_kernel_opens_nothing(browsing: Sandbox, attack: Attack) -> None:
    verdict = attacks.mounted(attack, browsing, profile="browser")
    assert set(verdict.open) <= INSIDE, verdict.seen.finished


@pytest.fixture(scope="module")
def browsing() -> Iterator[Sandbox]:
    with open_sandbox(options_for("bubblewrap")) as opened:  # type: ignore[attr-defined]
        yield opened


def test_no_output_of_a_sandbox_that_isolates_needs_a_notice(sandbox: Sandbox) -> None:
    assert sandbox.is_isolated
    assert sandbox.notice == ""


def test_attacks_have_names_and_claims_of_their_own() -> None:
    assert len(attacks.ATTACKS) >= 20
    assert len({attack.name for attack in attacks.ATTACKS}) == len(attacks.ATTACKS)
    assert len({attack.tries for attack in attacks.ATTACKS}) == len(attacks.ATTACKS)


TERMINAL = """\
import sys
sys.path[:0] = {paths!r}
import attacks
from codearena_plugin.execution.sandbox import Job, Step
with attacks.open_sandbox(attacks.options_of({name!r})) as sandbox:
    attack = next(attack for attack in attacks.ATTACKS if attack.name == "terminal")
    with attacks.Scene() as scene:
        print("SAID", sandbox.run(attacks.job_of(attack, scene)).last.stdout, flush=True)
"""


@pytest.mark.parametrize("executor", ISOLATING)
def test_a_run_has_no_way_to_the_terminal_of_who_started_it(executor: str) -> None:
    options = options_for(executor)
    root = Path(__file__).parents[2]
    program = TERMINAL.format(paths=[str(root), str(root / "tests" / "support")], name=executor)
    pid, terminal = pty.fork()
    if pid == 0:
        if options.python:
            os.environ["CODEARENA_SANDBOX_PYTHON"] = options.python
        os.execv(sys.executable, [sys.executable, "-c", program])
    said, until = b"", time.monotonic() + 60
    while time.monotonic() < until:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                piece = os.read(terminal, 4096)
            except OSError:  # the other end is closed
                break
            said += piece
    os.waitpid(pid, 0)
    os.close(terminal)
    assert b"SAID" in said, said
    assert b"GOT" not in said


LOOK_AROUND = b"""\
import os
for folder in ("/proc", "/tmp", os.path.dirname(os.getcwd()), os.path.dirname(os.path.dirname(os.getcwd()))):
    try:
        names = os.listdir(folder)
    except OSError:
        continue
    for name in names:
        for path in (os.path.join(folder, name, *rest) for rest in (["comm"], ["work", "neighbours"], ["neighbours"])):
            try:
                print(path, open(path, errors="replace").read().strip())
            except OSError:
                pass
"""


def test_two_sandboxes_at_once_do_not_see_each_other(sandbox: Sandbox) -> None:
    waits = b"import ctypes, time\nctypes.CDLL(None).prctl(15, b'neighbour', 0, 0, 0)\ntime.sleep(50)"
    with open_sandbox(options_for(sandbox.name)) as other:  # type: ignore[attr-defined]
        job = Job((Step(("python", "w.py")),), {"w.py": waits, "neighbours": b"the neighbour's"})
        thread = threading.Thread(target=other.run, args=(job,))
        thread.start()
        until = time.monotonic() + 40
        while not marked("neighbour") and time.monotonic() < until:
            time.sleep(0.02)
        said = sandbox.run(Job((Step(("python", "look.py")),), {"look.py": LOOK_AROUND})).last
        neighbours = marked("neighbour")
        for pid in neighbours:
            os.kill(pid, signal.SIGKILL)
        thread.join()
    assert neighbours, "it was there all the while"
    assert said.is_success, said
    assert b"neighbour" not in said.stdout


def test_the_host_hears_what_an_attack_reaches() -> None:
    with Scene() as scene:
        socket.create_connection(("127.0.0.1", scene.ports["tcp4"])).close()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram:
            datagram.sendto(b"x", ("127.0.0.1", scene.ports["udp4"]))
        with socket.socket(socket.AF_UNIX) as stream:
            stream.connect(scene.abstract)
        until = time.monotonic() + 40
        while len(set(scene.heard)) < 3 and time.monotonic() < until:
            time.sleep(0.02)
        assert set(scene.heard) == {"tcp4", "udp4", "abstract"}


def test_the_host_sees_what_an_attack_writes_and_removes_it() -> None:
    with Scene() as scene:
        assert scene.written() == []
        scene.canaries["tmp"].write_text("x")
        scene.secret.write_text("changed")
        changed, fresh = scene.written()
        assert changed.startswith(f"{scene.secret} (")
        assert fresh == str(scene.canaries["tmp"])
        traces = [*scene.canaries.values(), scene.tmp, scene.home]
    assert not any(path.exists() for path in traces)


def test_the_host_sees_what_an_attack_leaves_running_and_how_much_it_takes() -> None:
    with Scene() as scene, Watch(scene.marker) as watch:
        code = (
            "import sys, time; open('/proc/self/comm', 'w').write(sys.argv[1]); "
            "x = bytearray(b'x') * (1 << 26); time.sleep(90)"
        )
        process = subprocess.Popen([sys.executable, "-c", code, scene.marker])
        until = time.monotonic() + 60
        while watch.most_rss < 1 << 26 and time.monotonic() < until:
            time.sleep(0.02)
        assert marked(scene.marker) == [process.pid]
        process.kill()
        process.wait()
        assert marked(scene.marker) == []
    assert watch.most_processes == 1
    assert watch.most_rss >= 1 << 26
    assert watch.uids == {os.getuid()}


def test_a_secret_in_the_output_counts_as_an_escape() -> None:
    attack = next(attack for attack in attacks.ATTACKS if attack.name == "home")
    with Scene() as scene:
        ending = attacks.Ending("exited", exit_code=0, stdout=f"GOT it\n{scene.token}".encode())
        seen = attacks.Observed(attacks.Finished((ending,)), 0.1)
        assert attacks.judged(attack, scene, seen) == ["it", "the secret of a file came out"]
