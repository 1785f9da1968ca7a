"""Which neurons and weights can matter to what a pattern draws. Decided by the pattern alone: a weight that survives
counts, whatever its value."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool
from torch import Tensor

from sparsine.fields.pattern import Pattern


def leads_to_output(keeps: Sequence[Bool[Tensor, "_n_out _n_in"]]) -> list[Bool[Tensor, " _neurons"]]:
    """For each level of neurons, inputs first: do surviving weights lead from it to an output?"""
    leads = [torch.ones(keeps[-1].shape[0], dtype=torch.bool)]
    for keep in reversed(keeps):
        leads.append((keep & leads[-1][:, None]).any(dim=0))
    return leads[::-1]


def reached_from_input(keeps: Sequence[Bool[Tensor, "_n_out _n_in"]]) -> list[Bool[Tensor, " _neurons"]]:
    """For each level of neurons, inputs first: do surviving weights lead to it from an input?"""
    reached = [torch.ones(keeps[0].shape[1], dtype=torch.bool)]
    for keep in keeps:
        reached.append((keep & reached[-1]).any(dim=1))
    return reached


def on_a_path(pattern: Pattern) -> Bool[Tensor, " weights"]:
    """For each weight of the dense field: do surviving weights lead from an input to it, and on to an output?"""
    keeps = list(pattern.layer_keeps())
    ends = zip(reached_from_input(keeps), leads_to_output(keeps)[1:], strict=False)
    return torch.cat([(before & after[:, None]).reshape(-1) for before, after in ends])


def live_params(pattern: Pattern) -> Bool[Tensor, " params"]:
    """The entries of theta that can change an output: weights into neurons from which a path leads to an output, and
    the biases of these. (A neuron that no input reaches is a constant, and still matters.)"""
    keeps = list(pattern.layer_keeps())
    lives = leads_to_output(keeps)[1:]
    weights = torch.cat([life[:, None].expand_as(keep)[keep] for keep, life in zip(keeps, lives, strict=True)])
    return torch.cat([weights, *lives])
