"""Gaussian (Ramasinghe and Lucey, 'Beyond Periodicity: Towards a Unifying Framework for Activations in
Coordinate-MLPs', ECCV 2022)."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from sparsine.fields.activations.contract import Activation
from sparsine.fields.described import check_positive


@dataclass(frozen=True, kw_only=True)
class Gauss(Activation):
    """exp(-(W x + b)^2 / (2 sigma^2))."""

    name: ClassVar[str] = "gauss"

    sigma: float = 0.2
    """Width of the bell. Smaller ones have more detail and are harder to learn."""

    def __post_init__(self) -> None:
        check_positive("sigma", self.sigma)

    def scale(self, layer: int) -> float:
        return 1 / self.sigma

    def value(self, z: Tensor) -> Tensor:
        return torch.exp(-0.5 * z * z)

    def slope(self, z: Tensor, h: Tensor) -> Tensor:
        return -z * h

    def curvature(self, z: Tensor, h: Tensor, slope: Tensor) -> Tensor:
        return -(h + z * slope)

    def initial_bounds(self, layer: int, n_in: int) -> tuple[float, float]:
        """1/sqrt(n_in), PyTorch's own for a linear layer, which published code with this activation leaves as it is
        (WIRE, Saragadam et al., CVPR 2023, among its baselines)."""
        bound = 1 / math.sqrt(n_in)
        return bound, bound
