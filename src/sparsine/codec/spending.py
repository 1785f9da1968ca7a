"""What the bits of a code are spent on, and where its error comes from: group by group."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from sparsine.codec.coder import Coder
from sparsine.codec.entropy import num_bits
from sparsine.codec.groups import group_names
from sparsine.engines.contract import Engine


@dataclass(frozen=True)
class GroupSpending:
    """One group of parameters (the weights or the biases of a layer) in one code."""

    group: str
    parameters: int
    bits: float
    """Of the payload, as the tables count them."""
    entropy_bits: float
    """What a code that knew the frequencies of this very group's numbers would take, without telling them."""
    added_mse: float
    """Mean squared error of the drawing, beside the unrounded one's, when this group alone is rounded."""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def spending(
    coder: Coder,
    engine: Engine,
    theta: Float[Tensor, " params"],
    data: bytes,
    coords: Float[Tensor, "points dims"],
) -> list[GroupSpending]:
    """For the code `data` of a fitted vector, weights of the first layer first. `coords`: where drawings are compared.

    The added errors of groups add up to about that of the code: rounding errors of different groups are independent.
    """
    code = coder.read(data)
    rounded, classes = coder.theta(code), coder.classes(code.header)
    names, spent = group_names(len(coder.start.field.sizes) - 1), []
    unrounded = engine.predict(theta[None].to(engine.device), coords)
    for number, name in enumerate(names):
        members = coder.groups == number
        among_all = np.zeros(len(coder.live), bool)
        among_all[coder.live] = members
        one = torch.where(torch.from_numpy(among_all), rounded, theta.cpu())[None].to(engine.device)
        spent.append(
            GroupSpending(
                name,
                int(members.sum()),
                num_bits(code.symbols[members], classes[members], coder.models) if members.any() else 0.0,
                _entropy_bits(code.symbols[members]),
                float((engine.predict(one, coords) - unrounded).double().square().mean()),
            )
        )
    return spent


def _entropy_bits(symbols: Int[np.ndarray, " members"]) -> float:
    _, counts = np.unique(symbols, return_counts=True)
    return float(-(counts * np.log2(counts / len(symbols))).sum()) if len(symbols) else 0.0
