"""What a start must know to code vectors well, measured on validation signals that are fitted for it."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from sparsine.codec.coding_tables import measured_tables
from sparsine.codec.config import CalibrationConfig
from sparsine.counted import counted
from sparsine.engines.choose import make_engine
from sparsine.errors import WorkFailed
from sparsine.fitting.collection import FittedSignal, fit_collection
from sparsine.fitting.config import recorded
from sparsine.signals.dataset import SignalSet
from sparsine.starts.start import Start

Progress = Callable[[int, str], None]
"""Called with (signals fitted so far, name of the last one)."""


def calibrate(
    start: Start,
    signals: SignalSet,
    config: CalibrationConfig | None = None,
    *,
    engine: str = "auto",
    device: str = "cpu",
    progress: Progress | None = None,
) -> Start:
    """`start` with coding tables measured on `signals`. Codes written before belong to the start as it was.

    Raises:
        BadInput: signals that the start cannot draw.
        WorkFailed: fewer than two of them could be read and fitted.
    """
    config = config or CalibrationConfig()
    config = replace(config, fit=config.fit.by(start.plans))
    fits = _fitted(start, signals, config, engine, device, progress)
    theta = torch.stack([fit.theta for fit in fits if fit.theta is not None])
    tables = measured_tables(start, fits, theta, config, make_engine(start.pattern, engine, device=device))
    about = {"signals": len(fits), "loss_db": config.loss_db,
             "fitted_psnr_db": float(np.mean([fit.psnr_db[-1] for fit in fits])),
             **recorded(config.fit)}  # fmt: skip
    return replace(start, coding=tables, info={**start.info, "calibration": about})


def _fitted(
    start: Start, signals: SignalSet, config: CalibrationConfig, engine: str, device: str, progress: Progress | None
) -> list[FittedSignal]:
    indices, fits = range(min(config.signals, len(signals))), []
    for number, fit in enumerate(
        fit_collection(start, signals, config.fit, indices=indices, engine=engine, device=device)
    ):
        if fit.status == "ok":
            fits.append(fit)
        if progress:
            progress(number + 1, fit.name)
    if len(fits) < 2:
        raise WorkFailed(
            f"only {len(fits)} of {counted(len(indices), 'signal')} could be read and fitted, but calibration needs "
            "two; give more of them, or fit with a smaller step size"
        )
    return fits
