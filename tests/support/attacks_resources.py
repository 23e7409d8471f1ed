"""Attacks on limits of every kind: memory, processes, output, disk, processor time and patience."""

from __future__ import annotations

from dataclasses import replace

from attacks_processes import quick
from attacks_scene import LIMITS, MIB, Attack, Observed, Scene, only


def _no_more_processes(scene: Scene, seen: Observed) -> str:
    del scene
    most = LIMITS.processes
    return f"{seen.most_processes} processes at once" if seen.most_processes > most + 1 else ""


def _most(seen: Observed, what: str) -> int:
    """Return the largest number that the payload said after a word."""
    return max((int(line.split()[1]) for line in seen.text.splitlines() if line.startswith(f"{what} ")), default=0)


def _memory(scene: Scene, seen: Observed) -> str:
    """Hold if it was ended for it, or never got it: between two looks a quick machine takes more than the limit."""
    if not only("memory")(scene, seen):
        return ""
    held, most = max(seen.most_rss // MIB, _most(seen, "held")), LIMITS.memory_bytes // MIB
    return f"{held} MiB of {most}" if held > 1.75 * most else only("exited", "signalled")(scene, seen)


def _tables(scene: Scene, seen: Observed) -> str:
    """The same for page tables: one of them, a page, for each place that is touched."""
    if not only("memory")(scene, seen):
        return ""
    held = 4096 * _most(seen, "touched")
    return f"{held // MIB} MiB of page tables" if held > 2 * LIMITS.memory_bytes else ""


def _by_processor(scene: Scene, seen: Observed) -> str:
    """Hold if it was ended soon by the processor's clock; the other one tells more of the machine's load."""
    computed_s = seen.finished.last.cpu_s
    return only("timeout")(scene, seen) or (f"computed for {computed_s:.1f} s" if computed_s > 5 else "")


def _capped_output(scene: Scene, seen: Observed) -> str:
    last = seen.finished.last
    if max(len(last.stdout), len(last.stderr)) > LIMITS.output_bytes:
        return f"{max(len(last.stdout), len(last.stderr))} bytes came back"
    return only("output")(scene, seen)


def _disk(scene: Scene, seen: Observed) -> str:
    """Hold if little could be written, or if who wrote was ended: a directory without a file system is watched."""
    if not only("output")(scene, seen):
        return ""
    written = _most(seen, "wrote")
    most = 4 * LIMITS.file_bytes * 1.5
    return f"{written // MIB} MiB written" if written > most else ""


def _one_file(scene: Scene, seen: Observed) -> str:
    del scene
    written = _most(seen, "wrote")
    return f"a file of {written // MIB} MiB" if written > LIMITS.file_bytes + 65536 else ""


TABLES = """
libc.mmap.restype = ctypes.c_void_p
touched = 0
try:
    for _ in range(400):  # 3 GiB of page tables at most, for what is only read: the page of zeros is nobody's
        where = libc.mmap(None, ctypes.c_size_t(4 << 30), 1, 0x4022, -1, 0)
        if where in (None, (1 << 64) - 1):
            break
        libc.madvise(ctypes.c_void_p(where), ctypes.c_size_t(4 << 30), 15)
        for at in range(0, 4 << 30, 2 << 20):
            ctypes.c_char.from_address(where + at).value
            touched += 1
    print("touched", touched, flush=True)
except (OSError, ValueError) as exc:
    print(exc)
print("touched", touched, flush=True)
time.sleep(1)
"""

BURST = """
libc.calloc.restype = ctypes.c_void_p
for i in range(24):
    if os.fork() == 0:
        held = libc.calloc(1, ctypes.c_size_t(60 << 20))
        ctypes.memset(ctypes.c_void_p(held), 1, 60 << 20)
        time.sleep(2)
        os._exit(0)
time.sleep(3)
got("1440 MiB at once")
"""

MEMFD = """
held, total = [], 0
for i in range(160):
    descriptor = libc.memfd_create(b"held", 0)
    if descriptor < 0:
        break
    try:
        for _ in range(4):
            total += os.write(descriptor, bytes(1 << 20))
    except OSError:
        pass
    held.append(descriptor)
    print("held", total >> 20, flush=True)
    time.sleep(0.01)
time.sleep(1)
"""

SYSV = """
libc.shmat.restype = ctypes.c_void_p
total = 0
for i in range(12):
    key = libc.shmget(0, ctypes.c_size_t(50 << 20), 0o1666)
    if key < 0:
        print("refused", ctypes.get_errno())
        break
    where = libc.shmat(key, None, 0)
    ctypes.memset(where, 1, 50 << 20)
    libc.shmdt(ctypes.c_void_p(where))
    total += 50
    print("held", total, flush=True)
    time.sleep(0.05)
print(
    libc.semget(0x77, 4, 0o1666),
    libc.msgget(0x78, 0o1666),
    libc.mq_open(b"/canary-codearena", os.O_CREAT | os.O_RDWR, 0o666, None),
)
time.sleep(0.5)
"""

PIPES = """
import fcntl

ends, total = [], 0
try:
    for _ in range(400):
        r, w = os.pipe()
        ends.append((r, w))
        try:
            fcntl.fcntl(w, 1031, 1 << 20)
        except OSError:
            pass
        os.set_blocking(w, False)
        try:
            while True:
                total += os.write(w, bytes(65536))
        except OSError:
            pass
except OSError as exc:
    print(exc)
pairs = []
try:
    for _ in range(200):
        a, b = socket.socketpair()
        a.setblocking(False)
        pairs.append((a, b))
        try:
            while True:
                total += a.send(bytes(65536))
        except OSError:
            pass
except OSError as exc:
    print(exc)
print("buffered", total >> 20, flush=True)
if total > 400 << 20:
    got(total >> 20, "MiB of buffers")
"""

SHARED = """
libc.mmap.restype = ctypes.c_void_p
try:
    zero = os.open("/dev/zero", os.O_RDWR)
except OSError:
    zero = os.open("/dev/zero", os.O_RDONLY)
held = 0
for name, flags, descriptor in (("shared", 0x21, -1), ("zero", 1, zero), ("huge", 0x40022, -1)):
    for _ in range(25):
        where = libc.mmap(None, ctypes.c_size_t(16 << 20), 3, flags, descriptor, 0)
        if where in (None, (1 << 64) - 1):
            print("refused", name)
            break
        ctypes.memset(ctypes.c_void_p(where), 1, 16 << 20)
        libc.munmap(ctypes.c_void_p(where), ctypes.c_size_t((16 << 20) - 4096))  # one page keeps the rest
        held += 16
        print("held", held, flush=True)
time.sleep(0.5)
"""

SPLICED = """
HUGE = 2 << 20


class Part(ctypes.Structure):
    _fields_ = [("where", ctypes.c_void_p), ("size", ctypes.c_size_t)]


libc.mmap.restype = ctypes.c_void_p
pipes, held = [], 0
for _ in range(16):
    pipes.append(os.pipe())
    os.set_blocking(pipes[-1][1], False)
    for _ in range(16):
        area = libc.mmap(None, ctypes.c_size_t(2 * HUGE), 3, 0x22, -1, 0)
        page = -(-area // HUGE) * HUGE
        libc.madvise(ctypes.c_void_p(page), ctypes.c_size_t(HUGE), 14)
        ctypes.memset(ctypes.c_void_p(page), 1, HUGE)
        part = Part(page, 4096)  # one small page in the pipe keeps the huge one
        held += libc.vmsplice(pipes[-1][1], ctypes.byref(part), ctypes.c_size_t(1), 0) > 0
        libc.munmap(ctypes.c_void_p(area), ctypes.c_size_t(2 * HUGE))
print("held", 2 * held, flush=True)
if held > 150:
    got(2 * held, "MiB of pages in pipes")
"""

SOCKETS = """
for _ in range(4):
    if os.fork() == 0:
        pairs, total = [], 0
        for _ in range(300):
            pairs.append(socket.socketpair())
            for end in pairs[-1]:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
                end.setblocking(False)
                try:
                    while True:
                        total += end.send(bytes(65536))
                except OSError:
                    pass
        print("buffered", total >> 20, flush=True)
        time.sleep(2)
        os._exit(0)
time.sleep(2.5)
got("more than 500 MiB of buffers")
"""

CPU_OF_NOBODY = """
signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel forgets what children took that nobody waits for
until = time.monotonic() + 6
while time.monotonic() < until:
    if os.fork() == 0:
        stop = time.process_time() + 0.02
        while time.process_time() < stop:
            pass
        os._exit(0)
    try:
        os.wait()
    except OSError:
        pass
got("processor time that nobody counted")
"""

FILL = """
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
total, held = 0, []
try:
    for i in range(25):
        held.append(os.open(PLACE % i, os.O_CREAT | os.O_WRONLY))
        if DELETED:
            os.unlink(PLACE % i)
        for _ in range(8):
            total += os.write(held[-1], bytes(1 << 19))
        time.sleep(0.04)
except OSError as exc:
    print(exc)
print("wrote", total, flush=True)
"""

CPU_IN_CHILDREN = """
until = time.monotonic() + 40
while time.monotonic() < until:
    if os.fork() == 0:
        stop = time.process_time() + 0.4
        while time.process_time() < stop:
            pass
        os._exit(0)
    os.wait()
print("burnt it all", flush=True)
"""

STARVE = """
for pid in {1, os.getppid()}:
    for change in (
        lambda: os.sched_setaffinity(pid, {0}),
        lambda: os.setpriority(os.PRIO_PROCESS, pid, 19),
        lambda: os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0)),
    ):
        try:
            change()
        except OSError as exc:
            print(exc)
until = time.monotonic() + 15
os.sched_setaffinity(0, {0})
for _ in range(28):
    if os.fork() == 0:
        break
while time.monotonic() < until:
    pass
"""

WATCHED = {"landlock": "without root the kernel counts all of the user's processes, so that a step's own are watched"}

FAST = replace(LIMITS, cpu_s=1.0, wall_s=4.0)

RESOURCES = (
    Attack(
        "memory",
        "take memory until something gives",
        """
held = []
for i in range(100):
    held.append(bytearray(b"x") * (10 << 20))
    print("held", 10 * (i + 1), flush=True)
time.sleep(1)
got("1000 MiB")
""",
        judge=_memory,
        is_watched=True,
    ),
    Attack(
        "memory-of-many",
        "the same spread over 10 processes, each below the limit",
        """
for i in range(10):
    if os.fork() == 0:
        held = bytearray(b"x") * (80 << 20)
        time.sleep(2.5)
        os._exit(0)
time.sleep(3)
got("800 MiB")
""",
        judge=only("memory"),
        is_watched=True,
    ),
    Attack(
        "memory-files",
        "the same in anonymous files, which no process's size shows",
        MEMFD,
        judge=_memory,
        is_watched=True,
    ),
    Attack(
        "page-tables", "the same in page tables, which no process's size shows", TABLES, judge=_tables, is_watched=True
    ),
    Attack("memory-burst", "the same by 24 processes in one moment", BURST, judge=only("memory"), is_watched=True),
    Attack(
        "shared-memory",
        "the same in System V segments; leave them, semaphores and queues behind",
        SYSV,
        judge=_memory,
        is_watched=True,
    ),
    Attack("buffers", "the same in pipes and sockets", PIPES, is_watched=True),
    Attack(
        "memory-shared",
        "the same in shared and huge mappings, which stay when most of them is unmapped",
        SHARED,
        judge=_memory,
        is_watched=True,
    ),
    Attack("memory-spliced", "the same in huge pages of which a pipe holds a piece", SPLICED),
    Attack("memory-sockets", "the same in what 2,400 sockets have not yet read", SOCKETS, judge=only("memory")),
    Attack(
        "fork-bomb",
        "400 processes or 3 s",
        """
until = time.monotonic() + 3
made = 0
while time.monotonic() < until and made < 400:
    try:
        if os.fork() == 0:
            time.sleep(3)
            os._exit(0)
        made += 1
    except OSError:
        time.sleep(0.01)
print("made", made)
""",
        judge=_no_more_processes,
        is_watched=True,
        known=WATCHED,
    ),
    Attack(
        "thread-bomb",
        "400 threads",
        """
import threading

made = 0
try:
    for _ in range(400):
        threading.Thread(target=time.sleep, args=(2,), daemon=True).start()
        made += 1
except RuntimeError as exc:
    print(exc)
if made > 40:
    got(made, "threads")
os._exit(0)
""",
        known=WATCHED,
    ),
    Attack(
        "output",
        "print without end (200 MB at most)",
        """
for _ in range(200):
    os.write(1, b"x" * 1_000_000)
    os.write(2, b"y" * 1_000_000)
""",
        judge=quick(_capped_output, 8),
    ),
    Attack(
        "output-of-child",
        "the same from a daemon, while the first process sleeps",
        """
if os.fork() == 0:
    os.setsid()
    for _ in range(200):
        os.write(1, b"x" * 1_000_000)
    os._exit(0)
time.sleep(8)
""",
        judge=quick(_capped_output, 8),
    ),
    Attack(
        "disk",
        "fill the scratch, /tmp and what else can be written (100 MB at most)",
        """
total = 0
for folder in (".", "/tmp", "/dev/shm", "/var/tmp", "/run", "/dev"):
    for i in range(40):
        try:
            f = os.open("%s/fill-%s-%d" % (folder, S["marker"], i), os.O_CREAT | os.O_WRONLY)
        except OSError:
            break
        try:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            while total < 100 << 20:
                total += os.write(f, bytes(1 << 18))
        except OSError:
            pass
        os.close(f)
print("wrote", total, flush=True)
""",
        judge=_disk,
    ),
    Attack(
        "disk-shut",
        "the same in folders that cannot be listed",
        """
os.mkdir("shut", 0o300)
for folder in ("..", "."):
    os.chmod(folder, 0o300)
PLACE, DELETED = "shut/%d", False
"""
        + FILL,
        judge=_disk,
    ),
    Attack(
        "disk-flicker",
        "the same in folders that are shut and opened all the time, so that who looks fails in the middle of it",
        """
for _ in range(3):
    if os.fork() == 0:
        until = time.monotonic() + 2
        while time.monotonic() < until:
            for mode in (0, 0o700):
                os.chmod("..", mode)
        os._exit(0)
PLACE, DELETED = "%d", False
"""
        + FILL,
        judge=_disk,
    ),
    Attack(
        "disk-deep",
        "the same in a folder whose path is too long for the kernel",
        """
for _ in range(18):
    os.mkdir("x" * 250)
    os.chdir("x" * 250)
PLACE, DELETED = "%d", False
"""
        + FILL,
        judge=_disk,
    ),
    Attack(
        "disk-deleted",
        "the same in deleted files of a process that hides what it has open",
        """
libc.prctl(4, 0, 0, 0, 0)
PLACE, DELETED = "%d", True
"""
        + FILL,
        judge=_disk,
    ),
    Attack(
        "one-file",
        "a file larger than allowed; by fallocate and mmap too",
        """
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
for name, fill in (
    ("write", lambda f: [os.write(f, bytes(1 << 20)) for _ in range(32)]),
    ("fallocate", lambda f: os.posix_fallocate(f, 0, 32 << 20)),
    ("truncate", lambda f: os.ftruncate(f, 32 << 20)),
):
    f = os.open("big-" + name, os.O_CREAT | os.O_WRONLY)
    try:
        fill(f)
    except OSError as exc:
        print(exc)
    print("wrote", os.fstat(f).st_size, flush=True)
""",
        judge=_one_file,
    ),
    Attack(
        "inodes",
        "as many small files as 2 s allow, 24,000 at most",
        """
until = time.monotonic() + 2
n = 0
try:
    while n < 24_000 and time.monotonic() < until:
        open("f%d" % n, "w").close() if n % 10 else os.mkdir("d%d" % n)
        n += 1
except OSError as exc:
    print(exc)
print(n)
""",
        judge=only("exited", "timeout", "signalled", "memory", "output"),
    ),
    Attack("sleep", "sleep for ever", "time.sleep(60)\n", judge=quick(only("timeout"), 12), limits=FAST),
    Attack(
        "stop-itself",
        "stop itself (SIGSTOP), and its children",
        """
if os.fork() == 0:
    os.kill(os.getpid(), signal.SIGSTOP)
os.kill(os.getpid(), signal.SIGSTOP)
""",
        judge=quick(only("timeout"), 12),
        limits=FAST,
    ),
    Attack(
        "busy",
        "loop, swallow every exception and signal, reset every timer",
        """
for n in range(1, 65):
    try:
        signal.signal(n, lambda *_: None)
    except (OSError, ValueError):
        pass
until = time.monotonic() + 20
while time.monotonic() < until:
    try:
        for timer in (0, 1, 2):
            signal.setitimer(timer, 0)
        while time.monotonic() < until:
            pass
    except BaseException:
        pass
""",
        judge=quick(only("timeout"), 12),
        limits=FAST,
    ),
    Attack(
        "starve",
        "starve whoever watches: idle priority for PID 1, 28 loops on its processor",
        STARVE,
        judge=quick(only("timeout"), 12),
        limits=FAST,
    ),
    Attack(
        "busy-children",
        "burn processor time in one child after the other, each below the limit",
        CPU_IN_CHILDREN,
        judge=_by_processor,
        limits=replace(LIMITS, cpu_s=1.5, wall_s=50.0),
    ),
    Attack(
        "busy-unwaited",
        "the same in children that nobody waits for",
        CPU_OF_NOBODY,
        judge=quick(only("timeout"), 14),
        limits=replace(LIMITS, cpu_s=1.5, wall_s=15.0),
        known=dict.fromkeys(
            ("bubblewrap", "landlock"),
            "the kernel forgets the processor time of children that nobody waits for: the cap on the wall ends them",
        ),
    ),
)
