"""A user's own file: a score with two options, a schedule, a distribution, an activation and a method."""

from dataclasses import dataclass
from typing import ClassVar

import torch

from sparsine.fields import ACTIVATIONS, Activation
from sparsine.measure.comparison.fitted_models import FromStart
from sparsine.measure.comparison.methods import METHODS, Method
from sparsine.measure.comparison.methods.tickets import pruned_once
from sparsine.pruning import DISTRIBUTIONS, SCHEDULES, SCORES


@dataclass(frozen=True, kw_only=True)
class Power:
    """|w| to a power, that of the last layer times something."""

    exponent: float = 1.0
    """Of the magnitude."""
    last_layer: float = 1.0
    """What the scores of the last layer are multiplied with."""

    def __call__(self, pattern, theta, context):
        scores = theta[: pattern.num_weights].abs() ** self.exponent
        *_, last = pattern.layer_keeps()
        scores[len(scores) - int(last.sum()) :] *= self.last_layer
        return scores


@dataclass(frozen=True, kw_only=True)
class Even:
    """As many weights in each round."""

    rounds: int = 3
    stop_at: int = 20
    """Weights after the last round."""

    def __call__(self, num_weights, of=None):
        return [num_weights - k * (num_weights - self.stop_at) // self.rounds for k in range(1, self.rounds + 1)]


def first_fuller(pattern, scores, num_survivors):
    """The first layer keeps all that it can."""
    counts = []
    for keep in pattern.layer_keeps():
        counts.append(min(int(keep.sum()), num_survivors - sum(counts)))
    return counts


@dataclass(frozen=True, kw_only=True)
class Bell(Activation):
    """1 / (1 + z^2)."""

    name: ClassVar[str] = "bell"
    narrow: float = 4.0
    """What z is multiplied with before."""

    def scale(self, layer):
        return self.narrow

    def value(self, z):
        return 1 / (1 + z * z)

    def slope(self, z, h):
        return -2 * z * h * h

    def curvature(self, z, h, slope):
        return -2 * h * (h + 2 * z * slope)

    def initial_bounds(self, layer, n_in):
        return n_in**-0.5, n_in**-0.5


class Naive(Method):
    name, label, family = "naive", "pruned, nothing more", "ablation"

    def needs(self, plan, level):
        return [plan.dense().at()]

    def fitted_model(self, context):
        return FromStart(pruned_once(context.starts[0], context.level.weights))


ENTERED = __name__ != "own_things"  # as a package's module it offers by entry points
if ENTERED:
    SCORES["power"], SCHEDULES["even"], DISTRIBUTIONS["first-fuller"] = Power, Even, first_fuller
    ACTIVATIONS["bell"], METHODS["naive"] = Bell, Naive()
naive = Naive()
assert torch.is_tensor(Bell().value(torch.zeros(1)))
