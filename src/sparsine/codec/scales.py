"""How far a signal's numbers spread beside what its start expects: the shifts of scale that code it shorter; and how
many bits numbers take.

The encoder's own affair: a code says what was chosen, and any choice decodes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int

from sparsine.codec.format.entropy import CHUNK_BITS, LENGTH_BITS, alphabet_indices
from sparsine.codec.format.header import MAX_GROUP_SHIFT
from sparsine.codec.format.models import HIGHEST_INDEX, LOWEST_INDEX, TOTAL, Models, clamped, frequencies
from sparsine.codec.format.quantise import PER_OCTAVE, exact_power

COARSE = 4
"""Shifts are multiples of a quarter of an octave: finer ones save nothing, and few scale indexes are quick."""


def fitting_scales(
    numbers: Int[np.ndarray, " params"],
    scale_indexes: Int[np.ndarray, " params"],
    groups: Int[np.ndarray, " params"],
    models: Models,
) -> tuple[int, tuple[int, ...] | None]:
    """(shift for all, further shifts for groups or None where they cost more than they save).
    `scale_indexes`: as they would be without any shift."""
    squares = _squares(numbers, scale_indexes)
    guesses = np.array([_shift(squares[groups == g]) for g in range(int(groups.max()) + 1)])
    shift, together = _descended(lambda s: num_bits(numbers, clamped(scale_indexes + s), models), _shift(squares))
    further = np.clip(guesses - shift, -MAX_GROUP_SHIFT, MAX_GROUP_SHIFT)
    apart = num_bits(numbers, clamped(scale_indexes + shift + further[groups]), models) + 8 * len(further)
    return (shift, tuple(further.tolist())) if further.any() and apart < together else (shift, None)


def _descended(bits: Callable[[int], float], shift: int) -> tuple[int, float]:
    """From `shift` to the next valley: (shift, its bits)."""
    here = bits(shift)
    for step in (-COARSE, COARSE):
        while (there := bits(shift + step)) < here:
            shift, here = shift + step, there
    return shift, here


def _squares(
    numbers: Int[np.ndarray, " params"], scale_indexes: Int[np.ndarray, " params"]
) -> Float[np.ndarray, " params"]:
    """Squared numbers in squared scales; scale indexes far out are taken as the last ones."""
    squares: np.ndarray = np.square(numbers / exact_power(np.clip(scale_indexes, 2 * LOWEST_INDEX, 2 * HIGHEST_INDEX)))
    return squares


def _shift(squares: Float[np.ndarray, " members"]) -> int:
    """The shift that makes the root of their mean 1, on the coarse grid."""
    if not squares.any():
        return -COARSE * PER_OCTAVE
    octaves = 0.5 * np.log2(squares.mean())
    return COARSE * int(np.clip(np.rint(octaves * PER_OCTAVE / COARSE), -64, 64))


def num_bits(numbers: Int[np.ndarray, " params"], scale_indexes: Int[np.ndarray, " params"], models: Models) -> float:
    """What the payload takes for them, but for its last word."""
    costs, table = _costs(models), scale_indexes - LOWEST_INDEX
    beyond = alphabet_indices(numbers) - costs.escape[table]
    inside = np.minimum(beyond, 0) + costs.escape[table] + costs.first[table]
    lengths = (value.bit_length() for value in beyond[beyond >= 0].tolist())
    escaped: int = sum(LENGTH_BITS + CHUNK_BITS * -(-length // CHUNK_BITS) for length in lengths)
    return float(costs.bits[inside].sum()) + escaped


@dataclass(frozen=True)
class _Costs:
    """What each index of each table costs, in bits: all tables in one row."""

    bits: Float[np.ndarray, " entries"]
    first: Int[np.ndarray, " scales"]
    """Where each table begins."""
    escape: Int[np.ndarray, " scales"]
    """The last index of each table."""


@lru_cache(maxsize=16)
def _costs(models: Models) -> _Costs:
    tables = [frequencies(models.survival, index) for index in range(LOWEST_INDEX, HIGHEST_INDEX + 1)]
    last = np.array([len(table) - 1 for table in tables])
    return _Costs(-np.log2(np.concatenate(tables) / TOTAL), np.cumsum(last + 1) - last - 1, last)
