"""Fitting that sees what will be drawn: steps on the rounded vector, after those of the fit."""

from dataclasses import replace

import torch
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Tensor

from sparsine.codec.coder import Coder
from sparsine.engines.contract import Engine
from sparsine.errors import BadInput
from sparsine.fitting.config import FitConfig
from sparsine.fitting.fit import Fitting

SMALLER = 20
"""Where a fit's step size falls, rounded steps begin at so small a part of its first one; found on photographs with
2,284 and 8,704 weights, where a third and twice of it are as good."""


def made_up_for(
    engine: Engine,
    coder: Coder,
    theta: Float[Tensor, "signals params"],
    shifts: Int[ndarray, " signals"],
    coords: Float[Tensor, "*own points dims"],
    values: Float[Tensor, "signals points channels"],
    fit: FitConfig,
    steps: int,
    shape: tuple[int, ...],
    weights: Float[Tensor, "*each points"] | None = None,
) -> Float[Tensor, "signals params"]:
    """Fitted vectors after `steps` more that make up for their rounding with these shifts of the steps."""
    falls = fit.decay == "cosine"
    config = replace(
        fit, steps=steps, lr=fit.step_size / (SMALLER if falls else 1), decay="cosine", report=(),
        points_seed=(fit.points_seed + 1) % 2**32,
    )  # fmt: skip
    fitting = Fitting(theta, coords, values, config, peak=coder.start.kind.peak, shape=shape, weights=weights)
    return fitting.finish(Rounded(engine, coder, shifts)).theta


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
