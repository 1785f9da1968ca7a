"""The one place where floats become integers and integers become floats, and the table of step sizes.

theta is coded as whole numbers v of steps from a centre: v = round((theta - centre) / step), halves to even, in
float64; back, theta' = centre + v * step in float64, rounded once to float32. So |theta' - theta| is at most step / 2
(with a relative error of 2**-50 from the division) and half a unit in the last place of theta' as float32. The way back
has one product and one sum of float64 numbers, each rounded by IEEE 754, so it gives the same bits on every machine.

Steps and scales lie on one logarithmic table: a sixteenth of an octave from each to the next. It is kept in integers,
so that every machine agrees.
"""

import numpy as np
from jaxtyping import Float, Int

from sparsine.errors import BadInput

MAX_SYMBOL = 2**31 - 1
PER_OCTAVE = 16
STEP_TABLE_BITS = 31
# round(2**(k / 16) * 2**31)
STEP_TABLE = (
    2147483648, 2242560872, 2341847524, 2445529972, 2553802834, 2666869345, 2784941738, 2908241642,
    3037000500, 3171459999, 3311872529, 3458501653, 3611622603, 3771522796, 3938502376, 4112874773,
)  # fmt: skip


def exact_power(exponents: Int[np.ndarray, " params"]) -> Float[np.ndarray, " params"]:
    """2**(exponent / 16) as float64, built from integers: the same bits everywhere."""
    octave, sixteenth = np.divmod(exponents.astype(np.int32), PER_OCTAVE)
    powers: np.ndarray = np.ldexp(np.array(STEP_TABLE, np.float64)[sixteenth], octave - STEP_TABLE_BITS)
    return powers


def to_symbols(
    theta: Float[np.ndarray, " params"], centre: Float[np.ndarray, " params"], steps: Int[np.ndarray, " params"]
) -> Int[np.ndarray, " params"]:
    """int32. `steps` in sixteenths of an octave.

    Raises:
        BadInput: a number that is not finite, or so far from the centre that 32 bits cannot hold its steps.
    """
    distance = (theta.astype(np.float64) - centre.astype(np.float64)) / exact_power(steps)
    if not (np.abs(distance) <= MAX_SYMBOL).all():
        raise BadInput(
            "the vector lies too far from its start, in steps, to be coded, or is not finite; "
            "fit with a smaller step size, or code with a lower quality"
        )
    symbols: np.ndarray = np.rint(distance).astype(np.int32)
    return symbols


def to_theta(
    symbols: Int[np.ndarray, " params"], centre: Float[np.ndarray, " params"], steps: Int[np.ndarray, " params"]
) -> Float[np.ndarray, " params"]:
    """float32.

    Raises:
        BadInput: numbers that float32 cannot hold: no sound encoder wrote them.
    """
    moved: np.ndarray = symbols.astype(np.float64) * exact_power(steps)
    moved += centre.astype(np.float64)
    if not (np.abs(moved) <= np.finfo(np.float32).max).all():
        raise BadInput("the code holds numbers that float32 cannot hold; it was not made by a sound encoder")
    theta: np.ndarray = moved.astype(np.float32)
    return theta
