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


SCORES: dict[str, Score] = {"magnitude": magnitude, "random": random}
