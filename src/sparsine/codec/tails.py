"""The shape of the distribution of coded values, beyond their scale: integers that a start carries."""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from sparsine.starts.coding import NUM_TAILS, WHOLE

_FALL = 3931635878
"""round(2**32 * exp(-sqrt(2) / 16))."""
PRIOR_VALUES = 200
"""What is measured weighs against so many values of a Laplace distribution, so that nothing is thought impossible."""


def laplace_tails() -> Int[Tensor, " distances"]:
    """Of a Laplace distribution whose standard deviation is one scale, by integers alone: what stands in for a
    measurement."""
    tails = [WHOLE]
    while len(tails) < NUM_TAILS:
        tails.append(tails[-1] * _FALL >> 32)
    return torch.tensor(tails).int()


def measured_tails(values: Float[np.ndarray, " values"]) -> Int[Tensor, " distances"]:
    """How many of 2**30 of the values, which are in scales, lie further out than 0, 1/16, ..., 16."""
    magnitudes = np.sort(np.abs(values))
    beyond = len(values) - np.searchsorted(magnitudes, np.arange(NUM_TAILS) / 16, side="right")
    prior = laplace_tails().double().numpy() / WHOLE
    share = (beyond + PRIOR_VALUES * prior) / (len(values) + PRIOR_VALUES)
    share[0] = 1.0
    return torch.from_numpy(np.rint(share * WHOLE).astype(np.int32))
