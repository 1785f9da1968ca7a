"""FINER (Liu et al., 'FINER: Flexible spectral-bias tuning in Implicit NEural Representation by Variable-periodic
Activation Functions', CVPR 2024): a sine that is faster where the pre-activation is larger."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from sparsine.fields.activations.contract import Activation
from sparsine.fields.described import check_positive


@dataclass(frozen=True, kw_only=True)
class Finer(Activation):
    """sin(omega_0 (|z| + 1) z) with z = W x + b.

    The derivative is that of this formula. The authors' code leaves out how |z| + 1 changes, unless it is told not to.
    """

    name: ClassVar[str] = "finer"
    cost: ClassVar[float] = 8.0

    omega_0: float = 30.0
    """Frequency near z = 0, the same in every layer (the paper: 30)."""
    first_bias: float | None = None
    """Biases of the first layer begin within +-first_bias, the paper's k: the larger, the higher the frequencies that a
    field begins with. None is the bound of its weights."""

    def __post_init__(self) -> None:
        check_positive("omega_0", self.omega_0)
        if self.first_bias is not None:
            check_positive("first_bias", self.first_bias)

    def value(self, z: Tensor) -> Tensor:
        return torch.sin(self._phase(z))

    def slope(self, z: Tensor, h: Tensor) -> Tensor:
        return torch.cos(self._phase(z)) * self._speed(z)

    def curvature(self, z: Tensor, h: Tensor, slope: Tensor) -> Tensor:
        speed = self._speed(z)
        return 2 * self.omega_0 * torch.sign(z) * slope / speed - speed * speed * h

    def initial_bounds(self, layer: int, n_in: int) -> tuple[float, float]:
        """SIREN's, but for the biases of the first layer (section 3.3 of the paper)."""
        bound = 1 / n_in if layer == 0 else math.sqrt(6 / n_in) / self.omega_0
        return bound, self.first_bias if layer == 0 and self.first_bias is not None else bound

    def _phase(self, z: Tensor) -> Tensor:
        return self.omega_0 * (z.abs() + 1) * z

    def _speed(self, z: Tensor) -> Tensor:
        """What the phase changes by."""
        return self.omega_0 * (2 * z.abs() + 1)
