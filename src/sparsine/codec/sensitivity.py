"""How much the drawing changes when a parameter does: what decides how finely it must be told."""

import torch
from jaxtyping import Float
from torch import Tensor

from sparsine.engines.contract import Engine


def sensitivities(
    engine: Engine,
    theta: Float[Tensor, "signals params"],
    coords: Float[Tensor, "*own points dims"],
    draws: int,
    seed: int,
    weights: Float[Tensor, "*each points"] | None = None,
) -> Float[Tensor, "signals params"]:  # fmt: skip
    """The mean over points and channels of (d value / d parameter)**2, float64: the Gauss-Newton matrix's diagonal;
    each point as much as it counts.

    A field that is asked for its own values with a random sign e = +-1 added to each has the gradient
    -2 / n sum_i e_i dvalue_i/dparameter, whose square has the mean 4 / n times what is wanted (Martens, 'New insights
    and perspectives on the natural gradient method', 2020: the Fisher matrix from the model's own samples). The
    relative standard error is sqrt(2 / draws) for one signal. Of points that count unequally the errors are weighed by
    the root of that, so that the squares of the gradients are weighed by it.
    """
    roots = None if weights is None else weights.sqrt()
    generator = torch.Generator().manual_seed(seed)
    values = engine.predict(theta, coords)
    total = torch.zeros(theta.shape, dtype=torch.float64, device=theta.device)
    for _ in range(draws):
        signs = torch.randint(0, 2, values.shape, generator=generator).to(values) * 2 - 1
        _, grad = engine.loss_and_grad(theta, coords, values + signs, roots)
        total += grad.double().square()
    return total * (values.shape[1] * values.shape[2] / (4 * draws))
