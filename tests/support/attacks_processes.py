"""Attacks by processes: signals, daemons, forged results, what a parent may trip over."""

from __future__ import annotations

from attacks_scene import Attack, Judge, Observed, Scene, exited, only


def quick(judge: Judge, seconds: float) -> Judge:
    """Hold if the judge holds and the runner came back in time."""

    def both(scene: Scene, seen: Observed) -> str:
        late = f"came back after {seen.took_s:.1f} s" if seen.took_s > seconds else ""
        return judge(scene, seen) or late

    return both


SIGNALS = """
private = os.readlink("/proc/self/ns/pid") != S["pid_namespace"] if os.path.exists("/proc/self/ns/pid") else False
parent = os.getppid()
mild = (signal.SIGURG,)  # most programs ignore it; the bait tells of it
harsh = (
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGUSR1,
    signal.SIGALRM,
    signal.SIGPIPE,
    signal.SIGTERM,
    signal.SIGCHLD,
    signal.SIGIO,
    signal.SIGSTOP,
    signal.SIGKILL,
)
for n in (
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGUSR1,
    signal.SIGALRM,
    signal.SIGPIPE,
    signal.SIGTERM,
    signal.SIGURG,
):
    signal.signal(n, signal.SIG_IGN)
pids = [S["bait"], S["pid"]]
for pid in pids:
    for n in mild:
        try:
            os.kill(pid, n)
        except OSError:
            continue
        if not private:
            got("a signal to", pid)
try:
    os.kill(1, 0)
    if not private:
        got("PID 1 of the host can be signalled")
except OSError:
    pass
if parent > 1 or private:
    for n in harsh:
        for _ in range(50):
            try:
                os.kill(parent, n)
            except OSError:
                break
for pid in (0, -1) if private else (0,):
    for n in harsh[:-2]:
        try:
            os.kill(pid, n)
        except OSError:
            pass
if not private:
    try:
        os.kill(-1, signal.SIGURG)
    except OSError:
        pass
print("still here", flush=True)
if private:
    os.kill(-1, signal.SIGKILL)
os._exit(6)
"""

DAEMON = """
for i in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        for n in range(1, 32):
            if n not in (9, 19):
                signal.signal(n, signal.SIG_IGN)
        if i == 1:
            for descriptor in range(64):  # lets go of every pipe that tells the parent
                try:
                    os.close(descriptor)
                except OSError:
                    pass
        until = time.monotonic() + 6
        while time.monotonic() < until:
            time.sleep(0.2)
            for path in ("daemon-was-here", "/tmp/" + S["marker"], "main.py", "check.py"):
                try:
                    open(path, "a").write("import os; os._exit(66)\\n")
                except OSError:
                    pass
        os._exit(0)
time.sleep(0.2)
os._exit(4)
"""

HYDRA = """
until = time.monotonic() + 3
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        while time.monotonic() < until:  # a chain: whoever reads a list of processes reads yesterday's
            if os.fork():
                os._exit(0)
        os._exit(0)
time.sleep(0.1)
os._exit(4)
"""

SIBLINGS = """
CLONE_PARENT, SIGCHLD = 0x8000, 17
for end in (0, 0, 0):
    for exit_signal in (SIGCHLD, 0):
        result, error = call("clone", 56, CLONE_PARENT | exit_signal, 0, 0, 0, 0)
        if result == 0:  # a brother, not a child: our parent is asked to wait for it
            os._exit(end)
time.sleep(0.3)
os._exit(9)
"""

FORGE = """
junk = [
    b"\\x00" * 64,
    b"\\xff" * 64,
    b"{}\\n",
    json.dumps({"how": "exited", "exit_code": 0, "stdout": "forged"}).encode() + b"\\n",
    b"\\x00\\x00\\x00\\x04true",
    struct.pack("<I", 1 << 30),
    struct.pack(">Q", 1 << 40),
    struct.pack("<i", 0) * 16,
    bytes.fromhex("80049500000000000000008c05706f736978948c0673797374656d93942e"),
]
import fcntl

for descriptor in range(3, 256):
    try:
        os.fstat(descriptor)
    except OSError:
        continue
    try:
        target = os.readlink("/proc/self/fd/%d" % descriptor)
    except OSError:
        target = "?"
    if not target.endswith("scene.json"):
        got("an inherited descriptor", descriptor, target)
    for piece in junk:
        try:
            os.write(descriptor, piece)
        except OSError:
            pass
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETFL, os.O_NONBLOCK)
        print(descriptor, os.read(descriptor, 4096))
    except OSError:
        pass
for pid in ("1", str(os.getppid())):
    for descriptor in range(0, 64):
        for flags in (os.O_WRONLY | os.O_NONBLOCK, os.O_RDONLY | os.O_NONBLOCK):
            try:
                os.close(os.open("/proc/%s/fd/%d" % (pid, descriptor), flags))
                got("descriptor", descriptor, "of", pid)
            except OSError:
                pass
for descriptor in (0, 1, 2):
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_NONBLOCK)
    except OSError:
        pass
for piece in junk:
    os.write(2, piece)
os._exit(7)
"""


PROCESSES = (
    Attack("signals", "signal the parent, PID 1, every process, the group", SIGNALS, is_watched=True),
    Attack(
        "daemon",
        "leave daemons (new session, two forks, signals ignored) that wait for the next run",
        DAEMON,
        judge=quick(exited(4), 8),
    ),
    Attack("hydra", "leave chains of processes that fork faster than a list is read", HYDRA, judge=quick(exited(4), 8)),
    Attack("siblings", "hand the parent children that it never had (CLONE_PARENT)", SIBLINGS, judge=exited(9)),
    Attack("forge", "write forged results into every descriptor; steal descriptors", FORGE, judge=exited(7)),
    Attack(
        "close-all",
        "close every descriptor, then go on",
        """
os.closerange(0, 4096)
time.sleep(0.3)
os._exit(5)
""",
        judge=exited(5),
    ),
    Attack(
        "pipe-holder",
        "end, and leave a child that holds the output open",
        """
if os.fork() == 0:
    os.setsid()
    time.sleep(30)
    os._exit(0)
print("done", flush=True)
os._exit(0)
""",
        judge=quick(exited(0), 8),
    ),
    Attack("exit-now", "end with status 0 before any check", "os._exit(0)\n", judge=exited(0)),
    Attack(
        "crash",
        "a segmentation fault; a core dump; the host's program for crashes",
        """
import resource

for size in (1 << 26, 0):  # 0: the kernel starts the host's program for crashes, as root
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (size, size))
        got("a core limit", size)
    except (OSError, ValueError):
        pass
ctypes.string_at(8)
""",
        judge=only("signalled"),
    ),
    Attack(
        "limits-off",
        "lift its own limits, and change those of its parent and PID 1",
        """
import resource

for name in ("CPU", "FSIZE", "NPROC", "NOFILE", "AS", "DATA"):
    number = getattr(resource, "RLIMIT_" + name)
    soft, hard = resource.getrlimit(number)
    if hard == resource.RLIM_INFINITY:
        continue
    try:
        resource.setrlimit(number, (hard + 1, hard + 1))
    except (OSError, ValueError):
        continue
    if resource.getrlimit(number)[1] > hard:  # a filter may say so and do nothing
        got("more", name)
for pid in {1, os.getppid(), S["bait"]}:
    for number, value in ((7, 3), (0, 1), (6, 1), (1, 1)):
        new = struct.pack("QQ", value, value)
        result, error = call("prlimit64", 302, pid, number, ctypes.c_char_p(new), None)
        if result == 0:
            print("a limit of", pid)
    for what, change in (
        ("priority", lambda: os.setpriority(os.PRIO_PROCESS, pid, 19)),
        ("processors", lambda: os.sched_setaffinity(pid, {max(os.sched_getaffinity(0))})),
        ("scheduler", lambda: os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0))),
    ):
        try:
            change()
        except OSError:
            continue
        print(what, "of", pid)
    result, error = call("ioprio_set", 251, 1, pid, 3 << 13)
    if result == 0:
        print("input/output priority of", pid)
try:
    os.setpriority(os.PRIO_USER, os.getuid(), 19)  # everybody of this account
except OSError:
    pass
os.nice(19)
os.umask(0o777)
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
""",
    ),
)
