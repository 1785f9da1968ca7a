"""A fitted field without what nothing depends on: dead neurons go, constant ones become part of the biases."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from sparsine.fields.layers import layers
from sparsine.fields.liveness import leads_to_output, reached_from_input
from sparsine.fields.mlp import MLP
from sparsine.fields.pattern import Pattern

Layer = tuple[Float[np.ndarray, "n_out n_in"], Float[np.ndarray, " n_out"]]


@dataclass(frozen=True)
class Cut:
    """Layers of `field`, as small as they can be: pruned weights between neurons that stay are zeros."""

    field: MLP
    layers: tuple[Layer, ...]
    """(weight, bias) of every layer in float64, before the activation's scale; the last bias has the output offset."""

    @property
    def num_weights(self) -> int:
        """Those that are not zero."""
        return sum(int(np.count_nonzero(weight)) for weight, _ in self.layers)

    def scale(self, layer: int) -> float:
        """What pre-activations are multiplied by; 1 in the last layer, which no activation follows."""
        return self.field.activation.scale(layer) if layer + 1 < len(self.layers) else 1.0


def cut(pattern: Pattern, theta: Float[Tensor, " params"]) -> Cut:
    """What `theta` draws. A hidden level of which nothing is left keeps one neuron that counts for nothing."""
    field, keeps = pattern.field, list(pattern.layer_keeps())
    leads, reached = leads_to_output(keeps), reached_from_input(keeps)
    alive = [torch.ones_like(leads[0]), *(a & b for a, b in zip(leads[1:-1], reached[1:-1], strict=True))]
    alive.append(torch.ones_like(leads[-1]))
    values = torch.zeros(len(leads[0]), dtype=torch.float64)  # of neurons that no coordinate reaches, else 0
    found: list[Layer] = []
    dense = layers(field, pattern.scatter(theta.detach().cpu().double()[None]))
    for number, (weight, bias) in enumerate(dense):
        whole = bias[0] + weight[0] @ values
        left = weight[0][alive[number + 1]][:, alive[number]]
        found.append((left.numpy(), whole[alive[number + 1]].numpy()))
        if number + 2 < len(alive):
            drawn = field.activation.value(field.activation.scale(number) * whole)
            values = torch.where(reached[number + 1], torch.zeros_like(drawn), drawn)
    found[-1] = found[-1][0], found[-1][1] + field.output_offset
    return Cut(field, _never_empty(found))


def _never_empty(found: list[Layer]) -> tuple[Layer, ...]:
    for number in range(len(found) - 1):
        weight, bias = found[number]
        if len(bias) == 0:
            after, its_bias = found[number + 1]
            found[number] = np.zeros((1, weight.shape[1])), np.zeros(1)
            found[number + 1] = np.zeros((len(after), 1)), its_bias
    return tuple(found)
