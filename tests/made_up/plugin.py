"""What a user's own file may hold: a 1-D kind with a metric of its own, a 3-D kind on scattered points, an activation.

Nothing of the package knows of them.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from sparsine.fields.activations import ACTIVATIONS, Activation
from sparsine.signals import KINDS, SOURCES, Dataset, Kind, Metric, Points, SignalSet, Source
from sparsine.signals.dataset import check_index


@dataclass(frozen=True, kw_only=True)
class Tide(Kind):
    """Two gauges in metres, hour after hour."""

    name: ClassVar[str] = "tide"
    axes: ClassVar[tuple[str, ...]] = ("hours",)
    num_channels: ClassVar[tuple[int, ...]] = (2,)
    sample: ClassVar[str] = "hour"

    highest: float = 4.0
    """Metres above and below the mean."""

    @property
    def value_range(self) -> tuple[float, float]:
        return -self.highest, self.highest

    @property
    def peak(self) -> float:
        return 2 * self.highest

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return (Metric("worst_m", "largest error (m)", worst, better="lower"),)


@dataclass(frozen=True, kw_only=True)
class Smoke(Kind):
    """Density in a box, wherever a sensor is."""

    name: ClassVar[str] = "smoke"
    num_channels: ClassVar[tuple[int, ...]] = (1,)


def worst(original: np.ndarray, fitted: np.ndarray) -> float:
    return float(np.abs(original - fitted).max())


class Tides(SignalSet):
    def __init__(self, split: str, count: int, hours: int) -> None:
        self.split, self.count, self.hours = split, count, hours

    def __len__(self) -> int:
        return self.count

    def name(self, index: int) -> str:
        check_index(index, self.count)
        return f"tide-{self.split}-{index}"

    def load(self, index: int) -> np.ndarray:
        check_index(index, self.count)
        rng = np.random.default_rng([index, len(self.split), 7])
        t = np.linspace(0, 2, self.hours)[:, None, None]
        high, phase = rng.uniform(0.5, 1.5, (2, 2)), rng.uniform(0, 6, (2, 2))  # (waves, gauges)
        waves = high * np.sin(2 * np.pi * np.array([[1.0], [2.1]]) * t + phase)
        return waves.sum(axis=1).astype(np.float32)


class Sensors(SignalSet):
    def __init__(self, split: str, count: int, points: int) -> None:
        self.split, self.count, self.points = split, count, points

    def __len__(self) -> int:
        return self.count

    def name(self, index: int) -> str:
        check_index(index, self.count)
        return f"smoke-{self.split}-{index}"

    def load(self, index: int) -> np.ndarray:
        where = self.coords_of(index)
        rng = np.random.default_rng([index, len(self.split), 9])
        return np.exp(-4 * np.square(where - rng.uniform(-0.5, 0.5, 3)).sum(axis=1, keepdims=True)).astype(np.float32)

    def coords_of(self, index: int, places: np.ndarray | None = None) -> np.ndarray:
        check_index(index, self.count)
        rng = np.random.default_rng([index, len(self.split), 8])
        where = rng.uniform(-1, 1, (self.points, 3)).astype(np.float32)
        return where if places is None else where[places]


def open_tides(spec: str, path: str, resolution: tuple[int, ...] | None, seed: int) -> Dataset:
    hours = (resolution or (25,))[0]
    train, val, test = (Tides(split, n, hours) for split, n in (("train", 12), ("val", 3), ("test", 4)))
    return Dataset(spec=spec, source="tides", kind=Tide(), shape=(hours,), num_channels=2,
                   description="Made-up tides.", train=train, val=val, test=test)  # fmt: skip


def open_sensors(spec: str, path: str, resolution: tuple[int, ...] | None, seed: int) -> Dataset:
    count = (resolution or (60,))[0]
    train, val, test = (Sensors(split, n, count) for split, n in (("train", 12), ("val", 3), ("test", 4)))
    return Dataset(spec=spec, source="sensors", kind=Smoke(), shape=(count,), num_channels=1,
                   domain=Points(shape=(count,), extent=((-1, 1),) * 3), description="Made-up smoke.",
                   train=train, val=val, test=test)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Bump(Activation):
    """z exp(-z^2 / 2)."""

    name: ClassVar[str] = "bump"

    sharpness: float = 6.0

    def scale(self, layer: int) -> float:
        return self.sharpness

    def value(self, z: torch.Tensor) -> torch.Tensor:
        return z * torch.exp(-0.5 * z * z)

    def slope(self, z: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        return (1 - z * z) * torch.exp(-0.5 * z * z)

    def curvature(self, z: torch.Tensor, h: torch.Tensor, slope: torch.Tensor) -> torch.Tensor:
        return (z * z - 3) * h

    def initial_bounds(self, layer: int, n_in: int) -> tuple[float, float]:
        return n_in**-0.5, n_in**-0.5


KINDS[Tide.name], KINDS[Smoke.name] = Tide, Smoke
SOURCES["tides"] = Source("tides, made-up gauges of two", open_tides, has_files=False, num_axes=1)
SOURCES["sensors"] = Source("sensors, made-up smoke at scattered points", open_sensors, has_files=False, num_axes=1)
ACTIVATIONS[Bump.name] = Bump
