"""When an answer is right, and that what comes out of the sandbox is read and never trusted."""

from __future__ import annotations

import contextlib
import json
import marshal
import math
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codearena_plugin.execution.evalplus import driver
from codearena_plugin.execution.evalplus.inputs import read_inputs
from codearena_plugin.execution.evalplus.rules import Rules, digit_distance, pyramid_surface, shape_of
from codearena_plugin.execution.evalplus.wire import (
    Frame,
    UnreadableError,
    count,
    frames,
    pack,
    read_value,
    skip,
    split_parts,
)

HASHABLE = st.one_of(
    *(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.binary()),
    st.complex_numbers(allow_nan=False),
)
VALUES = st.recursive(
    st.one_of(HASHABLE, st.frozensets(HASHABLE), st.sets(HASHABLE)),
    lambda inner: st.one_of(st.lists(inner), st.tuples(inner, inner), st.dictionaries(HASHABLE, inner)),
    max_leaves=20,
)


def stream(*values: Any) -> bytes:
    """Return what the driver says of values."""
    found = b""
    for value in values:
        kind, body = driver.frame_of(value)
        found += kind + len(body).to_bytes(4, "little") + body
    return found


def judged(stated: list[Any], expected: list[Any], *, atol: float = 0.0, start: int = 0, **more: Any) -> int | str:
    rules = Rules(more.get("benchmark", "humaneval"), more.get("entry_point", "f"), atol)
    inputs = more.get("inputs") or [[None]] * len(expected)
    found = rules.judge(stream(*stated), stream(*expected), inputs, start=start)
    return found.why or found.n_right


@given(VALUES)
def test_a_value_is_read_back_as_it_was(value: Any) -> None:
    found = read_value(pack(value))
    assert found == value
    assert type(found) is type(value)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_value_or_unreadable(raw: bytes) -> None:
    with contextlib.suppress(UnreadableError):
        read_value(raw)
    assert len(split_parts(raw, 2)) == 2


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[\xff\xff\xff\x7f",
        b"(" + b"\x01\0\0\0(" * 5000,
        b"c\0\0\0\0",
        b"R\0\0\0\0",
        marshal.dumps(compile("1", "", "eval"), 2),
        b"u\x02\0\0\0\xff\xff",
        b"{[\0\0\0\0N0",
        b"N" + b"N",
    ],
)
def test_what_the_driver_would_not_write_is_unreadable(raw: bytes) -> None:
    with pytest.raises(UnreadableError):
        read_value(raw)


def test_frames_are_cut_into_parts_and_a_torn_one_ends_its_part() -> None:
    whole = stream(1, "a") + b"e\0\0\0\0" + stream(2) + b"x\x02\0\0\0Ab" + b"v\xff\0\0\0xx"
    [(first, one), (second, two), (third, three)] = split_parts(whole, 3)
    assert (count(first), one) == (2, Frame("e"))
    assert (count(second), two) == (1, Frame("x", b"Ab"))
    assert (third, three) == (b"", None)
    assert [frame.kind for frame in frames(first[skip(first, 1) :])] == ["v"]


def test_a_forged_value_larger_than_the_driver_sends_is_not_even_read() -> None:
    long = b"l" + (400_000).to_bytes(4, "little") + b"\xff\x7f" * 400_000  # to make a number of it takes a minute
    for kind, body in ((b"v", long), (b"n", b"x\0" + long), (b"d", long)):
        forged = kind + len(body).to_bytes(4, "little") + body
        for expected in (stream(1), stream(list(range(9000)))):
            began = time.process_time()
            assert Rules("humaneval", "f", 0.0).judge(forged, expected, [[1]]).why
            assert time.process_time() - began < 1


def test_equal_values_of_other_types_are_right_and_a_list_is_no_tuple() -> None:
    assert judged([1.0, True, {2, 1}, {"b": 1, "a": 2}], [1, 1, {1, 2}, {"a": 2, "b": 1}]) == 4
    assert judged([[1]], [(1,)]) == "returned [1], expected (1,)"
    assert judged(["1"], [1]) == "returned '1', expected 1"


def test_floats_may_be_near_from_the_first_test_whose_value_is_all_floats() -> None:
    near = 0.1 + 0.2
    assert judged([near], [0.3]) == 1
    assert judged([[near, 1.0 + 1e-9]], [[0.3, 1.0]]) == 1
    assert judged([[near, "x"]], [[0.3, "x"]]) != 1  # not all of them are floats
    assert judged([near, [near, 1]], [0.3, [0.3, 1]]) == 2  # but now a float was seen
    assert judged([[near, 1]], [0.3, [0.3, 1]], start=1) == 1  # so it was if the tests before are another job's
    assert judged([1 + 1e-9], [1]) != 1
    assert judged([1 + 1e-9], [1], atol=1e-4) != 1  # another type
    assert judged([(near,)], [[0.3]]) != 1
    assert judged([[near, 1.0]], [[0.3]]) != 1
    assert judged([0.31], [0.3]) != 1


def test_a_root_is_right_where_the_polynomial_is_near_zero() -> None:
    more: dict[str, Any] = {"entry_point": "find_zero", "atol": 1e-4, "inputs": [[[-6, 3]]]}
    assert judged([2.00001], [2.0], **more) == 1
    assert judged([2], [2.0], **more) == 1
    assert judged([2.1], [2.0], **more) != 1
    assert judged(["2"], [2.0], **more) != 1
    assert judged([math.nan], [2.0], **more) != 1


def test_mbpp_has_rules_of_its_own() -> None:
    assert [shape_of("mbpp", name) for name in ("Diff", "check_str", "are_equivalent", "f")] == [
        "set",
        "not-none",
        "any",
        "value",
    ]
    assert shape_of("humaneval", "Diff") == "value"
    assert judged([0], [7], benchmark="mbpp", entry_point="sum_div") == 1
    assert (
        judged([digit_distance(12, 345)], [0], benchmark="mbpp", entry_point="digit_distance_nums", inputs=[[12, 345]])
        == 1
    )
    assert judged([pyramid_surface(3, 4)], [0], benchmark="mbpp", entry_point="surface_Area", inputs=[[3, 4]]) == 1
    assert judged(["x"], [0], benchmark="mbpp", entry_point="surface_Area", inputs=[[3, 4]]) != 1


def test_a_large_value_is_doubtful_only_if_it_may_be_equal() -> None:
    long, other = list(range(5000)), [float(i) for i in range(5000)]
    rules = Rules("humaneval", "f", 0.0)
    assert rules.judge(stream(long), stream(long), [[0]]).doubtful == ()
    assert rules.judge(stream(other), stream(long), [[0]]).doubtful == (0,)
    assert rules.judge(stream(long[:-1]), stream(long), [[0]]).why
    assert rules.judge(stream([9, *long[1:]]), stream(long), [[0]]).why
    assert rules.judge(stream("x" * 50000), stream("y" * 50000), [[0]]).why
    assert driver.digest(other, driver.even) == driver.digest(long, driver.even)
    assert driver.digest([*other[:-1], 4999.5], driver.even) != driver.digest(long, driver.even)


def test_subclasses_equal_what_their_base_says_and_own_equality_equals_nothing() -> None:
    import collections
    import decimal
    import enum
    import fractions

    point = collections.namedtuple("point", "x y")

    class Same(int):
        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = int.__hash__

    color = enum.IntEnum("color", "red")
    assert judged([point(1, 2)], [(1, 2)]) == 1
    assert judged([collections.Counter("aab")], [{"a": 2, "b": 1}]) == 1
    assert judged([collections.OrderedDict(a=1)], [{"a": 1}]) == 1
    assert judged([{"a": 1}.keys(), fractions.Fraction(1, 2), decimal.Decimal(3)], [{"a"}, 0.5, 3]) == 3
    assert judged([[color.red]], [[1]]) == 1
    for value in (Same(1), [Same(1)], {"a": Same(1)}, iter([1]), object(), {}.values(), decimal.Decimal("0.1")):
        assert "equals no builtin value" in str(judged([value], [1])), value


def test_numbers_of_numpy_are_numbers_and_arrays_are_not() -> None:
    numpy = pytest.importorskip("numpy")
    assert judged([numpy.int64(3), numpy.float64(0.5), [numpy.int64(3)], numpy.bool_(True)], [3, 0.5, [3], True]) == 4
    assert judged([numpy.array([3])], [[3]]) != 1
    assert judged([numpy.float64(0.1 + 0.2)], [0.3]) != 1  # near, but of another type, as with EvalPlus


def test_inputs_of_mbpp_get_the_types_that_json_lacks() -> None:
    rows = {
        "Mbpp/2": ([[1], [2]], [(1,), (2,)]),
        "Mbpp/63": ([[[1], [2]]], [[(1,), (2,)]]),
        "Mbpp/259": ([[[1]], [[2]]], [((1,),), ((2,),)]),
        "Mbpp/75": ([[[1], [2]], 3], [[(1,), (2,)], 3]),
        "Mbpp/115": ([[[1], []]], [[{1}, {}]]),
        "Mbpp/124": (["1", "2j"], [1.0, 2j]),
        "Mbpp/278": ([[1, [2]]], [(1, (2,))]),
        "Mbpp/580": ([[1, [2, [3]]]], ((1, (2, (3,))),)),
        "Mbpp/722": ([{"a": [1]}, 2], [{"a": (1,)}, 2]),
        "Mbpp/3": ([[1]], [[1]]),
        "HumanEval/2": ([[1]], [[1]]),
    }
    for task_id, (stored, wanted) in rows.items():
        [found] = read_inputs(task_id, [json.loads(json.dumps(stored))])
        assert (found, repr(found)) == (wanted, repr(wanted)), task_id
