"""Our codes: signals are fitted once and coded at every quality."""

from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np
import torch
from torch import Tensor

from sparsine.codec.coder import Coder
from sparsine.codec.config import EncodeConfig
from sparsine.codec.rate_control import FittedBatch
from sparsine.codec.straight_through import quantisation_aware
from sparsine.engines.choose import make_engine
from sparsine.errors import BadInput
from sparsine.fitting.fit import Fitting
from sparsine.measure.rate_distortion.config import RateDistortionConfig
from sparsine.measure.rate_distortion.pictures import Measured, Picture, as_picture, measured, picture_psnr_db
from sparsine.starts.start import Start


@dataclass(frozen=True)
class Coded:
    """One signal, fitted and coded."""

    measured: Measured | None
    """None where there is no code: the fit diverged, or the vector cannot be coded in such steps."""
    fitted_psnr_db: float
    """Of the picture that the vector draws before it is rounded."""
    data: bytes
    theta: Tensor
    """The fitted vector (params,)."""


class OurCodec:
    """Codes of one start. Engine and tables are made once, and not timed."""

    def __init__(self, start: Start, config: RateDistortionConfig) -> None:
        """Raises BadInput for a start that was never calibrated: quality says nothing there."""
        if start.coding is None:
            raise BadInput(
                "the start was never calibrated, so that a quality says nothing there; calibrate it first: "
                "sparsine calibrate START SIGNALS --out START2"
            )
        self.start, self.config = start, config
        self.fit = replace(config.fit.by(start.plans), report=())
        self.coder, self.engine = Coder(start), make_engine(start.pattern)

    def measure(self, originals: list[Picture]) -> dict[int, list[Coded]]:
        """By quality: pictures of one shape, fitted together."""
        began = perf_counter()
        shape = originals[0].shape[:2]
        values = torch.from_numpy(np.stack(originals).reshape(len(originals), -1, 3).astype(np.float32) / 255)
        coords = self.start.domain.resized(shape).coords()
        fit = Fitting(self.start.theta, coords, values, self.fit, shape=shape).finish(self.engine)
        seconds = perf_counter() - began
        fitted = [picture_psnr_db(original, self._draw(theta, shape))
                  for theta, original in zip(fit.theta, originals, strict=True)]  # fmt: skip
        batch = FittedBatch(self.coder, self.engine, coords, values, shape, fit.theta)
        fine = [status == "ok" for status in fit.status]
        return {quality: self._at(quality, batch, fine, fitted, seconds, originals)
                for quality in self.config.qualities}  # fmt: skip

    def _at(self, quality: int, batch: FittedBatch, fine: list[bool], fitted: list[float], seconds: float,
            originals: list[Picture]) -> list[Coded]:  # fmt: skip
        """`seconds`: of the fit, which all qualities share."""
        began = perf_counter()
        config = EncodeConfig(fit=self.fit, quality=quality, rounded_steps=self.config.rounded_steps)
        theta = quantisation_aware(batch, np.full(len(originals), config.step_shift), config).batch.theta
        seconds = (seconds + perf_counter() - began) / len(originals)
        return [self._coded(theta[row], fine[row], config.step_shift, original, fitted[row], seconds)
                for row, original in enumerate(originals)]  # fmt: skip

    def _coded(self, theta: Tensor, fitted: bool, shift: int, original: Picture, before: float,
               fit_seconds: float) -> Coded:  # fmt: skip
        shape = (original.shape[0], original.shape[1])
        began = perf_counter()
        try:
            data = self.coder.write(theta, shape, step_shift=shift) if fitted else b""
        except BadInput:
            data = b""
        if not data:
            return Coded(None, before, b"", theta)
        encoded = perf_counter()
        decoded = self._draw(self.coder.theta(self.coder.read(data)), shape)
        seconds = perf_counter() - encoded
        made = measured(original, decoded, len(data), fit_seconds + encoded - began, seconds)
        return Coded(made, before, data, theta)

    def _draw(self, theta: Tensor, shape: tuple[int, int]) -> Picture:
        values = self.engine.predict(theta[None], self.start.domain.resized(shape).coords())[0]
        return as_picture(values.reshape(*shape, -1).numpy())
