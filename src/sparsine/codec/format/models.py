"""Tables of frequencies for whole numbers, by scale index. Exact integer arithmetic: every machine makes the same.

Scale index c is for numbers that spread over about 2**(c / 16). A table comes from the start's survival function, which
says how many of 2**30 values lie further out than so many sixteenths of a scale; between two entries, straight lines.
Alphabet: 0 is the number 0, 2 v - 1 is v, 2 v is -v for v from 1 to the radius, and the last index is the escape.
"""

from functools import lru_cache
from typing import Any

import constriction
import numpy as np
from jaxtyping import Int

from sparsine.codec.format.quantise import PER_OCTAVE, STEP_TABLE, STEP_TABLE_BITS
from sparsine.starts.coding import SURVIVAL_POINTS

LOWEST_INDEX, HIGHEST_INDEX = -64, 144
"""Of scales; what lies beyond uses the table of the last one."""
TOTAL = 1 << 24
"""Frequencies of a table add up to this."""
RADIUS_SCALES = 6
"""A table reaches about so many scales; what lies further out is escaped."""


def radius(index: int) -> int:
    """The largest magnitude that the table of a scale index holds."""
    octave, sixteenth = divmod(index, PER_OCTAVE)
    return 1 + RADIUS_SCALES * (STEP_TABLE[sixteenth] >> (STEP_TABLE_BITS - octave) if octave >= 0 else 0)


def frequencies(survival: Int[np.ndarray, " distances"], index: int) -> Int[np.ndarray, " alphabet"]:
    """How many of 2**24 each index of the alphabet has, at least 1. int64."""
    reach = radius(index)
    further = _survival_beyond(survival.astype(np.int64), index, 2 * np.arange(reach + 1, dtype=np.int64) + 1)
    mass = np.empty(2 * reach + 2, np.int64)
    mass[0], mass[-1] = survival[0] - further[0], further[-1]
    mass[1:-1] = np.repeat((further[:-1] - further[1:]) >> 1, 2)
    table = 1 + (mass * (TOTAL - len(mass)) >> 30)
    table[0] += TOTAL - table.sum()
    return table


def _survival_beyond(
    survival: Int[np.ndarray, " distances"], index: int, halves: Int[np.ndarray, " edges"]
) -> Int[np.ndarray, " edges"]:
    """How many of 2**30 values are larger than halves / 2 in magnitude, at a scale index."""
    octave, sixteenth = divmod(-index, PER_OCTAVE)
    place = halves * STEP_TABLE[sixteenth] >> (12 - octave)  # in sixteenths of a scale, times 2**16
    entry, part = place >> 16, place & 0xFFFF
    inside = np.minimum(entry, SURVIVAL_POINTS - 2)
    low, high = survival[inside], survival[inside + 1]
    return np.where(entry > SURVIVAL_POINTS - 2, 0, low - ((low - high) * part >> 16))


def clamped(scale_indexes: Int[np.ndarray, " params"]) -> Int[np.ndarray, " params"]:
    """With those beyond the last table at the last."""
    within: np.ndarray = np.clip(scale_indexes, LOWEST_INDEX, HIGHEST_INDEX)
    return within


class Models:
    """The tables of one start, each made when it is first needed."""

    def __init__(self, survival: Int[np.ndarray, " distances"]) -> None:
        self.survival = survival
        self.of = lru_cache(maxsize=None)(self._make)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickles and copies make their tables anew."""
        return Models, (self.survival,)

    def _make(self, index: int) -> constriction.stream.model.Model:
        """constriction turns weights w into frequencies 1 + floor(w (2**24 - n) / sum(w)). Ours are whole and add up to
        2**24 - n, so it takes them as they are: no rounding is left to it."""
        table = frequencies(self.survival, index)
        return constriction.stream.model.Categorical((table - 1).astype(np.float64), perfect=False)
