"""Engines that ask another one."""

import torch
from torch import Tensor

from sparsine.engines.contract import Engine
from sparsine.fields.mlp import MLP


class Around(Engine):
    """Answers what `engine` answers; subclasses change some of it."""

    weighs = True

    def __init__(self, engine: Engine):
        super().__init__(engine.pattern, device=engine.device, dtype=engine.dtype)
        self.engine, self.name = engine, engine.name

    @classmethod
    def supports(cls, field: MLP, device: torch.device, dtype: torch.dtype) -> str | None:
        """Whatever the engine that it asks was made for."""
        return None

    def _predict(self, theta: Tensor, coords: Tensor) -> Tensor:
        return self.engine.predict(theta, coords)

    def _loss_and_grad(
        self, theta: Tensor, coords: Tensor, values: Tensor, weights: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        return self.engine.loss_and_grad(theta, coords, values, weights)

    def _hvp(self, theta: Tensor, v: Tensor, coords: Tensor, values: Tensor, weights: Tensor | None = None) -> Tensor:
        return self.engine.hvp(theta, v, coords, values, weights)
