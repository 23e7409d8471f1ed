"""Attacks on the next run, and on whoever brings files back or cleans up."""

from __future__ import annotations

from attacks_scene import Attack, Judge, Observed, Scene, exited, only


def _returns(**allowed: bytes | None) -> Judge:
    """Hold if only these files came back, with this content."""

    def judge(scene: Scene, seen: Observed) -> str:
        for name, content in seen.finished.files.items():
            if scene.token.encode() in content or b"root:" in content:
                return f"{name} leaks {content[:20]!r}"
            if name not in allowed:
                return f"{name} came back with {len(content)} bytes"
        return only("exited")(scene, seen)

    return judge


def _tidied(scene: Scene, seen: Observed) -> str:
    """Hold if it ended as it did, or was ended for such a tree, where the size of one is counted."""
    return exited(3)(scene, seen) and only("output")(scene, seen)


RETURNED = (
    Attack(
        "return-symlink",
        "return symbolic links to secrets",
        """
os.symlink(S["secret"], "out")
os.symlink("/etc/passwd", "out2")
os.symlink(os.path.dirname(S["secret"]), "folder")
os.symlink("/proc/self/environ", "out3")
os.symlink("/proc/1/root" + S["secret"], "out4")
os.symlink("loop", "loop")
""",
        judge=_returns(),
        returns=("out", "out2", "folder/secret", "out3", "out4", "loop"),
    ),
    Attack(
        "return-hardlink",
        "return hard links to files of the host",
        """
for i, path in enumerate((S["secret"], S["home_secret"], "/etc/passwd")):
    try:
        os.link(path, "out%d" % i)
    except OSError as exc:
        print(exc)
""",
        judge=_returns(),
        returns=("out0", "out1", "out2"),
    ),
    Attack(
        "return-pipe",
        "return pipes, sockets, folders, devices: who opens them waits for ever",
        """
os.mkfifo("fifo")
try:
    socket.socket(socket.AF_UNIX).bind("socket")
except OSError as exc:
    print(exc)
os.mkdir("folder")
for name, mode, device in (
    ("zero", 0o020666, os.makedev(1, 5)),
    ("disk", 0o060666, os.makedev(254, 0)),
    ("tty", 0o020666, os.makedev(5, 0)),
):
    try:
        os.mknod(name, mode, device)
        got("a device", name)
    except OSError as exc:
        print(exc)
os.symlink("/dev/zero", "link-to-zero")
os.symlink("/dev/stdin", "link-to-stdin")
""",
        judge=_returns(),
        returns=("fifo", "socket", "folder", "zero", "disk", "tty", "link-to-zero", "link-to-stdin"),
    ),
    Attack(
        "return-huge",
        "return a sparse file that seems to hold 3 MB, an unreadable one, one with an odd name",
        """
f = open("sparse", "wb")
f.truncate(3 << 20)
open("secret-mode", "w").write("x")
os.chmod("secret-mode", 0)
open(b"odd\\nname\\xff", "w").write("x")
open("fine", "w").write("fine")
""",
        judge=_returns(fine=b"fine", **{"secret-mode": b"x"}),
        returns=("sparse", "secret-mode", "odd\nname", "fine"),
    ),
    Attack(
        "return-race",
        "swap a returned file for a link to a secret, again and again, from a daemon",
        """
open("good", "w").write("good")
os.symlink(S["secret"], "bad")
os.mkdir("real")
open("real/secret", "w").write("good")
os.symlink(os.path.dirname(S["secret"]), "false")
if os.fork() == 0:
    os.setsid()
    until = time.monotonic() + 3
    while time.monotonic() < until:
        for source in ("good", "bad"):
            try:
                os.link(source, "swap", follow_symlinks=False)
                os.rename("swap", "out")
            except OSError:
                pass
        call("renameat2", 316, -100, ctypes.c_char_p(b"real"), -100, ctypes.c_char_p(b"false"), 2)
    os._exit(0)
time.sleep(0.3)
os._exit(0)
""",
        judge=_returns(out=b"good", **{"real/secret": b"good"}),
        returns=("out", "real/secret"),
    ),
)

LEFT = (
    Attack(
        "earlier-runs",
        "look for the files and the input of earlier runs in its own memory",
        """
wanted = ("earlier" + "-run-").encode()  # joined here, so that our own source is no find
found = set()  # nothing is imported before: that alone would write over what was left


def look(content):
    at = content.find(wanted)
    while at >= 0:
        found.add(content[at + len(wanted) : at + len(wanted) + 5])
        at = content.find(wanted, at + 1)


try:
    lines = open("/proc/self/maps").read().splitlines()
    memory = open("/proc/self/mem", "rb", buffering=0)
except OSError:  # no /proc: the kernel says which page is there when it is asked to write it into a pipe
    import ctypes, os

    libc = ctypes.CDLL(None)
    out, into = os.pipe()
    for middle in (id([]), id(bytes(40000)), id(bytes(300000)), id(look)):
        for page in range((middle >> 12) - 3000, (middle >> 12) + 3000):
            if libc.write(into, ctypes.c_void_p(page << 12), ctypes.c_size_t(4096)) == 4096:
                look(os.read(out, 4096))
else:
    for line in lines:
        where, rights = line.split()[:2]
        low, high = (int(x, 16) for x in where.split("-"))
        if "r" not in rights or "[v" in line or high - low > 1 << 30:
            continue
        memory.seek(low)
        try:
            look(memory.read(high - low))
        except OSError:
            continue
for piece in sorted(found & {b"input", b"file-", b"said-"}):
    print("GOT what an earlier run had as", piece)
raise SystemExit(3)
""",
        language="bare",
        judge=exited(3),
    ),
    Attack(
        "deep-tree",
        "leave 3,000 nested folders and folders of mode 000",
        """
here = os.getcwd()
try:
    for i in range(3000):
        os.mkdir("d")
        os.chdir("d")
except OSError as exc:
    print(i, exc)
os.chdir(here)
for i in range(20):
    os.makedirs("shut%d/inner" % i)
    open("shut%d/inner/file" % i, "w").close()
    os.chmod("shut%d/inner" % i, 0)
    os.chmod("shut%d" % i, 0)
for name in (b"new\\nline", b"\\xff\\xfe", b"-rf", b" ", b"*", b"'\\"$(touch x)`", b"a" * 255):
    open(name, "w").close()
for folder in ("/tmp", "/dev/shm", "/var/tmp"):
    try:
        os.makedirs("%s/%s/inner" % (folder, S["marker"]))
        os.chmod("%s/%s" % (folder, S["marker"]), 0)
    except OSError:
        pass
os.chmod(".", 0)
os._exit(3)
""",
        judge=_tidied,
    ),
    Attack(
        "no-scratch",
        "remove, rename or replace the scratch directory itself",
        """
import shutil

here = os.getcwd()
for what in (
    lambda: shutil.rmtree(here, ignore_errors=True),
    lambda: os.rename(here, here + "-gone"),
    lambda: os.rmdir(here),
    lambda: os.symlink("/", here),
    lambda: os.symlink(os.path.dirname(S["secret"]), here),
    lambda: os.chmod(here, 0),
    lambda: os.mkfifo(here),
):
    try:
        what()
    except OSError as exc:
        print(exc)
os._exit(3)
""",
        judge=exited(3),
        returns=("secret", "passwd"),
    ),
    Attack(
        "shut-scratch",
        "take away all rights on the scratch directory and those above it",
        """
for folder in (os.getcwd(), os.path.dirname(os.getcwd()), os.path.dirname(os.path.dirname(os.getcwd()))):
    for what in (lambda: os.rename(folder, folder + "-away"), lambda: os.chmod(folder, 0)):
        try:
            what()
        except OSError as exc:
            print(exc)
os._exit(3)
""",
        judge=exited(3),
        returns=("out",),
    ),
    Attack(
        "poisoned-python",
        "change builtins, modules, standard streams; leave .pyc, .pth and sitecustomize files",
        """
import atexit, builtins, gc, locale, site, tempfile, threading


def write(path):
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        open(path, "x").write("import os, sys\\nif 'check.py' in sys.argv[0]: os._exit(66)")
    except OSError:
        pass


for path in {*(p or "." for p in sys.path), "/tmp", tempfile.gettempdir(), os.path.dirname(json.__file__)}:
    if os.path.realpath(path) != os.getcwd() and os.path.isdir(path):
        write(os.path.join(path, "canary-%s.pth" % S["marker"]))
for path in (".", site.getusersitepackages() if site.getusersitepackages().startswith(os.getcwd()) else "."):
    for name in (
        "sitecustomize.py",
        "usercustomize.py",
        "probe.py",
        "trusted.py",
        "json.py",
        "codecs.py",
        "a.pth",
        "__pycache__/trusted.pyc",
        "os.py",
        "__pycache__/trusted.cpython-%d%d.pyc" % sys.version_info[:2],
    ):
        write(os.path.join(path, name))
try:
    import trusted

    trusted.VALUE = "poisoned"
    trusted.value.__code__ = (lambda: "poisoned").__code__
except ImportError:
    pass
json.dumps = lambda *_, **__: "poisoned"
builtins.sum = lambda *_: 0
builtins.sorted = lambda *_, **__: []
sys.modules["math"] = None
sys.path.insert(0, "/tmp")
sys.setrecursionlimit(60)
os.environ["POISONED"] = "1"
gc.disable()
atexit.register(lambda: open("atexit", "w").close())
for o in gc.get_objects():
    if isinstance(o, dict) and "POISON_ME" in o:
        o["POISON_ME"] = "poisoned"
signal.setitimer(signal.ITIMER_REAL, 0.5)
sys.settrace(lambda *_: None)
os._exit(3)
""",
        judge=exited(3),
    ),
    Attack(
        "changed-parent",
        "change the waiting interpreter through shared mappings, /proc and futexes",
        """
writable = []
try:
    for line in open("/proc/self/maps"):
        if "rw-s" in line:
            writable.append(line)
            got("a writable shared mapping:", line.split()[-1])
            low, high = (int(x, 16) for x in line.split()[0].split("-"))
            ctypes.memset(low, 0x41, min(high - low, 4096))
except OSError:
    pass
os._exit(3)
""",
        judge=exited(3),
    ),
    Attack(
        "left-objects",
        "leave sockets, queues, locks, watches, timers and cwd elsewhere",
        """
import fcntl

try:
    s = socket.socket(socket.AF_UNIX)
    s.bind("\\0" + S["marker"] + "-left")
    s.listen()
except OSError as exc:
    print(exc)
f = open("main.py", "r+")
fcntl.flock(f, fcntl.LOCK_EX)
signal.signal(signal.SIGIO, signal.SIG_IGN)  # who watches the scratch lists it, which is such news
fcntl.fcntl(os.open(".", os.O_RDONLY), fcntl.F_NOTIFY, 0x8000003F)
descriptor = libc.inotify_init1(0)
libc.inotify_add_watch(descriptor, b"/", 0xFFF)
try:
    os.chdir("/")
except OSError:
    pass
libc.mq_open(b"/canary-codearena", os.O_CREAT | os.O_RDWR, 0o666, None)
os._exit(3)
""",
        judge=exited(3),
    ),
)
