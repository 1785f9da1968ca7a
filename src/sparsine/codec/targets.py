"""How fine the steps of each signal must be: by quality, or searched for a PSNR or a size; and what fitting on, with
the eyes on the rounded vector, makes of that."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf, nan
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from sparsine.codec.coder import Coder
from sparsine.codec.config import EncodeConfig
from sparsine.codec.rounded import Rounded, rounded_rows
from sparsine.engines.contract import Engine
from sparsine.errors import BadInput
from sparsine.fitting.fit import Fitting
from sparsine.lazy import cached_property
from sparsine.psnr import psnr_db

FINEST, COARSEST = -192, 256
"""Shifts that are searched: steps from a 4,096th of the start's to 65,536 times as large."""
UNMEASURED_LOSS_DB = 0.03
"""What coding may cost at the default quality where no calibration chose the steps."""
NEAREST_LOSS_DB = 0.005
"""A target PSNR above the fit's is answered with a code that lies so little below the fit."""
COARSER = 6
"""Sixteenths of an octave by which steps may be coarser for the same PSNR once fits have seen them: 4 to 9 were
measured."""
SMALLER = 20
"""Where a fit's step size falls, rounded steps begin at so small a part of its first one; found on photographs with
2,284 and 8,704 weights, where a third and twice of it are as good."""
CEILING_DB = 120.0
"""float32 draws no better: a PSNR above is taken as this."""


@dataclass(frozen=True)
class Choice:
    """Steps for one signal, and why they miss the target if they do."""

    shift: int
    missed: str = ""


@dataclass(frozen=True)
class Probe:
    """Fitted vectors and what they were fitted to: what would come of other steps?"""

    coder: Coder
    engine: Engine
    coords: Float[Tensor, "*own points dims"]
    values: Float[Tensor, "signals points channels"]
    shape: tuple[int, ...]
    theta: Float[Tensor, "signals params"]
    weights: Float[Tensor, "*each points"] | None = None
    about: Sequence[dict[str, Any]] = ()
    """What the codes keep beside their numbers; none for none."""

    def at(self, theta: Float[Tensor, "signals params"]) -> "Probe":
        """The same for other vectors."""
        return replace(self, theta=theta)

    def of(self, rows: Int[np.ndarray, " some"]) -> "Probe":
        """Some of the signals."""
        coords = self.coords if self.coords.ndim == 2 else self.coords[rows]
        weights = self.weights if self.weights is None or self.weights.ndim == 1 else self.weights[rows]
        about = [self.about[row] for row in rows] if self.about else ()
        return replace(self, coords=coords, values=self.values[rows], theta=self.theta[rows], weights=weights,
                       about=about)  # fmt: skip

    @cached_property
    def fitted_db(self) -> Float[np.ndarray, " signals"]:
        """PSNR before any rounding."""
        peak = self.coder.start.kind.peak
        losses = self.engine.loss(self.theta, self.coords, self.values, self.weights).tolist()
        return np.array([psnr_db(mse, peak) for mse in losses])

    def psnr_db(self, shifts: Int[np.ndarray, " signals"]) -> Float[np.ndarray, " signals"]:
        """Of the drawings; NaN where a vector cannot be told in such steps."""
        rounded = rounded_rows(self.coder, self.theta, shifts)
        told = torch.stack([self.theta[row] if r is None else r for row, r in enumerate(rounded)])
        losses = self.engine.loss(told, self.coords, self.values, self.weights).tolist()
        peak = self.coder.start.kind.peak
        return np.array([nan if r is None else psnr_db(mse, peak) for r, mse in zip(rounded, losses, strict=True)])

    def num_bytes(self, shifts: Int[np.ndarray, " signals"]) -> Float[np.ndarray, " signals"]:
        """Of the codes; infinite where a vector cannot be told in such steps."""
        codes = [self.data(row, int(shift)) for row, shift in enumerate(shifts)]
        return np.array([inf if code is None else float(len(code)) for code in codes])

    def data(self, row: int, shift: int) -> bytes | None:
        """The code of one signal, or None."""
        try:
            about = self.about[row] if self.about else None
            return self.coder.write(self.theta[row], self.shape, step_shift=shift, notes=about)
        except BadInput:
            return None


def choose_shifts(probe: Probe, config: EncodeConfig) -> list[Choice]:
    """One choice for each signal."""
    if config.target_bytes is not None:
        return _for_bytes(probe, config.target_bytes)
    if config.target_psnr_db is not None:
        return _for_psnr(probe, config.target_psnr_db)
    if probe.coder.start.coding is not None:
        return [Choice(config.step_shift)] * len(probe.theta)
    shifts, _ = _coarsest(probe, _below_fit(probe, UNMEASURED_LOSS_DB))
    return [Choice(int(np.clip(shift + config.step_shift, FINEST, COARSEST))) for shift in shifts]


class Rounding(NamedTuple):
    """What is told of fitted vectors, and how near that comes."""

    probe: Probe
    shifts: Int[np.ndarray, " signals"]
    drawn_db: Float[np.ndarray, " signals"]
    """PSNR of the drawings."""


def made_up(probe: Probe, shifts: Int[np.ndarray, " signals"], config: EncodeConfig) -> Rounding:
    """After steps on the rounded vectors, for those signals that lose much by rounding and come out better: nearer to
    the signal at no more bytes, or as near with coarser steps."""
    drawn = probe.psnr_db(shifts)
    lost = np.minimum(probe.fitted_db, CEILING_DB) - np.minimum(drawn, CEILING_DB)
    rows = np.flatnonzero(lost > config.bearable_loss_db) if config.num_rounded_steps else np.array([], int)
    if not len(rows):
        return Rounding(probe, shifts, drawn)
    some, was = probe.of(rows), shifts[rows]
    after = _fitted_on(some, was + (COARSER if config.target_psnr_db is not None else 0), config)
    now = _shifts_after(after, was, config)
    now_drawn = after.psnr_db(now)
    better = now > was if config.target_psnr_db is not None else now_drawn > drawn[rows]
    if config.target_bytes is not None:
        better &= after.num_bytes(now) <= np.maximum(config.target_bytes, some.num_bytes(was))
    theta, shifts, kept = probe.theta.clone(), shifts.copy(), rows[better]
    theta[kept], shifts[kept], drawn[kept] = after.theta[better], now[better], now_drawn[better]
    return Rounding(probe.at(theta), shifts, drawn)


def _fitted_on(probe: Probe, shifts: Int[np.ndarray, " signals"], config: EncodeConfig) -> Probe:
    """After further steps, which make up for the rounding with these shifts of the steps of the code."""
    fit = config.fit
    further = replace(
        fit, steps=config.num_rounded_steps, lr=fit.step_size / (SMALLER if fit.decay == "cosine" else 1),
        decay="cosine", report=(), points_seed=(fit.points_seed + 1) % 2**32,
    )  # fmt: skip
    fitting = Fitting(probe.theta, probe.coords, probe.values, further, peak=probe.coder.start.kind.peak,
                      shape=probe.shape, weights=probe.weights)  # fmt: skip
    return probe.at(fitting.finish(Rounded(probe.engine, probe.coder, shifts)).theta)


def _shifts_after(after: Probe, was: Int[np.ndarray, " signals"], config: EncodeConfig) -> Int[np.ndarray, " signals"]:
    """The coarsest ones that reach a target PSNR, where any do; those of before, but coarser where that is too many
    bytes now."""
    if config.target_psnr_db is not None:
        coarsest, reached = _coarsest(after, np.full(len(was), float(config.target_psnr_db)))
        return np.where(reached, coarsest, was)
    if config.target_bytes is None or (fits := after.num_bytes(was) <= config.target_bytes).all():
        return was
    return np.where(fits, was, [choice.shift for choice in _for_bytes(after, config.target_bytes)])


def _for_psnr(probe: Probe, target_db: float) -> list[Choice]:
    shifts, reached = _coarsest(probe, np.full(len(probe.theta), float(target_db)))
    if reached.all():
        return [Choice(int(shift)) for shift in shifts]
    nearest, _ = _coarsest(probe, _below_fit(probe, NEAREST_LOSS_DB))
    return [
        Choice(int(shift)) if ok else Choice(int(near), _unreached(target_db, fitted))
        for shift, ok, near, fitted in zip(shifts, reached, nearest, probe.fitted_db, strict=True)
    ]


def _for_bytes(probe: Probe, target: int) -> list[Choice]:
    def fits(shifts: np.ndarray) -> np.ndarray:
        return probe.num_bytes(shifts) <= target

    shifts, reached = boundary(fits, len(probe.theta), COARSEST, FINEST)
    least = probe.num_bytes(np.full(len(probe.theta), COARSEST))
    why = "the target of {} bytes cannot be reached: the coarsest code has {:.0f}; allow more bytes"
    return [
        Choice(int(shift), "" if ok else why.format(target, smallest))
        for shift, ok, smallest in zip(shifts, reached, least, strict=True)
    ]


def _coarsest(probe: Probe, targets_db: Float[np.ndarray, " signals"]) -> tuple[np.ndarray, np.ndarray]:
    return boundary(lambda shifts: probe.psnr_db(shifts) >= targets_db, len(probe.theta), FINEST, COARSEST)


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


def _below_fit(probe: Probe, loss_db: float) -> Float[np.ndarray, " signals"]:
    targets: np.ndarray = np.minimum(probe.fitted_db, CEILING_DB) - loss_db
    return targets


def _unreached(target_db: float, fitted_db: float) -> str:
    return (
        f"the target of {target_db:g} dB cannot be reached: the fit itself has {fitted_db:.2f} dB; "
        "take more steps, a start with more weights, or a lower target"
    )
