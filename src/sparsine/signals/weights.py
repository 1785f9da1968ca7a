"""How much each sample of a signal counts in the loss and in every measure: on a globe by its area, and one whose value
is missing not at all.

Weights have the mean 1 over the samples that they go with, so that a weighted mean is the mean of weight times value;
where all samples count alike there are none (None), and nothing is computed with them. A missing value is NaN until
here: from here on it is a number like any other, of weight 0.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from sparsine.signals.domain import Domain

FILLED = 0.5
"""What stands where a value is missing: any finite number would do."""


def weigh(
    values: Float[Tensor, "signals points channels"], area: Float[Tensor, "*each points"] | None
) -> tuple[Float[Tensor, "signals points channels"], Float[Tensor, "*signals points"] | None]:
    """The values as an engine takes them, and how much each sample counts.

    Args:
        values: NaN where one is missing. A sample is missing if one of its channels is.
        area: how much each counts for where it lies (`Domain.weights`), up to a factor; None: all alike.

    Returns:
        The values, all of them finite, and weights (points,), (signals, points) where signals miss different samples,
        or None. Of samples that are all missing every weight is 0.
    """
    missing = torch.isnan(values).any(dim=2)
    if not bool(missing.any()):
        return values, None if area is None else _of_mean_one(area.to(values))
    present = (~missing).to(values) if area is None else (~missing) * area.to(values)
    return torch.where(missing[:, :, None], FILLED, values), _of_mean_one(present)


def weights_of(domain: Domain, values: Float[np.ndarray, "*axes channels"]) -> Float[np.ndarray, "*axes"] | None:
    """How much each sample of one whole signal counts, as `weigh` says: for what is measured of it."""
    area = domain.resized(values.shape[:-1]).weights()
    _, weights = weigh(torch.from_numpy(values).reshape(1, -1, values.shape[-1]), area)
    return None if weights is None else weights.reshape(values.shape[:-1]).numpy()


def mean_square(
    one: Float[np.ndarray, "*axes channels"],
    other: Float[np.ndarray, "*axes channels"],
    weights: Float[np.ndarray, "*axes"] | None,
) -> float:
    """The mean of (one - other)**2 over samples and channels, each sample as much as it counts; float64."""
    squares = np.square(one - other, dtype=np.float64)
    if weights is None:
        return float(squares.mean())
    return float(np.where(weights[..., None] == 0, 0.0, weights[..., None] * squares).mean())


def _of_mean_one(weights: Tensor) -> Tensor:
    mean = weights.double().mean(dim=-1, keepdim=True)
    return (weights.double() / torch.where(mean > 0, mean, 1.0)).to(weights)
