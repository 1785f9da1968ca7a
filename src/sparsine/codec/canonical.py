"""Descriptions as bytes: one way to write each, on every machine. Part of format version 1."""

import struct
from collections.abc import Mapping
from typing import Any

from sparsine.errors import BadInput


def canonical(value: Any) -> bytes:
    """A plain JSON value: a letter for its kind, its length where it has one, its contents; docs/format.md.

    Numbers are float64, whether they were written 1 or 1.0; the keys of objects are sorted by their UTF-8.

    Raises:
        BadInput: a value that JSON has not, or a whole number that float64 cannot tell.

    Example:
        >>> canonical({"b": [True, None], "a": 1}) == canonical({"a": 1.0, "b": (True, None)})
        True
    """
    if value is None or isinstance(value, bool):
        return {None: b"n", True: b"t", False: b"f"}[value]
    if isinstance(value, str):
        text = value.encode()
        return b"s" + _count(len(text)) + text
    if isinstance(value, int | float):
        if int(float(value)) != value if isinstance(value, int) else value != value:
            raise BadInput(f"{value!r} cannot be a part of what is hashed; use finite numbers below 2^53")
        return b"d" + struct.pack("<d", value)
    if isinstance(value, Mapping):
        items = sorted((str(key).encode(), item) for key, item in value.items())
        return b"o" + _count(len(items)) + b"".join(canonical(key.decode()) + canonical(item) for key, item in items)
    if isinstance(value, list | tuple):
        return b"l" + _count(len(value)) + b"".join(map(canonical, value))
    raise BadInput(f"{type(value).__name__} cannot be a part of what is hashed; use plain JSON values")


def _count(number: int) -> bytes:
    return struct.pack("<I", number)
