"""Tables of frequencies for whole numbers, by class. Exact integer arithmetic: every machine makes the same.

Class c is for numbers that spread over about 2**(c / 16). A table comes from the start's `tails`, which say how many of
2**30 values lie further out than so many sixteenths of a scale; between two entries, straight lines. Alphabet: 0 is the
number 0, 2 v - 1 is v, 2 v is -v for v from 1 to the radius, and the last index is the escape.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import constriction
import numpy as np
from jaxtyping import Float, Int

from sparsine.codec.ladder import PER_OCTAVE, RUNG_BITS, RUNGS
from sparsine.lazy import cached_property
from sparsine.starts.coding import NUM_TAILS

LOWEST_CLASS, HIGHEST_CLASS = -64, 144
TOTAL = 1 << 24
"""Frequencies of a table add up to this."""
RADIUS_SCALES = 6
"""A table reaches about so many scales; what lies further out is escaped."""


def radius(number: int) -> int:
    """The largest magnitude that the table of class `number` holds."""
    octave, rung = divmod(number, PER_OCTAVE)
    return 1 + RADIUS_SCALES * (RUNGS[rung] >> (RUNG_BITS - octave) if octave >= 0 else 0)


def frequencies(tails: Int[np.ndarray, " distances"], number: int) -> Int[np.ndarray, " alphabet"]:
    """How many of 2**24 each index of the alphabet has, at least 1. int64."""
    reach = radius(number)
    further = _tail_beyond(tails.astype(np.int64), number, 2 * np.arange(reach + 1, dtype=np.int64) + 1)
    mass = np.empty(2 * reach + 2, np.int64)
    mass[0], mass[-1] = tails[0] - further[0], further[-1]
    mass[1:-1] = np.repeat((further[:-1] - further[1:]) >> 1, 2)
    table = 1 + (mass * (TOTAL - len(mass)) >> 30)
    table[0] += TOTAL - table.sum()
    return table


def _tail_beyond(
    tails: Int[np.ndarray, " distances"], number: int, halves: Int[np.ndarray, " edges"]
) -> Int[np.ndarray, " edges"]:
    """How many of 2**30 values are larger than halves / 2 in magnitude, in class `number`."""
    octave, rung = divmod(-number, PER_OCTAVE)
    place = halves * RUNGS[rung] >> (12 - octave)  # in sixteenths of a scale, times 2**16
    entry, part = place >> 16, place & 0xFFFF
    inside = np.minimum(entry, NUM_TAILS - 2)
    low, high = tails[inside], tails[inside + 1]
    return np.where(entry > NUM_TAILS - 2, 0, low - ((low - high) * part >> 16))


class Models:
    """The tables of one start, each made when it is first needed."""

    def __init__(self, tails: Int[np.ndarray, " distances"]) -> None:
        self._tails = tails
        self.of = lru_cache(maxsize=None)(self._make)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickles and copies make their tables anew."""
        return Models, (self._tails,)

    def _make(self, number: int) -> constriction.stream.model.Model:
        """constriction turns weights w into frequencies 1 + floor(w (2**24 - n) / sum(w)). Ours are whole and add up to
        2**24 - n, so it takes them as they are: no rounding is left to it."""
        table = frequencies(self._tails, number)
        return constriction.stream.model.Categorical((table - 1).astype(np.float64), perfect=False)

    @cached_property
    def costs(self) -> "Costs":
        """What each index of each table costs, in bits: for choosing and for reports, never for coding."""
        tables = [frequencies(self._tails, number) for number in range(LOWEST_CLASS, HIGHEST_CLASS + 1)]
        last = np.array([len(table) - 1 for table in tables])
        return Costs(-np.log2(np.concatenate(tables) / TOTAL), np.cumsum(last + 1) - last - 1, last)


@dataclass(frozen=True)
class Costs:
    """The bits of all tables in one row."""

    bits: Float[np.ndarray, " entries"]
    first: Int[np.ndarray, " classes"]
    """Where each table begins."""
    escape: Int[np.ndarray, " classes"]
    """The last index of each table."""
