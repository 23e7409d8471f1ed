"""Runs inside the sandbox: call a candidate's function on inputs and state what it returned.

Standard library only, and no import of this package: the text of this file is what the sandbox is given. It knows
inputs and never an expected value, so all that a candidate can do to it (frames, ``gc``, the channel) is to state other
answers than it computed; whether an answer is right is decided outside, by ``rules``.

Standard input is ``marshal`` of ``(code, entry_point, shape, wants_times, closely, parts)``; a part is ``(inputs,
start, stop, limit, longer, total)``: ``marshal`` of the list of arguments, which of them to call, seconds of processor
time for a call, those of the calls that may take longer, and for all. Standard output is frames: a letter, four bytes
of length, a body.

    v  the value, as marshal version 2 writes it: no references, so equal values of equal types have equal bytes
    n  a value of a subclass or of numpy: its type's name, a NUL, and the builtin value that it equals
    d  a value too large to send: marshal of (type's name, length, digest, first items)
    c  asked for closely: a digest that sees no difference between 1, 1.0 and True, nor an order of sets and dicts
    o  a value that equals no builtin value: its type's name
    x  the call raised; X the program itself did; t it ran out of time; each ends the part
    T  marshal of the processor seconds of each call; e the end of a part that was run to its end
"""

from __future__ import annotations

import collections
import contextlib
import decimal
import fractions
import gc
import hashlib
import importlib.util
import io
import marshal
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

VERSION = 2  # of marshal: binary floats, no references
LARGEST = 16384  # bytes of a value that is sent as it is
MANY = 4096  # items of a list that is hashed in pieces, so that its bytes never stand beside it
FIRST = 16  # items of a large list that are sent
TICK_S = 0.25
LOADING_S = 10.0
WALL_FACTOR = 5.0  # wall time that a call may take for each second of its processor time
GRACE_S = 1.0  # between the exception and the end of the process, where the exception was swallowed
KILL_AFTER_S = 3  # where not even a handler can run
LONGEST_NAME = 80

ATOMS = frozenset((type(None), bool, int, float, complex, str, bytes))
SEQUENCES = (list, tuple, set, frozenset)
SCALARS: dict[type, Callable[[Any], Any]] = {
    str: str.__str__,
    int: int.__int__,
    float: float.__float__,
    bytes: lambda value: bytes.__getitem__(value, slice(None)),
}
TRUSTED_EQUALITY = (collections.Counter, collections.OrderedDict)  # they have an own one, which agrees with dict's
VIEWS: tuple[type, ...] = (type({}.keys()), type({}.items()))

if TYPE_CHECKING:
    Part = tuple[bytes, int, int, float, dict[int, float], float]


class OpaqueError(Exception):
    """A value that equals no builtin value."""


class LateError(BaseException):
    """Raised into a call that is over its time; no ``except Exception`` holds it."""


class Channel:
    """Where frames go: what was standard output, which the candidate's own output does not reach."""

    def __init__(self) -> None:
        self.fd = os.dup(1)
        self.owner = os.getpid()
        self.waiting: list[bytes] = []
        self.size = 0

    def put(self, kind: bytes, body: bytes = b"") -> None:
        """Add a frame."""
        self.waiting.append(b"%b%b%b" % (kind, len(body).to_bytes(4, "little"), body))
        self.size += len(body)
        if self.size > 1 << 18:
            self.flush()

    def flush(self) -> None:
        """Write what waits; a fork that the candidate made ends here, or who answers would be a race."""
        if os.getpid() != self.owner:
            os._exit(0)
        data = memoryview(b"".join(self.waiting))
        self.waiting, self.size = [], 0
        while data:
            data = data[os.write(self.fd, data) :]


class Clock:
    """Notices, a few times a second, that a call is over its time. A call itself pays nothing for it."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.limit = 0.0
        self.longer: dict[int, float] = {}
        self.current = self.seen = -1
        self.longest = LOADING_S
        self.is_late = self.is_armed = False
        self.cpu = self.wall = self.end = 0.0

    def begin(self, limit: float, longer: dict[int, float], total: float) -> None:
        """Start a part; the program is loaded first."""
        self.limit, self.longer = limit, longer
        self.current = self.seen = -1
        self.is_late, self.is_armed = False, True
        self.longest = max(LOADING_S, limit, *longer.values())
        self.cpu, self.wall = time.process_time(), time.monotonic()
        self.end = self.cpu + total
        self.guard()
        signal.signal(signal.SIGPROF, self.tick)
        signal.signal(signal.SIGALRM, self.tick)
        signal.setitimer(signal.ITIMER_PROF, TICK_S, TICK_S)
        signal.setitimer(signal.ITIMER_REAL, 1.0, 1.0)

    def stop(self) -> None:
        """End a part."""
        self.is_armed = False
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)

    def guard(self) -> None:
        """Let the kernel end the process where no handler can run: inside one long operation of the interpreter."""
        soft = int(time.process_time() + self.longest) + KILL_AFTER_S
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))

    def tick(self, _signal: int, _frame: object) -> None:
        """Look at the call that runs: end it, or end the process if it would not end."""
        if not self.is_armed:
            return
        cpu, wall = time.process_time(), time.monotonic()
        if self.current != self.seen:
            self.seen, self.cpu, self.wall, self.is_late = self.current, cpu, wall, False
            self.guard()
        limit = self.longer.get(self.current, self.limit) if self.current >= 0 else LOADING_S
        if self.is_late:
            limit += GRACE_S
        used = max(cpu - self.cpu, (wall - self.wall) / WALL_FACTOR)
        if used <= limit and cpu <= self.end + self.is_late * GRACE_S:
            return
        if self.is_late:
            self.channel.put(b"t")
            self.channel.flush()
            os._exit(3)
        self.is_late = True
        raise LateError


class Silent(io.StringIO):
    """Standard output that keeps nothing, and standard input that has nothing and says so."""

    def write(self, text: str) -> int:
        """Drop it."""
        return len(text)

    def _refuse(self, *_: object) -> Any:
        msg = "there is no input"
        raise OSError(msg)

    read = readline = readlines = __next__ = _refuse

    def readable(self) -> bool:
        """Return that it is not."""
        return False


class NumpyFinder:
    """Finds numpy, which programs for EvalPlus may import, in the directory that we name; and nothing else there."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> Any:
        """Return where numpy is; its parts are found below it by Python's own rules."""
        start = f"{self.folder}/__init__.py"
        if name != "numpy" or not os.access(start, os.R_OK):  # it is not shown to every sandbox
            return None
        return importlib.util.spec_from_file_location(name, start)


def plain(value: Any) -> Any:
    """Return the builtin value that ``value`` equals.

    Raises:
        OpaqueError: there is none, or its type has an equality of its own.
    """
    kind = type(value)
    if kind in ATOMS:
        return value
    if kind in SEQUENCES or kind in VIEWS:
        return (set if kind in VIEWS else kind)([plain(item) for item in value])
    if kind is dict:
        return {plain(key): plain(item) for key, item in value.items()}
    if kind in (fractions.Fraction, decimal.Decimal):
        return _exact(value)
    numpy = sys.modules.get("numpy")
    if numpy is not None and numpy.generic in kind.__mro__:
        return _atom(value.item())
    return _of_subclass(value, kind)


def _of_subclass(value: Any, kind: Any) -> Any:
    for base in (dict, *SEQUENCES, *SCALARS):
        if base in kind.__mro__ and (kind.__eq__ is base.__eq__ or kind in TRUSTED_EQUALITY):
            if base is dict:
                return {plain(key): plain(item) for key, item in dict.items(value)}
            if base in SEQUENCES:
                return base([plain(item) for item in base.__iter__(value)])
            return _atom(SCALARS[base](value))
    raise OpaqueError


def _atom(value: Any) -> Any:
    if type(value) not in ATOMS:
        raise OpaqueError
    return value


def _exact(number: Any) -> Any:
    """Return a fraction or a decimal as the int or float that it equals."""
    top, bottom = number.as_integer_ratio()
    if bottom == 1:
        return top
    near = top / bottom
    if near.as_integer_ratio() != (top, bottom):
        raise OpaqueError
    return near


def even(value: Any) -> Any:
    """Return a builtin value such that values that are equal (``==``) have the same bytes."""
    kind = type(value)
    if kind is bool or (kind is float and value.is_integer()):
        return int(value)
    if kind is complex:
        return even(value.real) if value.imag == 0 else ("complex", even(value.real), even(value.imag))
    if kind is list or kind is tuple:
        kinds = set(map(type, value))
        return value if kinds <= {int, str, type(None)} else kind([even(item) for item in value])
    if kind is set or kind is frozenset:
        return ("set", sorted(marshal.dumps(even(item), VERSION) for item in value))
    if kind is dict:
        return ("dict", sorted(marshal.dumps((even(key), even(item)), VERSION) for key, item in value.items()))
    return value


def digest(value: Any, normal: Callable[[Any], Any] | None = None) -> bytes:
    """Return the digest of a builtin value; of a long list without ever holding all its bytes."""
    if type(value) not in (list, tuple) or len(value) <= MANY:
        return _hash(marshal.dumps(normal(value) if normal else value, VERSION)).digest()
    hashed = _hash(type(value).__name__.encode())
    for start in range(0, len(value), MANY):
        piece = value[start : start + MANY]
        hashed.update(marshal.dumps(normal(piece) if normal else piece, VERSION))
    return hashed.digest()


def _hash(raw: bytes) -> hashlib.blake2b:
    return hashlib.blake2b(raw, digest_size=16)


def frame_of(value: Any) -> tuple[bytes, bytes]:
    """Return kind and body of the frame that states a value."""
    name = type(value).__name__.encode("utf-8", "replace")[:LONGEST_NAME]
    if "numpy" not in sys.modules:  # marshal would write its numbers as strings of bytes
        with contextlib.suppress(ValueError):
            if type(value) in ATOMS or type(value) in SEQUENCES or type(value) is dict:
                return _stated(value, name)
    try:
        equal = plain(value)
        kind, body = _stated(equal, name)
    except (OpaqueError, RecursionError, ValueError):
        return b"o", name
    return (b"n", name + b"\0" + body) if kind == b"v" and type(equal) is not type(value) else (kind, body)


def _stated(value: Any, name: bytes) -> tuple[bytes, bytes]:
    kind = type(value)
    if kind in (list, tuple) and len(value) > MANY:
        found = digest(value)
    else:
        raw = marshal.dumps(value, VERSION)
        if len(raw) <= LARGEST:
            return b"v", raw
        found = _hash(raw).digest()
        del raw
    first = value[:FIRST] if kind in (list, tuple) else None
    if len(marshal.dumps(first, VERSION)) > LARGEST:
        first = None
    n = len(value) if hasattr(value, "__len__") else 0
    return b"d", marshal.dumps((kind.__name__, n, found, first), VERSION)


def shape_none(value: Any) -> Any:
    """State whether there is a value; a truth value is stated as it is."""
    return value if isinstance(value, bool) else value is not None


SHAPES: dict[str, Callable[[Any], Any]] = {
    "value": lambda value: value,
    "set": set,
    "not-none": shape_none,
    "any": lambda _: None,
}
"""What of a returned value is stated; named by ``rules``."""


class Runner:
    """Runs the parts of one job."""

    def __init__(self, job: tuple[Any, ...]) -> None:
        self.code, self.entry_point, self.shape, self.wants_times, self.closely, self.parts = job
        self.channel = Channel()
        self.clock = Clock(self.channel)

    def run(self) -> None:
        """Run them, each in a namespace of its own."""
        for part in self.parts:
            try:
                self._part(part)
            except LateError:  # the tick may come between two calls
                self.channel.put(b"t")
            self.clock.stop()
            self.channel.flush()

    def _part(self, part: Part) -> None:
        packed, start, stop, limit, longer, total = part
        inputs = marshal.loads(packed)  # noqa: S302  ours
        self.clock.begin(limit, longer, total)
        space: dict[str, Any] = {}
        try:
            exec(compile(self.code, "<string>", "exec", dont_inherit=True), space)  # noqa: S102  what this file is for
            function = space[self.entry_point]
        except BaseException as exc:
            self._failed(b"X", exc)
            return
        shape, times = SHAPES[self.shape], []
        for index in range(start, stop):
            self.clock.current = index
            began = time.process_time() if self.wants_times else 0.0
            try:
                value = shape(function(*inputs[index]))
                frame = (b"c", digest(plain(value), even)) if self.closely else frame_of(value)
            except BaseException as exc:  # SystemExit and KeyboardInterrupt are the candidate's too
                self._failed(b"x", exc)
                return
            if self.clock.is_late:  # the exception was swallowed
                self.channel.put(b"t")
                return
            self.channel.put(*frame)
            if self.wants_times:
                times.append(time.process_time() - began)
            value = None
        if self.wants_times:
            self.channel.put(b"T", marshal.dumps(times, VERSION))
        self.channel.put(b"e")

    def _failed(self, kind: bytes, exc: BaseException) -> None:
        name = type(exc).__name__.encode("utf-8", "replace")[:LONGEST_NAME]
        self.channel.put(*((b"t", b"") if self.clock.is_late else (kind, name)))


def main() -> None:
    """Read the job, run it, and end the process without another line of anybody's code."""
    with open(0, "rb", closefd=False) as stream:
        job = marshal.loads(stream.read())  # noqa: S302  ours
    runner = Runner(job)
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    sys.stdin = sys.stdout = sys.stderr = Silent()
    if "CODEARENA_NUMPY" in os.environ:
        sys.meta_path.append(NumpyFinder(os.environ.pop("CODEARENA_NUMPY")))
    most = resource.getrlimit(resource.RLIMIT_STACK)[1]
    with contextlib.suppress(ValueError, OSError):  # EvalPlus lifts it too: recursion through C needs much of it
        resource.setrlimit(resource.RLIMIT_STACK, (most, most))
    gc.freeze()
    runner.run()
    os._exit(0)


if __name__ == "__main__":
    main()
