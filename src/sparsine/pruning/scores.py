"""WHICH weights go first: a score for every surviving weight; the lowest are removed.

A new score is one function and one line in SCORES.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from sparsine.fields.pattern import Pattern

Score = Callable[[Pattern, Float[Tensor, " params"], torch.Generator], Float[Tensor, " surviving_weights"]]


def magnitude(pattern: Pattern, theta: Tensor, generator: torch.Generator) -> Tensor:
    """|w|, compared over all layers together (the paper's global magnitude pruning)."""
    return theta[: pattern.num_weights].abs()


def random(pattern: Pattern, theta: Tensor, generator: torch.Generator) -> Tensor:
    """Uniform: the paper's Random Pruning baseline."""
    return torch.rand(pattern.num_weights, generator=generator, dtype=torch.float64)


def lamp(pattern: Pattern, theta: Tensor, generator: torch.Generator) -> Tensor:
    """Layer-adaptive magnitude (Lee et al., ICLR 2021): w^2 over the sum of squares of the weights of its layer that are
    not smaller. The largest weight of each layer scores 1, so that no layer is emptied before all others."""
    scores, first = torch.empty(pattern.num_weights, dtype=torch.float64, device=theta.device), 0
    for keep in pattern.layer_keeps():
        count = int(keep.sum())
        squares, order = theta[first : first + count].double().square().sort(stable=True)
        not_smaller = squares.flip(0).cumsum(0).flip(0)
        scores[first + order] = squares / not_smaller.clamp_min(torch.finfo(torch.float64).tiny)
        first += count
    return scores


SCORES: dict[str, Score] = {"magnitude": magnitude, "random": random, "lamp": lamp}
