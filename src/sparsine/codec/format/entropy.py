"""Whole numbers to bytes and back: rANS with the tables of `models`, by the library constriction.

Numbers are read scale index by scale index, from the lowest up, each one's in the order of theta; then the escaped ones
in the order in which they were met. The coder is a stack, so they are written in reverse. A payload decodes to numbers
that encode to the same payload, or is refused: the coder must end in its first state with no word left.
"""

import constriction
import numpy as np
from jaxtyping import Int

from sparsine.codec.format.models import Models, radius
from sparsine.codec.format.quantise import MAX_SYMBOL
from sparsine.errors import BadInput

LENGTH_BITS, CHUNK_BITS = 6, 16
"""Of an escaped number: its length in bits, then its bits in chunks."""
_LENGTHS = constriction.stream.model.Uniform(1 << LENGTH_BITS)
_CHUNKS = constriction.stream.model.Uniform(1 << CHUNK_BITS)


def encode_numbers(
    numbers: Int[np.ndarray, " params"], scale_indexes: Int[np.ndarray, " params"], models: Models
) -> bytes:
    """The payload. Every int32 but -2**31 can be coded."""
    indices, runs = alphabet_indices(numbers), _runs(scale_indexes)
    coder = constriction.stream.stack.AnsCoder()
    escaped: list[np.ndarray] = []
    for index, members in runs:
        far = members[indices[members] > 2 * radius(index)]
        escaped.append(_escape_values(indices[far], index))
        indices[far] = 2 * radius(index) + 1
    for value in np.concatenate(escaped)[::-1].tolist() if escaped else []:
        _push_escape(coder, value)
    for index, members in reversed(runs):
        coder.encode_reverse(indices[members].astype(np.int32), models.of(index))
    words: np.ndarray = coder.get_compressed()
    return words.astype("<u4").tobytes().rstrip(b"\0")


def decode_numbers(
    payload: bytes, scale_indexes: Int[np.ndarray, " params"], models: Models
) -> Int[np.ndarray, " params"]:
    """int32.

    Raises:
        BadInput: bytes that `encode_numbers` never writes.
    """
    if payload.endswith(b"\0"):
        raise BadInput("the code is damaged: its payload ends with an empty byte, which no encoder writes")
    words = np.frombuffer(payload + bytes(-len(payload) % 4), "<u4").astype(np.uint32)
    coder = constriction.stream.stack.AnsCoder(words)
    indices = np.zeros(len(scale_indexes), np.int64)
    escaped: list[tuple[int, np.ndarray]] = []
    for index, members in _runs(scale_indexes):
        found = coder.decode(models.of(index), len(members))
        indices[members] = found
        far = members[found == 2 * radius(index) + 1]
        escaped.append((radius(index), far))
    numbers = np.where(indices % 2 == 1, (indices + 1) // 2, -(indices // 2))
    for reach, far in escaped:
        for place in far.tolist():
            numbers[place] = _pop_escape(coder, reach)
    if not coder.is_empty():
        raise BadInput("the code is damaged: its payload does not end where its last number does")
    return numbers.astype(np.int32)


def alphabet_indices(numbers: Int[np.ndarray, " params"]) -> Int[np.ndarray, " params"]:
    """0, 1, -1, 2, -2, ... as 0, 1, 2, 3, 4, ..."""
    indices: np.ndarray = 2 * np.abs(numbers.astype(np.int64)) - (numbers > 0)
    return indices


def _escape_values(indices: Int[np.ndarray, " escaped"], index: int) -> Int[np.ndarray, " escaped"]:
    """What is coded of numbers beyond a table: 2 * (magnitude - radius - 1), and 1 more for negative ones."""
    return indices - 2 * radius(index) - 1


def _runs(scale_indexes: Int[np.ndarray, " params"]) -> list[tuple[int, Int[np.ndarray, " members"]]]:
    """(scale index, its members in the order of theta), ascending."""
    order = np.argsort(scale_indexes, kind="stable")
    borders = np.flatnonzero(np.diff(scale_indexes[order])) + 1
    return [(int(scale_indexes[members[0]]), members) for members in np.split(order, borders)]


def _push_escape(coder: constriction.stream.stack.AnsCoder, value: int) -> None:
    """Its length in bits, then its bits, the lowest 16 first; in reverse, because the coder is a stack."""
    length = value.bit_length()
    for place in reversed(range(0, length, CHUNK_BITS)):
        coder.encode_reverse(value >> place & 0xFFFF, _CHUNKS)
    coder.encode_reverse(length, _LENGTHS)


def _pop_escape(coder: constriction.stream.stack.AnsCoder, reach: int) -> int:
    length = int(coder.decode(_LENGTHS))
    value = sum(int(coder.decode(_CHUNKS)) << place for place in range(0, length, CHUNK_BITS))
    magnitude = (value >> 1) + reach + 1
    if value.bit_length() != length or magnitude > MAX_SYMBOL:
        raise BadInput("the code is damaged: it holds a number that is not in its shortest form or too large")
    return -magnitude if value & 1 else magnitude
