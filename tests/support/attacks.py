"""The break-out suite: attacks on a sandbox, what must hold after each, and a table of who held.

``python tests/support/attacks.py [EXECUTOR…]`` prints the table. Attacks are data (``attacks_*.py``); what must hold
is checked from outside, by the host: nothing reached a listener, no secret came out, nothing was written or is left,
the next run on the same sandbox is right and finds the same surroundings as a run before the attack.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from attacks_kernel import KERNEL
from attacks_leftovers import LEFT, RETURNED
from attacks_processes import PROCESSES
from attacks_reach import NETWORK, READS, RIGHTS, SPYING, WRITES
from attacks_resources import RESOURCES
from attacks_scene import LIMITS, PRELUDE, Attack, Observed, Scene, Watch, marked, sysv_segments

from codearena_plugin.execution.backends.box import GRACE_S
from codearena_plugin.execution.choose import open_sandbox
from codearena_plugin.execution.sandbox import Ending, Finished, Job, Profile, Sandbox, SandboxOptions, Step

__all__ = [
    "ATTACKS",
    "Ending",
    "Finished",
    "Observed",
    "Scene",
    "job_of",
    "judged",
    "mounted",
    "open_sandbox",
    "options_of",
]

GROUPS: Mapping[str, tuple[Attack, ...]] = {
    "network and sockets": NETWORK,
    "secrets, memory, names of others": (*READS, *SPYING),
    "writing outside": WRITES,
    "more rights": RIGHTS,
    "the kernel's surface": KERNEL,
    "processes, signals, forged results": PROCESSES,
    "limits": RESOURCES,
    "files that are brought back": RETURNED,
    "the next run": LEFT,
}
ATTACKS: tuple[Attack, ...] = tuple(attack for group in GROUPS.values() for attack in group)
SYSTEM_PYTHON = "/usr/bin/python3"  # ours may lie in a home that no other account may enter, which landlock needs
MODULES = {"trusted": "POISON_ME = 1\nVALUE = 'sound'\n\ndef value():\n    return VALUE\n"}
MARGIN_S = 2 * GRACE_S
"""What the runner may need beyond the wall cap of a step before it counts as hanging; it gives a box up sooner."""
BURIED_S = 1.0
"""By then a process that was killed has gone; what an attack leaves behind on purpose lives for longer."""

CHECK = """\
import json, math, os, resource, signal, sys, trusted

def tried(function, *arguments):
    try:
        return function(*arguments)
    except Exception as exc:
        return type(exc).__name__

def status(name):
    for line in open("/proc/self/status"):
        if line.startswith(name + ":"):
            return line.split()[1]

def processes():
    return sum(name.isdigit() for name in os.listdir("/proc"))

def sockets():
    return len(open("/proc/net/unix").read().splitlines())

def segments():
    return [len(open("/proc/sysvipc/" + name).read().splitlines()) for name in ("shm", "sem", "msg")]

def descriptors():
    found = []
    for number in range(256):
        try:
            os.fstat(number)
            found.append((number, os.get_blocking(number)))
        except OSError:
            pass
    return found

def room():
    open("room", "wb").write(bytes(1 << 20))
    return os.path.getsize("room")

print(json.dumps({
    "sum": sum(sorted([30, 12])), "root": math.isqrt(49), "trusted": [trusted.VALUE, trusted.value(),
    trusted.POISON_ME],
    "files": sorted(os.listdir(".")), "names": sorted(os.environ), "tmp": tried(os.listdir, "/tmp"),
    "shm": tried(os.listdir, "/dev/shm"),
    "cwd": os.getcwd() == os.path.realpath("."), "ids": [*os.getresuid(), *os.getresgid()], "nice": os.nice(0),
    "processors": len(os.sched_getaffinity(0)), "scheduler": os.sched_getscheduler(0),
    "limits": {name: resource.getrlimit(getattr(resource,
    name)) for name in dir(resource) if name.startswith("RLIMIT_")},
    "blocked": sorted(map(int, signal.pthread_sigmask(signal.SIG_BLOCK, []))), "ignored": tried(status, "SigIgn"),
    "timer": signal.getitimer(signal.ITIMER_REAL)[0], "recursion": sys.getrecursionlimit(), "tracer": sys.gettrace(),
    "processes": tried(processes), "sockets": tried(sockets), "segments": tried(segments), "descriptors": descriptors(),
    "room": tried(room), "umask": os.umask(0o22), "score": tried(lambda: open("/proc/self/oom_score_adj").read()),
    "path": [p for p in sys.path if "tmp" in p and p != os.getcwd()], "filters": tried(status, "Seccomp_filters"),
}, sort_keys=True))
"""
"""The run before and after an attack: right in itself, and the same surroundings."""
# The limits are those of the attacks: a box whose scratch must be of another size would be a fresh one.
_CHECKED = Job((Step(("python", "check.py"), limits=LIMITS),), {"check.py": CHECK.encode()})


def _earlier(size: int) -> Job:
    """Return a run whose program, input and output a later run must not find in its memory."""
    program = b"print('earlier-' + 'run-said- ' * %d)\n# " % size + b"earlier-run-file- " * size
    step = Step(("python", "main.py"), stdin=b"earlier-run-input " * size, limits=LIMITS)
    return Job((step,), {"main.py": program})


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of one attack on one executor; nothing ``open`` means that it held."""

    attack: str
    executor: str
    open: tuple[str, ...]
    seen: Observed


class HungError(Exception):
    """The runner did not come back."""


def bounded(sandbox: Sandbox, job: Job, seconds: float) -> Finished:
    """Run a job, and do not wait for ever."""
    found: list[Finished | BaseException] = []

    def work() -> None:
        try:
            found.append(sandbox.run(job))
        except BaseException as exc:  # a sandbox never raises for what code does
            found.append(exc)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(seconds)
    if not found:
        msg = f"the runner hung for {seconds:.0f} s"
        raise HungError(msg)
    if isinstance(found[0], BaseException):
        raise found[0]
    return found[0]


def job_of(attack: Attack, scene: Scene, profile: Profile = "strict") -> Job:
    """Return the job of an attack."""
    files = {"scene.json": scene.json}
    if attack.language in {"python", "bare"}:
        steps: tuple[Step, ...] = (Step(("python", "main.py"), limits=attack.limits),)
        files["main.py"] = (PRELUDE * (attack.language == "python") + attack.payload).encode()
    elif attack.language == "shell":
        steps = (Step(("bash", "main.sh"), limits=attack.limits),)
        files["main.sh"] = attack.payload.encode()
    else:
        compiled = replace(attack.limits, cpu_s=20.0, wall_s=60.0, memory_bytes=1 << 30)
        steps = (
            Step(("gcc", "-O1", "-w", "main.c", "-o", "main"), limits=compiled),
            Step(("./main",), limits=attack.limits),
        )
        files["main.c"] = attack.payload.encode()
    return Job(steps, files, returns=attack.returns, profile=profile)


def mounted(attack: Attack, sandbox: Sandbox, profile: Profile = "strict") -> Verdict:
    """Run an attack on a sandbox, and say what it opened."""
    with Scene() as scene:
        before = _surroundings(sandbox)
        for size in (5, 1000, 5000):
            bounded(sandbox, _earlier(size), MARGIN_S)
        segments = sysv_segments()
        bait = scene.bait_state()
        job = job_of(attack, scene, profile)
        began = time.monotonic()
        watch = Watch(scene.marker)
        with ExitStack() as stack:
            if attack.is_watched:
                stack.enter_context(watch)
            if attack.during:
                thread = threading.Thread(target=attack.during, args=(scene,), daemon=True)
                thread.start()
                stack.callback(thread.join, 5)
            finished = bounded(sandbox, job, sum(step.limits.wall_s for step in job.steps) + MARGIN_S)
            took_s = time.monotonic() - began
        left = _left(scene.marker)
        after = _surroundings(sandbox)
        seen = Observed(
            finished,
            took_s,
            heard=tuple(sorted(set(scene.heard))),
            signalled=bool(scene.signalled.read_bytes()),
            bait_changed="" if scene.bait_state() == bait else f"{bait} -> {scene.bait_state()}",
            written=tuple(scene.written()),
            left=left,
            most_processes=watch.most_processes,
            most_rss=watch.most_rss,
            uids=frozenset(watch.uids),
        )
        found = [*judged(attack, scene, seen), *_changed(before, after)]
        if sysv_segments() != segments:
            found.append(f"left {dict(sysv_segments())} on the host, were {dict(segments)}")
        if len(_left(scene.marker)) > 0 and not left:
            found.append("processes came back after the next run")
        return Verdict(attack.name, sandbox.name, tuple(found), seen)


def _left(marker: str) -> tuple[int, ...]:
    """Return the attack's processes that outlive its run; one that is just being buried is none."""
    until = time.monotonic() + BURIED_S
    while True:
        time.sleep(0.05)
        found = tuple(pid for pid in marked(marker) if _lives(pid))
        if not found or time.monotonic() > until:
            return found


def _lives(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    return False


def judged(attack: Attack, scene: Scene, seen: Observed) -> list[str]:
    """Return what an attack got; the rules for all attacks, then its own."""
    said = b"".join(ending.stdout + ending.stderr for ending in seen.finished.endings)
    came = said + b"".join(seen.finished.files.values())
    found = [line[4:][:120] for line in seen.text.splitlines() if line.startswith("GOT ")]
    found += [
        f"the secret of {what} came out"
        for what, token in (
            ("a file", scene.token),
            ("another's environment", scene.env_token),
            ("another's command line", scene.line_token),
            ("our environment", scene.own_token),
        )
        if token.encode() in came
    ]
    found += [f"reached {name}" for name in seen.heard]
    found += [f"wrote {path}" for path in seen.written]
    if seen.signalled:
        found.append("a process of the host was signalled")
    if seen.bait_changed:
        found.append(f"a process of the host was changed: {seen.bait_changed}")
    if seen.left:
        found.append(f"{len(seen.left)} processes outlived the run")
    if b"Traceback" in seen.finished.last.stderr:  # an attack that stumbles over itself proves nothing
        found.append(f"the payload broke: {seen.finished.last.stderr[-200:].decode('utf-8', 'replace')}")
    if seen.finished.last.how == "lost":
        found.append(f"lost: {seen.finished.last.problem[:160]}")
    if attack.judge and (said := attack.judge(scene, seen)):
        found.append(str(said))
    return found


def _surroundings(sandbox: Sandbox) -> Mapping[str, Any]:
    finished = bounded(sandbox, _CHECKED, MARGIN_S)
    last = finished.last
    if not last.is_success:
        return {"how": last.how, "problem": last.problem, "stderr": last.stderr[-300:].decode("utf-8", "replace")}
    found: Mapping[str, Any] = json.loads(last.stdout)
    return found


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    right = {"sum": 42, "root": 7, "trusted": ["sound", "sound", 1], "files": ["check.py"]}
    found = [
        f"the next run's {name} is {after.get(name)!r}" for name, value in right.items() if after.get(name) != value
    ]
    if "how" in after:
        return [f"the next run ended as {after['how']} {after['problem']} {after['stderr']}"]
    return found + [
        f"the next run's {name} changed: {before.get(name)!r} -> {after.get(name)!r}"
        for name in after
        if name not in {*right, "ids"} and before.get(name) != after.get(name)
    ]


def options_of(executor: str) -> SandboxOptions:
    """Return the options with which the suite opens an executor, from the environment where it says so."""
    python = os.environ.get("CODEARENA_SANDBOX_PYTHON")
    if python is None and executor == "landlock" and Path(SYSTEM_PYTHON).exists():
        python = SYSTEM_PYTHON
    return SandboxOptions(name=executor, python=python, modules=MODULES)


def main(executors: list[str]) -> int:
    """Print the table attack x executor, then its summary; return 1 if anything is open that is not known to be."""
    cells: dict[tuple[str, str], str] = {}
    reasons = []
    for executor in executors:
        for attack in ATTACKS:
            with open_sandbox(options_of(executor)) as sandbox:  # type: ignore[attr-defined]
                verdict = mounted(attack, sandbox)
            known = attack.known.get(executor, "") if verdict.open else ""
            cells[attack.name, executor] = "held" if not verdict.open else "open, known" if known else "**open**"
            if verdict.open:
                reasons.append(f"* {attack.name} on {executor}: {known or '; '.join(verdict.open)}")
            print(f"{executor:12} {attack.name:20} {'; '.join(verdict.open) or 'held'}", file=sys.stderr, flush=True)
    heads = f"{' | '.join(executors)} | unsafe-local |\n| --- | --- |{' --- |' * (len(executors) + 1)}"
    print(f"| attack | what it tries | {heads}")
    for attack in ATTACKS:
        row = " | ".join(cells[attack.name, executor] for executor in executors)
        print(f"| {attack.name} | {attack.tries} | {row} | not tried: open |")
    print(f"\n| attacks | number | {heads}")
    for name, group in GROUPS.items():
        held = [sum(cells[attack.name, executor] == "held" for attack in group) for executor in executors]
        print(f"| {name} | {len(group)} | {' | '.join(f'{n} held' for n in held)} | open |")
    print("", *reasons, sep="\n")
    return int(any("**open**" in cell for cell in cells.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["bubblewrap", "landlock"]))
