"""Which start a code belongs to, in eight bytes."""

import hashlib
from typing import Any

from sparsine.codec.canonical import canonical
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
