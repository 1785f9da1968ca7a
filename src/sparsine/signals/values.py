"""Values that come in, through whatever door: what is not what it claims to be is refused, and not fitted.

How far values of a kind reach, its kind says (`Kind.value_range`).
"""

from math import inf
from typing import Any

import numpy as np
from jaxtyping import Float
from PIL import Image
from torch import Tensor, bfloat16

from sparsine.errors import BadInput, UnreadableSignal
from sparsine.signals.dataset import SignalSet
from sparsine.signals.decode import image_values
from sparsine.signals.kind import Kind

Given = Any
"""A signal as callers have it: an array or a tensor (*shape, channels), nested lists, a PIL image."""
UNIT_SIZE = (-8.0, 8.0)
"""Where nobody tells the kind: PSNR counts a peak of 1, and values far larger were not brought to any range."""
ANY = (-inf, inf)


def as_values(given: Given, kind: Kind) -> Float[np.ndarray, "*axes channels"]:
    """A signal as it is fitted: float32, finite, within the range of its kind or nearly so. Where the kind says that
    values may be missing, such are NaN (of a masked array, what is masked).

    Integers of 8 and 16 bits are divided by the largest of their type where such fill the range; PIL images are read as
    image files are: upright, over white, in RGB.

    Raises:
        BadInput: values of another type or range, or not finite; says what was received and what was expected.

    Example:
        >>> from sparsine.signals.kinds import Grey
        >>> as_values(np.full((2, 3, 1), 51, np.uint8), Grey())[0, 0].tolist()
        [0.20000000298023224]
    """
    if isinstance(given, Image.Image):
        if not kind.whole_numbers:
            raise BadInput(f"expected {_expected(kind)}, but a PIL image was given; give an array")
        return image_values(given)
    return _as_float32(_as_array(given, kind), kind)


def load_values(
    signals: SignalSet, index: int, kind: Kind, places: np.ndarray | None = None
) -> Float[np.ndarray, "*axes channels"]:
    """A signal of a set, whoever wrote the set, as it is fitted; or (points, channels) of its samples at `places`.

    Raises:
        UnreadableSignal: it cannot be read, or its values are not what they should be.
    """
    try:
        return as_values(signals.load(index) if places is None else signals.values_at(index, places), kind)
    except UnreadableSignal:
        raise
    except BadInput as error:
        raise UnreadableSignal(f"{signals.name(index)}: {error}") from error


def check_within(values: np.ndarray | Tensor, allowed: tuple[float, float], expected: str) -> None:
    """Raises BadInput for values that are not finite, or outside of what is allowed; `expected` says of what."""
    if 0 in values.shape:
        return
    _check_extent(float(values.min()), float(values.max()), allowed, expected)


def _check_present(values: np.ndarray, allowed: tuple[float, float], expected: str) -> None:
    """The same for values of which some may be missing. Raises BadInput where all are."""
    if np.isnan(values).all():
        raise BadInput("every value is missing (NaN or masked); a signal needs at least one")
    _check_extent(float(np.nanmin(values)), float(np.nanmax(values)), allowed, expected)


def _check_extent(low: float, high: float, allowed: tuple[float, float], expected: str) -> None:
    if not (-inf < low <= high < inf):
        raise BadInput("the values hold NaN or infinity; every value must be finite")
    if low < allowed[0] or high > allowed[1]:
        raise BadInput(f"expected {expected}, but they run from {low:.4g} to {high:.4g}; bring them to that range")


def _expected(kind: Kind) -> str:
    """'rgb values from 0 to 1'."""
    low, high = kind.value_range
    name = kind.name if kind.name.endswith("values") else f"{kind.name} values"
    return f"{name} from {low:.4g} to {high:.4g}" if low > -inf or high < inf else name


def _as_array(given: Given, kind: Kind) -> np.ndarray:
    if isinstance(given, Tensor):
        plain = given.detach().cpu()
        return (plain.float() if plain.dtype == bfloat16 else plain).numpy()
    if isinstance(given, np.ma.MaskedArray) and given.mask.any():
        if kind.missing and given.dtype.kind == "f":
            return given.filled(np.nan)
        raise BadInput("a masked array was given; fill what is masked, since every sample is fitted")
    try:
        return np.asarray(given)
    except ValueError as error:  # lists of several lengths
        raise BadInput(f"a signal is an array (*axes, channels), but what was given is none ({error})") from error


def _as_float32(array: np.ndarray, kind: Kind) -> Float[np.ndarray, "*axes channels"]:
    low, high = kind.value_range
    if array.dtype.kind == "f":
        check = _check_present if kind.missing and array.size else check_within
        check(array, (low - kind.slack, high + kind.slack), _expected(kind))
        return np.asarray(array, dtype=np.float32)
    if kind.whole_numbers and array.dtype.kind == "u" and array.dtype.itemsize <= 2:
        filled = _of_8_bits(array) if array.dtype.itemsize == 1 else _of_16_bits(array)
        return filled if (low, high) == (0, 1) else filled * np.float32(high - low) + np.float32(low)
    whole = ", or as uint8 or uint16" if kind.whole_numbers else ""
    raise BadInput(
        f"expected {_expected(kind)} in floating point{whole}, but they are {array.dtype}{_extent(array)}; convert them"
    )


def _of_8_bits(array: np.ndarray) -> Float[np.ndarray, "*axes channels"]:
    """As files of 8 bits are read, to the bit."""
    return array.astype(np.float32) / np.float32(255.0)


def _of_16_bits(array: np.ndarray) -> Float[np.ndarray, "*axes channels"]:
    """As files of 16 bits are read, to the bit."""
    return (array / 65535.0).astype(np.float32)


def _extent(array: np.ndarray) -> str:
    return f" from {array.min()} to {array.max()}" if array.size and array.dtype.kind in "iu" else ""
