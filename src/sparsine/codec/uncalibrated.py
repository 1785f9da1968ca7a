"""Coding tables of a start that was never calibrated: one step, one scale, a shape that forgives much."""

import torch

from sparsine.codec.tails import laplace_tails
from sparsine.starts.coding import CodingTables
from sparsine.starts.start import Start

DEFAULT_STEP = -208
"""2**-13, about a step of Adam at the paper's 1e-4."""


def default_tables(start: Start) -> CodingTables:
    """From the start's vector alone, in integers: nothing about it needs to be stored."""
    exponents = torch.full(start.theta.shape, DEFAULT_STEP, dtype=torch.int16)
    return CodingTables(start.theta.detach().cpu(), exponents, exponents.clone(), laplace_tails())
