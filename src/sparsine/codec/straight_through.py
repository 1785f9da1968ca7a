"""Quantisation-aware fitting: steps on the rounded vector, straight through the rounding, after those of the fit."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from sparsine.codec.coder import Coder
from sparsine.codec.config import EncodeConfig
from sparsine.codec.rate_control import CEILING_DB, FittedBatch, choose_for_bytes, coarsest_for_psnr
from sparsine.engines.contract import Engine
from sparsine.fitting.fit import Fitting

COARSER = 6
"""Sixteenths of an octave by which steps may be coarser for the same PSNR once fits have seen them: 4 to 9 were
measured."""
SMALLER = 20
"""Where a fit's step size falls, rounded steps begin at so small a part of its first one; found on photographs with
2,284 and 8,704 weights, where a third and twice of it are as good."""


class StraightThrough:
    """An objective for `Fitting`: values, loss and gradient of an engine at the rounded vectors. The gradient is taken
    as that of the vectors themselves, straight through the rounding (Bengio, Leonard and Courville, 2013), so that a
    vector moves although its rounding stands still, until it tips over."""

    def __init__(self, engine: Engine, coder: Coder, shifts: Int[np.ndarray, " signals"]) -> None:
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
        rows = self.coder.rounded_each(theta, self.shifts)
        return torch.stack([own if row is None else row for own, row in zip(theta, rows, strict=True)])


class Quantised(NamedTuple):
    """Fitted vectors, the steps that they are coded with, and how near that comes."""

    batch: FittedBatch
    shifts: Int[np.ndarray, " signals"]
    drawn_db: Float[np.ndarray, " signals"]
    """PSNR of the drawings."""


def quantisation_aware(batch: FittedBatch, shifts: Int[np.ndarray, " signals"], config: EncodeConfig) -> Quantised:
    """After steps on the rounded vectors, for those signals that lose much by rounding and come out better: nearer to
    the signal at no more bytes, or as near with coarser steps."""
    drawn = batch.psnr_db(shifts)
    lost = np.minimum(batch.fitted_db, CEILING_DB) - np.minimum(drawn, CEILING_DB)
    rows = np.flatnonzero(lost > config.bearable_loss_db) if config.num_rounded_steps else np.array([], int)
    if not len(rows):
        return Quantised(batch, shifts, drawn)
    some, was = batch.of(rows), shifts[rows]
    after = _fitted_on(some, was + (COARSER if config.target_psnr_db is not None else 0), config)
    now = _shifts_after(after, was, config)
    now_drawn = after.psnr_db(now)
    better = now > was if config.target_psnr_db is not None else now_drawn > drawn[rows]
    if config.target_bytes is not None:
        better &= after.num_bytes(now) <= np.maximum(config.target_bytes, some.num_bytes(was))
    theta, shifts, kept = batch.theta.clone(), shifts.copy(), rows[better]
    theta[kept], shifts[kept], drawn[kept] = after.theta[better], now[better], now_drawn[better]
    return Quantised(batch.at(theta), shifts, drawn)


def _fitted_on(batch: FittedBatch, shifts: Int[np.ndarray, " signals"], config: EncodeConfig) -> FittedBatch:
    """After further steps, which make up for the rounding with these shifts of the steps of the code."""
    fit = config.fit
    further = replace(
        fit, steps=config.num_rounded_steps, lr=fit.step_size / (SMALLER if fit.decay == "cosine" else 1),
        decay="cosine", report=(), points_seed=(fit.points_seed + 1) % 2**32,
    )  # fmt: skip
    fitting = Fitting(batch.theta, batch.coords, batch.values, further, peak=batch.coder.start.kind.peak,
                      shape=batch.shape, weights=batch.weights)  # fmt: skip
    return batch.at(fitting.finish(StraightThrough(batch.engine, batch.coder, shifts)).theta)


def _shifts_after(
    after: FittedBatch, was: Int[np.ndarray, " signals"], config: EncodeConfig
) -> Int[np.ndarray, " signals"]:
    """The coarsest ones that reach a target PSNR, where any do; those of before, but coarser where that is too many
    bytes now."""
    if config.target_psnr_db is not None:
        coarsest, reached = coarsest_for_psnr(after, np.full(len(was), float(config.target_psnr_db)))
        return np.where(reached, coarsest, was)
    if config.target_bytes is None or (fits := after.num_bytes(was) <= config.target_bytes).all():
        return was
    return np.where(fits, was, [choice.shift for choice in choose_for_bytes(after, config.target_bytes)])
