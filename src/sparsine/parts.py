"""Whether a value that was read from JSON is built as its readers expect: a file that was edited, cut or mixed up ends
in one line that says where, and not in the middle of the work."""

import dataclasses
import types
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

Like = Any
"""How a value must be built: a type (a float may be a whole number), a set of texts, a tuple of alternatives, None, a
list of one (every item must be so), or a dict (these keys must be there; the key `str` stands for every key). `object`
is anything."""
NUMBER = (float, {"inf", "-inf"}, None)
"""A float as `json_value` in storage.py writes it."""


def fault(value: Any, like: Like, where: str = "") -> str:
    """The first place that is built otherwise, and how; empty if there is none.

    Example:
        >>> fault({"steps": [1, 2, "3"]}, {"steps": [int]})
        "steps.2 is '3'"
    """
    if isinstance(like, dict):
        return _fault_in_dict(value, like, where)
    if isinstance(like, list):
        if not isinstance(value, list | tuple):
            return _is(value, where)
        return _first(fault(item, like[0], _at(where, i)) for i, item in enumerate(value))
    if isinstance(like, tuple):
        faults = [fault(value, one, where) for one in like]
        return "" if "" in faults else faults[0]
    return "" if _is_one(value, like) else _is(value, where)


def fault_in_fields(value: Mapping[str, Any], kind: type) -> str:
    """The same for what a dataclass is to be made from: its fields' annotations say how each must be built. Fields that
    `value` lacks, and keys that are no fields, are none of our business."""
    hints = get_type_hints(kind, include_extras=True)
    return _first(
        fault(value[field.name], _like(hints[field.name], value[field.name]), field.name)
        for field in dataclasses.fields(kind)
        if field.name in value
    )


def _like(hint: Any, value: Any) -> Like:
    """What an annotation says; of a dataclass, for the fields that `value` has."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _like(inner[0], value)
    if origin in (Union, types.UnionType):
        return tuple(_like(one, value) for one in inner)
    if origin is Literal:
        return set(inner)
    if origin in (tuple, list, Sequence):
        return [_like(inner[0], None)]
    if (isinstance(hint, type) and issubclass(hint, dict | Mapping)) or origin in (dict, Mapping):
        return {}
    if dataclasses.is_dataclass(hint) and isinstance(value, Mapping):
        hints = get_type_hints(hint, include_extras=True)
        return {name: _like(one, value[name]) for name, one in hints.items() if name in value}
    if dataclasses.is_dataclass(hint):
        return {}
    return None if hint is types.NoneType else object if hint is Any else hint


def _fault_in_dict(value: Any, like: dict[Any, Like], where: str) -> str:
    if not isinstance(value, dict):
        return _is(value, where)
    if str in like:
        return _first(fault(item, like[str], _at(where, key)) for key, item in value.items())
    for key in like:
        if key not in value:
            return f"{_at(where, key)} is missing"
    return _first(fault(value[key], like[key], _at(where, key)) for key in like)


def _is_one(value: Any, like: Any) -> bool:
    if like is object:
        return True
    if like is None or value is None:
        return value is like
    if isinstance(like, set):
        return isinstance(value, str) and value in like
    if isinstance(value, bool):
        return like is bool
    return isinstance(value, int | float) if like is float else isinstance(value, like)


def _first(faults: Any) -> str:
    return next((found for found in faults if found), "")


def _at(where: str, key: Any) -> str:
    return f"{where}.{key}" if where else str(key)


def _is(value: Any, where: str) -> str:
    text = repr(value)
    return f"{where or 'it'} is {text if len(text) <= 40 else text[:37] + '...'}"
