"""Attacks that reach out: sockets of every kind, secrets of the host, other processes, writes outside the scratch."""

from __future__ import annotations

import socket
import time

from attacks_scene import LIMITS, Attack, Observed, Scene, exited

CONNECT = """
family, kind, where = {family}, {kind}, {where}


def reach():
    with socket.socket(family, kind) as s:
        s.settimeout(1)
        s.connect(where)
        s.send(b"canary")


attempt("connected", reach)
"""


def _connect(name: str, tries: str, family: str, kind: str, where: str) -> Attack:
    payload = CONNECT.format(family=f"socket.{family}", kind=f"socket.{kind}", where=where)
    return Attack(name, tries, payload)


def _knock(scene: Scene) -> None:
    """Connect, from the host, to a port that the payload may have opened."""
    until = time.monotonic() + 1.5
    while time.monotonic() < until:
        for host in ("127.0.0.1", "::1"):
            try:
                with socket.create_connection((host, scene.ports["tcp4"] ^ 1), timeout=0.2):
                    scene.heard.append("a listener inside the sandbox")
            except OSError:
                time.sleep(0.05)


def _unprivileged(_scene: Scene, seen: Observed) -> str:
    found = dict(line.split("=", 1) for line in seen.text.splitlines() if "=" in line)
    wrong = [
        f"{name}={found.get(name)}"
        for name, wanted in (("NoNewPrivs", "1"), ("Seccomp", "2"), ("CapEff", "0" * 16), ("CapPrm", "0" * 16))
        if name in found and found[name] != wanted
    ]
    if "0" in found.get("ids", "0").split(","):
        wrong.append(f"ids={found.get('ids')}")
    if 0 in seen.uids:
        wrong.append("uid 0 of the host")
    return ", ".join(wrong)


NETWORK = (
    _connect(
        "tcp4", "IPv4 TCP to a listener on loopback", "AF_INET", "SOCK_STREAM", '("127.0.0.1", S["ports"]["tcp4"])'
    ),
    _connect("tcp6", "IPv6 TCP to ::1", "AF_INET6", "SOCK_STREAM", '("::1", S["ports"].get("tcp6", 9))'),
    _connect("tcp-mapped", "IPv4 through IPv6", "AF_INET6", "SOCK_STREAM", '("::ffff:127.0.0.1", S["ports"]["tcp4"])'),
    _connect("udp4", "a UDP datagram", "AF_INET", "SOCK_DGRAM", '("127.0.0.1", S["ports"]["udp4"])'),
    _connect("udp6", "a UDP datagram, IPv6", "AF_INET6", "SOCK_DGRAM", '("::1", S["ports"].get("udp6", 9))'),
    _connect("unix", "a Unix socket of the host by its path", "AF_UNIX", "SOCK_STREAM", 'S["unix"][0]'),
    _connect("unix-datagram", "a datagram to a Unix socket", "AF_UNIX", "SOCK_DGRAM", 'S["unix"][1]'),
    _connect("abstract", "an abstract Unix socket of the host", "AF_UNIX", "SOCK_STREAM", 'S["abstract"]'),
    Attack(
        "odd-sockets",
        "raw, packet, netlink, vsock, crypto and other families",
        """
for family, kind in (
    (2, 3),
    (10, 3),
    (17, 3),
    (40, 1),
    (38, 5),
    (29, 3),
    (31, 3),
    (30, 1),
    (43, 1),
    (44, 3),
    (16, 3),
):
    try:
        socket.socket(family, kind).close()
    except (OSError, ValueError):
        continue
    got("family", family, "type", kind)
""",
    ),
    Attack(
        "listen",
        "be a server that the host can reach",
        """
for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
    try:
        s = socket.socket(family)
        s.bind((host, S["ports"]["tcp4"] ^ 1))
        s.listen()
    except OSError as exc:
        print(exc)
time.sleep(1)
""",
        during=_knock,
    ),
)

READS = (
    Attack(
        "home",
        "read a secret in the user's home, and by /proc/self/root",
        """
for path in (
    S["home_secret"],
    S["secret"],
    "/proc/self/root" + S["secret"],
    "/proc/1/root" + S["home_secret"],
    "/proc/self/cwd/../../../../../../.." + S["secret"],
    "/proc/%d/cwd/README.md" % S["pid"],
):
    try:
        print(open(path).read())
        got(path)
    except OSError as exc:
        print(exc)
home = os.path.dirname(os.path.dirname(S["home_secret"]))
for folder in (home, os.path.dirname(S["secret"]), S["repository"]):
    try:
        names = os.listdir(folder)
    except OSError:
        continue
    if any("canary" in n or S["marker"] in n or n in ("secret", "pyproject.toml") for n in names):
        got("a list of", folder)
""",
    ),
    Attack(
        "environment",
        "read secrets of the environment: its own, its parents', everybody's",
        """
print(os.environ)
names = {"self", "thread-self", "1", str(os.getppid()), str(S["pid"]), str(S["bait"])}
try:
    names.update(filter(str.isdigit, os.listdir("/proc")))
except OSError as exc:
    print(exc)
for name in names:
    for what in ("environ", "cmdline"):
        try:
            print(open("/proc/%s/%s" % (name, what), "rb").read())
        except OSError:
            pass
libc.getenv.restype = ctypes.c_char_p
print(libc.getenv(b"CODEARENA_CANARY"), libc.getenv(b"SECRET"))
""",
    ),
    Attack(
        "memory-of-others",
        "read the memory of PID 1, of the parent, of any process",
        """
class Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


pids = {1, os.getppid(), S["pid"], S["bait"]}
if os.path.isdir("/proc"):
    try:
        pids |= {int(n) for n in os.listdir("/proc") if n.isdigit()}
    except OSError:
        pass
pids.discard(os.getpid())
here = ctypes.create_string_buffer(64)
for pid in pids - {0}:
    for what in ("mem", "maps", "stack", "syscall", "auxv", "fd", "map_files"):
        path = "/proc/%d/%s" % (pid, what)
        try:
            os.listdir(path) if what in ("fd", "map_files") else open(path, "rb").read(1 if what != "mem" else 0)
        except (OSError, ValueError):
            continue
        got(path)
    mine, theirs = Iovec(ctypes.addressof(here), 8), Iovec(id(print) & ~7, 8)
    result, error = call("process_vm_readv", 310, pid, ctypes.byref(mine), 1, ctypes.byref(theirs), 1, 0)
    if result > 0 or error == errno.EFAULT:
        got("process_vm_readv of", pid)
    result, error = call("process_vm_writev", 311, pid, ctypes.byref(mine), 1, ctypes.byref(theirs), 0, 0)
    if result >= 0:
        got("process_vm_writev of", pid)
    result, error = call("pidfd_open", 434, pid, 0)
    if result >= 0:
        stolen, error = call("pidfd_getfd", 438, result, 0, 0)
        if stolen >= 0:
            got("a file descriptor of", pid)
""",
    ),
    Attack(
        "ptrace",
        "trace PID 1, the parent and the bait",
        """
for pid in (1, os.getppid(), S["pid"], S["bait"]):
    for name, request in (("attach", 16), ("seize", 0x4206)):
        result, error = call("ptrace", 101, request, pid, 0, 0)
        if result == 0:
            call("ptrace", 101, 17, pid, 0, 0)
            got("ptrace", name, pid)
""",
    ),
    Attack(
        "system-files",
        "read what only root may read; open devices",
        """
for path in (
    "/etc/shadow",
    "/etc/sudoers",
    "/etc/ssh/ssh_host_rsa_key",
    "/dev/mem",
    "/dev/kmsg",
    "/dev/sda",
    "/dev/vda",
    "/dev/nvme0n1",
    "/dev/kvm",
    "/dev/fuse",
    "/dev/net/tun",
    "/dev/tty",
    "/dev/console",
    "/dev/input/event0",
    "/proc/kcore",
    "/proc/kallsyms",
    "/proc/sysrq-trigger",
    "/proc/kmsg",
    os.path.join("/proc/1/root", "etc/shadow"),
    "/var/log/dpkg.log",
    "/var/lib/dpkg/status",
    "/proc/mounts/../../etc/shadow",
    "/sys/firmware/dmi/tables/DMI",
    "/var/run/docker.sock",
):
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
        data = os.read(descriptor, 64) if not os.path.isdir(path) else b"a folder"
    except OSError:
        continue
    if path == "/proc/kallsyms" and set(data[:16]) == {48}:
        continue  # zeros for all
    got(path, len(data))
""",
    ),
)

SPY = """
folder = os.path.dirname(S["secret"])
for what, look in (
    ("size", lambda: os.stat(S["secret"]).st_size),
    ("link", lambda: os.readlink("/proc/%d/exe" % S["bait"])),
    ("presence", lambda: os.access(S["home_secret"], os.F_OK) or os.stat("/nowhere")),
    ("chdir", lambda: os.chdir(folder)),
):
    try:
        look()
    except OSError:
        continue
    got(what, "of a file of the host")
"""

WATCH = """
folder = os.path.dirname(S["secret"])
watch = libc.inotify_init1(0o4000)
if libc.inotify_add_watch(watch, folder.encode(), 0xFFF) >= 0:
    until = time.monotonic() + 2
    while time.monotonic() < until:
        try:
            if b"made-by-the-host" in os.read(watch, 4096):
                got("the name of a file that the host makes")
                break
        except OSError:
            time.sleep(0.02)
"""


def _work(scene: Scene) -> None:
    """Make files, from the host, while the payload looks."""
    for number in range(40):
        (scene.tmp / f"made-by-the-host-{number}").touch()
        time.sleep(0.05)


SPYING = (
    Attack(
        "spy",
        "see whether a file of the host is there, and its size, without reading it",
        SPY,
        known={"landlock": "Landlock hides contents and lists, not whether a named file is there and how large it is"},
    ),
    Attack("watch", "see which files the host makes and opens, without listing them", WATCH, during=_work),
)

WRITES = (
    Attack(
        "write-outside",
        "write canaries all over the host, also by /proc/self/root and ..",
        """
for name, path in S["canaries"].items():
    for way in (path, "/proc/self/root" + path, "/proc/1/root" + path, "../" * 12 + path[1:]):
        try:
            open(way, "a").write("canary")
        except OSError:
            pass
        for make in (os.mkdir, os.mkfifo):
            try:
                make(way + "-" + make.__name__)
                (os.rmdir if make is os.mkdir else os.unlink)(way + "-" + make.__name__)
            except OSError:
                pass
for path in (S["secret"], S["home_secret"], "/etc/ld.so.preload", "/etc/passwd", S["python"], "/usr/bin/env"):
    for flags in (os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_TRUNC if "secret" in path else os.O_WRONLY):
        try:
            os.close(os.open(path, flags))
        except OSError:
            continue
        got("write access to", path)
    if "secret" in path:  # the host looks whether anything has changed; a call may say so and do nothing
        for change in (
            lambda: os.chmod(path, 0o604),
            lambda: os.utime(path, (1, 1)),
            lambda: os.chown(path, os.getuid(), -1),
            lambda: os.setxattr(path, "user.canary", b"1"),
            lambda: os.truncate(path, 1),
            lambda: os.utime(os.path.dirname(path), (1, 1)),
            lambda: os.chmod(os.path.dirname(path), 0o711),
        ):
            try:
                change()
            except OSError:
                pass
""",
    ),
    Attack(
        "symbolic-link",
        "write and read through a symbolic link out of the scratch",
        """
for i, path in enumerate([S["secret"], S["home_secret"], *S["canaries"].values()]):
    os.symlink(path, "link%d" % i)
    for mode in ("r", "a"):
        try:
            f = open("link%d" % i, mode)
            print(f.read() if mode == "r" else f.write("canary"))
        except OSError:
            pass
""",
    ),
    Attack(
        "hard-link",
        "bring files of the host into the scratch by hard links and renames",
        """
for i, path in enumerate([S["secret"], S["home_secret"], "/etc/passwd", "/usr/bin/env", "/etc/shadow"]):
    for what, make in (("link", os.link), ("rename", os.rename)):
        if what == "rename" and "secret" not in path:
            continue
        try:
            make(path, what + str(i))
        except OSError:
            continue
        got(what, path)
""",
    ),
    Attack(
        "kernel-files",
        "open settings of the kernel and of PID 1 for writing",
        """
import glob

paths = [
    "/proc/sys/kernel/core_pattern",
    "/proc/sys/kernel/hostname",
    "/proc/sys/vm/overcommit_memory",
    "/proc/sysrq-trigger",
    "/proc/sys/net/ipv4/ip_forward",
    "/proc/1/oom_score_adj",
    "/proc/1/uid_map",
    "/proc/1/setgroups",
    "/proc/1/comm",
    "/proc/1/mem",
    "/proc/1/coredump_filter",
    "/sys/kernel/mm/transparent_hugepage/enabled",
    "/sys/power/state",
    "/sys/kernel/uevent_helper",
    "/proc/%d/oom_score_adj" % S["bait"],
    "/proc/self/uid_map",
    *glob.glob("/sys/fs/cgroup/**/release_agent", recursive=True),
    *glob.glob("/sys/fs/cgroup/*/cgroup.procs"),
    "/proc/%d/comm" % os.getppid(),
    "/proc/%d/mem" % os.getppid(),
    "/proc/%d/oom_score_adj" % os.getppid(),
]
for path in paths:
    try:
        os.close(os.open(path, os.O_WRONLY))
    except OSError:
        continue
    if path == "/proc/self/uid_map":
        continue  # a map is written once; the kernel refuses the second time
    got(path)
for folder in glob.glob("/sys/fs/cgroup/*"):
    try:
        os.mkdir(folder + "/" + S["marker"])
        os.rmdir(folder + "/" + S["marker"])
    except OSError:
        continue
    got("a control group in", folder)
""",
    ),
)

RIGHTS = (
    Attack(
        "set-uid",
        "become somebody: set-uid programs, setuid(0), a set-uid file of its own",
        """
import shutil, subprocess

for what, change in (
    ("setuid", lambda: os.setuid(0)),
    ("setgid", lambda: os.setgid(0)),
    ("setgroups", lambda: os.setgroups([0])),
    ("setresuid", lambda: os.setresuid(0, 0, 0)),
    ("capset", lambda: None),
):
    try:
        change()
    except OSError:
        continue
    if what != "capset" and 0 in os.getresuid():
        got(what)
for program in ("su", "mount", "umount", "passwd", "chsh", "newuidmap", "sudo", "pkexec", "bwrap", "fusermount3"):
    path = shutil.which(program) or "/usr/bin/" + program
    code = "import os; print(os.getresuid())"
    for argv in ([path, "-c", "id -u"], [path, "root", "-c", "id -u"], [path, "--bind", "/", "/", "id", "-u"]):
        try:
            done = subprocess.run(argv, capture_output=True, text=True, timeout=3, stdin=subprocess.DEVNULL)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.stdout.strip() == "0":
            got(program, "gave uid 0")
try:
    shutil.copy("/usr/bin/id", "id")
    os.chmod("id", 0o6755)
    print(subprocess.run(["./id"], capture_output=True, text=True, timeout=3).stdout)
except OSError as exc:
    print(exc)
print("ids=" + ",".join(map(str, (*os.getresuid(), *os.getresgid()))))
try:
    for line in open("/proc/self/status"):
        name, _, value = line.partition(":")
        if name in ("NoNewPrivs", "Seccomp", "CapEff", "CapPrm"):
            print(name + "=" + value.strip())
except OSError:
    print("NoNewPrivs=" + str(libc.prctl(39, 0, 0, 0, 0)), "Seccomp=2", sep="\\n")
time.sleep(0.3)
""",
        judge=_unprivileged,
        is_watched=True,
    ),
    Attack(
        "set-uid-shell",
        "the same by a shell: su, mount, unshare, chroot",
        """
id -u | grep -qx 0 && echo "GOT uid 0"
su -c id root </dev/null 2>&1 | grep -q "uid=0" && echo "GOT su"
unshare -Ur id 2>&1 | grep -q "uid=0" && echo "GOT user namespace"
unshare -Urm mount -t tmpfs none /mnt 2>/dev/null && echo "GOT mount"
mount -t tmpfs none /mnt 2>/dev/null && echo "GOT mount"
chroot . /bin/true 2>/dev/null && echo "GOT chroot"
cat /etc/shadow 2>/dev/null | grep -q root && echo "GOT shadow"
exit 3
""",
        language="shell",
        judge=exited(3),
        limits=LIMITS,
    ),
)
