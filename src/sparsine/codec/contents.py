"""What lies in a code, group by group: how many bits, how far its numbers spread. Needs the start, but no signal."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from sparsine.codec.coder import Code, Coder
from sparsine.codec.entropy import num_bits
from sparsine.codec.groups import group_names
from sparsine.codec.ladder import exact_power


@dataclass(frozen=True)
class GroupContents:
    """The weights or the biases of one layer in one code."""

    group: str
    numbers: int
    bits: float
    """Of the payload, as the tables count them."""
    entropy_bits: float
    """What they would take if each number cost what its frequency in this group says, without telling frequencies."""
    spread_steps: float
    """Root of the mean square of the whole numbers."""
    spread: float
    """Root of the mean square of the distances from the start's centre."""


def contents(coder: Coder, code: Code) -> list[GroupContents]:
    """All groups that have numbers, weights of the first layer first."""
    steps, classes = exact_power(coder.steps(code.header)), coder.classes(code.header)
    found = []
    for number, name in enumerate(group_names(len(coder.start.field.layer_shapes))):
        members = coder.groups == number
        if members.any():
            numbers = code.symbols[members]
            found.append(GroupContents(
                name, len(numbers), num_bits(numbers, classes[members], coder.models), entropy_bits(numbers),
                _root_mean_square(numbers), _root_mean_square(numbers * steps[members]),
            ))  # fmt: skip
    return found


def entropy_bits(numbers: Int[np.ndarray, " members"]) -> float:
    """Of all of them together, by the frequencies that they have themselves."""
    _, counts = np.unique(numbers, return_counts=True)
    return float(-(counts * np.log2(counts / max(len(numbers), 1))).sum()) + 0.0


def _root_mean_square(values: np.ndarray) -> float:
    return float(np.sqrt(np.square(values.astype(np.float64)).mean()))
