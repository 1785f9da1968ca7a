"""Pictures that are made on the spot from (seed, split, index), the same on every machine: what their sources share."""

from collections.abc import Callable
from typing import Literal, final

import numpy as np
from jaxtyping import Float
from scipy.fft import irfft2, rfft2

from sparsine.errors import BadInput
from sparsine.signals.cache import Cached
from sparsine.signals.dataset import Dataset, SignalSet, check_index, check_resolution
from sparsine.signals.fingerprint import fingerprint_bytes
from sparsine.signals.kinds.image import Rgb
from sparsine.signals.source import Source

Split = Literal["train", "val", "test"]
Draw = Callable[[np.random.Generator, tuple[int, int]], Float[np.ndarray, "rows columns 3"]]
"""One picture in 0..1."""
DEFAULT_RESOLUTION = (178, 178)
NUM_SIGNALS: dict[Split, int] = {"train": 100_000, "val": 1_000, "test": 1_000}
_STREAM: dict[Split, int] = {"train": 0, "val": 1, "test": 2}


@final
class MadePictures(SignalSet):
    """Pictures in 0..1, three channels."""

    def __init__(self, source: str, draw: Draw, seed: int, split: Split, shape: tuple[int, int]) -> None:
        self._source, self._draw, self._seed, self._split, self._shape = source, draw, seed, split, shape
        self.recipe = f"{source} of version 1, seed {seed}, {split}, {shape[0]} x {shape[1]}"

    def __len__(self) -> int:
        return NUM_SIGNALS[self._split]

    def name(self, index: int) -> str:
        check_index(index, len(self))
        return f"{self._source}-{self._split}-{index:06d}"

    def shape_of(self, index: int) -> tuple[int, int]:
        check_index(index, len(self))
        return self._shape

    def fingerprint(self, index: int) -> str:
        check_index(index, len(self))
        return fingerprint_bytes(f"{self.recipe}: {index}".encode())

    def load(self, index: int) -> Float[np.ndarray, "rows columns 3"]:
        check_index(index, len(self))
        stream = np.random.SeedSequence(self._seed, spawn_key=(_STREAM[self._split], index))
        return self._draw(np.random.Generator(np.random.PCG64(stream)), self._shape)


def made_pictures(name: str, draw: Draw, shows: str, like: str) -> Source:
    """The source `name` or `name`:SEED. `shows`: what is in the pictures; `like`: of what they are a model."""

    def opened(spec: str, path: str, resolution: tuple[int, ...] | None, seed: int) -> Dataset:
        shape = DEFAULT_RESOLUTION if resolution is None else check_resolution(resolution)
        if path and not (path.isascii() and path.isdigit() and len(path) <= 18):
            raise BadInput(f"the data set {spec[:200]!r} has no valid seed; use {name} or {name}:SEED, a number from 0")
        chosen = int(path) if path else seed
        train, val, test = (Cached(MadePictures(name, draw, chosen, split, shape)) for split in NUM_SIGNALS)
        return Dataset(
            spec=spec, source=name, shape=shape, num_channels=3, kind=Rgb(),
            description=f"Pictures of {shows}, made on the spot (seed {chosen}), {shape[0]} x {shape[1]}: {like}.",
            train=train, val=val, test=test,
        )  # fmt: skip

    return Source(
        f"{name} or {name}:SEED, built-in pictures of {shows}: {like}; needs no files", opened, has_files=False
    )


def noise_of_slope(rng: np.random.Generator, shape: tuple[int, int], slope: float) -> Float[np.ndarray, "rows columns"]:
    """Noise of variance 1 whose amplitude falls with the frequency to the power of `slope`."""
    frequency = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None])
    frequency[0, 0] = np.inf
    noise = irfft2(rfft2(rng.standard_normal(shape)) / frequency**slope, shape)
    return np.asarray(noise / max(noise.std(), 1e-12))
