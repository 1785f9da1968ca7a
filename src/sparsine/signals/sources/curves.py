"""`curves`: signed distance fields of random smooth closed curves, made on the spot from (seed, split, index).

Stands in for Learnit's 2-D SDF set, whose file could not be had.
"""

from typing import Literal, final

import numpy as np
from jaxtyping import Float

from sparsine.errors import BadInput
from sparsine.signals.cache import Cached
from sparsine.signals.curve_distance import Curve, signed_distance
from sparsine.signals.dataset import Dataset, SignalSet, check_index, check_resolution
from sparsine.signals.fingerprint import fingerprint_bytes
from sparsine.signals.grid import Grid
from sparsine.signals.kinds.distance import Distance
from sparsine.signals.source import SOURCES, Source

Split = Literal["train", "val", "test"]
DEFAULT_RESOLUTION = (64, 64)
NUM_SIGNALS: dict[Split, int] = {"train": 1_000_000, "val": 10_000, "test": 10_000}
_STREAM: dict[Split, int] = {"train": 0, "val": 1, "test": 2}
_MARGIN = 0.05
"""Every curve stays this far, in half extents, from the border of [-1, 1] x [-1, 1]."""


@final
class CurveDistances(SignalSet):
    """Exact signed distances at the points of `Grid(shape=shape)`, negative inside, in half extents."""

    def __init__(self, seed: int, split: Split, shape: tuple[int, int], count: int | None = None) -> None:
        self._seed, self._split = seed, split
        self._count = NUM_SIGNALS[split] if count is None else count
        self.recipe = f"curves of version 1, seed {seed}, {split}"
        grid = Grid(shape=shape)
        self._rows, self._columns = grid.axis(0).numpy(), grid.axis(1).numpy()

    def __len__(self) -> int:
        return self._count

    def name(self, index: int) -> str:
        check_index(index, len(self))
        return f"curve-{self._split}-{index:06d}"

    def shape_of(self, index: int) -> tuple[int, int]:
        check_index(index, len(self))
        return len(self._rows), len(self._columns)

    def fingerprint(self, index: int) -> str:
        check_index(index, len(self))
        return fingerprint_bytes(f"{self.recipe}: {index}".encode())

    def load(self, index: int) -> Float[np.ndarray, "rows columns 1"]:
        check_index(index, len(self))
        distance = signed_distance(random_curve(self._seed, self._split, index), self._rows, self._columns)
        return distance.astype(np.float32)[:, :, None]


def random_curve(seed: int, split: Split, index: int) -> Curve:
    """A simple closed curve inside [-1, 1] x [-1, 1], the same on every machine.

    Star-shaped, r(t) = 1 + sum a_k cos(k t + phi_k) with 3 to 7 harmonics and sum |a_k| <= 0.6, hence r > 0 and no
    crossing; then stretched, rotated, scaled and moved, which keeps it so. Splits draw from separate streams.
    """
    stream = np.random.SeedSequence(seed, spawn_key=(_STREAM[split], index))
    draw = np.random.Generator(np.random.PCG64(stream)).random(32)  # uniforms alone: the steadiest part of numpy
    num_harmonics = 3 + int(5 * draw[0])
    k = np.arange(1, num_harmonics + 1)
    size = draw[8 : 8 + num_harmonics] / k  # higher harmonics are weaker: lobes, not ripples
    amplitudes = size * ((0.15 + 0.45 * draw[1]) / size.sum()) if size.sum() > 0 else size
    harmonics = amplitudes * np.exp(2j * np.pi * draw[16 : 16 + num_harmonics])
    stretch = 0.5 * np.log(2.0) * (2.0 * draw[2] - 1.0)  # axes in a ratio of 1:2 at most
    spin = np.exp(2j * np.pi * draw[3])
    outline = Curve(harmonics=harmonics, plain=np.cosh(stretch) * spin, mirrored=np.sinh(stretch) * spin, centre=0j)
    return _placed(outline, half_size=0.2 + 0.65 * draw[4], across=(draw[5], draw[6]))


def _split(seed: int, split: Split, shape: tuple[int, int], num_train: int | None) -> SignalSet:
    """Held in memory where curves come again: of a million to train with none does before it is forgotten."""
    if split == "train" and num_train is None:
        return CurveDistances(seed, split, shape)
    return Cached(CurveDistances(seed, split, shape, num_train if split == "train" else None))


def _placed(outline: Curve, half_size: float, across: tuple[float, float]) -> Curve:
    """Scaled so that the larger side of the bounding box is 2 `half_size`, and put somewhere inside the square."""
    points = outline.points(np.linspace(0.0, 2.0 * np.pi, 256, endpoint=False))
    low = complex(points.real.min(), points.imag.min())
    high = complex(points.real.max(), points.imag.max())
    box = (high - low) / 2
    scale = half_size / max(box.real, box.imag)
    room_rows, room_columns = (1.0 - _MARGIN - scale * side for side in (box.real, box.imag))
    centre = complex(room_rows * (2 * across[0] - 1), room_columns * (2 * across[1] - 1))
    return Curve(
        harmonics=outline.harmonics,
        plain=scale * outline.plain,
        mirrored=scale * outline.mirrored,
        centre=centre - scale * (low + high) / 2,
    )


def open_curves(spec: str, resolution: tuple[int, int] | None, seed: int, num_train: int | None = None) -> Dataset:
    """A million training curves, or the first `num_train` of them; ten thousand each to validate and to test; no files.
    Each takes tens of milliseconds to make, once: few of them make learning of small fields faster. Raises BadInput."""
    if seed < 0:
        raise BadInput(f"the seed of the curves is {seed}; use 0 or more")
    if num_train is not None and not 1 <= num_train <= NUM_SIGNALS["train"]:
        raise BadInput(f"{spec} asks for {num_train} training curves; ask for 1 to {NUM_SIGNALS['train']}")
    shape = resolution or DEFAULT_RESOLUTION
    train, val, test = (_split(seed, split, shape, num_train) for split in NUM_SIGNALS)
    used = "" if num_train is None else f", {num_train} to train"
    return Dataset(
        spec=spec,
        source="curves",
        shape=shape,
        num_channels=1,
        kind=Distance(),
        description=f"Exact signed distance fields of random simple closed curves (seed {seed}{used}), sampled "
        f"{shape[0]} x {shape[1]}; a stand-in for the paper's 2-D SDF set, whose file could "
        f"not be had: its contents differ.",
        train=train,
        val=val,
        test=test,
    )


def _open(spec: str, path: str, resolution: tuple[int, ...] | None, seed: int) -> Dataset:
    rows_columns = None if resolution is None else check_resolution(resolution)
    return open_curves(spec, rows_columns, *_seed_and_count(spec, path, seed))


def _seed_and_count(spec: str, path: str, seed: int) -> tuple[int, int | None]:
    """'3/500' as (3, 500), '3' as (3, None), '' as (seed, None)."""
    given, slash, count = path.partition("/")
    parts = [given] * bool(path) + [count] * bool(slash)
    if any(not (part.isascii() and part.isdigit() and len(part) <= 18) for part in parts):
        raise BadInput(
            f"the data set {spec[:200]!r} has no valid seed; use curves, curves:SEED or curves:SEED/COUNT, whole "
            f"numbers from 0, of at most 18 digits"
        )
    return int(given) if path else seed, int(count) if slash else None


SOURCES["curves"] = Source(
    "curves, curves:SEED or curves:SEED/COUNT, built-in signed distance fields of random closed curves, COUNT of them "
    "to train with; needs no files",
    _open,
    has_files=False,
)
