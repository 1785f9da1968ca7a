"""Sixteenths of an octave: the one ladder on which steps and scales lie. Integers, so that every machine agrees."""

import numpy as np
from jaxtyping import Float, Int

PER_OCTAVE = 16
RUNG_BITS = 31
# round(2**(k / 16) * 2**31)
RUNGS = (
    2147483648, 2242560872, 2341847524, 2445529972, 2553802834, 2666869345, 2784941738, 2908241642,
    3037000500, 3171459999, 3311872529, 3458501653, 3611622603, 3771522796, 3938502376, 4112874773,
)  # fmt: skip


def exact_power(exponents: Int[np.ndarray, " params"]) -> Float[np.ndarray, " params"]:
    """2**(exponent / 16) as float64, built from integers: the same bits everywhere."""
    octave, rung = np.divmod(exponents.astype(np.int32), PER_OCTAVE)
    powers: np.ndarray = np.ldexp(np.array(RUNGS, np.float64)[rung], octave - RUNG_BITS)
    return powers
