"""The gradient that improves a start: exact MAML, first-order MAML, Reptile. No graph is ever kept.

MAML (Finn et al., ICML 2017). With theta_{k+1} = theta_k - a g(theta_k), the exact gradient of the outer loss at
theta_K is the reverse recursion v_K = g(theta_K), v_k = v_{k+1} - a H(theta_k) v_{k+1}. It needs the vectors
theta_k alone, so memory grows neither with the coordinates nor, thanks to checkpoints, much with the steps.
"""

from dataclasses import dataclass
from math import isqrt
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from sparsine.checks import check_choice, check_range
from sparsine.engines.contract import Engine
from sparsine.optim import sgd_step

Algorithm = Literal["maml", "fomaml", "reptile"]

# Up to this many iterates are simply kept; beyond it, one in sqrt(K) is kept and the others computed again.
ITERATES_KEPT = 8
# Tasks go through the recursion together while their vectors are small, so that memory does not grow with the tasks.
GROUP_ELEMENTS = 2**18


@dataclass(frozen=True, kw_only=True)
class InnerConfig:
    """How a start is adapted to one task, and how the start learns from it."""

    algorithm: Algorithm = "maml"
    """maml: exact second-order gradient. fomaml: the gradient at the adapted vector. reptile: the way travelled."""
    inner_steps: int = 2
    """Full-batch SGD steps from the start to a task."""
    inner_step_size: float = 1e-2
    """Step size of the inner SGD."""
    points: int | None = None
    """Coordinates drawn for each task, anew for the inner and for the outer loss; None takes the whole grid."""

    def __post_init__(self) -> None:
        check_choice("algorithm", self.algorithm, Algorithm)
        check_range("inner_steps", self.inner_steps, 1, 100_000)
        check_range("inner_step_size", self.inner_step_size, 1e-12, 1e3)
        if self.points is not None:
            check_range("points", self.points, 1, 10**9)


@dataclass(frozen=True)
class Samples:
    """Coordinates (points, dims) or (signals, points, dims), and values (signals, points, channels)."""

    coords: Tensor
    values: Tensor

    def part(self, chosen: slice) -> "Samples":
        """The samples of some of the signals."""
        return Samples(self.coords if self.coords.ndim == 2 else self.coords[chosen], self.values[chosen])


@dataclass(frozen=True)
class Tasks:
    """What the inner steps see (`support`) and what the outer loss sees (`query`); one object on the whole grid."""

    support: Samples
    query: Samples

    def __len__(self) -> int:
        return self.query.values.shape[0]

    def part(self, chosen: slice) -> "Tasks":
        """Some of the tasks."""
        return Tasks(self.support.part(chosen), self.query.part(chosen))


def inner_step(engine: Engine, theta: Tensor, samples: Samples, step_size: float) -> Tensor:
    """theta - step_size * gradient, for every signal."""
    return sgd_step(theta, engine.loss_and_grad(theta, samples.coords, samples.values)[1], step_size)


def adapt(
    engine: Engine, theta: Float[Tensor, "signals params"], samples: Samples, num_steps: int, step_size: float
) -> Float[Tensor, "signals params"]:
    """`num_steps` of inner SGD. The vector it is given is left as it was."""
    for _ in range(num_steps):
        theta = inner_step(engine, theta, samples, step_size)
    return theta


def meta_gradient(
    engine: Engine, start: Float[Tensor, " params"], tasks: Tasks, config: InnerConfig
) -> tuple[Float[Tensor, ""], Float[Tensor, " params"]]:
    """The outer loss and its gradient with respect to the start, both averaged over the tasks.

    Reptile (Nichol et al., 2018) has no outer loss of its own: the gradient is (start - theta_K) / (K * step size),
    and the loss is reported all the same.
    """
    group = max(1, GROUP_ELEMENTS // start.numel())
    losses, gradient = [], torch.zeros_like(start)
    for first in range(0, len(tasks), group):
        group_losses, v = _task_gradients(engine, start, tasks.part(slice(first, first + group)), config)
        losses.append(group_losses)
        gradient += v.sum(dim=0)
    return torch.cat(losses).mean(), gradient / len(tasks)


def _task_gradients(engine: Engine, start: Tensor, tasks: Tasks, config: InnerConfig) -> tuple[Tensor, Tensor]:
    """Outer loss (tasks,) and gradient with respect to the start (tasks, params), task by task."""
    num_steps, step_size = config.inner_steps, config.inner_step_size
    theta = start.expand(len(tasks), -1)
    if config.algorithm == "maml":
        return _exact(engine, theta, tasks, num_steps, step_size)
    adapted = adapt(engine, theta, tasks.support, num_steps, step_size)
    if config.algorithm == "fomaml":
        return engine.loss_and_grad(adapted, tasks.query.coords, tasks.query.values)
    losses = engine.loss(adapted, tasks.query.coords, tasks.query.values)
    return losses, (theta - adapted) / (num_steps * step_size)


def _exact(engine: Engine, theta: Tensor, tasks: Tasks, num_steps: int, step_size: float) -> tuple[Tensor, Tensor]:
    """Losses at theta_K and dL/dtheta_0, per task. `segment` steps lie between two kept iterates."""
    segment = 1 if num_steps <= ITERATES_KEPT else isqrt(num_steps - 1) + 1
    kept = [theta]
    for step in range(num_steps):
        theta = inner_step(engine, theta, tasks.support, step_size)
        if (step + 1) % segment == 0 and step + 1 < num_steps:
            kept.append(theta)
    losses, v = engine.loss_and_grad(theta, tasks.query.coords, tasks.query.values)
    end = num_steps
    while kept:
        iterates = [kept.pop()]
        for _ in range(end - len(kept) * segment - 1):
            iterates.append(inner_step(engine, iterates[-1], tasks.support, step_size))
        end = len(kept) * segment
        while iterates:
            product = engine.hvp(iterates.pop(), v, tasks.support.coords, tasks.support.values)
            v = v.sub(product, alpha=step_size)
    return losses, v
