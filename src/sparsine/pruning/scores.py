"""WHICH weights go first: a score for every surviving weight; the lowest are removed.

A new score is a function, or a frozen dataclass whose fields are its options, and one line: SCORES[name] = it.
"""

import torch
from torch import Tensor

from sparsine.choices import CHOSEN, can_be_chosen
from sparsine.fields.liveness import on_a_path
from sparsine.fields.pattern import Pattern
from sparsine.pruning.contract import Context, Score
from sparsine.pruning.saliency import Saliency
from sparsine.registry import Registry

FEW = 100
"""`connected` takes this part of the weights away at a time."""


def magnitude(pattern: Pattern, theta: Tensor, context: Context) -> Tensor:
    """|w|, compared over all layers together (the paper's global magnitude pruning)."""
    return theta[: pattern.num_weights].abs()


def random(pattern: Pattern, theta: Tensor, context: Context) -> Tensor:
    """Uniform: the paper's Random Pruning baseline."""
    return torch.rand(pattern.num_weights, generator=context.generator, dtype=torch.float64)


def lamp(pattern: Pattern, theta: Tensor, context: Context) -> Tensor:
    """Layer-adaptive magnitude (Lee et al., ICLR 2021): w^2 over the sum of squares of the weights of its layer that
    are not smaller. The largest weight of each layer scores 1, so that no layer is emptied before all others."""
    scores, first = torch.empty(pattern.num_weights, dtype=torch.float64, device=theta.device), 0
    for keep in pattern.layer_keeps():
        count = int(keep.sum())
        squares, order = theta[first : first + count].double().square().sort(stable=True)
        not_smaller = squares.flip(0).cumsum(0).flip(0)
        scores[first + order] = squares / not_smaller.clamp_min(torch.finfo(torch.float64).tiny)
        first += count
    return scores


def connected(pattern: Pattern, theta: Tensor, context: Context) -> Tensor:
    """Magnitude among the weights that lie on a path from a coordinate to an output (Vysogorets and Kempe, JMLR 2023,
    count these alone); the others go first, at any magnitude, since they do nothing that a bias cannot do. Paths that
    earlier removals cut are seen: weights are taken away a few at a time, and the score is the order in which they
    go."""
    sizes = theta[: pattern.num_weights].abs().cpu()
    keep, place = pattern.keep.clone(), torch.full((pattern.field.num_weights,), -1)
    place[pattern.survivors] = torch.arange(pattern.num_weights)
    scores, gone = torch.empty(pattern.num_weights, dtype=torch.float64), 0
    while bool(keep.any()):
        live = keep & on_a_path(Pattern(pattern.field, keep))
        candidates = place[keep & ~live]
        if len(candidates) == 0:
            candidates = place[live]
            smallest = sizes[candidates].argsort(stable=True)[: max(1, len(candidates) // FEW)]
            candidates = candidates[smallest]
        candidates = candidates[sizes[candidates].argsort(stable=True)]
        scores[candidates] = torch.arange(gone, gone + len(candidates), dtype=torch.float64)
        gone += len(candidates)
        keep[pattern.survivors[candidates]] = False
    return scores.to(theta.device)


SCORES: Registry[Score | type[Score]] = Registry(
    "score", "sparsine.scores",
    {"magnitude": magnitude, "random": random, "lamp": lamp, "connected": connected, "saliency": Saliency},
    wanted=CHOSEN, suits=can_be_chosen,
)  # fmt: skip
