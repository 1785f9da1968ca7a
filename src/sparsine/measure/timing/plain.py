"""The plain PyTorch way: a weight and a bias for every layer, masks of 0 and 1, autograd. One signal after another.

It is written as anybody would write it who uses PyTorch well. Nothing of our engines is in it.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from sparsine.fields.layers import layers
from sparsine.fields.pattern import Pattern


class PlainField:
    """One signal's field. `parameters` are the leaves of autograd: weight, bias, weight, bias, ..."""

    def __init__(self, pattern: Pattern, theta: Float[Tensor, " params"]):
        self.pattern = pattern
        self.activation, self.encoding = pattern.field.activation, pattern.field.encoding
        self.output_offset = pattern.field.output_offset
        self.masks = [keep.to(theta) for keep in pattern.layer_keeps()]
        dense = pattern.scatter(theta[None])
        self.parameters = [t[0].clone().requires_grad_() for layer in layers(pattern.field, dense) for t in layer]

    def forward(self, parameters: Sequence[Tensor], coords: Tensor) -> Tensor:
        """Values (points, channels) at coords (points, dims)."""
        h = self.encoding(coords)
        *hidden, last = zip(parameters[::2], self.masks, parameters[1::2], strict=True)
        for layer, (weight, mask, bias) in enumerate(hidden):
            h = self.activation.value(self.activation.scale(layer) * F.linear(h, weight * mask, bias))
        weight, mask, bias = last
        return F.linear(h, weight * mask, bias) + self.output_offset

    def loss(self, parameters: Sequence[Tensor], coords: Tensor, values: Tensor) -> Tensor:
        """Mean squared error over points and channels."""
        return F.mse_loss(self.forward(parameters, coords), values)

    @torch.no_grad()
    def predict(self, coords: Tensor) -> Tensor:
        """Values (points, channels)."""
        return self.forward(self.parameters, coords)

    def loss_and_grad(self, coords: Tensor, values: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The loss, and its gradient shaped like `parameters`."""
        loss = self.loss(self.parameters, coords, values)
        return loss.detach(), torch.autograd.grad(loss, self.parameters)

    def meta_gradient(
        self, coords: Tensor, values: Tensor, num_steps: int, step_size: float
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Exact MAML over values (tasks, points, channels): one graph over all tasks and inner steps, one backward."""
        losses = []
        for target in values:
            adapted = list(self.parameters)
            for _ in range(num_steps):
                loss = self.loss(adapted, coords, target)
                grads = torch.autograd.grad(loss, adapted, create_graph=True)
                adapted = [p - step_size * g for p, g in zip(adapted, grads, strict=True)]
            losses.append(self.loss(adapted, coords, target))
        outer = torch.stack(losses).mean()
        return outer.detach(), torch.autograd.grad(outer, self.parameters)

    def fit(self, coords: Tensor, values: Tensor, num_steps: int, step_size: float) -> float:
        """Mean squared error after `num_steps` full-batch steps of Adam. `parameters` stay as they are."""
        parameters = [p.detach().clone().requires_grad_() for p in self.parameters]
        adam = torch.optim.Adam(parameters, lr=step_size)
        for _ in range(num_steps):
            adam.zero_grad()
            self.loss(parameters, coords, values).backward()  # type: ignore[no-untyped-call]
            adam.step()
        with torch.no_grad():
            return float(self.loss(parameters, coords, values))

    def flat(self, like_parameters: Sequence[Tensor]) -> Float[Tensor, " params"]:
        """Tensors shaped like `parameters` in the places of theta."""
        dense = torch.cat([t.reshape(-1) for t in (*like_parameters[::2], *like_parameters[1::2])])
        return self.pattern.gather(dense[None])[0]
