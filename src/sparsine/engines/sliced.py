"""A pattern laid out for a GPU: rows of surviving weights, equally long ones side by side, made once for a start.

Sliced ELLPACK (Monakov, Lokhmotov and Avetisyan, HiPEAC 2010): the neurons of a level are sorted by their number of
connections and taken in groups of ROWS; the k-th connections of a group lie side by side, and what a shorter row lacks
is filled with weights of 0. Once by rows for the way forward, and once by columns for the way back.
"""

from dataclasses import dataclass
from itertools import accumulate

import torch
from jaxtyping import Float, Int
from torch import Tensor

from sparsine.fields.narrow import Narrow
from sparsine.fields.pattern import Pattern

ROWS = 16
"""Neurons of a group: their connections are worked on side by side."""


@dataclass(frozen=True)
class Slices:
    """Groups of all layers, one after another. int32, on the device that computes."""

    groups: Int[Tensor, " layers_and_one"]
    """First group of every layer, and the end."""
    neurons: Int[Tensor, "groups rows"]
    """Numbers of the neurons of a group; -1 where it has fewer."""
    starts: Int[Tensor, " groups_and_one"]
    """First slot of every group, in units of ROWS, and the end."""
    others: Int[Tensor, " slots"]
    """Number of the neuron at the other end of each connection, or of one whose number is there, where it has none."""
    entries: Int[Tensor, " slots"]
    """Place of each connection's weight in theta (int64); the length of theta where there is none."""

    @property
    def num_slots(self) -> int:
        return len(self.others)


class Sliced:
    """Neurons that lead to an output are numbered level by level, encoded coordinates first."""

    def __init__(self, pattern: Pattern, narrow: Narrow, device: torch.device):
        self.first = (0, *accumulate(narrow.widths))
        """Number of the first neuron of every level, and the end."""
        self.num_neurons = self.first[-1]
        nowhere = pattern.num_params
        layers = _connections(narrow, self.first)
        by_row = [(rows, columns, entries, self._level(n + 1)) for n, (rows, columns, entries) in enumerate(layers)]
        by_column = [(columns, rows, entries, self._level(n)) for n, (rows, columns, entries) in enumerate(layers)]
        # what fills up a row is read as well, and must be a number: the first neuron's value and the last one's
        # gradient are there before any other's
        self.forward = _sliced(by_row, nowhere, 0, device)
        self.backward = _sliced(by_column, nowhere, self.num_neurons - 1, device)
        biases = narrow.entries[-sum(narrow.widths[1:]) :].to(device)
        self.bias_entries = torch.cat([torch.full((narrow.widths[0],), nowhere, device=device), biases])
        """Place of each neuron's bias in theta; the length of theta for coordinates, which have none."""

    def _level(self, level: int) -> range:
        return range(self.first[level], self.first[level + 1])


def with_zero(theta: Float[Tensor, "signals params"]) -> Float[Tensor, "signals params_and_one"]:
    """What entries of slots are places in."""
    return torch.cat([theta, theta.new_zeros(theta.shape[0], 1)], dim=1)


Connections = tuple[Tensor, Tensor, Tensor]
"""Numbers of the neurons that are led to, of those that lead there, places of the weights in theta."""


def _connections(narrow: Narrow, first: tuple[int, ...]) -> list[Connections]:
    """Of every layer, between neurons that lead to an output."""
    found, begin, entries = [], 0, narrow.entries.cpu()
    for layer, keep in enumerate(narrow.keeps):
        row, column = keep.nonzero(as_tuple=True)
        found.append((row + first[layer + 1], column + first[layer], entries[begin : begin + len(row)]))
        begin += len(row)
    return found


def _sliced(
    layers: list[tuple[Tensor, Tensor, Tensor, range]], nowhere: int, filler: int, device: torch.device
) -> Slices:
    """Each layer's connections by their first end, which is one of the neurons of a level."""
    groups, neurons, starts = [0], [torch.empty(0, ROWS, dtype=torch.int32)], [0]
    others, entries = [torch.empty(0, dtype=torch.int32)], [torch.empty(0, dtype=torch.int64)]
    for ends, far, places, level in layers:
        degrees = torch.bincount(ends - level.start, minlength=len(level))
        order = torch.argsort(degrees, stable=True, descending=True)
        for begin in range(0, len(level), ROWS):
            members = order[begin : begin + ROWS]
            length = int(degrees[members[0]])
            other = torch.full((length, ROWS), filler, dtype=torch.int32)
            entry = torch.full((length, ROWS), nowhere)
            for row, member in enumerate(members.tolist()):
                own = (ends == member + level.start).nonzero().squeeze(1)
                other[: len(own), row], entry[: len(own), row] = far[own].int(), places[own]
            ids = torch.full((ROWS,), -1, dtype=torch.int32)
            ids[: len(members)] = (members + level.start).int()
            neurons.append(ids[None])
            starts.append(starts[-1] + length)
            others.append(other.flatten())
            entries.append(entry.flatten())
        groups.append(len(neurons) - 1)
    return Slices(
        torch.tensor(groups, dtype=torch.int32, device=device), torch.cat(neurons).to(device),
        torch.tensor(starts, dtype=torch.int32, device=device), torch.cat(others).to(device),
        torch.cat(entries).to(device),
    )  # fmt: skip
