"""What learning costs, in multiply-adds: for the share that is done, and for the time that is left; and in memory.

Steps get cheaper with every pruning where the engine leaves pruned weights out, so the share of the steps that is taken
says little: after the dense round of `quick` it is 38 %, of the work almost two thirds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from sparsine.checks import check_memory
from sparsine.engines.choose import engine_kind
from sparsine.fields.mlp import MLP
from sparsine.fields.pattern import Pattern
from sparsine.fitting.plan_search import USUAL_FULL_STEPS
from sparsine.meta.config import LearnConfig
from sparsine.meta.maml import InnerConfig, num_gradients
from sparsine.meta.tasks import MOST_POINTS
from sparsine.pruning.contract import memory_of
from sparsine.signals.domain import Domain

PASSES = 3
"""A gradient in forward passes."""
GRADIENTS_PER_PRODUCT = 2.5
"""An exact Hessian-vector product in gradients."""
STEP_OVERHEAD = 2e7
"""What an outer step takes beside its gradients (tasks, Adam, Python), in the multiply-adds of that time: half a
millisecond or so."""


def gradient_cost(field: MLP, num_weights: int, num_points: float) -> float:
    """Of one signal, where so many weights are computed with."""
    activations = field.activation.cost * sum(field.sizes[1:-1])
    return float(PASSES * num_points * (num_weights + activations))


def gradients_of_step(inner: InnerConfig) -> float:
    """What a meta-gradient costs for each task, in gradients."""
    products = inner.inner_steps if inner.algorithm == "maml" else 0
    last = 1 / PASSES if inner.algorithm == "reptile" else 1  # the outer loss alone, or its gradient too
    return num_gradients(inner) + last + GRADIENTS_PER_PRODUCT * products


@dataclass(frozen=True)
class Round:
    """Outer steps that cost alike, and what the pruning after them looks at."""

    num_steps: int
    step: float
    pruning: float = 0.0


@dataclass(frozen=True)
class Course:
    """All rounds of a run, in multiply-adds."""

    rounds: tuple[Round, ...]
    planning: float = 0.0
    """What it takes to find out how to fit, roughly: nobody knows how many step sizes will be tried."""

    @property
    def learning(self) -> float:
        """All but planning."""
        return sum(each.num_steps * each.step + each.pruning for each in self.rounds)

    @property
    def total(self) -> float:
        return self.learning + self.planning

    def until(self, round: int, round_step: int, pruned: float = 0.0) -> float:
        """Up to a step of a round; `pruned` is the share of the pruning after it that is over."""
        before = Course(self.rounds[:round]).learning
        now = self.rounds[round]
        return before + round_step * now.step + pruned * now.pruning


def course_of(config: LearnConfig, field: MLP, weights: Sequence[int], num_points: int) -> Course:
    """Of a run on a grid of `num_points`, with so many weights in rounds 0, 1, 2, ..."""
    points = config.inner.points_of(num_points) or num_points
    gradients = config.outer.tasks_per_step * gradients_of_step(config.inner)
    asked = _gradients_of_score(config.pruning.make_score())
    rounds = []
    for number, count in enumerate(weights):
        gradient = gradient_cost(field, _computed(config, field, count), points)
        pruning = asked * gradient if number + 1 < len(weights) else 0.0
        rounds.append(Round(config.outer.steps_of(number), gradients * gradient + STEP_OVERHEAD, pruning))
    trial = gradient_cost(field, _computed(config, field, weights[-1]), num_points)
    return Course(tuple(rounds), config.plan.plan_signals * USUAL_FULL_STEPS * trial)


def _gradients_of_score(score: Any) -> float:
    """What a score takes of the signals that it asks for; nothing, if it does not say."""
    said: Callable[[], float] | None = getattr(score, "num_gradients", None)
    return float(said()) if said else 0.0


def _computed(config: LearnConfig, field: MLP, num_weights: int) -> int:
    """Weights that take time: those that survive, or all, as the engine is that will compute."""
    pattern = Pattern(field, torch.arange(field.num_weights) < num_weights)
    kind = engine_kind(pattern, config.engine, device=config.device)
    return num_weights if kind.skips_pruned else field.num_weights


def check_room(config: LearnConfig, field: MLP | None, domain: Domain) -> None:
    """A rough floor of what a run will hold: vectors of a step, and the values of its signals. `field`: where it is not
    the configuration's. Raises BadInput where memory is less."""
    field = field or config.field.field(domain.num_coords, 1)
    params, values = field.num_weights + field.num_biases, _points_held(config, domain) * field.out_features
    signals = max(config.outer.tasks_per_step, config.watch.val_signals)
    check_memory("this run", 4 * (10 * params + 3 * signals * values),
                 "lower --width, --hidden-layers, --tasks-per-step, --val-signals or --resolution")  # fmt: skip
    pruning = config.pruning
    asked = "".join(f", --score.{name.replace('_', '-')}" for name in pruning.score_options)
    check_memory(f"pruning by {pruning.score}", 40 * params + memory_of(pruning.make_score(), params, values),
                 f"lower --width, --hidden-layers or --resolution, or what the score asks for{asked}")  # fmt: skip


def _points_held(config: LearnConfig, domain: Domain) -> int:
    """Of a signal: all of it, or of a huge one what steps see and validation looks at."""
    whole, seen = domain.num_points, config.inner.points_of(domain.num_points)
    return whole if seen is None or whole <= MOST_POINTS else min(whole, max(MOST_POINTS, 2 * seen))
