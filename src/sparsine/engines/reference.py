"""The referee: plain PyTorch autograd, one signal at a time, the whole grid at once. Slow and obvious."""

import torch
from torch import Tensor

from sparsine.engines.contract import Engine
from sparsine.fields.forward import forward
from sparsine.fields.mlp import MLP


class ReferenceEngine(Engine):
    """Any field, float32 or float64, CPU or CUDA. Memory grows with the points; use `dense` for real work."""

    name = "reference"
    weighs = True

    @classmethod
    def supports(cls, field: MLP, device: torch.device, dtype: torch.dtype) -> str | None:
        """Everything that a field describes."""
        return None

    def forward(self, theta: Tensor, coords: Tensor) -> Tensor:
        """Values (points, channels) of one signal, differentiable in theta (params,) and coords (points, dims)."""
        return forward(self.pattern, theta, coords)

    def mse(self, theta: Tensor, coords: Tensor, values: Tensor, weights: Tensor | None = None) -> Tensor:
        """Mean squared error of one signal, differentiable to any order; weights (points,)."""
        squares = (self.forward(theta, coords) - values).square()
        return (squares if weights is None else weights[:, None] * squares).mean()

    def _predict(self, theta: Tensor, coords: Tensor) -> Tensor:
        with torch.no_grad():
            return torch.stack([self.forward(t, _own(coords, i)) for i, t in enumerate(theta)])

    def _loss_and_grad(
        self, theta: Tensor, coords: Tensor, values: Tensor, weights: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        losses, grads = [], []
        for i, t in enumerate(theta):
            leaf = t.detach().clone().requires_grad_()
            loss = self.mse(leaf, _own(coords, i), values[i], _weights_of(weights, i))
            grads.append(torch.autograd.grad(loss, leaf)[0])
            losses.append(loss.detach())
        return torch.stack(losses), torch.stack(grads)

    def _hvp(self, theta: Tensor, v: Tensor, coords: Tensor, values: Tensor, weights: Tensor | None = None) -> Tensor:
        products = []
        for i, t in enumerate(theta):
            leaf = t.detach().clone().requires_grad_()
            loss = self.mse(leaf, _own(coords, i), values[i], _weights_of(weights, i))
            (grad,) = torch.autograd.grad(loss, leaf, create_graph=True)
            products.append(torch.autograd.grad(grad, leaf, v[i])[0])
        return torch.stack(products)


def _own(coords: Tensor, signal: int) -> Tensor:
    return coords if coords.ndim == 2 else coords[signal]


def _weights_of(weights: Tensor | None, signal: int) -> Tensor | None:
    return weights[signal] if weights is not None and weights.ndim == 2 else weights
