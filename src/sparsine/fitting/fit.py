"""From one start to many fitted signals: a batch of vectors, one row per signal."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from sparsine.checks import check_choice, check_range
from sparsine.errors import BadInput
from sparsine.fitting.points import Draws, InMemory, Places
from sparsine.optim import AdamState, adam_step, sgd_step
from sparsine.psnr import psnr_db
from sparsine.signals.values import UNIT_SIZE, check_within

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
    """Steps at which PSNR is measured, besides the last; None is 0, 1, 2, 5, 10, 20, 50, 100, ..."""
    batch: int = 8
    """Signals fitted at the same time. Changes speed and memory only."""
    points: int | None = None
    """Samples of each signal that a step sees, drawn anew for each; None takes all of them."""
    points_seed: int = 0
    """Decides which."""

    def __post_init__(self) -> None:
        check_choice("optimizer", self.optimizer, Optimizer)
        if self.steps is not None:
            check_range("steps", self.steps, 0, 10**7)
        if self.lr is not None:
            check_range("lr", self.lr, 1e-12, 1e3)
        check_range("batch", self.batch, 1, 100_000)
        if self.points is not None:
            check_range("points", self.points, 1, 10**9)
        check_range("points_seed", self.points_seed, 0, 2**32 - 1)
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


@runtime_checkable
class Objective(Protocol):
    """What a fit asks of an engine: anything that maps a vector of parameters to a field."""

    def predict(self, theta: Tensor, coords: Tensor) -> Tensor: ...

    def loss(self, theta: Tensor, coords: Tensor, values: Tensor) -> Tensor: ...

    def loss_and_grad(self, theta: Tensor, coords: Tensor, values: Tensor) -> tuple[Tensor, Tensor]: ...


Observe = Callable[[int, Objective, Tensor], None]
"""Told (step, objective, theta) at every step that is reported."""


def fit(
    engine: Objective,
    start: Float[Tensor, " params"],
    coords: Float[Tensor, "*own points dims"],
    values: Float[Tensor, "signals points channels"],
    config: FitConfig,
    observe: Observe | None = None,
    *,
    value_range: tuple[float, float] = UNIT_SIZE,
    peak: float = 1.0,
    draws: Draws | None = None,
) -> FitResult:
    """Fit every signal from `start`, independently of the others. The values are taken as they are: bytes must be
    brought to the range that the start was learned on.

    Args:
        coords: (points, dims), or (signals, points, dims) where every signal has its own.
        values: what PSNR is measured on, and what is fitted unless `config.points` or `draws` say otherwise.
        value_range: outside of it, values are refused: they are of another range than they should be.
        peak: of PSNR.
        draws: what each step sees instead, such as samples of signals that are larger than memory.

    A signal whose loss is not finite, or ends above where it began, is 'diverged'; a vector that overflows is held at
    its last finite value. The others are not touched by it.

    Raises:
        BadInput: shapes that do not belong together, or values that are not finite or far out of range.
    """
    check_within(values, value_range, f"values from {value_range[0]:g} to {value_range[1]:g}")
    return Fitting(start, coords, values, config, observe, peak=peak, draws=draws).finish(engine)


class Fitting:
    """Signals on the way from their start to their fits. The engine may change on the way: see `carry`."""

    def __init__(
        self,
        start: Float[Tensor, " params"],
        coords: Float[Tensor, "*own points dims"],
        values: Float[Tensor, "signals points channels"],
        config: FitConfig,
        observe: Observe | None = None,
        *,
        peak: float = 1.0,
        draws: Draws | None = None,
    ):
        """As `fit`."""
        if not torch.isfinite(values).all():
            raise BadInput("the values to fit hold NaN or infinity; every value must be finite")
        self.coords, self.values, self.config, self.observe, self.peak = coords, values, config, observe, peak
        self.draws = draws or _drawn(coords, values, config)
        self.step = 0
        self.theta = start.expand(values.shape[0], -1).clone()
        self._adam = AdamState.zeros_like(self.theta)
        self._alive = torch.ones(values.shape[0], dtype=torch.bool, device=self.theta.device)
        self._first: Tensor | None = None
        self._curves: list[list[float]] = [[] for _ in range(values.shape[0])]

    def advance(self, engine: Objective, until: int) -> None:
        """Take the steps up to `until`."""
        while self.step < until:
            if self.draws is None:
                loss, grad = engine.loss_and_grad(self.theta, self.coords, self.values)
                self._report(engine, loss)
            else:
                if self._first is None or self.step in self.config.report_steps:
                    self._report(engine, engine.loss(self.theta, self.coords, self.values))
                loss, grad = engine.loss_and_grad(self.theta, *self.draws.draw(self.step))
            self._move(loss, grad)
            self.step += 1

    def finish(self, engine: Objective) -> FitResult:
        """Take the steps that are left."""
        self.advance(engine, self.config.num_steps)
        last = engine.loss(self.theta, self.coords, self.values)
        self._report(engine, last)
        assert self._first is not None
        fine = self._alive & torch.isfinite(last) & (last <= self._first)
        status: list[Status] = ["ok" if ok else "diverged" for ok in fine.tolist()]
        return FitResult(self.theta, self.config.report_steps, self._curves, status)

    def carry(self, gather: Callable[[Tensor], Tensor]) -> None:
        """Take theta and Adam's moments over to another pattern, by `gather` on (signals, params). Whether a signal
        ends above where it began is counted from here: what was removed is no divergence."""
        self.theta = gather(self.theta)
        self._adam = AdamState(gather(self._adam.mean), gather(self._adam.square), self._adam.num_steps)
        self._first = None

    def _report(self, engine: Objective, loss: Tensor) -> None:
        if self._first is None:
            self._first = loss
        if self.step in self.config.report_steps:
            for curve, mse, ok in zip(self._curves, loss.tolist(), self._alive.tolist(), strict=True):
                curve.append(psnr_db(mse if ok else torch.nan, self.peak))
            if self.observe:
                self.observe(self.step, engine, self.theta)

    def _move(self, loss: Tensor, grad: Tensor) -> None:
        if self.config.optimizer == "adam":
            moved, self._adam = adam_step(self.theta, grad, self._adam, self.config.step_size)
        else:
            moved = sgd_step(self.theta, grad, self.config.step_size)
        self._alive = self._alive & torch.isfinite(loss) & torch.isfinite(moved).all(dim=1)
        self.theta = torch.where(self._alive[:, None], moved, self.theta)
        self._adam = AdamState(
            _held(self._adam.mean, self._alive), _held(self._adam.square, self._alive), self._adam.num_steps
        )


def _drawn(coords: Tensor, values: Tensor, config: FitConfig) -> Draws | None:
    if config.points is None or config.points >= values.shape[1]:
        return None
    return InMemory(coords, values, Places(values.shape[1], config.points, config.points_seed))


def _held(moments: Tensor, alive: Tensor) -> Tensor:
    """Moments of a signal that overflowed are cleared, so that they cannot spread."""
    return moments if bool(alive.all()) else torch.where(alive[:, None], moments, 0.0)
