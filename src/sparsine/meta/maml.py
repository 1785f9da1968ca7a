"""The gradient that improves a start: exact MAML, first-order MAML, Reptile. No graph is ever kept.

MAML (Finn et al., ICML 2017). With theta_{k+1} = theta_k - a g(theta_k), the exact gradient of the outer loss at
theta_K is the reverse recursion v_K = g(theta_K), v_k = v_{k+1} - a H(theta_k) v_{k+1}. It needs the vectors
theta_k alone, so memory does not grow with the coordinates, and with the steps K only as log K: by halving, a path
of 64 steps needs 8 vectors at a time, for less than twice the work.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from sparsine.checks import check_choice, check_range
from sparsine.engines.contract import Engine
from sparsine.meta.ranks import Share
from sparsine.optim import sgd_step
from sparsine.signals.samples import Samples as Samples
from sparsine.signals.sampling import Sampling

Algorithm = Literal["maml", "fomaml", "reptile"]

# Up to this many iterates are simply kept; beyond it the steps are halved until they are so few, and computed again.
ITERATES_KEPT = 4
# Tasks go through the recursion together while their vectors are small, so that memory does not grow with the tasks.
GROUP_ELEMENTS = {"cpu": 2**18, "cuda": 2**24}


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
    """Coordinates drawn for each task, anew for the inner and for the outer loss; None takes the whole grid, or as many
    as share says."""
    share: float | None = None
    """Part of the grid that is drawn for each task, where points says nothing."""
    sampling: Sampling = "random"
    """How they are drawn. random: each by itself. lattice: evenly spaced, moved by a random offset."""

    def __post_init__(self) -> None:
        check_choice("algorithm", self.algorithm, Algorithm)
        check_choice("sampling", self.sampling, Sampling)
        check_range("inner_steps", self.inner_steps, 1, 100_000)
        check_range("inner_step_size", self.inner_step_size, 1e-12, 1e3)
        if self.points is not None:
            check_range("points", self.points, 1, 10**9)
        if self.share is not None:
            check_range("share", self.share, 1e-9, 1.0)

    def points_of(self, num_points: int) -> int | None:
        """Coordinates that are drawn of a grid with so many; None is all of them."""
        share = 1.0 if self.share is None else self.share
        wanted = self.points if self.points is not None else max(1, round(share * num_points))
        return wanted if wanted < num_points else None


def num_gradients(config: InnerConfig) -> int:
    """Gradients of inner steps that a meta-gradient takes for each task, those that are computed again among them; the
    outer loss comes on top."""
    num_steps = config.inner_steps
    return num_steps + (_again(num_steps) if config.algorithm == "maml" and num_steps > ITERATES_KEPT else 0)


def _again(num_steps: int) -> int:
    if num_steps <= ITERATES_KEPT:
        return num_steps - 1
    half = num_steps // 2
    return half + _again(num_steps - half) + _again(half)


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
    return sgd_step(theta, engine.loss_and_grad(theta, samples.coords, samples.values, samples.weights)[1], step_size)


def adapt(
    engine: Engine, theta: Float[Tensor, "signals params"], samples: Samples, num_steps: int, step_size: float
) -> Float[Tensor, "signals params"]:
    """`num_steps` of inner SGD. The vector it is given is left as it was."""
    for _ in range(num_steps):
        theta = inner_step(engine, theta, samples, step_size)
    return theta


def meta_gradient(
    engine: Engine,
    start: Float[Tensor, " params"],
    tasks: Tasks,
    config: InnerConfig,
    share: Share | None = None,
) -> tuple[Float[Tensor, ""], Float[Tensor, " params"]]:
    """The outer loss and its gradient with respect to the start, both averaged over the tasks: over those of all ranks
    where `tasks` are the part of this one in `share`.

    Reptile (Nichol et al., 2018) has no outer loss of its own: the gradient is (start - theta_K) / (K * step size),
    and the loss is reported all the same.

    Raises:
        RankLost: another rank does not answer.
    """
    group = max(1, GROUP_ELEMENTS[start.device.type] // start.numel())
    here = (_task_gradients(engine, start, tasks.part(slice(first, first + group)), config)
            for first in range(0, len(tasks), group))  # fmt: skip
    everywhere = here if share is None or share.is_all else _of_all_ranks(share, start, list(here), group)
    losses, gradient = [], torch.zeros_like(start)
    for group_losses, v in everywhere:
        losses.append(group_losses)
        gradient += v.sum(dim=0)
    together = torch.cat(losses)
    return together.mean(), gradient / len(together)


def _of_all_ranks(
    share: Share, start: Tensor, here: list[tuple[Tensor, Tensor]], group: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Losses and gradients of all tasks, in the groups in which one process sums them."""
    losses, v = share.gathered(start, *(torch.cat(parts) for parts in zip(*here, strict=True)))
    for first in range(0, share.total, group):
        yield losses[first : first + group], v[first : first + group]


def _task_gradients(engine: Engine, start: Tensor, tasks: Tasks, config: InnerConfig) -> tuple[Tensor, Tensor]:
    """Outer loss (tasks,) and gradient with respect to the start (tasks, params), task by task."""
    num_steps, step_size = config.inner_steps, config.inner_step_size
    theta = start.expand(len(tasks), -1)
    if config.algorithm == "maml":
        return _exact(engine, theta, tasks, num_steps, step_size)
    adapted = adapt(engine, theta, tasks.support, num_steps, step_size)
    if config.algorithm == "fomaml":
        return engine.loss_and_grad(adapted, tasks.query.coords, tasks.query.values, tasks.query.weights)
    losses = engine.loss(adapted, tasks.query.coords, tasks.query.values, tasks.query.weights)
    return losses, (theta - adapted) / (num_steps * step_size)


def _exact(engine: Engine, theta: Tensor, tasks: Tasks, num_steps: int, step_size: float) -> tuple[Tensor, Tensor]:
    """Losses at theta_K and dL/dtheta_0, per task."""
    if num_steps <= ITERATES_KEPT:
        iterates = _path(engine, theta, tasks.support, num_steps, step_size)
        losses, v = engine.loss_and_grad(iterates.pop(), tasks.query.coords, tasks.query.values, tasks.query.weights)
        return losses, _reverse(engine, iterates, v, tasks.support, step_size)
    adapted = adapt(engine, theta, tasks.support, num_steps, step_size)
    losses, v = engine.loss_and_grad(adapted, tasks.query.coords, tasks.query.values, tasks.query.weights)
    del adapted
    return losses, _pulled_back(engine, theta, v, tasks.support, num_steps, step_size)


def _pulled_back(
    engine: Engine, theta: Tensor, v: Tensor, samples: Samples, num_steps: int, step_size: float
) -> Tensor:
    """v from the end of `num_steps` inner steps to their beginning: the second half of them first, then the first."""
    if num_steps <= ITERATES_KEPT:
        return _reverse(engine, _path(engine, theta, samples, num_steps - 1, step_size), v, samples, step_size)
    half = num_steps // 2
    middle = adapt(engine, theta, samples, half, step_size)
    v = _pulled_back(engine, middle, v, samples, num_steps - half, step_size)
    del middle
    return _pulled_back(engine, theta, v, samples, half, step_size)


def _path(engine: Engine, theta: Tensor, samples: Samples, num_steps: int, step_size: float) -> list[Tensor]:
    """theta_0, theta_1, ..., theta_num_steps."""
    iterates = [theta]
    for _ in range(num_steps):
        iterates.append(inner_step(engine, iterates[-1], samples, step_size))
    return iterates


def _reverse(engine: Engine, iterates: list[Tensor], v: Tensor, samples: Samples, step_size: float) -> Tensor:
    """v_k = v_{k+1} - a H(theta_k) v_{k+1}, over the iterates from last to first; each is let go when it is done."""
    while iterates:
        v = v.sub(engine.hvp(iterates.pop(), v, samples.coords, samples.values, samples.weights), alpha=step_size)
    return v
