"""What is timed: each task does the same work in two ways and can say how far the answers lie apart."""

from abc import ABC, abstractmethod
from statistics import mean
from typing import Any

import torch
from torch import Tensor

from sparsine.fitting.config import PAPER_STEP_SIZE, FitConfig
from sparsine.fitting.fit import FitResult, fit
from sparsine.measure.timing.config import BenchmarkConfig
from sparsine.measure.timing.plain import PlainField
from sparsine.measure.timing.problem import Problem
from sparsine.meta.maml import InnerConfig, Samples, Tasks, meta_gradient
from sparsine.psnr import psnr_db


class Task(ABC):
    """One piece of work, done the plain way and ours."""

    name: str
    tolerance = 1e-3
    """Largest `difference` at which the two ways still do the same."""
    unit = ""
    """Of the difference."""
    plain_signals_timed: int | None = None
    """Signals that `plain` does, where it may do only some of them."""

    def __init__(self, problem: Problem, config: BenchmarkConfig):
        self.problem, self.config = problem, config
        self.engine, self.coords, self.values = problem.engine, problem.coords, problem.values

    @property
    @abstractmethod
    def useful_multiply_adds(self) -> int | None:
        """What the surviving weights alone need; None where that depends on the algorithm."""

    @abstractmethod
    def plain(self) -> Any: ...

    @abstractmethod
    def ours(self) -> Any: ...

    @abstractmethod
    def difference(self, plain: Any, ours: Any) -> float:
        """Between the result of `plain` and that of `ours`; NaN when one of them is not finite."""

    @property
    def _forward_multiply_adds(self) -> int:
        """One for every surviving weight, point and signal."""
        return self.problem.pattern.num_weights * self.values.shape[0] * self.values.shape[1]


class _OneByOne(Task):
    """The plain way has a field for each signal, and takes one after another."""

    def __init__(self, problem: Problem, config: BenchmarkConfig):
        super().__init__(problem, config)
        self.fields = [PlainField(problem.pattern, theta) for theta in problem.theta]


class LossAndGrad(_OneByOne):
    """Loss and gradient of every signal, each with a vector of its own."""

    name = "loss_and_grad"

    @property
    def useful_multiply_adds(self) -> int:
        return 3 * self._forward_multiply_adds  # forward, and back to the inputs and to the weights

    def plain(self) -> list[tuple[Tensor, tuple[Tensor, ...]]]:
        pairs = zip(self.fields, self.values, strict=True)
        return [field.loss_and_grad(self.coords, values) for field, values in pairs]

    def ours(self) -> tuple[Tensor, Tensor]:
        return self.engine.loss_and_grad(self.problem.theta, self.coords, self.values)

    def difference(self, plain: list[tuple[Tensor, tuple[Tensor, ...]]], ours: tuple[Tensor, Tensor]) -> float:
        losses = torch.stack([loss for loss, _ in plain])
        grads = torch.stack([self.fields[0].flat(grads) for _, grads in plain])
        return _larger(_relative(ours[0], losses), _relative(ours[1], grads))


class Predict(_OneByOne):
    """Values of every signal, each with a vector of its own."""

    name = "predict"

    @property
    def useful_multiply_adds(self) -> int:
        return self._forward_multiply_adds

    def plain(self) -> list[Tensor]:
        return [field.predict(self.coords) for field in self.fields]

    def ours(self) -> Tensor:
        return self.engine.predict(self.problem.theta, self.coords)

    def difference(self, plain: list[Tensor], ours: Tensor) -> float:
        return _relative(ours, torch.stack(plain))


class MetaGradient(Task):
    """The exact MAML gradient of one start; support and query are the whole grid."""

    name = "meta_gradient"
    useful_multiply_adds = None

    def __init__(self, problem: Problem, config: BenchmarkConfig):
        super().__init__(problem, config)
        self.inner = InnerConfig(inner_steps=config.inner_steps)
        self.field = PlainField(problem.pattern, problem.theta[0])

    def plain(self) -> tuple[Tensor, tuple[Tensor, ...]]:
        return self.field.meta_gradient(self.coords, self.values, self.inner.inner_steps, self.inner.inner_step_size)

    def ours(self) -> tuple[Tensor, Tensor]:
        samples = Samples(self.coords, self.values)
        return meta_gradient(self.engine, self.problem.theta[0], Tasks(samples, samples), self.inner)

    def difference(self, plain: tuple[Tensor, tuple[Tensor, ...]], ours: tuple[Tensor, Tensor]) -> float:
        return _larger(_relative(ours[0], plain[0]), _relative(ours[1], self.field.flat(plain[1])))


class Fit(Task):
    """Signals fitted with Adam from one start. The difference is that of PSNR after the last step, its size averaged
    over the signals that both fitted: many steps enlarge the rounding of float32, in one signal now and then a lot."""

    name = "fit"
    tolerance = 0.1
    unit = " dB"

    def __init__(self, problem: Problem, config: BenchmarkConfig):
        super().__init__(problem, config)
        self.field = PlainField(problem.pattern, problem.theta[0])
        self.plain_signals_timed = config.num_plain_signals

    @property
    def useful_multiply_adds(self) -> int:
        return 3 * self.config.steps * self._forward_multiply_adds

    def plain(self) -> list[float]:
        chosen = self.values[: self.plain_signals_timed]
        return [self.field.fit(self.coords, v, self.config.steps, PAPER_STEP_SIZE["adam"]) for v in chosen]

    def ours(self) -> FitResult:
        config = FitConfig(protocol="paper", optimizer="adam", steps=self.config.steps, report=(),
                           batch=len(self.values))  # fmt: skip  # PSNR at the end only
        return fit(self.engine, self.problem.theta[0], self.coords, self.values, config)

    def difference(self, plain: list[float], ours: FitResult) -> float:
        ends = [curve[-1] for curve in ours.psnr_db[: len(plain)]]
        return mean(abs(end - psnr_db(mse)) for end, mse in zip(ends, plain, strict=True))


TASKS: dict[str, type[Task]] = {"engines": LossAndGrad, "meta": MetaGradient, "fit": Fit, "decode": Predict}


def _relative(found: Tensor, expected: Tensor) -> float:
    """Norm of the difference over the norm of what was expected."""
    return float((found - expected).norm() / expected.norm())


def _larger(*differences: float) -> float:
    """The largest; NaN if any is (`max` would depend on the order)."""
    return float(torch.tensor(differences, dtype=torch.float64).max())
