"""Memory that a fork finds empty, for what one job must not see of another.

A step's process is a fork of the zygote: whatever the zygote ever held on its heap, programs, inputs and outputs of
earlier jobs among it, can be found there by who looks. So these never touch the heap.
"""

from __future__ import annotations

import mmap

_MADV_WIPEONFORK = 18  # Linux 4.14; Python has no name for it before 3.8 and not everywhere after


def unforked(size: int) -> memoryview:
    """Return zeroed memory that is zeroed again in every forked process.

    Raises:
        OSError: the kernel refuses.
    """
    area = mmap.mmap(-1, max(size, 1), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    area.madvise(_MADV_WIPEONFORK)
    return memoryview(area)[:size]
