"""Whether a value that was read from JSON is built as its readers expect: a file that was edited, cut or mixed up ends
in one line that says where, and not in the middle of the work."""

from typing import Any

Like = Any
"""How a value must be built: a type (a float may be a whole number), a tuple of alternatives, None, a list of one
(every item must be so), or a dict (these keys must be there; the key `str` stands for every key)."""


def fault(value: Any, like: Like, where: str = "") -> str:
    """The first place that is built otherwise, and how; empty if there is none.

    Example:
        >>> fault({"steps": [1, 2, "3"]}, {"steps": [int]})
        "steps.2 is '3'"
    """
    if isinstance(like, dict):
        return _fault_in_dict(value, like, where)
    if isinstance(like, list):
        if not isinstance(value, list):
            return _is(value, where)
        return _first(fault(item, like[0], _at(where, i)) for i, item in enumerate(value))
    if isinstance(like, tuple):
        faults = [fault(value, one, where) for one in like]
        return "" if "" in faults else faults[0]
    return "" if _is_one(value, like) else _is(value, where)


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
    if like is None or value is None:
        return value is like
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
