"""Samples of some signals as an engine takes them."""

from dataclasses import dataclass

import numpy as np
from torch import Tensor


@dataclass(frozen=True)
class Samples:
    """Coordinates (points, dims) or (signals, points, dims), values (signals, points, channels), and how much each
    counts, (points,) or (signals, points): None where all count alike."""

    coords: Tensor
    values: Tensor
    weights: Tensor | None = None

    def part(self, chosen: slice | np.ndarray) -> "Samples":
        """The samples of some of the signals."""
        weights = self.weights if self.weights is None or self.weights.ndim == 1 else self.weights[chosen]
        return Samples(self.coords if self.coords.ndim == 2 else self.coords[chosen], self.values[chosen], weights)

    def at(self, places: slice) -> "Samples":
        """Some of the samples of every signal, where each has its own."""
        weights = None if self.weights is None else self.weights[..., places].contiguous()
        return Samples(self.coords[:, places].contiguous(), self.values[:, places].contiguous(), weights)
