"""What one would use instead of a field: cosines, the principal components of the collection, and a coarse grid, at the
same count of numbers stored for a signal. Signals are arrays (signals, *axes, channels)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod

import numpy as np
from jaxtyping import Float
from scipy.fft import dctn, idctn
from scipy.interpolate import make_interp_spline

Signals = Float[np.ndarray, "signals ..."]
Training = Float[np.ndarray, "training ..."]

LUMA = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
"""RGB to YCbCr, as JPEG has it (ITU-T T.871), without offsets."""
BLOCK_BYTES = 1 << 26
"""Of training signals in float64 at a time."""


def cosines(signals: Signals, *, luma: bool) -> Signals:
    """Orthonormal DCT-II along all axes; of red, green and blue in YCbCr, with `luma`."""
    values = signals @ LUMA.T if luma else signals
    return np.asarray(dctn(values, axes=range(1, signals.ndim - 1), norm="ortho"))


def from_cosines(coefficients: Signals, *, luma: bool) -> Signals:
    """The inverse of `cosines`."""
    values = np.asarray(idctn(coefficients, axes=range(1, coefficients.ndim - 1), norm="ortho"))
    return values @ np.linalg.inv(LUMA).T if luma else values


@dataclass(frozen=True)
class Spectrum:
    """The cosines of a collection: mean and variance of each coefficient."""

    mean: Float[np.ndarray, "..."]
    variance: Float[np.ndarray, "..."]
    luma: bool

    @classmethod
    def of(cls, train: Training, *, luma: bool) -> "Spectrum":
        """In float64, whatever `train` is, and a block of signals after the other."""
        mean = cosines(train.mean(axis=0, dtype=np.float64)[None], luma=luma)[0]
        squares = np.zeros_like(mean)
        for first, last in _blocks(len(train), 8 * mean.size):
            squares += np.square(cosines(train[first:last].astype(np.float64), luma=luma) - mean).sum(axis=0)
        return cls(mean, squares / len(train), luma)

    def fixed(self, signals: Signals, count: int) -> Signals:
        """`signals` as told by the `count` coefficients that vary most, in all channels together; the others are those
        of the mean. The set is the same for all signals."""
        told = cosines(signals, luma=self.luma)
        return from_cosines(np.where(_largest(self.variance, count), told, self.mean), luma=self.luma)

    def own(self, signals: Signals, count: int) -> Iterator[np.ndarray]:
        """Each signal as told by its own `count` coefficients that lie farthest from the mean. Which ones these are
        would have to be told too, and is not counted."""
        for told in cosines(signals, luma=self.luma):
            kept = _largest(np.abs(told - self.mean), count)
            yield from_cosines(np.where(kept, told, self.mean)[None], luma=self.luma)[0]


@dataclass(frozen=True)
class Components:
    """The principal components of a collection, by the products of its signals with each other: as many as there are
    signals, less one, however many values a signal has."""

    train: Training
    mean: Float[np.ndarray, "..."]
    scales: Float[np.ndarray, " components"]
    """Standard deviation along each, times the root of the number of signals; largest first."""
    mixes: Float[np.ndarray, "training components"]
    """What each is made of."""

    @classmethod
    def of(cls, train: Training) -> "Components":
        mean = train.mean(axis=0, dtype=np.float64)
        flat, products = train.reshape(len(train), -1), np.zeros((len(train), len(train)))
        for first, last in _blocks(flat.shape[1], 8 * len(train)):
            part = flat[:, first:last] - mean.reshape(-1)[first:last]
            products += part @ part.T
        values, vectors = np.linalg.eigh(products)
        chosen = np.argsort(values)[::-1][: len(train) - 1]
        return cls(train, mean, np.sqrt(np.maximum(values[chosen], 1e-300)), vectors[:, chosen])

    def told(self, signals: Signals, count: int) -> Signals:
        """`signals` as told by their coordinates along the `count` first components, or all there are."""
        flat, mean = self.train.reshape(len(self.train), -1), self.mean.reshape(-1)
        scales, mixes = self.scales[:count], self.mixes[:, :count]
        asked, blocks = signals.reshape(len(signals), -1) - mean, list(_blocks(len(mean), 8 * len(self.train)))
        along = sum(asked[:, a:b] @ (flat[:, a:b] - mean[a:b]).T for a, b in blocks) @ mixes / scales
        parts = [along / scales @ mixes.T @ (flat[:, a:b] - mean[a:b]) for a, b in blocks]
        return np.asarray(mean + np.concatenate(parts, axis=1)).reshape(signals.shape)


def fixed_cosines(train: Training, test: Signals, count: int, *, luma: bool) -> Signals:
    """`test` as told by a fixed set of cosines: see `Spectrum.fixed`."""
    return Spectrum.of(train, luma=luma).fixed(test, count)


def own_cosines(train: Training, test: Signals, count: int, *, luma: bool) -> Iterator[np.ndarray]:
    """`test` as told by each signal's own cosines: see `Spectrum.own`."""
    return Spectrum.of(train, luma=luma).own(test, count)


def principal_components(train: Training, test: Signals, count: int) -> Signals:
    """`test` as told by its coordinates along the `count` first principal components of `train`, at most one fewer than
    there are signals, and its mean."""
    return Components.of(train).told(test, count)


def lattice_shape(shape: Sequence[int], channels: int, count: int) -> tuple[int, ...]:
    """Samples along each axis of the finest lattice, about as coarse along all axes, that has at most `count` numbers;
    never fewer than one, nor more than the signal has."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _numbers(_scaled(shape, middle), channels) <= count else (low, middle)
    sizes = _scaled(shape, low)
    while finer := [one for one in _one_finer(sizes, shape) if _numbers(one, channels) <= count]:  # rounding left some
        sizes = finer[0]
    return sizes


def on_lattice(signals: Signals, sizes: Sequence[int]) -> Signals:
    """`signals` as cubic splines through a lattice of so many samples along each axis, from the first sample to the
    last. Its values are the best in least squares, which those of the signal there would not be."""
    for axis, size in enumerate(sizes, 1):
        splines = _splines(signals.shape[axis], size)
        nearest = splines @ np.linalg.pinv(splines)
        signals = np.moveaxis(np.tensordot(nearest, signals, (1, axis)), 0, axis)
    return signals


def _splines(samples: int, knots: int) -> Float[np.ndarray, "samples knots"]:
    """What each value of the lattice adds to each sample."""
    if knots == 1:
        return np.ones((samples, 1))
    places = np.linspace(0, samples - 1, knots)
    spline = make_interp_spline(places, np.eye(knots), k=min(3, knots - 1))
    return np.asarray(spline(np.arange(samples)))


def _scaled(shape: Sequence[int], part: float) -> tuple[int, ...]:
    return tuple(max(1, round(part * size)) for size in shape)


def _one_finer(sizes: tuple[int, ...], shape: Sequence[int]) -> list[tuple[int, ...]]:
    """With one more along one axis, the coarsest first."""
    axes = sorted((a for a, size in enumerate(sizes) if size < shape[a]), key=lambda a: sizes[a] / shape[a])
    return [tuple(size + (a == axis) for a, size in enumerate(sizes)) for axis in axes]


def _numbers(sizes: Sequence[int], channels: int) -> int:
    return prod(sizes) * channels


def _blocks(count: int, bytes_each: int) -> Iterator[tuple[int, int]]:
    """From and to, so that no block is larger than BLOCK_BYTES, if one of its parts is not."""
    return pairwise([*range(0, count, max(1, BLOCK_BYTES // bytes_each)), count])


def _largest(sizes: np.ndarray, count: int) -> np.ndarray:
    """True at the `count` largest."""
    kept = np.zeros(sizes.size, dtype=bool)
    kept[np.argsort(sizes, axis=None)[::-1][:count]] = True
    return kept.reshape(sizes.shape)
