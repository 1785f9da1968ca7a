"""From one start to many fitted signals: a batch of vectors, one row per signal."""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Literal, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from sparsine.errors import BadInput
from sparsine.fitting.config import FitConfig as FitConfig
from sparsine.fitting.points import Draws, InMemory, Places
from sparsine.optim import AdamState, adam_step, sgd_step
from sparsine.psnr import psnr_db
from sparsine.signals.values import UNIT_SIZE, check_within

Status = Literal["ok", "diverged", "unreadable"]


@dataclass(frozen=True)
class FitResult:
    """Fitted vectors (signals, params); PSNR at `steps` for each signal; what became of each."""

    theta: Tensor
    steps: tuple[int, ...]
    psnr_db: list[list[float]]
    status: list[Status]
    seconds: tuple[float, ...] = ()
    """Until `steps`, for all signals together; what measuring took is not counted."""


@runtime_checkable
class Objective(Protocol):
    """What a fit asks of an engine: anything that maps a vector of parameters to a field."""

    def predict(self, theta: Tensor, coords: Tensor) -> Tensor: ...

    def loss(self, theta: Tensor, coords: Tensor, values: Tensor, weights: Tensor | None = None) -> Tensor: ...

    def loss_and_grad(
        self, theta: Tensor, coords: Tensor, values: Tensor, weights: Tensor | None = None
    ) -> tuple[Tensor, Tensor]: ...


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
    shape: tuple[int, ...] | None = None,
    weights: Float[Tensor, "*each points"] | None = None,
) -> FitResult:
    """Fit every signal from `start`, independently of the others. The values are taken as they are: bytes must be
    brought to the range that the start was learned on.

    Args:
        coords: (points, dims), or (signals, points, dims) where every signal has its own.
        values: what PSNR is measured on, and what is fitted unless `config.points` or `draws` say otherwise.
        value_range: outside of it, values are refused: they are of another range than they should be.
        peak: of PSNR.
        draws: what each step sees instead, such as samples of signals that are larger than memory.
        shape: of a signal's samples, in array order; lattices are spaced along its axes. Without, along the list.
        weights: how much each sample counts, (points,) or (signals, points), as `signals.weights.weigh` makes them of
            missing values and of areas; None: all alike.

    A signal whose loss is not finite, or ends above where it began, is 'diverged'; a vector that overflows is held at
    its last finite value. The others are not touched by it.

    Raises:
        BadInput: shapes that do not belong together, or values that are not finite or far out of range.
    """
    check_within(values, value_range, f"values from {value_range[0]:g} to {value_range[1]:g}")
    fitting = Fitting(start, coords, values, config, observe, peak=peak, draws=draws, shape=shape, weights=weights)
    return fitting.finish(engine)


class Fitting:
    """Signals on the way from their start to their fits. The engine may change on the way: see `carry`."""

    def __init__(
        self,
        start: Float[Tensor, "*signals params"],
        coords: Float[Tensor, "*own points dims"],
        values: Float[Tensor, "signals points channels"],
        config: FitConfig,
        observe: Observe | None = None,
        *,
        peak: float = 1.0,
        draws: Draws | None = None,
        shape: tuple[int, ...] | None = None,
        weights: Float[Tensor, "*each points"] | None = None,
    ):
        """As `fit`; `start` may also be one vector for each signal."""
        if not torch.isfinite(values).all():
            raise BadInput("the values to fit hold NaN or infinity; every value must be finite")
        self.coords, self.values, self.config, self.observe, self.peak = coords, values, config, observe, peak
        self.weights = weights
        config.check_report()
        self.draws = draws or _drawn(coords, values, config, shape, weights)
        self.step, self._clock, self._at_report = 0, Clock(values.device), list[float]()
        self.theta = start.expand(values.shape[0], -1).clone()
        self._adam = AdamState.zeros_like(self.theta)
        self._alive = torch.ones(values.shape[0], dtype=torch.bool, device=self.theta.device)
        self._first: Tensor | None = None
        self._curves: list[list[float]] = [[] for _ in range(values.shape[0])]

    def advance(self, engine: Objective, until: int) -> None:
        """Take the steps up to `until`."""
        while self.step < until:
            if self.draws is not None and (self._first is None or self.step in self.config.report_steps):
                self._report(engine, engine.loss(self.theta, self.coords, self.values, self.weights))
            with self._clock:
                if self.draws is None:
                    loss, grad = engine.loss_and_grad(self.theta, self.coords, self.values, self.weights)
                else:
                    loss, grad = engine.loss_and_grad(self.theta, *self.draws.draw(self.step))
            if self.draws is None:
                self._report(engine, loss)
            with self._clock:
                self._move(loss, grad)
            self.step += 1

    def finish(self, engine: Objective) -> FitResult:
        """Take the steps that are left."""
        self.advance(engine, self.config.num_steps)
        last = engine.loss(self.theta, self.coords, self.values, self.weights)
        self._report(engine, last)
        assert self._first is not None
        fine = self._alive & torch.isfinite(last) & (last <= self._first)
        status: list[Status] = ["ok" if ok else "diverged" for ok in fine.tolist()]
        return FitResult(self.theta, self.config.report_steps, self._curves, status, tuple(self._at_report))

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
            self._at_report.append(self._clock.seconds())
            for curve, mse, ok in zip(self._curves, loss.tolist(), self._alive.tolist(), strict=True):
                curve.append(psnr_db(mse if ok else torch.nan, self.peak))
            if self.observe:
                self.observe(self.step, engine, self.theta)

    def _move(self, loss: Tensor, grad: Tensor) -> None:
        if self.config.chosen == "adam":
            moved, self._adam = adam_step(self.theta, grad, self._adam, self.config.step_size_at(self.step))
        else:
            moved = sgd_step(self.theta, grad, self.config.step_size_at(self.step))
        self._alive = self._alive & torch.isfinite(loss) & torch.isfinite(moved).all(dim=1)
        self.theta = torch.where(self._alive[:, None], moved, self.theta)
        self._adam = AdamState(
            _held(self._adam.mean, self._alive), _held(self._adam.square, self._alive), self._adam.num_steps
        )


def _drawn(
    coords: Tensor, values: Tensor, config: FitConfig, shape: tuple[int, ...] | None, weights: Tensor | None
) -> Draws | None:
    points = config.points_of(values.shape[1])
    if points is None:
        return None
    places = Places(shape or values.shape[1:2], points, config.points_seed, config.sampled)
    return InMemory(coords, values, places, weights)


def _held(moments: Tensor, alive: Tensor) -> Tensor:
    """Moments of a signal that overflowed are cleared, so that they cannot spread. On a GPU whether there is one is not
    asked: the answer would be waited for, in every step."""
    if alive.device.type == "cpu" and bool(alive.all()):
        return moments
    return torch.where(alive[:, None], moments, 0.0)


class Clock:
    """Seconds of what is done `with` it, and what a GPU still has to do of that."""

    def __init__(self, device: torch.device):
        self._device, self._began, self._seconds = device, 0.0, 0.0

    def __enter__(self) -> None:
        self._began = perf_counter()

    def __exit__(self, *_: object) -> None:
        self._seconds += perf_counter() - self._began

    def seconds(self) -> float:
        """So far."""
        if self._device.type == "cuda":
            with self:
                torch.cuda.synchronize(self._device)
        return self._seconds
