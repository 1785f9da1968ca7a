"""Which start a code belongs to, in eight bytes."""

import hashlib
import struct

from sparsine.meta.start import Start, checksum
from sparsine.signals.grid import Grid

HASH_BYTES = 8
"""Two starts of a million have the same eight bytes once in 37 million such collections: enough against mistakes, which
is what it is for. It is no signature: whoever can choose the start can choose what is drawn anyway."""
ALIGNMENTS = ("corners", "centers", "lower")
AXIS_ORDERS = ("array", "reversed")


def start_hash(start: Start) -> bytes:
    """Everything that decides what a code draws: the description of the field, the convention of the grid (not its
    number of samples), pattern, theta and coding tables. docs/format.md says which bytes are hashed."""
    tensors = {"theta": start.theta.detach().cpu().contiguous(), "pattern": start.pattern.to_bits()}
    if start.coding is not None:
        tensors |= start.coding.to_tensors()
    digest = hashlib.sha256(b"sparsine-code-1" + _field(start) + _convention(start.grid))
    digest.update(bytes.fromhex(checksum(tensors)))
    return digest.digest()[:HASH_BYTES]


def _field(start: Start) -> bytes:
    """Of a SIREN its sizes and its two constants; of any other field its whole description."""
    field = start.field
    sizes = struct.pack(f"<{1 + len(field.sizes)}I", len(field.sizes), *field.sizes)
    if field.is_siren:
        return sizes + struct.pack("<2d", field.omega_0, field.output_offset)
    text = field.canonical()
    return sizes + struct.pack("<I", len(text)) + text


def _convention(grid: Grid) -> bytes:
    kinds = struct.pack("<2B", ALIGNMENTS.index(grid.alignment), AXIS_ORDERS.index(grid.axis_order))
    return kinds + b"".join(struct.pack("<2d", *pair) for pair in grid.axis_extents)
