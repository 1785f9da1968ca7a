"""What a start must know to code vectors well, measured on validation signals: centre, steps, scales, tails.

Steps: for small steps the squared error that rounding adds is sum_p h_p step_p**2 / 12, with the sensitivity h_p of the
drawing to parameter p, and the bits are -sum_p log2 step_p and a constant. At a given error the bits are fewest where
all parameters add alike to it, step_p proportional to 1 / sqrt(h_p). One factor for all is then searched for the loss
of PSNR that is allowed. Steps for groups (layer weights, layer biases) alone would take more bits: within a layer
sensitivities differ more than between layers, because some neurons hardly matter.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int, Num
from torch import Tensor

from sparsine.checks import check_range
from sparsine.codec.coder import Coder
from sparsine.codec.config import EncodeConfig
from sparsine.codec.groups import groups_of
from sparsine.codec.ladder import PER_OCTAVE, exact_power
from sparsine.codec.scales import COARSE
from sparsine.codec.sensitivity import sensitivities
from sparsine.codec.tails import laplace_tails, measured_tails
from sparsine.codec.targets import CEILING_DB, COARSEST, FINEST, boundary
from sparsine.codec.uncalibrated import DEFAULT_STEP
from sparsine.counted import counted
from sparsine.engines.choose import make_engine
from sparsine.engines.contract import Engine
from sparsine.errors import WorkFailed
from sparsine.fitting.collection import FittedSignal, fit_collection
from sparsine.fitting.config import FitConfig, recorded
from sparsine.psnr import psnr_db
from sparsine.signals.dataset import SignalSet
from sparsine.signals.samples import Samples
from sparsine.signals.weights import weigh
from sparsine.starts.coding import MAX_EXPONENT, CodingTables
from sparsine.starts.start import Start

LEAST_SENSITIVITY = 0.003
"""Of its group's mean: a parameter that did not matter to any measured signal may matter to another."""
FLOOR = 1 / 16
"""Steps: the smallest spread that is told apart. Below, numbers are 0 but for accidents."""
Progress = Callable[[int, str], None]
"""Told (signals fitted so far, name of the last one)."""


@dataclass(frozen=True, kw_only=True)
class CalibrationConfig:
    """How a start is calibrated."""

    fit: FitConfig = dataclasses.field(default_factory=lambda: EncodeConfig().fit)
    """How signals are fitted: as they will be when they are encoded."""
    signals: int = 32
    """Validation signals that are fitted, at most."""
    loss_db: float = 0.04
    """Mean PSNR that the default quality may cost beside the fit before rounding."""
    draws: int = 8
    """Random gradients of each signal from which the sensitivities are estimated."""
    seed: int = 0
    """Of those gradients."""

    def __post_init__(self) -> None:
        check_range("signals", self.signals, 2, 100_000)
        check_range("loss_db", self.loss_db, 1e-6, 10.0)
        check_range("draws", self.draws, 1, 10_000)
        check_range("seed", self.seed, 0, 2**32 - 1)


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
    tables = _tables(start, fits, theta, config, make_engine(start.pattern, engine, device=device))
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


def _tables(
    start: Start, fits: list[FittedSignal], theta: Float[Tensor, "signals params"], config: CalibrationConfig,
    engine: Engine,
) -> CodingTables:  # fmt: skip
    centre = _centre(start, theta)
    far = theta.double().numpy() - centre.double().numpy()
    rough = CodingTables(
        centre,
        _relative_steps(start, fits, theta, config, engine),
        torch.zeros(theta.shape[1], dtype=torch.int16),
        laplace_tails(),
    )
    shift = _allowed_shift(replace(start, coding=rough), fits, theta, config, engine)
    steps = np.clip(rough.step.numpy().astype(np.int32) + shift, -MAX_EXPONENT, MAX_EXPONENT)
    spread = np.sqrt(np.square(far).mean(axis=0))
    scales = steps + COARSE * np.rint(PER_OCTAVE / COARSE * np.log2(np.maximum(spread / exact_power(steps), FLOOR)))
    return replace(rough, step=_exponents(steps), scale=_exponents(scales), tails=_tails(far, exact_power(steps)))


def _centre(start: Start, theta: Float[Tensor, "signals params"]) -> Float[Tensor, " params"]:
    """The start, moved towards the mean of the fitted vectors as far as that mean is known (Wiener's weight: its square
    over its square and the variance of its estimate)."""
    moved = theta.double() - start.theta.double()
    mean, doubt = moved.mean(dim=0), moved.var(dim=0) / len(theta)
    return (start.theta.double() + mean * (mean**2 / (mean**2 + doubt).clamp_min(1e-300))).float()


def _relative_steps(
    start: Start, fits: list[FittedSignal], theta: Float[Tensor, "signals params"], config: CalibrationConfig,
    engine: Engine,
) -> Int[Tensor, " params"]:  # fmt: skip
    """Exponents of 1 / sqrt(sensitivity), up to a common one."""
    total = torch.zeros(theta.shape[1], dtype=torch.float64)
    samples = _samples(start, fits, engine)
    for number, first in enumerate(range(0, len(theta), config.fit.batch)):
        batch = theta[first : first + config.fit.batch].to(engine.device)
        some = samples.part(slice(first, first + config.fit.batch))
        found = sensitivities(engine, batch, some.coords, config.draws, config.seed + number, some.weights)
        total += found.sum(0).cpu()
    mean = total / len(theta)
    groups = torch.from_numpy(groups_of(start.pattern))
    of_group = torch.bincount(groups, mean) / torch.bincount(groups).clamp_min(1)
    known = torch.maximum(mean, LEAST_SENSITIVITY * of_group[groups]).clamp_min(1e-30)
    return _exponents(-PER_OCTAVE / 2 * torch.log2(known / known.mean()).numpy() + DEFAULT_STEP)


def _allowed_shift(
    start: Start, fits: list[FittedSignal], theta: Float[Tensor, "signals params"], config: CalibrationConfig,
    engine: Engine,
) -> int:  # fmt: skip
    """The coarsest common shift of the steps that costs no more than is allowed."""
    samples = _samples(start, fits, engine)
    coder, on_device = Coder(start), theta.to(engine.device)
    before = _mean_db(engine, on_device, samples)

    def good(shifts: np.ndarray) -> np.ndarray:
        after = _mean_db(engine, coder.rounded(on_device, int(shifts[0])), samples)
        return np.array([after >= before - config.loss_db])

    found, _ = boundary(good, 1, FINEST, COARSEST)
    return int(found[0])


def _tails(far: Float[np.ndarray, "signals params"], steps: Float[np.ndarray, " params"]) -> Int[Tensor, " distances"]:
    """Of each distance in units of the spread of the other signals' distances, which is how a new signal will stand.
    Only where that spread can be seen through the steps."""
    squares = np.square(far)
    others = np.sqrt((squares.sum(axis=0) - squares).clip(min=0) / (len(far) - 1))
    seen = others > steps
    return measured_tails(far[seen] / others[seen])


def _samples(start: Start, fits: list[FittedSignal], engine: Engine) -> Samples:
    originals = np.stack([fit.original for fit in fits if fit.original is not None])
    own = [fit.coords for fit in fits if fit.coords is not None]
    if own:
        coords, area = torch.from_numpy(np.stack(own)).to(engine.device), None
    else:
        domain = start.domain.resized(originals.shape[1:-1])
        coords, area = domain.coords(device=engine.device), domain.weights(device=engine.device)
    values = torch.from_numpy(originals).reshape(len(fits), -1, originals.shape[-1]).to(engine.device)
    return Samples(coords, *weigh(values, area))


def _mean_db(engine: Engine, theta: Tensor, samples: Samples) -> float:
    losses = engine.loss(theta, samples.coords, samples.values, samples.weights).tolist()
    return float(np.mean([min(psnr_db(mse), CEILING_DB) for mse in losses]))


def _exponents(numbers: Num[np.ndarray, " params"]) -> Int[Tensor, " params"]:
    return torch.from_numpy(np.clip(np.rint(numbers), -MAX_EXPONENT, MAX_EXPONENT).astype(np.int16))
