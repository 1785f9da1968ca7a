"""A value from JSON, held against how it must be built."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, Literal

import pytest

from sparsine.parts import NUMBER, fault, fault_in_fields

SIGNAL = {"input": str, "psnr_db": [NUMBER]}

SOUND = [
    (3, int), (3, float), (3.5, float), ("", str), (True, bool), (None, None), ([], [int]), ([1, 2], [int]),
    ({"a": 1, "more": []}, {"a": int}), ({}, {}), ({"x": 1, "y": 2}, {str: int}), (None, (int, None)), (2, (str, int)),
    ({"input": "a", "psnr_db": [1, 2.5, None, "inf"]}, SIGNAL),
]  # fmt: skip

FAULTS = [
    (3.5, int, "it is 3.5"), (True, int, "it is True"), (True, float, "it is True"), (None, int, "it is None"),
    (3, None, "it is 3"), (3, str, "it is 3"), ({}, [int], "it is {}"), ([1, "2"], [int], "1 is '2'"),
    ([], {}, "it is []"), ({}, {"a": int}, "a is missing"),
    ({"a": {"b": [3, None]}}, {"a": {"b": [int]}}, "a.b.1 is None"),
    ({"x": 1, "y": "2"}, {str: int}, "y is '2'"), ("x", (int, None), "it is 'x'"),
    ([{"input": "a", "psnr_db": ["x"]}], [SIGNAL], "0.psnr_db.0 is 'x'"), ("in", (float, {"inf"}), "it is 'in'"),
    ("x" * 100, int, "it is '" + "x" * 36 + "..."),
]  # fmt: skip


@dataclass
class Inner:
    steps: int = 3
    names: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    size: tuple[int, int] | None = None


@dataclass
class Outer:
    how: Literal["a", "b"] = "a"
    named: Annotated[str, "note"] = "x"
    rate: float = 0.1
    inner: Inner = field(default_factory=Inner)
    maybe: Inner | None = None
    anything: Any = None


def test_what_a_dataclass_is_made_from_is_held_against_its_annotations():
    whole = json.loads(json.dumps(asdict(Outer(maybe=Inner(size=(1, 2))))))
    for sound in ({}, whole, asdict(Outer()), {"inner": {}}, {"rate": 3, "unknown": object()}, {"anything": [None]}):
        assert fault_in_fields(sound, Outer) == ""
    for wrong, expected in (
        ({"how": "c"}, "how is 'c'"), ({"how": None}, "how is None"), ({"named": 3}, "named is 3"),
        ({"rate": "x"}, "rate is 'x'"), ({"inner": 3}, "inner is 3"), ({"inner": {"steps": 1.5}}, "inner.steps is 1.5"),
        ({"inner": {"steps": True}}, "inner.steps is True"), ({"inner": {"names": [1]}}, "inner.names.0 is 1"),
        ({"inner": {"options": []}}, "inner.options is []"), ({"inner": {"size": 3}}, "inner.size is 3"),
        ({"maybe": {"steps": None}}, "maybe.steps is None"),
    ):  # fmt: skip
        assert fault_in_fields(wrong, Outer) == expected


@pytest.mark.parametrize(("value", "like"), SOUND)
def test_a_value_that_is_built_so_has_no_fault(value, like):
    assert fault(value, like) == ""


@pytest.mark.parametrize(("value", "like", "expected"), FAULTS)
def test_the_first_place_that_is_built_otherwise_is_named(value, like, expected):
    assert fault(value, like) == expected
