"""What a code says of itself before its payload: which start, which grid, how fine, how long. docs/format.md.

Every number is held against its bound before anything is allocated for it.
"""

import struct
import zlib
from dataclasses import dataclass, field
from itertools import pairwise
from math import prod

from sparsine.codec.identity import ALIGNMENTS, AXIS_ORDERS, HASH_BYTES
from sparsine.codec.whole_numbers import Reader, packed_signed, packed_unsigned
from sparsine.errors import BadInput
from sparsine.signals.grid import Grid

MAGIC = b"\xf5SPN"
VERSION = 1
SUFFIX = ".spn"
"""Of a code's file name."""
CHECKSUM_BYTES = 4
MAX_LEVELS = 66
"""Layers of neurons, input and output included."""
MAX_NEURONS = 65_536
MAX_PARAMS = 1 << 28
MAX_DIMS = 8
MAX_SAMPLES_PER_AXIS = 16_384
MAX_POINTS = 1 << 28
MAX_SHIFT = 1_024
"""Sixteenths of an octave by which a code may move the steps and the scales."""
MAX_GROUP_SHIFT = 127
BYTES_PER_PARAM = 10
"""No parameter takes more in a payload: 24 bits of a table, then 6 and 48 of an escape."""
_HAS_STEPS, _HAS_SCALES, _NO_SIREN = 1, 2, 8
_EXTENTS = ((-1.0, 1.0), (0.0, 1.0))


@dataclass(frozen=True, kw_only=True)
class CodeHeader:
    """The header of a code. `grid.shape` is the signal's own."""

    version: int = VERSION
    start_hash: bytes
    """Of the start that it was fitted from; see `identity.start_hash`."""
    sizes: tuple[int, ...]
    """Neurons of the field from coordinates to output."""
    encoded_width: int | None = None
    """Of any field but a SIREN: what the first layer is given of a point, in numbers. None stands for a SIREN."""
    num_params: int
    """Surviving weights and biases: the number of coded integers."""
    grid: Grid
    step_shift: int = 0
    """Steps are 2**(step_shift / 16) times those of the start."""
    scale_shift: int = 0
    """Scales are 2**(scale_shift / 16) times those of the start."""
    group_steps: tuple[int, ...] | None = None
    """For each group what is added to step_shift; None is 0 for all."""
    group_scales: tuple[int, ...] | None = None
    """For each group what is added to scale_shift; None is 0 for all."""
    payload_bytes: int = 0
    header_bytes: int = field(default=0, compare=False)
    """Length of the header itself, once packed or read."""

    def __post_init__(self) -> None:
        _bound("neuron layers", len(self.sizes), 3, MAX_LEVELS)
        for n in self.sizes:
            _bound("neurons of a layer", n, 1, MAX_NEURONS)
        if self.encoded_width is not None:
            _bound("encoded coordinates", self.encoded_width, 1, MAX_NEURONS)
        _bound("parameters", self.num_params, 1, min(MAX_PARAMS, self.most_params))
        _bound("axes", self.grid.num_dims, 1, MAX_DIMS)
        _bound("axes", self.grid.num_dims, self.sizes[0], self.sizes[0])
        for n in self.grid.shape:
            _bound("samples of an axis", n, 1, MAX_SAMPLES_PER_AXIS)
        _bound("points", prod(self.grid.shape), 1, MAX_POINTS)
        for shift in (self.step_shift, self.scale_shift):
            _bound("shift", shift, -MAX_SHIFT, MAX_SHIFT)
        for groups in (self.group_steps, self.group_scales):
            _check_groups(groups, 2 * (len(self.sizes) - 1))
        _bound("payload bytes", self.payload_bytes, 0, BYTES_PER_PARAM * self.num_params + 8)

    @property
    def most_params(self) -> int:
        """Parameters of the dense field."""
        widths = (self.encoded_width or self.sizes[0], *self.sizes[1:])
        return sum((n_in + 1) * n_out for n_in, n_out in pairwise(widths))

    @property
    def code_bytes(self) -> int:
        """Length of the whole code."""
        return self.header_bytes + self.payload_bytes + CHECKSUM_BYTES

    @property
    def bits_per_point(self) -> float:
        return 8 * self.code_bytes / self.grid.num_points

    def pack(self) -> bytes:
        """The bytes of the header."""
        flags = _HAS_STEPS * (self.group_steps is not None) + _HAS_SCALES * (self.group_scales is not None)
        flags += _NO_SIREN * (self.encoded_width is not None)
        out = MAGIC + bytes([self.version, flags]) + self.start_hash
        out += packed_unsigned(len(self.sizes)) + b"".join(map(packed_unsigned, self.sizes))
        out += b"" if self.encoded_width is None else packed_unsigned(self.encoded_width)
        out += packed_unsigned(self.num_params) + _packed_grid(self.grid)
        out += packed_signed(self.step_shift) + packed_signed(self.scale_shift)
        for groups in (self.group_steps, self.group_scales):
            out += b"" if groups is None else struct.pack(f"{len(groups)}b", *groups)
        return out + packed_unsigned(self.payload_bytes)


def read_header(data: bytes) -> CodeHeader:
    """The header of a whole code. Needs no start, and allocates nothing that the header could inflate.

    Raises:
        BadInput: not a code, of another version, damaged, cut short, too long, or beyond a bound.
    """
    if data[: len(MAGIC)] != MAGIC:
        raise BadInput("this is not a code of sparsine: it does not begin with the four bytes of one")
    if len(data) < len(MAGIC) + 1 + CHECKSUM_BYTES:
        raise BadInput(f"the code ends after {len(data)} bytes, in its header; get the whole file")
    if data[len(MAGIC)] != VERSION:
        raise BadInput(
            f"the code has format version {data[len(MAGIC)]}, but this version of sparsine reads {VERSION}; "
            "use a sparsine that knows it"
        )
    body, (crc,) = data[:-CHECKSUM_BYTES], struct.unpack("<I", data[-CHECKSUM_BYTES:])
    if zlib.crc32(body) != crc:
        raise BadInput("the code is damaged: its checksum does not match its contents; restore it from a copy")
    header = _unpacked(Reader(body, len(MAGIC) + 1))
    if header.code_bytes != len(data):
        raise BadInput(f"the code says that it has {header.code_bytes} bytes, but it has {len(data)}")
    return header


def with_checksum(body: bytes) -> bytes:
    """`body` with the checksum of everything before it."""
    return body + struct.pack("<I", zlib.crc32(body))


def _unpacked(reader: Reader) -> CodeHeader:
    flags = reader.byte("flags")
    if flags & ~(_HAS_STEPS | _HAS_SCALES | _NO_SIREN):
        raise BadInput(f"a code cannot have flags: {flags}; 1, 2, 8 and their sums are possible here")
    start_hash = reader.take(HASH_BYTES, "hash of the start")
    levels = reader.unsigned("neuron layers", MAX_LEVELS)
    _bound("neuron layers", levels, 3, MAX_LEVELS)
    sizes = tuple(reader.unsigned("neurons of a layer", MAX_NEURONS) for _ in range(levels))
    encoded_width = reader.unsigned("encoded coordinates", MAX_NEURONS) if flags & _NO_SIREN else None
    num_params = reader.unsigned("parameters", MAX_PARAMS)
    grid = _read_grid(reader)
    step_shift, scale_shift = (reader.signed("shift", MAX_SHIFT) for _ in range(2))
    groups = 2 * (levels - 1)
    steps = reader.signed_bytes(groups, "steps of groups") if flags & _HAS_STEPS else None
    scales = reader.signed_bytes(groups, "scales of groups") if flags & _HAS_SCALES else None
    payload_bytes = reader.unsigned("payload bytes", BYTES_PER_PARAM * MAX_PARAMS + 8)
    return CodeHeader(
        start_hash=start_hash, sizes=sizes, encoded_width=encoded_width, num_params=num_params, grid=grid,
        step_shift=step_shift, scale_shift=scale_shift, group_steps=steps, group_scales=scales,
        payload_bytes=payload_bytes, header_bytes=reader.at,
    )  # fmt: skip


def _packed_grid(grid: Grid) -> bytes:
    """One byte of convention, the samples of every axis, and the extents where they are not usual."""
    usual = _usual(grid)
    kind = ALIGNMENTS.index(grid.alignment) | AXIS_ORDERS.index(grid.axis_order) << 2 | usual << 3
    out = packed_unsigned(grid.num_dims) + bytes([kind]) + b"".join(map(packed_unsigned, grid.shape))
    return out if usual else out + b"".join(struct.pack("<2d", *pair) for pair in grid.axis_extents)


def _usual(grid: Grid) -> int:
    """1 or 2 where every axis runs from -1 or from 0 to 1, 0 where not. Zeros are compared with their signs."""
    packed = {struct.pack("<2d", *pair) for pair in grid.axis_extents}
    return next((i + 1 for i, pair in enumerate(_EXTENTS) if packed == {struct.pack("<2d", *pair)}), 0)


def _read_grid(reader: Reader) -> Grid:
    dims = reader.unsigned("axes", MAX_DIMS)
    kind = reader.byte("kind of grid")
    alignment, order, usual = kind & 3, kind >> 2 & 1, kind >> 3
    if alignment >= len(ALIGNMENTS) or usual > len(_EXTENTS):
        raise BadInput(f"the code names a kind of grid, {kind}, that this version of sparsine does not know")
    shape = tuple(reader.unsigned("samples of an axis", MAX_SAMPLES_PER_AXIS) for _ in range(dims))
    extent = (_EXTENTS[usual - 1],) * dims if usual else tuple(_read_extent(reader) for _ in range(dims))
    grid = Grid(shape=shape, extent=extent, alignment=ALIGNMENTS[alignment], axis_order=AXIS_ORDERS[order])  # type: ignore[arg-type]
    if _usual(grid) != usual:
        raise BadInput("the code writes out extents that have a short form; it was not made by a sound encoder")
    return grid


def _read_extent(reader: Reader) -> tuple[float, float]:
    low, high = struct.unpack("<2d", reader.take(16, "extent"))
    return low, high


def _bound(what: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise BadInput(f"a code cannot have {what}: {value}; from {low} to {high} is possible here")


def _check_groups(groups: tuple[int, ...] | None, expected: int) -> None:
    if groups is None:
        return
    _bound("groups", len(groups), expected, expected)
    for shift in groups:
        _bound("shift of a group", shift, -MAX_GROUP_SHIFT, MAX_GROUP_SHIFT)
    if not any(groups):
        raise BadInput("a code says 0 for every group; it leaves them out instead")
