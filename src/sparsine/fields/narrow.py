"""A pattern's layers without the neurons that lead to no output: matrices as narrow as what they compute."""

from collections.abc import Iterator
from itertools import pairwise

import torch
from jaxtyping import Float, Int
from torch import Tensor

from sparsine.fields.layers import views
from sparsine.fields.liveness import leads_to_output, live_params
from sparsine.fields.pattern import Pattern


class Narrow:
    """Weight matrices between the neurons that lead to an output. Neurons that no input reaches are constant, and stay.

    What is cut away changes no value: its entries of theta are not read, and their derivatives are exactly 0. A level
    of which nothing is left is 0 wide.

    Example:
        >>> from sparsine.fields import Siren
        >>> keep = torch.tensor([True, True, True, True, False, True])  # of 2-2-1: hidden neuron 0 leads nowhere
        >>> narrow = Narrow(Pattern(Siren(sizes=(2, 2, 1)), keep))
        >>> narrow.widths, narrow.num_numbers
        ((2, 1, 1), 5)
    """

    def __init__(self, pattern: Pattern, device: torch.device | str = "cpu"):
        keeps = list(pattern.layer_keeps())
        leads = leads_to_output(keeps)
        self.levels = [lead.nonzero().squeeze(1) for lead in leads]
        """Places of the neurons that stay, level by level, encoded coordinates first (int64, CPU)."""
        self.widths = tuple(len(level) for level in self.levels)
        self.shapes = tuple((n_out, n_in) for n_in, n_out in pairwise(self.widths))
        """(neurons out, numbers in) of every layer."""
        self.keeps = [keep[rows][:, columns] for keep, columns, rows in zip(keeps, self.levels, self.levels[1:],
                                                                           strict=False)]  # fmt: skip
        """Which weights of every layer survive."""
        self.num_weights = sum(n_out * n_in for n_out, n_in in self.shapes)
        self.num_numbers = self.num_weights + sum(self.widths[1:])
        """Of all matrices and biases, zeros of pruned weights included."""
        self._num_params = pattern.num_params
        self.entries = live_params(pattern).nonzero().squeeze(1).to(device)
        """Places in theta of what stays: weights layer by layer, row by row, then biases level by level (int64)."""
        self._places = self._places_of_entries().to(device)
        self._inputs = None if bool(leads[0].all()) else self.levels[0].to(device)

    def scatter(self, theta: Float[Tensor, "signals params"]) -> Float[Tensor, "signals numbers"]:
        """The matrices, layer by layer, then the biases; exact zeros where a weight was pruned."""
        live = theta if len(self.entries) == self._num_params else theta[:, self.entries]
        if len(self._places) == self.num_numbers:
            return live
        numbers = theta.new_zeros(theta.shape[0], self.num_numbers)
        numbers[:, self._places] = live
        return numbers

    def gather(self, numbers: Float[Tensor, "signals numbers"]) -> Float[Tensor, "signals params"]:
        """The adjoint of `scatter`: zeros for what was cut away."""
        live = numbers if len(self._places) == self.num_numbers else numbers[:, self._places]
        if len(self.entries) == self._num_params:
            return live
        theta = numbers.new_zeros(numbers.shape[0], self._num_params)
        theta[:, self.entries] = live
        return theta

    def layers(
        self, numbers: Float[Tensor, "signals numbers"]
    ) -> Iterator[tuple[Float[Tensor, "signals _n_out _n_in"], Float[Tensor, "signals _n_out"]]]:
        """Views of (weight, bias) for every layer; writing to them writes to `numbers`."""
        return views(self.shapes, numbers)

    def inputs(self, encoded: Float[Tensor, "*points width"]) -> Float[Tensor, "*points _some"]:
        """Those of the encoded coordinates that the first layer reads."""
        return encoded if self._inputs is None else encoded[..., self._inputs]

    def _places_of_entries(self) -> Int[Tensor, " live_params"]:
        found, first = [], 0
        for keep in self.keeps:
            found.append(keep.flatten().nonzero().squeeze(1) + first)
            first += keep.numel()
        return torch.cat([*found, torch.arange(self.num_weights, self.num_numbers)])
