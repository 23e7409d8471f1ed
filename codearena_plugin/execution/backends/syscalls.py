"""System calls that a step may not make, with their numbers: x86_64's ``unistd_64.h``, aarch64's generic ``unistd.h``.

A step may call what a program needs to compute, to use its scratch directory and to start programs. What opens the
kernel's larger doors is refused: networks, namespaces, mounts, other processes' memory, keys, kernel modules, memory
that no limit counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

Numbers: TypeAlias = Mapping[str, tuple[int, int]]
NONE = -1
"""No such call on this machine."""
UNKNOWN = 470
"""From here on, calls are answered with ENOSYS: those of kernels to come, and on x86_64 those of its x32 ABI."""

# fmt: off
REFUSED: Numbers = {
    # other namespaces, mounts, roots
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41),
    "chroot": (161, 51), "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431),
    "fsmount": (432, 432), "fspick": (433, 433), "open_tree": (428, 428), "mount_setattr": (442, 442),
    "statmount": (457, 457), "listmount": (458, 458), "open_tree_attr": (467, 467),
    # other processes
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "process_madvise": (440, 440), "process_mrelease": (448, 448), "kcmp": (312, 272), "pidfd_getfd": (438, 438),
    "migrate_pages": (256, 238), "move_pages": (279, 239),
    # keys, the kernel itself, the machine
    "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218), "bpf": (321, 280),
    "perf_event_open": (298, 241), "userfaultfd": (323, 282), "kexec_load": (246, 104),
    "kexec_file_load": (320, 294), "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106),
    "create_module": (174, NONE), "get_kernel_syms": (177, NONE), "query_module": (178, NONE),
    "reboot": (169, 142), "swapon": (167, 224), "swapoff": (168, 225), "acct": (163, 89), "quotactl": (179, 60),
    "quotactl_fd": (443, 443), "lookup_dcookie": (212, 18), "nfsservctl": (180, 42), "sethostname": (170, 161),
    "setdomainname": (171, 162), "settimeofday": (164, 170), "clock_settime": (227, 112), "clock_adjtime": (305, 266),
    "adjtimex": (159, 171), "syslog": (103, 116), "iopl": (172, NONE), "ioperm": (173, NONE),
    "modify_ldt": (154, NONE), "vhangup": (153, 58), "uselib": (134, NONE), "ustat": (136, NONE),
    "sysfs": (139, NONE), "_sysctl": (156, NONE),
    # files by other ways than their names
    "open_by_handle_at": (304, 265), "name_to_handle_at": (303, 264), "fanotify_init": (300, 262),
    "fanotify_mark": (301, 263),
    # what outlives its process, or holds memory that is nobody's
    "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "msgget": (68, 186), "msgctl": (71, 187),
    "semget": (64, 190), "semctl": (66, 191), "mq_open": (240, 180), "mq_unlink": (241, 181),
    "memfd_secret": (447, 447),
}
"""Answered with EPERM."""
ABSENT: Numbers = {
    "clone3": (435, 435), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "io_setup": (206, 0), "vmsplice": (278, 75),
}
"""Answered with ENOSYS, so that a program takes the older way: the flags of clone3 cannot be seen by a filter, what
io_setup takes is missing on the whole machine, and a pipe can hold pages that are nobody's by vmsplice."""
STRICT: Numbers = {"memfd_create": (319, 279)}
"""Answered with ENOSYS in the strict profile; Chromium shares its pictures so."""
FOREIGN: Numbers = {
    "utime": (132, NONE), "utimes": (235, NONE), "futimesat": (261, NONE), "utimensat": (280, 88),
}
"""Passed over with success where the host's files can be named: Landlock does not govern the times of a file."""
FOREIGN_ATTRIBUTES: Numbers = {
    "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7), "removexattr": (197, 14),
    "lremovexattr": (198, 15), "fremovexattr": (199, 16), "setxattrat": (463, 463), "removexattrat": (466, 466),
    "file_setattr": (469, 469),
}
"""Answered with ENOTSUP there: neither are attributes."""
FOREIGN_WATCHES: Numbers = {"inotify_add_watch": (254, 27)}
"""Answered with EPERM there: nor who makes, opens or removes which file."""
OWNED: Numbers = {
    "chmod": (90, NONE), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452), "chown": (92, NONE),
    "fchown": (93, 55), "lchown": (94, NONE), "fchownat": (260, 54),
}
"""Passed over with success where the host's files can be named by the very user who owns them: nor are modes."""

OWN_ONLY: Mapping[str, tuple[tuple[int, int], tuple[int, ...]]] = {
    "sched_setaffinity": ((203, 122), (0,)), "sched_setscheduler": ((144, 119), (0,)),
    "sched_setparam": ((142, 118), (0,)), "sched_setattr": ((314, 274), (0,)),
    "setpriority": ((141, 140), (0, 0)), "ioprio_set": ((251, 30), (1, 0)),
}
"""Done where the first arguments are these, which name the caller alone, since the zygote has the same user; else
passed over with success: run times set the priorities of their threads, and some say so aloud when they cannot."""
PRLIMIT = (302, 261)
# fmt: on
CLONE, SOCKET, SOCKETPAIR = (56, 220), (41, 198), (53, 199)
PERSONALITY, IOCTL, FCNTL, MMAP, SETSOCKOPT, SETRLIMIT = (135, 92), (16, 29), (72, 25), (9, 222), (54, 208), (160, 164)
