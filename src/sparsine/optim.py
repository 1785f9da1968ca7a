"""Optimizers on flat vectors: state goes in and comes out, nothing is hidden. One row per signal, or one vector."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8


@dataclass(frozen=True)
class AdamState:
    """First and second moments, shaped like theta, and the number of steps taken."""

    mean: Tensor
    square: Tensor
    num_steps: int

    @classmethod
    def zeros_like(cls, theta: Tensor) -> "AdamState":
        return cls(torch.zeros_like(theta), torch.zeros_like(theta), 0)


def adam_step(
    theta: Float[Tensor, "... params"], grad: Float[Tensor, "... params"], state: AdamState, step_size: float
) -> tuple[Float[Tensor, "... params"], AdamState]:
    """One step of Adam (Kingma and Ba, 2015), PyTorch's default constants. Returns new tensors."""
    num_steps = state.num_steps + 1
    mean = state.mean.lerp(grad, 1 - BETA_1)
    square = (state.square * BETA_2).addcmul_(grad, grad, value=1 - BETA_2)
    denominator = (square / (1 - BETA_2**num_steps)).sqrt_().add_(EPSILON)
    new_theta = torch.addcdiv(theta, mean, denominator, value=-step_size / (1 - BETA_1**num_steps))
    return new_theta, AdamState(mean, square, num_steps)


def sgd_step(
    theta: Float[Tensor, "... params"], grad: Float[Tensor, "... params"], step_size: float
) -> Float[Tensor, "... params"]:
    """One step of plain gradient descent."""
    return torch.add(theta, grad, alpha=-step_size)
