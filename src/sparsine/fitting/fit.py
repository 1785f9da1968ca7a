"""From one start to many fitted signals: a batch of vectors, one row per signal."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from sparsine.checks import check_choice, check_range
from sparsine.engines.contract import Engine
from sparsine.errors import BadInput
from sparsine.optim import AdamState, adam_step, sgd_step
from sparsine.psnr import psnr_db

Optimizer = Literal["adam", "sgd"]
Status = Literal["ok", "diverged", "unreadable"]

PAPER_STEP_SIZE = {"adam": 1e-4, "sgd": 1e-2}
PAPER_STEPS = {"adam": 100, "sgd": 2}


@dataclass(frozen=True, kw_only=True)
class FitConfig:
    """How signals are fitted from a start. Defaults are the paper's test-time protocol."""

    optimizer: Optimizer = "adam"
    """adam (the paper's default: 100 steps at 1e-4) or sgd (its second protocol: 2 steps at 1e-2)."""
    steps: int | None = None
    """Full-batch steps for each signal; None is the paper's: 100 for adam, 2 for sgd."""
    lr: float | None = None
    """Step size; None is the paper's: 1e-4 for adam, 1e-2 for sgd."""
    report: tuple[int, ...] | None = None
    """Steps at which PSNR is measured; None is 0, 1, 2, 5, 10, 20, 50, 100, ... and the last."""
    batch: int = 8
    """Signals fitted at the same time. Changes speed and memory only."""

    def __post_init__(self) -> None:
        check_choice("optimizer", self.optimizer, Optimizer)
        if self.steps is not None:
            check_range("steps", self.steps, 0, 10**7)
        if self.lr is not None:
            check_range("lr", self.lr, 1e-12, 1e3)
        check_range("batch", self.batch, 1, 100_000)
        for step in self.report or ():
            check_range("report", step, 0, self.num_steps)

    @property
    def num_steps(self) -> int:
        return PAPER_STEPS[self.optimizer] if self.steps is None else self.steps

    @property
    def step_size(self) -> float:
        return PAPER_STEP_SIZE[self.optimizer] if self.lr is None else self.lr

    @property
    def report_steps(self) -> tuple[int, ...]:
        if self.report is not None:
            return tuple(sorted({*self.report, self.num_steps}))
        usual = {0} | {m * 10**e for e in range(7) for m in (1, 2, 5)}
        return tuple(sorted({s for s in usual if s <= self.num_steps} | {self.num_steps}))


@dataclass(frozen=True)
class FitResult:
    """Fitted vectors (signals, params); PSNR at `steps` for each signal; what became of each."""

    theta: Tensor
    steps: tuple[int, ...]
    psnr_db: list[list[float]]
    status: list[Status]


def fit(
    engine: Engine,
    start: Float[Tensor, " params"],
    coords: Float[Tensor, "points dims"],
    values: Float[Tensor, "signals points channels"],
    config: FitConfig,
) -> FitResult:
    """Fit every signal from `start`, independently of the others.

    A signal whose loss is not finite, or ends above where it began, is 'diverged'; a vector that overflows is held at
    its last finite value. The others are not touched by it.

    Raises:
        BadInput: shapes that do not belong together, or values that are not finite.
    """
    if not torch.isfinite(values).all():
        raise BadInput("the values to fit hold NaN or infinity; every value must be finite")
    theta = start.expand(values.shape[0], -1).clone()
    adam = AdamState.zeros_like(theta)
    alive = torch.ones(values.shape[0], dtype=torch.bool, device=theta.device)
    first = last = torch.full_like(values[:, 0, 0], torch.nan)
    curves: list[list[float]] = [[] for _ in range(values.shape[0])]
    for step in range(config.num_steps + 1):
        if step == config.num_steps:
            last = engine.loss(theta, coords, values)
        else:
            last, grad = engine.loss_and_grad(theta, coords, values)
        first = last if step == 0 else first
        if step in config.report_steps:
            for curve, mse, ok in zip(curves, last.tolist(), alive.tolist(), strict=True):
                curve.append(psnr_db(mse if ok else torch.nan))
        if step == config.num_steps:
            break
        if config.optimizer == "adam":
            moved, adam = adam_step(theta, grad, adam, config.step_size)
        else:
            moved = sgd_step(theta, grad, config.step_size)
        alive = alive & torch.isfinite(last) & torch.isfinite(moved).all(dim=1)
        theta = torch.where(alive[:, None], moved, theta)
        adam = AdamState(_held(adam.mean, alive), _held(adam.square, alive), adam.num_steps)
    fine = alive & torch.isfinite(last) & (last <= first)
    return FitResult(theta, config.report_steps, curves, ["ok" if ok else "diverged" for ok in fine.tolist()])


def _held(moments: Tensor, alive: Tensor) -> Tensor:
    """Moments of a signal that overflowed are cleared, so that they cannot spread."""
    return moments if bool(alive.all()) else torch.where(alive[:, None], moments, 0.0)
