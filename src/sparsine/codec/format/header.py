"""What a code says of itself before its payload: which start, how many samples, how fine. docs/format.md.

Every number is held against its bound before anything is allocated for it. What the hash of the start pins is not said
again.
"""

import json
import struct
import zlib
from dataclasses import dataclass, field
from math import prod
from typing import Any

from sparsine.codec.format.identity import HASH_BYTES
from sparsine.codec.format.varint import Reader, packed_signed, packed_unsigned
from sparsine.errors import BadInput
from sparsine.signals.domain import MAX_POINTS, shown_shape

MAGIC = b"\xf5SPN"
VERSION = 1
SUFFIX = ".spn"
"""Of a code's file name."""
CHECKSUM_BYTES = 4
MAX_GROUPS = 130
"""Weights and biases of 65 layers."""
MAX_NUMBERS = 1 << 28
MAX_AXES = 8
MAX_SHIFT = 1_024
"""Sixteenths of an octave by which a code may move the steps and the scales."""
MAX_GROUP_SHIFT = 127
MAX_NOTES_BYTES = 4_096
BYTES_PER_NUMBER = 10
"""No number takes more in a payload: 24 bits of a table, then 6 and 48 of an escape."""
_HAS_STEPS, _HAS_SCALES, _HAS_NOTES = 1, 2, 4


@dataclass(frozen=True, kw_only=True)
class CodeHeader:
    """The header of a code."""

    version: int = VERSION
    start_hash: bytes
    """Of the start that it was fitted from; see `identity.start_hash`."""
    num_numbers: int
    """Whole numbers that are coded: the entries of theta that can matter to what is drawn."""
    shape: tuple[int, ...]
    """Samples of the signal along each axis."""
    step_shift: int = 0
    """Steps are 2**(step_shift / 16) times those of the start."""
    scale_shift: int = 0
    """Scales are 2**(scale_shift / 16) times those of the start."""
    group_steps: tuple[int, ...] | None = None
    """For each group what is added to step_shift; None is 0 for all."""
    group_scales: tuple[int, ...] | None = None
    """For each group what is added to scale_shift; None is 0 for all."""
    notes: bytes = b""
    """A JSON object of whoever encoded, such as what the fit used; no decoder needs it."""
    header_bytes: int = field(default=0, compare=False)
    """Length of the header itself, once packed or read."""
    payload_bytes: int = field(default=0, compare=False)
    """Length of the payload, once read."""

    def __post_init__(self) -> None:
        _bound("numbers", self.num_numbers, 1, MAX_NUMBERS)
        _bound("axes", len(self.shape), 1, MAX_AXES)
        for n in self.shape:
            _bound("samples of an axis", n, 1, MAX_POINTS)
        _bound("samples", prod(self.shape), 1, MAX_POINTS)
        for shift in (self.step_shift, self.scale_shift):
            _bound("shift", shift, -MAX_SHIFT, MAX_SHIFT)
        for groups in (self.group_steps, self.group_scales):
            _check_groups(groups)
        if self.group_steps and self.group_scales and len(self.group_steps) != len(self.group_scales):
            raise BadInput("a code has steps and scales for different numbers of groups")
        _bound("bytes of notes", len(self.notes), 0, MAX_NOTES_BYTES)
        _bound("payload bytes", self.payload_bytes, 0, BYTES_PER_NUMBER * self.num_numbers + 8)

    @property
    def num_points(self) -> int:
        return prod(self.shape)

    @property
    def code_bytes(self) -> int:
        """Length of the whole code."""
        return self.header_bytes + self.payload_bytes + CHECKSUM_BYTES

    @property
    def bits_per_sample(self) -> float:
        return 8 * self.code_bytes / self.num_points

    def read_notes(self) -> dict[str, Any]:
        """What the encoder noted. Raises BadInput where that is no JSON object."""
        try:
            notes = json.loads(self.notes or b"{}")
        except (ValueError, RecursionError) as error:
            raise BadInput(f"the notes of the code are not JSON ({error})") from error
        if not isinstance(notes, dict):
            raise BadInput("the notes of the code are not a JSON object")
        return notes

    def pack(self) -> bytes:
        """The bytes of the header."""
        groups = [shifts for shifts in (self.group_steps, self.group_scales) if shifts is not None]
        flags = _HAS_STEPS * (self.group_steps is not None) + _HAS_SCALES * (self.group_scales is not None)
        out = MAGIC + bytes([self.version, flags + _HAS_NOTES * bool(self.notes)]) + self.start_hash
        out += packed_unsigned(self.num_numbers)
        out += packed_unsigned(len(self.shape)) + b"".join(map(packed_unsigned, self.shape))
        out += packed_signed(self.step_shift) + packed_signed(self.scale_shift)
        if groups:
            packed = (struct.pack(f"{len(shifts)}b", *shifts) for shifts in groups)
            out += packed_unsigned(len(groups[0])) + b"".join(packed)
        return out + (packed_unsigned(len(self.notes)) + self.notes if self.notes else b"")


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
    return _unpacked(Reader(body, len(MAGIC) + 1))


def check_fits_a_code(shape: tuple[int, ...]) -> None:
    """Raises BadInput for a signal of more samples than a code can hold."""
    if prod(shape) > MAX_POINTS:
        raise BadInput(
            f"the signal has {shown_shape(shape)} samples, but a code holds at most {MAX_POINTS}; bring it to a "
            "smaller size"
        )


def with_checksum(body: bytes) -> bytes:
    """`body` with the checksum of everything before it."""
    return body + struct.pack("<I", zlib.crc32(body))


def _unpacked(reader: Reader) -> CodeHeader:
    flags = reader.byte("flags")
    _bound("flags", flags, 0, _HAS_STEPS | _HAS_SCALES | _HAS_NOTES)
    start_hash = reader.take(HASH_BYTES, "hash of the start")
    num_numbers = reader.unsigned("numbers", MAX_NUMBERS)
    axes = reader.unsigned("axes", MAX_AXES)
    shape = tuple(reader.unsigned("samples of an axis", MAX_POINTS) for _ in range(axes))
    step_shift, scale_shift = (reader.signed("shift", MAX_SHIFT) for _ in range(2))
    groups = reader.unsigned("groups", MAX_GROUPS) if flags & (_HAS_STEPS | _HAS_SCALES) else 0
    steps = reader.signed_bytes(groups, "steps of groups") if flags & _HAS_STEPS else None
    scales = reader.signed_bytes(groups, "scales of groups") if flags & _HAS_SCALES else None
    notes = reader.take(_length_of_notes(reader), "notes") if flags & _HAS_NOTES else b""
    return CodeHeader(
        start_hash=start_hash, num_numbers=num_numbers, shape=shape, step_shift=step_shift, scale_shift=scale_shift,
        group_steps=steps, group_scales=scales, notes=notes, header_bytes=reader.at,
        payload_bytes=len(reader.data) - reader.at,
    )  # fmt: skip


def _length_of_notes(reader: Reader) -> int:
    length = reader.unsigned("bytes of notes", MAX_NOTES_BYTES)
    _bound("bytes of notes", length, 1, MAX_NOTES_BYTES)
    return length


def _bound(what: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise BadInput(f"a code cannot have {what}: {value}; from {low} to {high} is possible here")


def _check_groups(groups: tuple[int, ...] | None) -> None:
    if groups is None:
        return
    _bound("groups", len(groups), 2, MAX_GROUPS)
    for shift in groups:
        _bound("shift of a group", shift, -MAX_GROUP_SHIFT, MAX_GROUP_SHIFT)
    if not any(groups):
        raise BadInput("a code says 0 for every group; it leaves them out instead")
