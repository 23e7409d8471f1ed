"""The driver's language, from outside: write a job, read frames, read values. What comes out is never unmarshalled.

The reader of values knows the builtin types only, is bounded in depth and size, and makes no object of any other kind.
"""

from __future__ import annotations

import importlib.util
import marshal
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from codearena_plugin.execution.sandbox import MIB, Job, Limits, SandboxOptions, Step

MODULE = "codearena_driver"
VERSION = 2
"""Of marshal: what the driver writes, and what every Python 3 reads."""
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Of numpy's libraries, which would start one thread a core."""
MEMORY_BYTES = 4096 * MIB
"""As much as EvalPlus allows; here it counts from an empty process and not from the size of the one that started it."""
WALL_FACTOR = 3.0
LARGEST = 17 * 1024
"""Bytes of a value that is stated; the driver sends only the digest of a larger one, so more of them are forged."""
_HEAD = 5
_DEEPEST = 100
_DIGIT_BITS = 15
KINDS = b"vndcoxXtTe"


class UnreadableError(ValueError):
    """Bytes that the driver would not have written."""


@dataclass(frozen=True, slots=True)
class Part:
    """Calls of one job: ``inputs[start:stop]``, in a namespace of their own.

    Attributes:
        packed: ``marshal`` of all inputs.
        limit: processor seconds that a call may take.
        longer: those of the calls that may take more, by their position.
        total: processor seconds for all calls together.
    """

    packed: bytes
    start: int
    stop: int
    limit: float
    longer: Mapping[int, float]
    total: float


@dataclass(frozen=True, slots=True)
class Frame:
    """One statement of the driver; the letters are in its docstring."""

    kind: str
    body: bytes = b""

    @property
    def text(self) -> str:
        """Its body as a name, fit to be shown."""
        return "".join(c for c in self.body.decode("utf-8", "replace")[:80] if c.isprintable())


@lru_cache(maxsize=1)
def driver_source() -> str:
    """Return the text that the sandbox is given as the module ``MODULE``."""
    return Path(__file__).with_name("driver.py").read_text(encoding="utf-8")


def pack(value: Any) -> bytes:
    """Return values of ours for the driver."""
    return marshal.dumps(value, VERSION)


def job_input(
    code: str, entry_point: str, shape: str, parts: Sequence[Part], *, wants_times: bool = False, closely: bool = False
) -> bytes:
    """Return the standard input of a job of the driver."""
    rows = [(part.packed, part.start, part.stop, part.limit, dict(part.longer), part.total) for part in parts]
    text = code.encode("utf-8", "replace").decode("utf-8")  # a lone surrogate is no program
    return pack((text, entry_point, shape, wants_times, closely, rows))


def driver_job(stdin: bytes, *, cpu_s: float, output_bytes: int) -> Job:
    """Return a job that runs the driver.

    Args:
        stdin: as ``job_input`` gives it.
        cpu_s: for the whole job, in seconds; with sleeping it may last ``WALL_FACTOR`` times as long.
        output_bytes: of all frames.
    """
    limits = Limits(
        cpu_s=cpu_s, wall_s=WALL_FACTOR * cpu_s, memory_bytes=MEMORY_BYTES, processes=16, output_bytes=output_bytes
    )
    folder = numpy_folder()
    env = {"CODEARENA_NUMPY": str(folder), **dict.fromkeys(_THREADS, "1")} if folder else {}
    return Job((Step(("python", "-m", MODULE), stdin, limits, env),))


def driver_options(options: SandboxOptions) -> SandboxOptions:
    """Return the options of a sandbox that has the driver, and our numpy where it also has our Python."""
    folder = numpy_folder() if options.python is None else None
    libraries = [path for path in (folder, folder and folder.with_name("numpy.libs")) if path and path.is_dir()]
    return replace(
        options,
        modules={**options.modules, MODULE: driver_source()},
        read_only=(*options.read_only, *map(str, libraries)),
    )


@lru_cache(maxsize=1)
def numpy_folder() -> Path | None:
    """Return where our numpy lies: EvalPlus' Python always has one, so programs count on it."""
    spec = importlib.util.find_spec("numpy")
    return Path(spec.origin).parent if spec and spec.origin else None


def split_parts(stream: bytes, n_parts: int) -> list[tuple[bytes, Frame | None]]:
    """Return for each part the bytes of its statements and how it ended: a frame of ``xXte``; ``None``: it did not.

    A stream that stops or goes wrong in the middle ends the part there; later parts are then empty.
    """
    found: list[tuple[bytes, Frame | None]] = []
    start = at = 0
    while len(found) < n_parts:
        if at + _HEAD > len(stream):
            break
        kind, length = stream[at : at + 1], int.from_bytes(stream[at + 1 : at + _HEAD], "little")
        if kind not in KINDS or at + _HEAD + length > len(stream):
            break
        if kind in b"xXte":
            found.append((stream[start:at], Frame(kind.decode(), stream[at + _HEAD : at + _HEAD + length])))
            start = at + _HEAD + length
        at += _HEAD + length
    if len(found) < n_parts:
        found.append((stream[start:at], None))
    return found + [(b"", None)] * (n_parts - len(found))


def skip(stream: bytes, n: int) -> int:
    """Return where frame ``n`` of a part begins."""
    at = 0
    for _ in range(n):
        at += _HEAD + int.from_bytes(stream[at + 1 : at + _HEAD], "little")
    return at


def count(stream: bytes) -> int:
    """Return how many frames a part has."""
    n = at = 0
    while at < len(stream):
        at += _HEAD + int.from_bytes(stream[at + 1 : at + _HEAD], "little")
        n += 1
    return n


def frames(stream: bytes) -> Iterator[Frame]:
    """Yield the statements of one part, as ``split_parts`` cut it."""
    at = 0
    while at < len(stream):
        length = int.from_bytes(stream[at + 1 : at + _HEAD], "little")
        yield Frame(chr(stream[at]), stream[at + _HEAD : at + _HEAD + length])
        at += _HEAD + length


@dataclass(frozen=True, slots=True)
class Large:
    """A value of which only this is known: its type's name, how many items, a digest, and its first items if a list."""

    name: str
    length: int
    digest: bytes
    first: Any


def large(frame: Frame) -> Large:
    """Return what a frame of kind ``d`` says.

    Raises:
        UnreadableError: it is none.
    """
    found = stated_value(frame.body)
    if not isinstance(found, tuple) or [type(item) for item in found[:3]] != [str, int, bytes] or len(found) != 4:
        raise UnreadableError
    return Large(*found)


def stated_value(raw: bytes) -> Any:
    """Return the value that a candidate states; what it costs to read and to hash is bounded by its size.

    Raises:
        UnreadableError: it is none, or larger than any that the driver sends.
    """
    if len(raw) > LARGEST:
        raise UnreadableError
    return read_value(raw)


def read_value(raw: bytes) -> Any:
    """Return the builtin value that ``raw`` (marshal, version 2) says.

    Raises:
        UnreadableError: it says another thing, or is nested too deeply.
    """
    reader = _Reader(raw)
    try:
        value = reader.value(0)
    except (IndexError, struct.error, ValueError, TypeError, OverflowError):
        raise UnreadableError from None
    if reader.at != len(raw):
        raise UnreadableError
    return value


class _Reader:
    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.at = 0

    def value(self, depth: int) -> Any:
        if depth > _DEEPEST:
            raise UnreadableError
        letter = chr(self.raw[self.at])
        self.at += 1
        if letter in _CONSTANTS:
            return _CONSTANTS[letter]
        if letter in _READERS:
            return _READERS[letter](self, depth)
        raise UnreadableError

    def take(self, n: int) -> bytes:
        if n < 0 or self.at + n > len(self.raw):
            raise UnreadableError
        self.at += n
        return self.raw[self.at - n : self.at]

    def number(self) -> int:
        return int(struct.unpack("<i", self.take(4))[0])

    def float(self) -> float:
        return float(struct.unpack("<d", self.take(8))[0])

    def long(self) -> int:
        n = self.number()
        value = 0
        digits = self.take(2 * abs(n))
        for at in range(len(digits) - 2, -2, -2):
            value = value << _DIGIT_BITS | int.from_bytes(digits[at : at + 2], "little")
        return -value if n < 0 else value

    def items(self, depth: int) -> list[Any]:
        n = self.number()
        if n < 0 or n > len(self.raw) - self.at:  # an item is at least one byte
            raise UnreadableError
        return [self.value(depth + 1) for _ in range(n)]

    def mapping(self, depth: int) -> dict[Any, Any]:
        found = {}
        while self.raw[self.at : self.at + 1] != b"0":
            key = self.value(depth + 1)
            found[key] = self.value(depth + 1)
        self.at += 1
        return found


_CONSTANTS: Mapping[str, Any] = {"N": None, "T": True, "F": False}
_READERS: Mapping[str, Callable[[_Reader, int], Any]] = {
    "i": lambda r, _: r.number(),
    "l": lambda r, _: r.long(),
    "g": lambda r, _: r.float(),
    "y": lambda r, _: complex(r.float(), r.float()),
    "s": lambda r, _: r.take(r.number()),
    "u": lambda r, _: r.take(r.number()).decode("utf-8", "surrogatepass"),
    "(": lambda r, depth: tuple(r.items(depth)),
    "[": lambda r, depth: r.items(depth),
    "<": lambda r, depth: set(r.items(depth)),
    ">": lambda r, depth: frozenset(r.items(depth)),
    "{": lambda r, depth: r.mapping(depth),
}
