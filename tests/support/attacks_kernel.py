"""Attacks on the kernel's surface: name spaces, mounts, system calls that no program of ours needs, other ABIs."""

from __future__ import annotations

from attacks_scene import Attack, exited

NAMESPACES = """
for name, flag in (
    ("user", 0x10000000),
    ("mount", 0x20000),
    ("pid", 0x20000000),
    ("net", 0x40000000),
    ("ipc", 0x08000000),
    ("uts", 0x04000000),
    ("cgroup", 0x02000000),
    ("time", 0x80),
    ("user and mount", 0x10020000),
):
    pid = os.fork()
    if pid == 0:
        result, error = call("unshare", 272, flag)
        os._exit(0 if result == 0 else 1)
    if os.waitpid(pid, 0)[1] == 0:
        got("unshare", name)
    result, error = call("clone", 56, flag | 17, 0, 0, 0, 0)
    if result == 0:
        os._exit(0)
    if result > 0:
        os.waitpid(result, 0)
        got("clone", name)
args = struct.pack("8Q", 0x10000000, 0, 0, 0, 17, 0, 0, 0)
buffer = ctypes.create_string_buffer(args)
result, error = call("clone3", 435, ctypes.byref(buffer), 64)
if result == 0:
    os._exit(0)
if result > 0:
    got("clone3 user")
for name in ("user", "mnt", "pid", "net"):
    for pid in ("1", str(os.getppid()), str(S["bait"])):
        try:
            descriptor = os.open("/proc/%s/ns/%s" % (pid, name), os.O_RDONLY)
        except OSError:
            continue
        result, error = call("setns", 308, descriptor, 0)
        if result == 0:
            got("setns", name, "of", pid)
"""

MOUNTS = """
os.mkdir("m")
path = ctypes.c_char_p(os.path.abspath("m").encode())
for name, number, arguments in (
    ("mount tmpfs", 165, (ctypes.c_char_p(b"none"), path, ctypes.c_char_p(b"tmpfs"), 0, None)),
    ("mount proc", 165, (ctypes.c_char_p(b"none"), path, ctypes.c_char_p(b"proc"), 0, None)),
    ("bind /", 165, (ctypes.c_char_p(b"/"), path, None, 4096, None)),
    ("remount / writable", 165, (None, ctypes.c_char_p(b"/"), None, 32 | 4096, None)),
    ("umount", 166, (ctypes.c_char_p(b"/proc"), 2)),
    ("pivot_root", 155, (path, path)),
    ("chroot", 161, (path,)),
    ("fsopen", 430, (ctypes.c_char_p(b"tmpfs"), 0)),
    ("open_tree", 428, (-100, ctypes.c_char_p(b"/"), 1)),
    ("fspick", 433, (-100, ctypes.c_char_p(b"/"), 0)),
    ("mount_setattr", 442, (-100, ctypes.c_char_p(b"/"), 0, None, 0)),
    ("swapoff", 168, (ctypes.c_char_p(b"/nowhere"),)),
    ("sethostname", 170, (ctypes.c_char_p(b"x"), 1)),
):
    result, error = call(name, number, *arguments)
    if result >= 0:
        got(name)
"""

CALLS = """
attr = ctypes.create_string_buffer(256)
params = ctypes.create_string_buffer(256)
for name, number, arguments in (
    ("bpf", 321, (0, ctypes.byref(attr), 72)),
    ("perf_event_open", 298, (ctypes.byref(attr), 0, -1, -1, 0)),
    ("io_uring_setup", 425, (4, ctypes.byref(params))),
    ("io_uring_enter", 426, (0, 0, 0, 0, None, 0)),
    ("io_setup: asynchronous requests of the whole machine", 206, (1, ctypes.byref(ctypes.c_ulong(0)))),
    ("vmsplice", 278, (0, None, 0, 0)),
    ("add_key", 248, (ctypes.c_char_p(b"user"), ctypes.c_char_p(b"canary"), ctypes.c_char_p(b"x"), 1, -3)),
    ("request_key", 249, (ctypes.c_char_p(b"user"), ctypes.c_char_p(b"canary"), None, -3)),
    ("keyctl", 250, (0, -3, 0, 0, 0)),
    ("userfaultfd", 323, (1,)),
    ("init_module", 175, (ctypes.byref(attr), 4, ctypes.c_char_p(b""))),
    ("finit_module", 313, (0, ctypes.c_char_p(b""), 0)),
    ("delete_module", 176, (ctypes.c_char_p(b"canary"), 0)),
    ("kexec_load", 246, (0, 0, None, 0)),
    ("reboot with wrong magic", 169, (0, 0, 0, None)),
    ("syslog", 103, (3, ctypes.byref(attr), 16)),
    ("acct", 163, (None,)),
    ("quotactl", 179, (0, None, 0, None)),
    ("name_to_handle_at", 303, (-100, ctypes.c_char_p(b"/"), ctypes.byref(attr), ctypes.byref(params), 0)),
    ("open_by_handle_at", 304, (-100, ctypes.byref(attr), 0)),
    ("kcmp", 312, (os.getpid(), 1, 0, 0, 0)),
    ("iopl", 172, (3,)),
    ("ioperm", 173, (0, 1, 1)),
    ("fanotify_init", 300, (0, 0)),
    ("settimeofday", 164, (None, None)),
    ("adjtimex as a writer", 159, (None,)),
    ("move_pages of PID 1", 279, (1, 0, None, None, None, 0)),
    ("migrate_pages of PID 1", 256, (1, 0, None, None)),
    ("process_madvise", 440, (-1, None, 0, 21, 0)),
    ("personality: no randomisation and READ_IMPLIES_EXEC", 135, (0x0440000,)),
    ("landlock of io", 447, (0,)),
    ("vhangup", 153, ()),
    ("lookup_dcookie", 212, (0, None, 0)),
    ("nfsservctl", 180, (0, None, None)),
):
    if name.startswith(("personality", "landlock")):
        continue  # harmless: of this process alone
    result, error = call(name, number, *arguments)
    if result >= 0:
        got(name)
    elif error not in (errno.EPERM, errno.ENOSYS, errno.EACCES):
        got(name, "reached the kernel:", errno.errorcode.get(error, error))
"""

OTHER_ABIS = r"""
#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* System calls by the numbers of 32-bit x86 and of x32: a filter that looks at the number alone lets them pass. */
static long int80(long number, long a, long b, long c) {
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory", "r8", "r9",
        "r10", "r11");
    return result;
}

static void try(const char *name, int abi, long number, long a, long b, long c) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        long result = abi == 32 ? int80(number, a, b, c) : syscall(number | 0x40000000, a, b, c);
        if (result >= 0) {
            printf("GOT %s\n", name);
            fflush(stdout);
        }
        _exit(0);
    }
    if (child > 0) waitpid(child, 0, 0);
}

int main(void) {
    try("32-bit socket", 32, 359, 2, 1, 0);
    try("32-bit socketcall", 32, 102, 1, 0, 0);
    try("32-bit unshare", 32, 310, 0x10000000, 0, 0);
    try("32-bit ptrace", 32, 26, 16, 1, 0);
    try("32-bit getpid", 32, 20, 0, 0, 0);
    try("x32 socket", 64, 41, 2, 1, 0);
    try("x32 unshare", 64, 272, 0x10000000, 0, 0);
    try("x32 getpid", 64, 39, 0, 0, 0);
    return 4;
}
"""

NAMESPACES_IN_C = r"""
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

static char stack[65536];
static int child(void *unused) {
    (void)unused;
    if (mount("none", "/tmp", "tmpfs", 0, "") == 0) { printf("GOT a mount in a new namespace\n"); fflush(stdout); }
    return 0;
}

int main(void) {
    int pid = clone(child, stack + sizeof stack, CLONE_NEWUSER | CLONE_NEWNS | 17, 0);
    if (pid > 0) { printf("GOT a new user namespace\n"); waitpid(pid, 0, 0); }
    if (chroot(".") == 0) printf("GOT chroot\n");
    if (setns(0, 0) == 0) printf("GOT setns\n");
    return 5;
}
"""

TERMINAL = """
import fcntl

for descriptor in (0, 1, 2):
    for name, request in (("TIOCSTI", 0x5412), ("TIOCSCTTY", 0x540E), ("TIOCLINUX", 0x541C), ("TIOCCONS", 0x541D)):
        try:
            fcntl.ioctl(descriptor, request, b"x")
        except OSError:
            continue
        got(name, "on", descriptor)
try:
    os.close(os.open("/dev/tty", os.O_RDWR))
    got("a controlling terminal")
except OSError:
    pass
try:
    main, other = os.openpty()
except OSError as exc:
    print(exc)
else:
    for name, request, number in (("TIOCSTI", 16, 0x5412), ("TIOCSTI with high bits", 16, (1 << 32) | 0x5412)):
        byte = ctypes.c_char(b"x")
        result, error = call(name, 16, other, number, ctypes.byref(byte))
        if result == 0:
            got(name, "on a terminal of its own")
"""

KERNEL = (
    Attack("namespaces", "new and foreign name spaces: unshare, clone, clone3, setns", NAMESPACES),
    Attack("namespaces-c", "the same from C, then mount inside", NAMESPACES_IN_C, language="c", judge=exited(5)),
    Attack("mounts", "mount, unmount, change root, old and new calls", MOUNTS),
    Attack("system-calls", "bpf, perf, io_uring, keys, modules and 27 others", CALLS),
    Attack("other-abis", "the same by 32-bit and x32 numbers", OTHER_ABIS, language="c"),
    Attack("terminal", "type into a terminal (TIOCSTI), take it", TERMINAL),
)
