"""SIREN (Sitzmann et al., NeurIPS 2020): an MLP whose hidden activations are sin(omega_0 (W x + b)), output linear."""

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from sparsine.errors import BadInput


@dataclass(frozen=True, kw_only=True)
class Siren:
    """The sizes and constants of a field. It holds no numbers: those are a flat vector `theta` beside a `Pattern`.

    Example:
        >>> Siren(sizes=(2, 256, 256, 256, 256, 3)).num_weights
        197888
    """

    sizes: tuple[int, ...]
    """Neurons from input to output: coordinates, hidden layers, values."""
    omega_0: float = 200.0
    """Frequency of the sine, the same in every hidden layer (the paper: 200)."""
    output_offset: float = 0.0
    """Added to the output; 0.5 in Learnit's published starts."""

    def __post_init__(self) -> None:
        if len(self.sizes) < 3 or any(n < 1 for n in self.sizes):
            raise BadInput(
                f"a field needs an input, a hidden layer and an output of at least one neuron; got {self.sizes}"
            )
        if not 0 < self.omega_0 < float("inf"):
            raise BadInput(f"omega_0 must be positive and finite, but got {self.omega_0}")
        if not abs(self.output_offset) < float("inf"):
            raise BadInput(f"output_offset must be finite, but got {self.output_offset}")

    @property
    def in_features(self) -> int:
        return self.sizes[0]

    @property
    def out_features(self) -> int:
        return self.sizes[-1]

    @property
    def layer_shapes(self) -> tuple[tuple[int, int], ...]:
        """(neurons out, neurons in) of every layer, the shape of its weight matrix."""
        return tuple((n_out, n_in) for n_in, n_out in pairwise(self.sizes))

    @property
    def num_weights(self) -> int:
        return sum(n_out * n_in for n_out, n_in in self.layer_shapes)

    @property
    def num_biases(self) -> int:
        return sum(self.sizes[1:])

    def initial_theta(self, seed: int) -> Float[Tensor, " params"]:
        """The paper's random start: weights and biases U(-1/n_in, 1/n_in) in the first layer and
        U(-sqrt(6/n_in)/omega_0, +) in the others. All weights come first, layer by layer, then all biases."""
        rng = np.random.default_rng([seed, 0x51])
        weights, biases = [], []
        for layer, (n_out, n_in) in enumerate(self.layer_shapes):
            bound = 1 / n_in if layer == 0 else np.sqrt(6 / n_in) / self.omega_0
            weights.append(rng.uniform(-bound, bound, n_out * n_in))
            biases.append(rng.uniform(-bound, bound, n_out))
        return torch.from_numpy(np.concatenate(weights + biases).astype(np.float32))

    def to_dict(self) -> dict[str, Any]:
        return {"kind": "siren", **asdict(self), "sizes": list(self.sizes)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Siren":
        try:
            if data["kind"] != "siren":
                raise BadInput(f"unknown kind of field {data['kind']!r}; this version knows 'siren'")
            return cls(
                sizes=tuple(int(n) for n in data["sizes"]),
                omega_0=float(data["omega_0"]),
                output_offset=float(data["output_offset"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, BadInput):
                raise
            raise BadInput(f"this is not the description of a field: {data!r}") from error
