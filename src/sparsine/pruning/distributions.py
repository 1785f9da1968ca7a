"""HOW MUCH survives in every layer: whole numbers that add up to what the schedule says.

A new distribution is a function (pattern, scores, survivors) to the survivors of each layer, or a frozen dataclass
whose fields are its options, and one line: DISTRIBUTIONS[name] = it.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from sparsine.choices import CHOSEN, can_be_chosen
from sparsine.fields.pattern import Pattern
from sparsine.pruning.contract import Distribution
from sparsine.registry import Registry


def in_layers(pattern: Pattern) -> list[int]:
    """Surviving weights of each layer."""
    return [int(keep.sum()) for keep in pattern.layer_keeps()]


def overall(pattern: Pattern, scores: Tensor, num_survivors: int) -> list[int]:
    """All layers together: wherever the highest scores are (the paper's). A layer may be emptied."""
    lowest_first = scores.argsort(stable=True).cpu()
    layer = torch.repeat_interleave(torch.tensor(in_layers(pattern)))
    kept: list[int] = layer[lowest_first[len(scores) - num_survivors :]].bincount(minlength=layers_of(pattern)).tolist()
    return kept


def uniform(pattern: Pattern, scores: Tensor, num_survivors: int) -> list[int]:
    """The same fraction of every layer's weights."""
    return shared_out(num_survivors, [n_out * n_in for n_out, n_in in pattern.field.layer_shapes], in_layers(pattern))


def erk(pattern: Pattern, scores: Tensor, num_survivors: int) -> list[int]:
    """Erdos-Renyi-Kernel (Evci et al., 'Rigging the Lottery', ICML 2020; Mocanu et al., Nature Communications 2018):
    the fraction that stays of a layer goes with (n_in + n_out) / (n_in * n_out), so that thin layers stay fuller; one
    that would get more weights than it has keeps them all, and the others share the rest."""
    return shared_out(num_survivors, [n_out + n_in for n_out, n_in in pattern.field.layer_shapes], in_layers(pattern))


def shared_out(total: int, shares: Sequence[int], at_most: Sequence[int]) -> list[int]:
    """`total` in whole numbers in proportion to `shares`, none above `at_most`, and where there is enough none below 1.

    What is left by rounding down goes to the largest remainders, the first layer first. Integers throughout: no
    machine shares out differently.
    """
    counts, open_, left = [0] * len(shares), set(range(len(shares))), total
    while full := {i for i in open_ if left * shares[i] >= at_most[i] * sum(shares[j] for j in open_)}:
        for i in full:
            counts[i] = at_most[i]
        open_, left = open_ - full, left - sum(at_most[i] for i in full)
    of = sum(shares[i] for i in open_)
    for i in open_:
        counts[i] = left * shares[i] // of
    by_remainder = sorted(open_, key=lambda i: (-(left * shares[i] % of), i))
    for i in by_remainder[: left - sum(counts[i] for i in open_)]:
        counts[i] += 1
    return _none_empty(counts, at_most)


def _none_empty(counts: list[int], at_most: Sequence[int]) -> list[int]:
    """One weight for a layer without, from the fullest, as long as that has more than one itself."""
    for i, count in enumerate(counts):
        fullest = max(range(len(counts)), key=counts.__getitem__)
        if count == 0 < at_most[i] and counts[fullest] > 1:
            counts[i], counts[fullest] = 1, counts[fullest] - 1
    return counts


def layers_of(pattern: Pattern) -> int:
    return len(pattern.field.layer_shapes)


DISTRIBUTIONS: Registry[Distribution | type[Distribution]] = Registry(
    "distribution", "sparsine.distributions", {"global": overall, "uniform": uniform, "erk": erk},
    wanted=CHOSEN, suits=can_be_chosen,
)  # fmt: skip
