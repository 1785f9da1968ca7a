"""A value from JSON, held against how it must be built."""

import pytest

from sparsine.parts import fault

SIGNAL = {"input": str, "psnr_db": [(float, None)]}

SOUND = [
    (3, int), (3, float), (3.5, float), ("", str), (True, bool), (None, None), ([], [int]), ([1, 2], [int]),
    ({"a": 1, "more": []}, {"a": int}), ({}, {}), ({"x": 1, "y": 2}, {str: int}), (None, (int, None)), (2, (str, int)),
    ({"input": "a", "psnr_db": [1, 2.5, None]}, SIGNAL),
]  # fmt: skip

FAULTS = [
    (3.5, int, "it is 3.5"), (True, int, "it is True"), (True, float, "it is True"), (None, int, "it is None"),
    (3, None, "it is 3"), (3, str, "it is 3"), ({}, [int], "it is {}"), ([1, "2"], [int], "1 is '2'"),
    ([], {}, "it is []"), ({}, {"a": int}, "a is missing"),
    ({"a": {"b": [3, None]}}, {"a": {"b": [int]}}, "a.b.1 is None"),
    ({"x": 1, "y": "2"}, {str: int}, "y is '2'"), ("x", (int, None), "it is 'x'"),
    ([{"input": "a", "psnr_db": ["x"]}], [SIGNAL], "0.psnr_db.0 is 'x'"),
    ("x" * 100, int, "it is '" + "x" * 36 + "..."),
]  # fmt: skip


@pytest.mark.parametrize(("value", "like"), SOUND)
def test_a_value_that_is_built_so_has_no_fault(value, like):
    assert fault(value, like) == ""


@pytest.mark.parametrize(("value", "like", "expected"), FAULTS)
def test_the_first_place_that_is_built_otherwise_is_named(value, like, expected):
    assert fault(value, like) == expected
