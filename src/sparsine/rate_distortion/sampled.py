"""Fitting on some of the samples: each step sees others."""

import torch
from torch import Tensor

from sparsine.fitting.fit import Objective


class Sampled:
    """An objective for `Fitting`: loss and gradient at `points` samples drawn anew for each step, without repeats. The
    loss alone is that of all samples."""

    def __init__(self, engine: Objective, points: int, seed: int) -> None:
        self.engine, self.points = engine, points
        self._generator = torch.Generator().manual_seed(seed)

    def predict(self, theta: Tensor, coords: Tensor) -> Tensor:
        return self.engine.predict(theta, coords)

    def loss(self, theta: Tensor, coords: Tensor, values: Tensor) -> Tensor:
        return self.engine.loss(theta, coords, values)

    def loss_and_grad(self, theta: Tensor, coords: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        if self.points >= len(coords):
            return self.engine.loss_and_grad(theta, coords, values)
        drawn = torch.randperm(len(coords), generator=self._generator)[: self.points]
        return self.engine.loss_and_grad(theta, coords[drawn], values[:, drawn].contiguous())
