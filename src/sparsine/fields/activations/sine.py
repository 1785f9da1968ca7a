"""Sine: SIREN (Sitzmann et al., 'Implicit Neural Representations with Periodic Activation Functions', NeurIPS 2020)."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from sparsine.fields.activations.contract import Activation
from sparsine.fields.described import check_positive


@dataclass(frozen=True, kw_only=True)
class Sine(Activation):
    """sin(omega_0 (W x + b))."""

    name: ClassVar[str] = "sine"

    omega_0: float = 200.0
    """Frequency (Lee et al., NeurIPS 2021: 200)."""
    omega_first: float | None = None
    """Frequency in the first layer; None is omega_0."""

    def __post_init__(self) -> None:
        check_positive("omega_0", self.omega_0)
        if self.omega_first is not None:
            check_positive("omega_first", self.omega_first)
        if self.omega_first == self.omega_0:  # one field, one description
            object.__setattr__(self, "omega_first", None)

    def scale(self, layer: int) -> float:
        return self.omega_first if layer == 0 and self.omega_first is not None else self.omega_0

    def value(self, z: Tensor) -> Tensor:
        return torch.sin(z)

    def slope(self, z: Tensor, h: Tensor) -> Tensor:
        return torch.cos(z)

    def curvature(self, z: Tensor, h: Tensor, slope: Tensor) -> Tensor:
        return -h

    def initial_bounds(self, layer: int, n_in: int) -> tuple[float, float]:
        """The paper's (section 3.2 and its code): 1/n_in in the first layer, sqrt(6/n_in) / omega_0 in the others."""
        bound = 1 / n_in if layer == 0 else math.sqrt(6 / n_in) / self.omega_0
        return bound, bound
