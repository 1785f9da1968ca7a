"""Whole numbers of a field as one row of bits, each layer one after the other:

biases      each in the layer's bits, more by half their range
weights     row by row, those that are not zero: how many cells are passed over, in `skip` bits, then the weight like a
            bias. All ones: so many cells are passed over and no weight follows. `skip` 0: every cell has its weight.
"""

from dataclasses import dataclass

import numpy as np

from sparsine.export.quantised import QuantisedLayer

MOST_SKIP = 12


@dataclass(frozen=True)
class Packed:
    """One layer: its sizes, and how many bits there are of each number and of each skip."""

    n_in: int
    n_out: int
    bits: int
    skip: int
    entries: int
    """Weights that follow."""
    step: float


def packed(layers: tuple[QuantisedLayer, ...]) -> tuple[list[Packed], list[tuple[int, int]]]:
    """Descriptions of the layers, and all numbers as (value, how many bits)."""
    described, numbers = [], []
    for layer in layers:
        skip = min(range(MOST_SKIP + 1), key=lambda skip: len_of(weights_of(layer, skip)))
        weights = weights_of(layer, skip)
        entries = layer.weight.size if skip == 0 else int(np.count_nonzero(layer.weight))
        n_out, n_in = layer.weight.shape
        described.append(Packed(n_in, n_out, layer.bits, skip, entries, layer.step))
        numbers += [*((int(q) + 2 ** (layer.bits - 1), layer.bits) for q in layer.bias), *weights]
    return described, numbers


def weights_of(layer: QuantisedLayer, skip: int) -> list[tuple[int, int]]:
    """Of one layer, with so many bits for each skip."""
    flat, half = layer.weight.reshape(-1), 2 ** (layer.bits - 1)
    if skip == 0:
        return [(int(q) + half, layer.bits) for q in flat]
    numbers, last, most = [], -1, 2**skip - 1
    for place in np.flatnonzero(flat):
        passed = int(place) - last - 1
        numbers += [(most, skip)] * (passed // most)
        numbers += [(passed % most, skip), (int(flat[place]) + half, layer.bits)]
        last = int(place)
    return numbers


def len_of(numbers: list[tuple[int, int]]) -> int:
    """In bits."""
    return sum(bits for _, bits in numbers)


def words(numbers: list[tuple[int, int]], size: int) -> list[int]:
    """As words of `size` bits, the first number in the lowest of the first."""
    whole, place = 0, 0
    parts = []
    for value, bits in numbers:
        whole |= value << place
        place += bits
        while place >= size:
            parts.append(whole & (2**size - 1))
            whole >>= size
            place -= size
    return [*parts, whole] if place else parts
