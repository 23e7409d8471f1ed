"""Files of a job: written before it, brought back after it, and all gone before the next."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys

from codearena_plugin.execution.zygote.unforked import unforked

WORK, TEMPORARY = "work", "tmp"
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def empty(root: str, most: int | None) -> bool:
    """Remove everything beneath a directory and make the two directories of a job in it.

    No process of the box may be alive. A directory within is moved to the top before it is emptied, so that no depth
    of nesting needs a stack or a long path.

    Args:
        most: give up before more entries than that are removed, which on a slow disk takes longer than the host waits;
            ``None``: never.

    Returns:
        Whether all is gone; if not, the box is not to be used again.
    """
    try:
        top = os.open(root, _DIRECTORY)
    except OSError:
        return False
    try:
        _empty(top, sys.maxsize if most is None else most)
        for name in (WORK, TEMPORARY):
            os.mkdir(name, 0o755, dir_fd=top)
    except OSError:
        return False
    finally:
        os.close(top)
    return True


def _empty(top: int, most: int) -> None:
    moved = 0
    names, found = _remove_files(top, most)
    while names:
        name = names.pop()
        os.chmod(name, 0o700, dir_fd=top)  # a directory as real as its entry: nobody is left to exchange it
        inside = os.open(name, _DIRECTORY, dir_fd=top)
        try:
            folders, more = _remove_files(inside, most - found)
            found += more
            for folder in folders:
                os.chmod(folder, 0o700, dir_fd=inside)  # moving it to another parent writes into it
                moved += 1
                fresh = f"\n{moved}"
                while _exists(fresh, top):
                    moved += 1
                    fresh = f"\n{moved}"
                os.rename(folder, fresh, src_dir_fd=inside, dst_dir_fd=top)
                names.append(fresh)
        finally:
            os.close(inside)
        os.rmdir(name, dir_fd=top)


def _remove_files(directory: int, most: int) -> tuple[list[str], int]:
    """Unlink what is no directory; return the names of the directories and how many entries there were.

    Raises:
        OSError: there are more than ``most``, and all are still there; or one cannot be removed.
    """
    with os.scandir(directory) as entries:
        found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    if len(found) > most:
        raise OSError(errno.E2BIG, os.strerror(errno.E2BIG))
    for name, is_folder in found:
        if not is_folder:
            os.unlink(name, dir_fd=directory)
    return [name for name, is_folder in found if is_folder], len(found)


def _exists(name: str, directory: int) -> bool:
    try:
        os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def write(root: str, name: str, content: memoryview) -> None:
    """Write a file of a job.

    Raises:
        OSError: it cannot be written.
    """
    path = os.path.join(root, WORK, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        while content:
            content = content[os.write(file, content) :]  # a buffered file would copy it to the heap
    finally:
        os.close(file)


def read(root: str, name: str, most: int) -> memoryview | None:
    """Return a file that a job has left; ``None`` unless it is there, regular, reached by no link, and small enough."""
    file = _reached(root, name)
    if file is None:
        return None
    try:
        size = os.fstat(file).st_size
        if size > most:
            return None
        content = unforked(size)
        at = 0
        while at < size and (got := os.readv(file, [content[at:]])):
            at += got
        return content[:at]
    except OSError:
        return None
    finally:
        os.close(file)


def make_executable(root: str, name: str) -> None:
    """Let a file of a job be run, where the job itself may not say so."""
    file = _reached(root, name)
    if file is not None:
        with contextlib.suppress(OSError):
            os.fchmod(file, 0o755)
        os.close(file)


def _reached(root: str, name: str) -> int | None:
    """Return a descriptor of a regular file of a job; ``None`` if it is none, or a link lies on the way."""
    try:
        descriptor = os.open(os.path.join(root, WORK), _DIRECTORY)
    except OSError:
        return None
    try:
        *folders, last = [part for part in name.split("/") if part not in ("", ".")]
        for folder in folders:
            inside = os.open(folder, _DIRECTORY, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inside
        file = os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=descriptor)
    except (OSError, ValueError):
        return None
    finally:
        os.close(descriptor)
    if stat.S_ISREG(os.fstat(file).st_mode):
        return file
    os.close(file)
    return None
