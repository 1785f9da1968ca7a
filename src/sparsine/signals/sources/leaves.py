"""`leaves`: pictures of overlapping leaves of every size, made on the spot from (seed, split, index).

The dead leaves model (Matheron 1968; Lee, Mumford and Huang, IJCV 2001): flat shapes fall at random places until they
cover the picture. With as many of each size as r^-3 says, such pictures have the statistics of photographs that matter
to a field: edges, occlusion, detail at all scales, a spectrum that falls as that of photographs does. They stand in
where no photographs may be used. Leaves are a little textured and shaded, and the picture is a little out of focus.
"""

from collections.abc import Iterator
from typing import Literal, final

import numpy as np
from jaxtyping import Float
from scipy.fft import irfft2, rfft2
from scipy.ndimage import gaussian_filter

from sparsine.errors import BadInput
from sparsine.signals.cache import Cached
from sparsine.signals.dataset import Dataset, SignalSet, check_index, check_resolution
from sparsine.signals.fingerprint import fingerprint_bytes
from sparsine.signals.kinds.image import Rgb
from sparsine.signals.source import SOURCES, Source

Split = Literal["train", "val", "test"]
DEFAULT_RESOLUTION = (178, 178)
NUM_SIGNALS: dict[Split, int] = {"train": 100_000, "val": 1_000, "test": 1_000}
_STREAM: dict[Split, int] = {"train": 0, "val": 1, "test": 2}
_FINER = 2
"""Leaves are drawn at so many times the size, and averaged: edges are no staircases."""
_RADII = (0.02, 0.6)
"""Of leaves, in parts of the longer side."""
_MOST_LEAVES = 4_000
_COVERED = 0.999


@final
class LeafPictures(SignalSet):
    """Pictures in 0..1, three channels."""

    def __init__(self, seed: int, split: Split, shape: tuple[int, int]) -> None:
        self._seed, self._split, self._shape = seed, split, shape
        self.recipe = f"leaves of version 1, seed {seed}, {split}, {shape[0]} x {shape[1]}"

    def __len__(self) -> int:
        return NUM_SIGNALS[self._split]

    def name(self, index: int) -> str:
        check_index(index, len(self))
        return f"leaves-{self._split}-{index:06d}"

    def shape_of(self, index: int) -> tuple[int, int]:
        check_index(index, len(self))
        return self._shape

    def fingerprint(self, index: int) -> str:
        check_index(index, len(self))
        return fingerprint_bytes(f"{self.recipe}: {index}".encode())

    def load(self, index: int) -> Float[np.ndarray, "rows columns 3"]:
        check_index(index, len(self))
        stream = np.random.SeedSequence(self._seed, spawn_key=(_STREAM[self._split], index))
        return leaf_picture(np.random.Generator(np.random.PCG64(stream)), self._shape)


def leaf_picture(rng: np.random.Generator, shape: tuple[int, int]) -> Float[np.ndarray, "rows columns 3"]:
    """One picture in 0..1: leaf behind leaf, from the front, until hardly anything is free."""
    rows, columns = (_FINER * n for n in shape)
    picture = np.empty((rows, columns, 3))
    picture[:] = rng.uniform(0.2, 0.8, 3)
    free = np.ones((rows, columns), dtype=bool)
    textures = [_texture(rng, (rows, columns), slope) for slope in (1.0, 1.5, 2.0)]
    left = free.size
    for box, inside, shade in _leaves(rng, (rows, columns)):
        seen = inside & free[box]
        count = int(seen.sum())
        if not count:
            continue
        colour = _colour(rng)
        texture = rng.exponential(0.04) * textures[rng.integers(len(textures))][box]
        picture[box][seen] = colour + (shade + texture)[seen][:, None]
        free[box][seen] = False
        left -= count
        if left < (1 - _COVERED) * free.size:
            break
    focus = _FINER * rng.uniform(0.35, 1.4)
    soft = gaussian_filter(picture.clip(0, 1), (focus, focus, 0))
    small = soft.reshape(shape[0], _FINER, shape[1], _FINER, 3).mean(axis=(1, 3))
    return np.asarray(small.clip(0, 1), dtype=np.float32)


Leaf = tuple[tuple[slice, slice], np.ndarray, np.ndarray]
"""The box that it lies in; where inside the box; and how much brighter it is there."""


def _leaves(rng: np.random.Generator, shape: tuple[int, int]) -> Iterator[Leaf]:
    """Ellipses and rectangles, turned and stretched."""
    rows, columns = shape
    longer = max(shape)
    small, large = (radius**-2.0 for radius in _RADII)
    for _ in range(_MOST_LEAVES):
        radius = longer * (small - (small - large) * rng.random()) ** -0.5
        centre = rng.uniform(-0.1, 1.1, 2) * shape
        angle, stretch = rng.uniform(0, np.pi), np.exp(rng.uniform(-0.5, 0.5))
        slope = rng.normal(0, 0.25, 2) / longer
        rounded = rng.random() < 0.5
        reach = 1.5 * radius * max(stretch, 1 / stretch)
        first = np.maximum(np.floor(centre - reach), 0).astype(int)
        last = np.minimum(np.ceil(centre + reach), (rows, columns)).astype(int)
        if (last <= first).any():
            continue
        y, x = np.ogrid[first[0] : last[0], first[1] : last[1]]
        dy, dx = y - centre[0], x - centre[1]
        along = (np.cos(angle) * dy + np.sin(angle) * dx) / (radius * stretch)
        across = (np.cos(angle) * dx - np.sin(angle) * dy) / (radius / stretch)
        inside = along**2 + across**2 < 1 if rounded else (abs(along) < 1) & (abs(across) < 1)
        yield (slice(first[0], last[0]), slice(first[1], last[1])), inside, slope[0] * dy + slope[1] * dx


def _colour(rng: np.random.Generator) -> np.ndarray:
    """Any brightness; colourful in the middle of the range, as photographs are."""
    brightness = rng.beta(1.2, 1.2)
    return np.asarray((brightness + 0.15 * (1 - abs(2 * brightness - 1)) * rng.normal(0, 1, 3)).clip(0, 1))


def _texture(rng: np.random.Generator, shape: tuple[int, int], slope: float) -> np.ndarray:
    """Noise of variance 1 whose amplitude falls with the frequency to the power of `slope`."""
    frequency = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None])
    frequency[0, 0] = np.inf
    noise = irfft2(rfft2(rng.standard_normal(shape)) / frequency**slope, shape)
    return np.asarray(noise / max(noise.std(), 1e-12))


def _open(spec: str, path: str, resolution: tuple[int, ...] | None, seed: int) -> Dataset:
    shape = DEFAULT_RESOLUTION if resolution is None else check_resolution(resolution)
    if path and not (path.isascii() and path.isdigit() and len(path) <= 18):
        raise BadInput(f"the data set {spec[:200]!r} has no valid seed; use leaves or leaves:SEED, a number from 0")
    chosen = int(path) if path else seed
    train, val, test = (Cached(LeafPictures(chosen, split, shape)) for split in NUM_SIGNALS)
    return Dataset(
        spec=spec, source="leaves", shape=shape, num_channels=3, kind=Rgb(),
        description=f"Pictures of overlapping leaves of every size, made on the spot (seed {chosen}), "
        f"{shape[0]} x {shape[1]}: the dead leaves model of photographs.",
        train=train, val=val, test=test,
    )  # fmt: skip


SOURCES["leaves"] = Source(
    "leaves or leaves:SEED, built-in pictures of overlapping leaves with the statistics of photographs; needs no files",
    _open,
    has_files=False,
)
