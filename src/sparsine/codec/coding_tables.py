"""Coding tables measured on fitted vectors: centre, steps, scales, survival function.

Steps: for small steps the squared error that rounding adds is sum_p h_p step_p**2 / 12, with the sensitivity h_p of the
drawing to parameter p, and the bits are -sum_p log2 step_p and a constant. At a given error the bits are fewest where
all parameters add alike to it, step_p proportional to 1 / sqrt(h_p). One factor for all is then searched for the loss
of PSNR that is allowed. Steps for groups (layer weights, layer biases) alone would take more bits: within a layer
sensitivities differ more than between layers, because some neurons hardly matter.
"""

from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float, Int, Num
from torch import Tensor

from sparsine.codec.coder import Coder
from sparsine.codec.config import CalibrationConfig
from sparsine.codec.format.decoder import groups_of
from sparsine.codec.format.default_tables import DEFAULT_STEP, laplace_survival
from sparsine.codec.format.quantise import PER_OCTAVE, exact_power
from sparsine.codec.rate_control import CEILING_DB, COARSEST, FINEST, boundary
from sparsine.codec.scales import COARSE
from sparsine.engines.contract import Engine
from sparsine.fitting.collection import FittedSignal
from sparsine.psnr import psnr_db
from sparsine.signals.samples import Samples
from sparsine.signals.weights import weigh
from sparsine.starts.coding import MAX_EXPONENT, SURVIVAL_POINTS, WHOLE, CodingTables
from sparsine.starts.start import Start

LEAST_SENSITIVITY = 0.003
"""Of its group's mean: a parameter that did not matter to any measured signal may matter to another."""
FLOOR = 1 / 16
"""Steps: the smallest spread that is seen. Below, numbers are 0 but for accidents."""
PRIOR_VALUES = 200
"""What is measured weighs against so many values of a Laplace distribution, so that nothing is thought impossible."""


def measured_tables(
    start: Start, fits: list[FittedSignal], theta: Float[Tensor, "signals params"], config: CalibrationConfig,
    engine: Engine,
) -> CodingTables:  # fmt: skip
    """`theta`: the fitted vectors of `fits`."""
    samples, centre = _samples(start, fits, engine), _centre(start, theta)
    far = theta.double().numpy() - centre.double().numpy()
    rough = CodingTables(
        centre,
        _relative_steps(start, samples, theta, config, engine),
        torch.zeros(theta.shape[1], dtype=torch.int16),
        laplace_survival(),
    )
    shift = _allowed_shift(replace(start, coding=rough), samples, theta, config, engine)
    steps = np.clip(rough.step.numpy().astype(np.int32) + shift, -MAX_EXPONENT, MAX_EXPONENT)
    spread = np.sqrt(np.square(far).mean(axis=0))
    scales = steps + COARSE * np.rint(PER_OCTAVE / COARSE * np.log2(np.maximum(spread / exact_power(steps), FLOOR)))
    return replace(rough, step=_exponents(steps), scale=_exponents(scales), survival=_survival(far, exact_power(steps)))


def _centre(start: Start, theta: Float[Tensor, "signals params"]) -> Float[Tensor, " params"]:
    """The start, moved towards the mean of the fitted vectors as far as that mean is known (Wiener's weight: its square
    over its square and the variance of its estimate)."""
    moved = theta.double() - start.theta.double()
    mean, doubt = moved.mean(dim=0), moved.var(dim=0) / len(theta)
    return (start.theta.double() + mean * (mean**2 / (mean**2 + doubt).clamp_min(1e-300))).float()


def _relative_steps(
    start: Start, samples: Samples, theta: Float[Tensor, "signals params"], config: CalibrationConfig,
    engine: Engine,
) -> Int[Tensor, " params"]:  # fmt: skip
    """Exponents of 1 / sqrt(sensitivity), up to a common one."""
    total = torch.zeros(theta.shape[1], dtype=torch.float64)
    size = config.fit.together()  # wherever it is computed: each batch draws its own random numbers
    for number, first in enumerate(range(0, len(theta), size)):
        batch = theta[first : first + size].to(engine.device)
        some = samples.part(slice(first, first + size))
        found = fisher_diagonal(engine, batch, some.coords, config.draws, config.seed + number, some.weights)
        total += found.sum(0).cpu()
    mean = total / len(theta)
    groups = torch.from_numpy(groups_of(start.pattern))
    of_group = torch.bincount(groups, mean) / torch.bincount(groups).clamp_min(1)
    known = torch.maximum(mean, LEAST_SENSITIVITY * of_group[groups]).clamp_min(1e-30)
    return _exponents(-PER_OCTAVE / 2 * torch.log2(known / known.mean()).numpy() + DEFAULT_STEP)


def _allowed_shift(
    start: Start, samples: Samples, theta: Float[Tensor, "signals params"], config: CalibrationConfig,
    engine: Engine,
) -> int:  # fmt: skip
    """The coarsest common shift of the steps that costs no more than is allowed."""
    coder, on_device = Coder(start), theta.to(engine.device)
    before = _mean_db(engine, on_device, samples)

    def good(shifts: np.ndarray) -> np.ndarray:
        after = _mean_db(engine, coder.rounded(on_device, int(shifts[0])), samples)
        return np.array([after >= before - config.loss_db])

    found, _ = boundary(good, 1, FINEST, COARSEST)
    return int(found[0])


def _survival(
    far: Float[np.ndarray, "signals params"], steps: Float[np.ndarray, " params"]
) -> Int[Tensor, " distances"]:
    """Of each distance in units of the spread of the other signals' distances, which is how a new signal will stand.
    Only where that spread can be seen through the steps."""
    squares = np.square(far)
    others = np.sqrt((squares.sum(axis=0) - squares).clip(min=0) / (len(far) - 1))
    seen = others > steps
    return measured_survival(far[seen] / others[seen])


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


def fisher_diagonal(
    engine: Engine,
    theta: Float[Tensor, "signals params"],
    coords: Float[Tensor, "*own points dims"],
    draws: int,
    seed: int,
    weights: Float[Tensor, "*each points"] | None = None,
) -> Float[Tensor, "signals params"]:  # fmt: skip
    """The mean over points and channels of (d value / d parameter)**2, float64: the Gauss-Newton matrix's diagonal;
    each point as much as it counts.

    A field that is asked for its own values with a random sign e = +-1 added to each has the gradient
    -2 / n sum_i e_i dvalue_i/dparameter, whose square has the mean 4 / n times what is wanted (Martens, 'New insights
    and perspectives on the natural gradient method', 2020: the Fisher matrix from the model's own samples). The
    relative standard error is sqrt(2 / draws) for one signal. Of points that count unequally the errors are weighed by
    the root of that, so that the squares of the gradients are weighed by it.
    """
    roots = None if weights is None else weights.sqrt()
    generator = torch.Generator().manual_seed(seed)
    values = engine.predict(theta, coords)
    total = torch.zeros(theta.shape, dtype=torch.float64, device=theta.device)
    for _ in range(draws):
        signs = torch.randint(0, 2, values.shape, generator=generator).to(values) * 2 - 1
        _, grad = engine.loss_and_grad(theta, coords, values + signs, roots)
        total += grad.double().square()
    return total * (values.shape[1] * values.shape[2] / (4 * draws))


def measured_survival(values: Float[np.ndarray, " values"]) -> Int[Tensor, " distances"]:
    """How many of 2**30 of the values, which are in scales, lie further out than 0, 1/16, ..., 16."""
    magnitudes = np.sort(np.abs(values))
    beyond = len(values) - np.searchsorted(magnitudes, np.arange(SURVIVAL_POINTS) / 16, side="right")
    prior = laplace_survival().double().numpy() / WHOLE
    share = (beyond + PRIOR_VALUES * prior) / (len(values) + PRIOR_VALUES)
    share[0] = 1.0
    return torch.from_numpy(np.rint(share * WHOLE).astype(np.int32))
