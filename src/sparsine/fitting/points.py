"""Fits that see some samples of a signal in each step, and others in the next: time and memory follow the points."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from sparsine.signals.dataset import SignalSet
from sparsine.signals.domain import Domain
from sparsine.signals.sampling import POINTS, Sampling
from sparsine.signals.weights import weigh

FEW = 1 << 22
"""Samples of a signal up to which none is drawn twice in a step; of more it would hardly ever happen anyway."""


Drawn = tuple[Tensor, Tensor, Tensor | None]
"""Coordinates (points, coords) or (signals, points, coords), values (signals, points, channels), and how much each
sample counts, (points,) or (signals, points): None where all count alike."""


@runtime_checkable
class Draws(Protocol):
    """Samples for one step after the other: the same ones whatever other signals are fitted beside."""

    def draw(self, step: int) -> "Drawn":
        """What this step sees."""


@dataclass(frozen=True)
class Places:
    """Which samples a step sees: a function of the seed and the step alone."""

    shape: tuple[int, ...]
    """Of the samples of a signal; lattices are spaced along its axes."""
    points: int
    seed: int
    sampling: Sampling = "random"

    def draw(self, step: int) -> Int[np.ndarray, " points"]:
        rng, num_samples = np.random.default_rng([self.seed, step]), prod(self.shape)
        if self.sampling == "random" and num_samples > FEW:
            return rng.integers(num_samples, size=self.points)
        return POINTS[self.sampling](rng, self.shape, self.points)


@dataclass(frozen=True)
class InMemory:
    """Of signals that are there as a whole."""

    coords: Float[Tensor, "*signals samples coords"]
    values: Float[Tensor, "signals samples channels"]
    places: Places
    weights: Float[Tensor, "*each samples"] | None = None

    def draw(self, step: int) -> Drawn:
        drawn = torch.from_numpy(self.places.draw(step)).to(self.values.device)
        weights = None if self.weights is None else self.weights[..., drawn].contiguous()
        return self.coords[..., drawn, :].contiguous(), self.values[:, drawn].contiguous(), weights


@dataclass(frozen=True)
class FromSet:
    """Of signals that are read anew for each step, as far as it sees them."""

    signals: SignalSet
    indices: Sequence[int]
    domain: Domain
    places: Places
    device: torch.device

    def draw(self, step: int) -> Drawn:
        return read_at(self.signals, self.indices, self.domain, self.places.draw(step), self.device)


def read_at(
    signals: SignalSet, indices: Sequence[int], domain: Domain, places: Int[np.ndarray, " points"], device: torch.device
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Samples of some signals at the same places: coordinates as an engine takes them, values, and how much each
    counts among these."""
    values = torch.from_numpy(np.stack([signals.values_at(index, places) for index in indices])).to(device)
    if not domain.own_coords:
        area = domain.weights_at(places, device=device)
        return domain.coords_at(places, device=device), *weigh(values, area)
    found = [signals.coords_of(index, places) for index in indices]
    own = np.stack([coords for coords in found if coords is not None])
    return torch.from_numpy(own).to(device), *weigh(values, None)
