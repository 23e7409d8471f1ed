"""MBPP+ stores its inputs as JSON; some problems need tuples, sets or complex numbers where JSON has lists and strings.

The released file does not say where; EvalPlus' program does (0.3.1), by problem. Here that is data: a path into the
arguments -> the problems whose values there become tuples. ``*`` is every item of a list or value of a dict, a number
one argument. Compared with EvalPlus' own on all 41,015 inputs of the released file: equal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

_TUPLES: Mapping[tuple[str, ...], frozenset[int]] = {
    ("*",): frozenset(
        {2, 116, 132, 143, 222, 259, 261, 273, 278, 394, 399, 401, 421, 424, 429, 445, 470, 560, 579, 596, 616, 630}
        | {726, 740, 744, 809}
    ),
    ("*", "*"): frozenset(
        {63, 64, 70, 94, 120, 237, 259, 272, 299, 400, 401, 409, 417, 438, 445, 473, 614, 780}
    ),
    ("0", "*"): frozenset({75, 278, 413, 444, 722, 753}),
    ("0",): frozenset({250, 307, 405, 446, 617, 720, 763, 808}),
    ("1",): frozenset({106, 750}),
}  # fmt: skip
_NUMBERS: Mapping[int, tuple[Callable[[str], Any], ...]] = {124: (float, complex), 252: (complex,)}
"""Arguments that are stored as strings."""
_SETS = 115
_DEEP = frozenset({580, 615, 791})


def read_inputs(task_id: str, inputs: Sequence[Sequence[Any]]) -> tuple[Any, ...]:
    """Return the arguments of each test as the problem's function takes them.

    >>> read_inputs("Mbpp/106", [[[5], [1, 2]]]), read_inputs("Mbpp/252", [["1j"]]), read_inputs("HumanEval/2", [[[1]]])
    (([[5], (1, 2)],), ([1j],), ([[1]],))
    """
    prefix, _, number = task_id.partition("/")
    if prefix != "Mbpp" or not number.isdigit():
        return tuple(inputs)
    return tuple(_arguments(int(number), row) for row in inputs)


def _arguments(number: int, row: Sequence[Any]) -> Any:
    if number in _NUMBERS:
        return [kind(text) for kind, text in zip(_NUMBERS[number], row, strict=True)]
    if number == _SETS:
        return [[set(item) if isinstance(item, list) and item else {} for item in row[0]]]
    if number in _DEEP:
        return _deep(row)
    arguments: Any = list(row)
    for path in sorted(_TUPLES, key=len, reverse=True):  # the inner ones first
        if number in _TUPLES[path]:
            arguments = _at(arguments, path)
    return arguments


def _at(value: Any, path: tuple[str, ...]) -> Any:
    """Return ``value`` with a tuple in place of each list that ``path`` leads to."""
    if not path:
        return tuple(value) if isinstance(value, list) else value
    step, rest = path[0], path[1:]
    if isinstance(value, dict):
        return {key: _at(item, rest) for key, item in value.items()}
    if not isinstance(value, (list, tuple)):
        return value
    return type(value)(_at(item, rest) if step in ("*", str(i)) else item for i, item in enumerate(value))


def _deep(value: Any) -> Any:
    return tuple(_deep(item) for item in value) if isinstance(value, list) else value
