"""What a weight is worth to the fits that a start is for: seen while some signals are fitted from it."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from sparsine.engines.contract import Engine
from sparsine.errors import WorkFailed
from sparsine.optim import AdamState, adam_step


@dataclass(frozen=True)
class Fits:
    """Signals to fit from a start, and how: Adam, as at test time."""

    engine: Engine
    coords: Float[Tensor, "*signals points dims"]
    values: Float[Tensor, "signals points channels"]
    num_steps: int
    step_size: float


def saliency_of_weights(
    num_weights: int, theta: Float[Tensor, " params"], fits: Fits
) -> Float[Tensor, " surviving_weights"]:
    """Mean size of each weight at the end of the fits, times the size of its gradient summed over their second half.

    |w dL/dw| is what a removal costs to first order (Mozer and Smolensky, NeurIPS 1988; Molchanov et al., ICLR 2017).
    A start is never used as it is, so it is not asked there, but where signals end up: 100 steps of Adam move a weight
    by up to 100 step sizes, further than most weights of a sparse start are from zero, and how large one is before the
    fit says little about how large it will be.

    Raises:
        WorkFailed: a fit overflowed.
    """
    thetas = theta.expand(fits.values.shape[0], -1)
    adam = AdamState.zeros_like(thetas)
    gradients = torch.zeros(num_weights, dtype=torch.float64, device=theta.device)
    for step in range(fits.num_steps):
        _, grad = fits.engine.loss_and_grad(thetas, fits.coords, fits.values)
        if 2 * step >= fits.num_steps:
            gradients += grad[:, :num_weights].abs().mean(dim=0)
        thetas, adam = adam_step(thetas, grad, adam, fits.step_size)
    scores = gradients * thetas[:, :num_weights].abs().mean(dim=0)
    if not torch.isfinite(scores).all():
        raise WorkFailed(
            f"a fit that should show which weights count overflowed; lower --saliency-step-size (now "
            f"{fits.step_size:g})"
        )
    return scores
