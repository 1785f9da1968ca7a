"""Which start a code belongs to, in eight bytes; and descriptions as bytes, one way to write each on every machine."""

import hashlib
import struct
from collections.abc import Mapping
from typing import Any

from sparsine.errors import BadInput
from sparsine.starts.start import Start, checksum

HASH_BYTES = 8
"""Two starts of a million have the same eight bytes once in 37 million such collections: enough against mistakes, which
is what it is for. It is no signature: whoever can choose the start can choose what is drawn anyway."""


def start_hash(start: Start) -> bytes:
    """Everything that decides what a code draws and what that is: field, activation and encoding, where samples lie
    (not how many), the kind of values, pattern, theta and coding tables. docs/format.md says which bytes are hashed."""
    tensors = {"theta": start.theta.detach().cpu().contiguous(), "pattern": start.pattern.to_bits()}
    if start.coding is not None:
        tensors |= start.coding.to_tensors()
    digest = hashlib.sha256(b"sparsine-start-1" + canonical(described(start)))
    digest.update(bytes.fromhex(checksum(tensors)))
    return digest.digest()[:HASH_BYTES]


def described(start: Start) -> dict[str, Any]:
    """What is hashed beside the tensors."""
    domain = {key: value for key, value in start.domain.to_dict().items() if key != "shape"}
    return {"field": start.field.to_dict(), "domain": domain, "kind": start.kind.to_dict()}


def canonical(value: Any) -> bytes:
    """A plain JSON value: a letter for its kind, its length where it has one, its contents; docs/format.md.

    Numbers are float64, whether they were written 1 or 1.0; the keys of objects are sorted by their UTF-8.

    Raises:
        BadInput: a value that JSON has not, or a whole number that float64 cannot hold.

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
