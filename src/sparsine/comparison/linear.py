"""What one would use instead of a field: cosines, and the principal components of the collection, at the same count of
numbers stored for a signal. Signals are arrays (signals, *axes, channels)."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float
from scipy.fft import dctn, idctn

Signals = Float[np.ndarray, "signals ..."]
Training = Float[np.ndarray, "training ..."]

LUMA = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
"""RGB to YCbCr, as JPEG has it (ITU-T T.871), without offsets."""


def cosines(signals: Signals, *, luma: bool) -> Signals:
    """Orthonormal DCT-II along all axes; of red, green and blue in YCbCr, with `luma`."""
    values = signals @ LUMA.T if luma else signals
    return np.asarray(dctn(values, axes=range(1, signals.ndim - 1), norm="ortho"))


def from_cosines(coefficients: Signals, *, luma: bool) -> Signals:
    """The inverse of `cosines`."""
    values = np.asarray(idctn(coefficients, axes=range(1, coefficients.ndim - 1), norm="ortho"))
    return values @ np.linalg.inv(LUMA).T if luma else values


def fixed_cosines(train: Training, test: Signals, count: int, *, luma: bool) -> Signals:
    """`test` as told by the `count` coefficients that vary most over `train`, in all channels together; the others are
    those of the mean. The set is the same for all signals."""
    seen, told = cosines(train, luma=luma), cosines(test, luma=luma)
    kept = _largest(seen.var(axis=0), count)
    return from_cosines(np.where(kept, told, seen.mean(axis=0)), luma=luma)


def own_cosines(train: Training, test: Signals, count: int, *, luma: bool) -> Iterator[np.ndarray]:
    """Each signal as told by its own `count` coefficients that lie farthest from the mean of `train`. Which ones these
    are would have to be told too, and is not counted."""
    mean = cosines(train, luma=luma).mean(axis=0)
    for told in cosines(test, luma=luma):
        kept = _largest(np.abs(told - mean), count)
        yield from_cosines(np.where(kept, told, mean)[None], luma=luma)[0]


def principal_components(train: Training, test: Signals, count: int) -> Signals:
    """`test` as told by its coordinates along the `count` first principal components of `train`, at most one fewer than
    there are signals, and its mean."""
    flat, asked = train.reshape(len(train), -1), test.reshape(len(test), -1)
    mean = flat.mean(axis=0)
    values, vectors = np.linalg.eigh((flat - mean) @ (flat - mean).T)
    chosen = np.argsort(values)[::-1][: min(count, len(train) - 1)]
    components = (flat - mean).T @ vectors[:, chosen] / np.sqrt(np.maximum(values[chosen], 1e-300))
    return np.asarray(mean + ((asked - mean) @ components) @ components.T).reshape(test.shape)


def _largest(sizes: np.ndarray, count: int) -> np.ndarray:
    """True at the `count` largest."""
    kept = np.zeros(sizes.size, dtype=bool)
    kept[np.argsort(sizes, axis=None)[::-1][:count]] = True
    return kept.reshape(sizes.shape)
