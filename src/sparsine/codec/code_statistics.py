"""Code statistics: what lies in a code, group by group, how its bits are allocated and where its error comes from."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from sparsine.codec.coder import Coder
from sparsine.codec.format.decoder import Code
from sparsine.codec.format.quantise import exact_power
from sparsine.codec.scales import num_bits
from sparsine.engines.contract import Engine


@dataclass(frozen=True)
class GroupStatistics:
    """The weights or the biases of one layer in one code."""

    group: str
    numbers: int
    bits: float
    """Of the payload, as the tables count them."""
    entropy_bits: float
    """What they would take if each number cost what its frequency in this group says, frequencies not counted."""
    spread_steps: float
    """Root of the mean square of the whole numbers."""
    spread: float
    """Root of the mean square of the distances from the start's centre."""


def code_statistics(coder: Coder, code: Code) -> list[GroupStatistics]:
    """All groups that have numbers, weights of the first layer first. Needs the start, but no signal."""
    steps, scale_indexes = exact_power(coder.steps(code.header)), coder.scale_indexes(code.header)
    found = []
    for name, members in _groups(coder):
        if members.any():
            numbers = code.symbols[members]
            found.append(GroupStatistics(
                name, len(numbers), num_bits(numbers, scale_indexes[members], coder.models), entropy_bits(numbers),
                _root_mean_square(numbers), _root_mean_square(numbers * steps[members]),
            ))  # fmt: skip
    return found


@dataclass(frozen=True)
class GroupAllocation:
    """One group of parameters (the weights or the biases of a layer) in one code."""

    group: str
    parameters: int
    bits: float
    """Of the payload, as the tables count them."""
    entropy_bits: float
    """What a code that knew the frequencies of this very group's numbers would take, frequencies not counted."""
    added_mse: float
    """Mean squared error of the drawing, beside the unrounded one's, when this group alone is rounded."""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def bit_allocation(
    coder: Coder, engine: Engine, theta: Float[Tensor, " params"], data: bytes, coords: Float[Tensor, "points dims"]
) -> list[GroupAllocation]:
    """For the code `data` of a fitted vector, weights of the first layer first. `coords`: where drawings are compared.

    The added errors of groups add up to about that of the code: rounding errors of different groups are independent.
    """
    code = coder.read(data)
    rounded, scale_indexes = coder.theta(code), coder.scale_indexes(code.header)
    unrounded = engine.predict(theta[None].to(engine.device), coords)

    def added_mse(members: Bool[np.ndarray, " numbers"]) -> float:
        among_all = np.zeros(len(coder.live), bool)
        among_all[coder.live] = members
        one = torch.where(torch.from_numpy(among_all), rounded, theta.cpu())[None].to(engine.device)
        return float((engine.predict(one, coords) - unrounded).double().square().mean())

    return [
        GroupAllocation(
            name, int(members.sum()),
            num_bits(code.symbols[members], scale_indexes[members], coder.models) if members.any() else 0.0,
            entropy_bits(code.symbols[members]), added_mse(members),
        )
        for name, members in _groups(coder)
    ]  # fmt: skip


def entropy_bits(numbers: Int[np.ndarray, " members"]) -> float:
    """Of all of them together, by the frequencies that they have themselves."""
    _, counts = np.unique(numbers, return_counts=True)
    return float(-(counts * np.log2(counts / max(len(numbers), 1))).sum()) + 0.0


def _groups(coder: Coder) -> Iterator[tuple[str, Bool[np.ndarray, " numbers"]]]:
    """('weights 1', its members), ..., ('biases 1', ...), ..."""
    layers = len(coder.start.field.layer_shapes)
    names = [f"{what} {layer + 1}" for what in ("weights", "biases") for layer in range(layers)]
    for number, name in enumerate(names):
        yield name, coder.groups == number


def _root_mean_square(values: np.ndarray) -> float:
    return float(np.sqrt(np.square(values.astype(np.float64)).mean()))
