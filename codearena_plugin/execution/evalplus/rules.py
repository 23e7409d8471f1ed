"""When an answer is right: EvalPlus' rules (0.3.1, and HumanEval/32 as in its later development), on values of ours.

An answer passes if it equals (``==``) what the reference solution returned on the same input. From the first test on
whose expected value is a float, or a list or tuple of nothing but floats, or where the data set gives a tolerance, an
answer that is not equal may be near instead: of the same type and length, and ``numpy.allclose``. Some problems have
a rule of their own. A list never equals a tuple.

Where it differs: an answer whose type has an ``==`` of its own, or a numpy array, equals nothing here (EvalPlus asks
the answer itself), and the rules of HumanEval/32, Mbpp/558 and 581 see the input as it was before the call.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import Any

from codearena_plugin.execution.evalplus.wire import (
    Frame,
    Large,
    UnreadableError,
    count,
    frames,
    large,
    read_value,
    skip,
    stated_value,
)

RTOL, FLOAT_ATOL = 1e-07, 1e-06

_SHAPES: Mapping[str, str] = {
    **dict.fromkeys(("check_str", "text_match_three", "text_starta_endb"), "not-none"),
    **dict.fromkeys(
        (
            *("similar_elements", "find_char_long", "common_in_nested_lists", "extract_singly"),
            *("larg_nnum", "intersection_array", "find_dissimilar", "Diff"),
        ),
        "set",
    ),
    "are_equivalent": "any",
}
"""MBPP's entry points of which not the value is stated, but this of it; the names are the driver's."""


def shape_of(benchmark: str, entry_point: str) -> str:
    """Return what the driver states of the values of a problem's function."""
    return _SHAPES.get(entry_point, "value") if benchmark == "mbpp" else "value"


def polynomial(xs: Sequence[float], x: float) -> float:
    """Return the value at ``x`` of the polynomial with coefficients ``xs``, the constant first (HumanEval/32)."""
    return sum(coefficient * math.pow(x, i) for i, coefficient in enumerate(xs))


def digit_distance(a: int, b: int) -> int:
    """Return the sum of the differences of the digits of two numbers, the shorter padded with zeros (Mbpp/558).

    >>> digit_distance(1, 256)
    12
    """
    pairs = zip_longest(reversed(str(a)), reversed(str(b)), fillvalue="0")
    return sum(abs(int(one) - int(other)) for one, other in pairs)


def pyramid_surface(base: float, height: float) -> int:
    """Return the surface of a square pyramid whose height is that of its apex over its base, rounded (Mbpp/581)."""
    return round(base**2 + 2 * base * math.sqrt((base / 2) ** 2 + height**2))


def _near_surface(out: Any, arguments: Any, atol: float) -> bool:
    return bool(abs(out - pyramid_surface(*arguments)) <= atol)


_ALSO_RIGHT: Mapping[str, Callable[[Any, Any, float], bool]] = {
    "sum_div": lambda out, _arguments, _atol: bool(out == 0),  # Mbpp/295
    "digit_distance_nums": lambda out, arguments, _atol: bool(out == digit_distance(*arguments)),
    "surface_Area": _near_surface,
}
"""MBPP's entry points -> when an answer is right although it is not the expected one."""
_ROOT = "find_zero"


@dataclass(frozen=True, slots=True)
class Judged:
    """How far the statements of a part are right.

    Attributes:
        n_right: tests passed before the first that was not.
        doubtful: tests whose values are too large to have been sent, and whose digests differ although the values may
            be equal; where it is not empty, nothing else was wrong, and ``n_right`` counts them as passed.
        why: what is wrong with the test after the last right one; empty if all stated answers are right.
    """

    n_right: int
    doubtful: tuple[int, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """How the answers to one problem are judged.

    Attributes:
        benchmark: its name.
        atol: absolute tolerance that the data set gives.
    """

    benchmark: str
    entry_point: str
    atol: float

    def judge(self, stated: bytes, expected: bytes, inputs: Sequence[Any], *, start: int = 0) -> Judged:
        """Judge the statements of one part against those of the reference solution.

        Args:
            stated: from the candidate, on test ``start`` and those that follow; may be anything.
            expected: ours, on all tests.
            inputs: arguments of all tests.
        """
        if not self._is_root() and expected.startswith(stated, skip(expected, start)):
            return Judged(count(stated))
        wanted = frames(expected)
        before = list(islice(wanted, start))
        atol = FLOAT_ATOL if self.atol == 0 and any(map(_is_floats, before)) else self.atol
        doubtful: list[int] = []
        for n, (got, right) in enumerate(zip(frames(stated), wanted, strict=False)):
            atol = FLOAT_ATOL if atol == 0 and _is_floats(right) else atol
            if got == right and not self._is_root():
                continue
            verdict = self._compare(got, right, inputs[start + n], atol)
            if verdict is None:
                doubtful.append(n)
            elif not verdict:
                return Judged(n, why=_difference(got, right))
        return Judged(count(stated), tuple(doubtful))

    def _is_root(self) -> bool:
        return self.benchmark == "humaneval" and self.entry_point == _ROOT

    def _compare(self, got: Frame, wanted: Frame, arguments: Any, atol: float) -> bool | None:
        """Return whether an answer is right; ``None``: it is too large to tell from here."""
        try:
            if got.kind == "d" or wanted.kind == "d":
                return _may_equal(got, wanted)
            name, out = _value(got)
            if self._is_root():
                return bool(abs(polynomial(arguments[0], out)) <= self.atol)
            wanted_name, value = _value(wanted)
            if bool(out == value):
                return True
            if self.benchmark == "mbpp" and self.entry_point in _ALSO_RIGHT:
                return _ALSO_RIGHT[self.entry_point](out, arguments, atol)
            return atol != 0 and name == wanted_name and _is_near(out, value, atol)
        except (UnreadableError, TypeError, ValueError, OverflowError, ArithmeticError, RecursionError):
            return False


def _value(frame: Frame) -> tuple[str, Any]:
    """Return the type's name and the builtin value that a frame states."""
    if frame.kind == "v":
        value = stated_value(frame.body)
        return type(value).__name__, value
    if frame.kind == "n":
        name, _, raw = frame.body.partition(b"\0")
        value = stated_value(raw)
        return f"subclass {name.decode('utf-8', 'replace')} of {type(value).__name__}", value
    raise UnreadableError


def _is_floats(frame: Frame) -> bool:
    if frame.kind == "d":
        value = large(frame).first
    elif frame.kind == "v" and frame.body[:1] in b"g([":
        value = read_value(frame.body)
    else:
        return False
    if isinstance(value, (list, tuple)):
        return bool(value) and all(isinstance(item, float) for item in value)
    return isinstance(value, float)


def _may_equal(got: Frame, wanted: Frame) -> bool | None:
    """Return ``None`` where two values may be equal of which one at least is too large, and false where they cannot."""
    if got.kind != "d" or wanted.kind != "d":
        return None if {got.kind, wanted.kind} <= {"d", "v", "n"} and _length(got) == _length(wanted) else False
    one, other = large(got), large(wanted)
    if one.name != other.name and {one.name, other.name} != {"set", "frozenset"}:
        return False
    if one.length != other.length or (one.name in ("str", "bytes") and one.digest != other.digest):
        return False
    return None if one.first is None or other.first is None or one.first == other.first else False


def _length(frame: Frame) -> int | None:
    value = large(frame) if frame.kind == "d" else _value(frame)[1]
    if isinstance(value, Large):
        return value.length
    return len(value) if isinstance(value, (list, tuple, set, frozenset, dict)) else None


def _is_near(out: Any, value: Any, atol: float) -> bool:
    import numpy as np

    if isinstance(value, (list, tuple)) and len(out) != len(value):
        return False
    return bool(np.allclose(out, value, rtol=RTOL, atol=atol))


def _difference(got: Frame, wanted: Frame) -> str:
    """Return in a few words what is wrong; of a candidate's value only what is safe to show."""
    if got.kind == "o":
        return f"returned a {got.text}, which equals no builtin value"
    try:
        if got.kind == "d" or wanted.kind == "d":
            return "returned another value than expected (a large one)"
        return f"returned {_short(_value(got)[1])}, expected {_short(_value(wanted)[1])}"
    except UnreadableError:
        return "stated what is no value"


def _short(value: Any) -> str:
    try:
        text = ascii(value)
    except (ValueError, RecursionError):  # an int of more digits than Python writes
        return f"a long {type(value).__name__}"
    return text if len(text) <= 60 else f"{text[:57]}..."
