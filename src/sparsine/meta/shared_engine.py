"""An engine whose signals are shared out among ranks: whatever works on a batch of them is spread by it."""

import torch
from torch import Tensor

from sparsine.engines.contract import Engine
from sparsine.fields.mlp import MLP
from sparsine.meta.ranks import Ranks


class SharedEngine(Engine):
    """Answers what `engine` answers, when all ranks ask the same at once. Losses and derivatives of a batch are
    computed by parts: an engine answers for each signal by itself, so the bits are its own. Values are not sent around:
    every rank computes them all."""

    weighs = True

    def __init__(self, engine: Engine, ranks: Ranks):
        super().__init__(engine.pattern, device=engine.device, dtype=engine.dtype)
        self.engine, self.ranks, self.name = engine, ranks, engine.name

    @classmethod
    def supports(cls, field: MLP, device: torch.device, dtype: torch.dtype) -> str | None:
        """Whatever the engine that it asks was made for."""
        return None

    def plain_values(self, theta: Tensor, coords: Tensor) -> Tensor:
        return self.engine.plain_values(theta, coords)

    def _predict(self, theta: Tensor, coords: Tensor) -> Tensor:
        return self.engine.predict(theta, coords)

    def _vjp(
        self, theta: Tensor, coords: Tensor, cotangents: Tensor, with_coords: bool
    ) -> tuple[Tensor, Tensor | None]:
        return self.engine.vjp(theta, coords, cotangents, with_coords=with_coords)

    def _loss_and_grad(
        self, theta: Tensor, coords: Tensor, values: Tensor, weights: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        if len(theta) < self.ranks.count:
            return self.engine.loss_and_grad(theta, coords, values, weights)
        share = self.ranks.share(len(theta))
        part = share.part
        coords, weights = _own(part, coords, weights)
        mine = self.engine.loss_and_grad(theta[part], coords, values[part], weights)
        loss, grad = share.gathered(theta, *mine)
        return loss, grad

    def _hvp(self, theta: Tensor, v: Tensor, coords: Tensor, values: Tensor, weights: Tensor | None = None) -> Tensor:
        if len(theta) < self.ranks.count:
            return self.engine.hvp(theta, v, coords, values, weights)
        share = self.ranks.share(len(theta))
        part = share.part
        coords, weights = _own(part, coords, weights)
        mine = self.engine.hvp(theta[part], v[part], coords, values[part], weights)
        return share.gathered(theta, mine)[0]


def _own(part: slice, coords: Tensor, weights: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Of some signals, where each has its own; as they are, where all share them."""
    coords = coords if coords.ndim == 2 else coords[part]
    return coords, weights if weights is None or weights.ndim == 1 else weights[part]
