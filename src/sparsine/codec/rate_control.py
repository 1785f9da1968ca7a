"""Rate control: how fine the steps of each signal must be, by quality, or searched for a PSNR or a size."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf, nan
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from sparsine.codec.coder import Coder
from sparsine.codec.config import EncodeConfig
from sparsine.engines.contract import Engine
from sparsine.errors import BadInput
from sparsine.lazy import cached_property
from sparsine.psnr import psnr_db
from sparsine.signals.samples import Samples

FINEST, COARSEST = -192, 256
"""Shifts that are searched: steps from a 4,096th of the start's to 65,536 times as large."""
UNMEASURED_LOSS_DB = 0.03
"""What coding may cost at the default quality where no calibration chose the steps."""
NEAREST_LOSS_DB = 0.005
"""A target PSNR above the fit's is answered with a code that lies so little below the fit."""
CEILING_DB = 120.0
"""float32 draws no better: a PSNR above is taken as this."""


@dataclass(frozen=True)
class StepChoice:
    """Steps for one signal, and why they miss the target if they do."""

    shift: int
    missed: str = ""


@dataclass(frozen=True)
class FittedBatch:
    """Fitted vectors and what they were fitted to: rate and distortion of coding them with these or other steps."""

    coder: Coder
    engine: Engine
    coords: Float[Tensor, "*own points dims"]
    values: Float[Tensor, "signals points channels"]
    shape: tuple[int, ...]
    theta: Float[Tensor, "signals params"]
    weights: Float[Tensor, "*each points"] | None = None
    about: Sequence[dict[str, Any]] = ()
    """What the codes keep beside their numbers; none for none."""

    def at(self, theta: Float[Tensor, "signals params"]) -> "FittedBatch":
        """The same for other vectors."""
        return replace(self, theta=theta)

    def of(self, rows: Int[np.ndarray, " some"]) -> "FittedBatch":
        """Some of the signals."""
        some = Samples(self.coords, self.values, self.weights).part(rows)
        about = [self.about[row] for row in rows] if self.about else ()
        return replace(self, coords=some.coords, values=some.values, theta=self.theta[rows], weights=some.weights,
                       about=about)  # fmt: skip

    @cached_property
    def fitted_db(self) -> Float[np.ndarray, " signals"]:
        """PSNR before any rounding."""
        peak = self.coder.start.kind.peak
        losses = self.engine.loss(self.theta, self.coords, self.values, self.weights).tolist()
        return np.array([psnr_db(mse, peak) for mse in losses])

    def psnr_db(self, shifts: Int[np.ndarray, " signals"]) -> Float[np.ndarray, " signals"]:
        """Of the drawings; NaN where a vector cannot be coded in such steps."""
        rounded = self.coder.rounded_each(self.theta, shifts)
        drawn = torch.stack([self.theta[row] if r is None else r for row, r in enumerate(rounded)])
        losses = self.engine.loss(drawn, self.coords, self.values, self.weights).tolist()
        peak = self.coder.start.kind.peak
        return np.array([nan if r is None else psnr_db(mse, peak) for r, mse in zip(rounded, losses, strict=True)])

    def num_bytes(self, shifts: Int[np.ndarray, " signals"]) -> Float[np.ndarray, " signals"]:
        """Of the codes; infinite where a vector cannot be coded in such steps."""
        return np.array([inf if code is None else float(len(code)) for code in self.codes(shifts)])

    def codes(self, shifts: Int[np.ndarray, " signals"]) -> list[bytes | None]:
        """One for each signal; None where its vector cannot be coded in such steps."""
        made: list[bytes | None] = []
        for row, shift in enumerate(shifts):
            notes = self.about[row] if self.about else None
            try:
                made.append(self.coder.write(self.theta[row], self.shape, step_shift=int(shift), notes=notes))
            except BadInput:
                made.append(None)
        return made


def choose_shifts(batch: FittedBatch, config: EncodeConfig) -> list[StepChoice]:
    """One choice for each signal."""
    if config.target_bytes is not None:
        return choose_for_bytes(batch, config.target_bytes)
    if config.target_psnr_db is not None:
        return _for_psnr(batch, config.target_psnr_db)
    if batch.coder.start.coding is not None:
        return [StepChoice(config.step_shift)] * len(batch.theta)
    shifts, _ = coarsest_for_psnr(batch, _below_fit(batch, UNMEASURED_LOSS_DB))
    return [StepChoice(int(np.clip(shift + config.step_shift, FINEST, COARSEST))) for shift in shifts]


def _for_psnr(batch: FittedBatch, target_db: float) -> list[StepChoice]:
    shifts, reached = coarsest_for_psnr(batch, np.full(len(batch.theta), float(target_db)))
    if reached.all():
        return [StepChoice(int(shift)) for shift in shifts]
    nearest, _ = coarsest_for_psnr(batch, _below_fit(batch, NEAREST_LOSS_DB))
    return [
        StepChoice(int(shift)) if ok else StepChoice(int(near), _unreached(target_db, fitted))
        for shift, ok, near, fitted in zip(shifts, reached, nearest, batch.fitted_db, strict=True)
    ]


def choose_for_bytes(batch: FittedBatch, target: int) -> list[StepChoice]:
    """The finest steps whose codes have at most so many bytes."""

    def fits(shifts: np.ndarray) -> np.ndarray:
        return batch.num_bytes(shifts) <= target

    shifts, reached = boundary(fits, len(batch.theta), COARSEST, FINEST)
    least = batch.num_bytes(np.full(len(batch.theta), COARSEST))
    why = "the target of {} bytes cannot be reached: the coarsest code has {:.0f}; allow more bytes"
    return [
        StepChoice(int(shift), "" if ok else why.format(target, smallest))
        for shift, ok, smallest in zip(shifts, reached, least, strict=True)
    ]


def coarsest_for_psnr(batch: FittedBatch, targets_db: Float[np.ndarray, " signals"]) -> tuple[np.ndarray, np.ndarray]:
    """(the coarsest steps whose drawings reach these, whether any do)."""
    return boundary(lambda shifts: batch.psnr_db(shifts) >= targets_db, len(batch.theta), FINEST, COARSEST)


def boundary(
    good: Callable[[Int[np.ndarray, " signals"]], Bool[np.ndarray, " signals"]], count: int, sure: int, hoped: int
) -> tuple[Int[np.ndarray, " signals"], Bool[np.ndarray, " signals"]]:
    """For each signal a shift that was seen to be good, with a neighbour towards `hoped` that was not (or `hoped`
    itself); and whether any was good: where not even `sure` is, that is returned."""
    inside, outside = np.full(count, sure), np.full(count, hoped)
    found = good(inside)
    done = good(outside)
    inside = np.where(done, outside, inside)
    while (np.abs(outside - inside) > 1).any():
        middle = (inside + outside) // 2
        ok = good(middle)
        inside, outside = np.where(ok, middle, inside), np.where(ok, outside, middle)
        outside = np.where(done, inside, outside)
    return inside, found | done


def _below_fit(batch: FittedBatch, loss_db: float) -> Float[np.ndarray, " signals"]:
    targets: np.ndarray = np.minimum(batch.fitted_db, CEILING_DB) - loss_db
    return targets


def _unreached(target_db: float, fitted_db: float) -> str:
    return (
        f"the target of {target_db:g} dB cannot be reached: the fit itself has {fitted_db:.2f} dB; "
        "take more steps, a start with more weights, or a lower target"
    )
