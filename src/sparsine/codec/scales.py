"""How far a signal's numbers spread beside what its start expects: the shifts of scale that code it shorter.

The encoder's own affair: a code says what was chosen, and any choice decodes.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int

from sparsine.codec.entropy import clamped, num_bits
from sparsine.codec.header import MAX_GROUP_SHIFT
from sparsine.codec.ladder import PER_OCTAVE, exact_power
from sparsine.codec.models import HIGHEST_CLASS, LOWEST_CLASS, Models

COARSE = 4
"""Shifts are multiples of a quarter of an octave: finer ones save nothing, and few classes are quick."""


def fitting_scales(
    numbers: Int[np.ndarray, " params"],
    classes: Int[np.ndarray, " params"],
    groups: Int[np.ndarray, " params"],
    models: Models,
) -> tuple[int, tuple[int, ...] | None]:
    """(shift for all, further shifts for groups or None where they cost more than they save).
    `classes`: as they would be without any shift."""
    squares = _squares(numbers, classes)
    guesses = np.array([_shift(squares[groups == g]) for g in range(int(groups.max()) + 1)])
    shift, together = _descended(lambda s: num_bits(numbers, clamped(classes + s), models), _shift(squares))
    further = np.clip(guesses - shift, -MAX_GROUP_SHIFT, MAX_GROUP_SHIFT)
    apart = num_bits(numbers, clamped(classes + shift + further[groups]), models) + 8 * len(further)
    return (shift, tuple(further.tolist())) if further.any() and apart < together else (shift, None)


def _descended(bits: Callable[[int], float], shift: int) -> tuple[int, float]:
    """From `shift` to the next valley: (shift, its bits)."""
    here = bits(shift)
    for step in (-COARSE, COARSE):
        while (there := bits(shift + step)) < here:
            shift, here = shift + step, there
    return shift, here


def _squares(numbers: Int[np.ndarray, " params"], classes: Int[np.ndarray, " params"]) -> Float[np.ndarray, " params"]:
    """Squared numbers in squared scales; classes far out are taken as the last ones."""
    squares: np.ndarray = np.square(numbers / exact_power(np.clip(classes, 2 * LOWEST_CLASS, 2 * HIGHEST_CLASS)))
    return squares


def _shift(squares: Float[np.ndarray, " members"]) -> int:
    """The shift that makes the root of their mean 1, on the coarse grid."""
    if not squares.any():
        return -COARSE * PER_OCTAVE
    octaves = 0.5 * np.log2(squares.mean())
    return COARSE * int(np.clip(np.rint(octaves * PER_OCTAVE / COARSE), -64, 64))
