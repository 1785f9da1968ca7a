"""ReLU, the plain one, which needs an encoding of the coordinates to see any detail (Tancik et al., 'Fourier Features
Let Networks Learn High Frequency Functions in Low Dimensional Domains', NeurIPS 2020)."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from sparsine.fields.activations.contract import Activation


@dataclass(frozen=True)
class Relu(Activation):
    """max(0, W x + b). Its slope at 0 is 0, as autograd has it; its curvature is 0 everywhere."""

    name: ClassVar[str] = "relu"
    cost: ClassVar[float] = 1.0

    def value(self, z: Tensor) -> Tensor:
        return torch.relu(z)

    def slope(self, z: Tensor, h: Tensor) -> Tensor:
        return (z > 0).to(z.dtype)

    def curvature(self, z: Tensor, h: Tensor, slope: Tensor) -> Tensor:
        return torch.zeros_like(z)

    def initial_bounds(self, layer: int, n_in: int) -> tuple[float, float]:
        """He et al. ('Delving Deep into Rectifiers', ICCV 2015): sqrt(6/n_in), biases zero."""
        return math.sqrt(6 / n_in), 0.0
