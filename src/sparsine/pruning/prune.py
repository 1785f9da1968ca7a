"""The step from one pattern to a smaller one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import torch
from jaxtyping import Float
from torch import Tensor

from sparsine.checks import OneOf, check_choice, check_range
from sparsine.errors import BadInput
from sparsine.fields.pattern import Pattern
from sparsine.pruning.saliency import Fits
from sparsine.pruning.schedules import Schedule, geometric, geometric_to
from sparsine.pruning.scores import SCORES, Context


@dataclass(frozen=True, kw_only=True)
class PruningConfig:
    """How a start is made sparse, round after round."""

    score: Annotated[str, OneOf(SCORES)] = "magnitude"
    """Which weights go: those with the lowest score."""
    saliency_signals: int = 6
    """Score saliency: training signals that are fitted before each pruning."""
    saliency_steps: int = 100
    """Score saliency: steps of Adam for each of them, as many as fits will have at test time."""
    saliency_step_size: float = 1e-4
    """Score saliency: step size of these steps."""
    fraction: float = 0.2
    """Fraction of the surviving weights that a round removes: int(fraction * n) of n."""
    rounds: int = 20
    """Rounds of pruning and retraining; ignored when a target sparsity is given."""
    target_sparsity: float | None = None
    """Fraction of all weights to remove in the end, in as many rounds as that takes."""

    def __post_init__(self) -> None:
        check_choice("score", self.score, SCORES)
        check_range("saliency_signals", self.saliency_signals, 1, 10_000)
        check_range("saliency_steps", self.saliency_steps, 2, 10**6)  # one step has no second half
        check_range("saliency_step_size", self.saliency_step_size, 1e-12, 1e3)
        check_range("fraction", self.fraction, 1e-6, 1.0)
        check_range("rounds", self.rounds, 0, 10_000)
        if self.target_sparsity is not None:
            check_range("target_sparsity", self.target_sparsity, 0.0, 1.0)

    @property
    def schedule(self) -> Schedule:
        if self.target_sparsity is None:
            return geometric(self.fraction, self.rounds)
        return geometric_to(self.fraction, self.target_sparsity)


def prune(
    pattern: Pattern,
    theta: Float[Tensor, " params"],
    num_survivors: int,
    score: str,
    seed: int,
    draw_fits: Callable[[], Fits] | None = None,
) -> Pattern:
    """The pattern of the `num_survivors` weights with the highest score.

    Among equal scores the weight that stands first in theta goes first. Biases are never pruned.
    `seed` is used by random scores alone, `draw_fits` by those that fit signals.
    Carry vectors over with `Pattern.gather_from`.

    Raises:
        BadInput: more survivors than there are weights, a theta of another pattern, an unknown score, or one that
            wants fits and is given none.
    """
    if theta.shape != (pattern.num_params,):
        raise BadInput(f"theta must hold {pattern.num_params} numbers ({pattern.counts}), but is {tuple(theta.shape)}")
    if not 0 <= num_survivors <= pattern.num_weights:
        raise BadInput(f"cannot keep {num_survivors} of {pattern.num_weights} surviving weights")
    check_choice("score", score, SCORES)
    scores = SCORES[score](pattern, theta, Context(torch.Generator().manual_seed(seed), draw_fits))
    removed = torch.zeros(pattern.num_weights, dtype=torch.bool)
    removed[scores.argsort(stable=True)[: pattern.num_weights - num_survivors].cpu()] = True
    return pattern.without(removed)
