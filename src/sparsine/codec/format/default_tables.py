"""Coding tables of a start that was never calibrated: one step, one scale, a shape that forgives much."""

import torch
from jaxtyping import Int
from torch import Tensor

from sparsine.starts.coding import SURVIVAL_POINTS, WHOLE, CodingTables
from sparsine.starts.start import Start

DEFAULT_STEP = -208
"""2**-13, about a step of Adam at the paper's 1e-4."""
_FALL = 3931635878
"""round(2**32 * exp(-sqrt(2) / 16))."""


def default_tables(start: Start) -> CodingTables:
    """From the start's vector alone, in integers: nothing about it needs to be stored."""
    exponents = torch.full(start.theta.shape, DEFAULT_STEP, dtype=torch.int16)
    return CodingTables(start.theta.detach().cpu(), exponents, exponents.clone(), laplace_survival())


def laplace_survival() -> Int[Tensor, " distances"]:
    """Of a Laplace distribution whose standard deviation is one scale, by integers alone: what stands in for a
    measurement."""
    survival = [WHOLE]
    while len(survival) < SURVIVAL_POINTS:
        survival.append(survival[-1] * _FALL >> 32)
    return torch.tensor(survival).int()
