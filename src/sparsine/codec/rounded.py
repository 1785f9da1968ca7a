"""Fitting that sees what will be drawn: steps on the rounded vector, after those of the fit."""

import torch
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Tensor

from sparsine.codec.coder import Coder
from sparsine.engines.contract import Engine
from sparsine.errors import BadInput


def rounded_rows(
    coder: Coder, theta: Float[Tensor, "signals params"], shifts: Int[ndarray, " signals"]
) -> list[Float[Tensor, " params"] | None]:
    """Each vector as it would be drawn after coding with its own shift of the steps; None where it cannot be told."""
    return [_rounded(coder, row, int(shift)) for row, shift in zip(theta, shifts, strict=True)]


class Rounded:
    """An objective for `Fitting`: values, loss and gradient of an engine at the rounded vectors. The gradient is taken
    as that of the vectors themselves, straight through the rounding (Bengio, Leonard and Courville, 2013), so that a
    vector moves although its rounding stands still, until it tips over."""

    def __init__(self, engine: Engine, coder: Coder, shifts: Int[ndarray, " signals"]) -> None:
        self.engine, self.coder, self.shifts = engine, coder, shifts

    def predict(self, theta: Tensor, coords: Tensor) -> Tensor:
        return self.engine.predict(self._round(theta), coords)

    def loss(self, theta: Tensor, coords: Tensor, values: Tensor, weights: Tensor | None = None) -> Tensor:
        return self.engine.loss(self._round(theta), coords, values, weights)

    def loss_and_grad(
        self, theta: Tensor, coords: Tensor, values: Tensor, weights: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        return self.engine.loss_and_grad(self._round(theta), coords, values, weights)

    def _round(self, theta: Tensor) -> Tensor:
        rows = rounded_rows(self.coder, theta, self.shifts)
        return torch.stack([own if row is None else row for own, row in zip(theta, rows, strict=True)])


def _rounded(coder: Coder, theta: Tensor, shift: int) -> Tensor | None:
    try:
        return coder.rounded(theta[None], shift)[0]
    except BadInput:
        return None
