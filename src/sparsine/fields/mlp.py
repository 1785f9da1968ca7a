"""The description of a field: a perceptron with one activation after each hidden layer, its output linear."""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from sparsine.errors import BadInput
from sparsine.fields.activations import ACTIVATIONS, Activation, Sine
from sparsine.fields.described import check_described, from_description
from sparsine.fields.encodings import ENCODINGS, Encoding, Identity

SIREN_KIND, MLP_KIND = "siren", "mlp"


@dataclass(frozen=True, kw_only=True)
class MLP:
    """Sizes and constants of a field. It holds no numbers: those are a flat vector `theta` beside a `Pattern`.

    Example:
        >>> from sparsine.fields.activations import Gauss
        >>> field = MLP(sizes=(2, 16, 16, 3), activation=Gauss(sigma=0.1))
        >>> field.num_weights, field.description
        (336, 'MLP 2-16-16-3, gauss (sigma 0.2), output offset 0')
    """

    sizes: tuple[int, ...]
    """Neurons from input to output: coordinates, hidden layers, values."""
    activation: Activation = field(default_factory=Sine)
    """Follows every hidden layer."""
    encoding: Encoding = field(default_factory=Identity)
    """What the coordinates become before the first layer."""
    output_offset: float = 0.0
    """Added to the output; 0.5 in Learnit's published starts."""

    def __post_init__(self) -> None:
        if len(self.sizes) < 3 or any(n < 1 for n in self.sizes):
            raise BadInput(
                f"a field needs an input, a hidden layer and an output of at least one neuron; got {self.sizes}"
            )
        check_described(self.activation, Activation, "activation")
        check_described(self.encoding, Encoding, "encoding")
        if not abs(self.output_offset) < float("inf"):
            raise BadInput(f"output_offset must be finite, but got {self.output_offset}")

    @property
    def in_features(self) -> int:
        """Coordinates."""
        return self.sizes[0]

    @property
    def out_features(self) -> int:
        return self.sizes[-1]

    @property
    def widths(self) -> tuple[int, ...]:
        """Numbers that a point has on its way: encoded coordinates, hidden layers, values."""
        return (self.encoding.width(self.sizes[0]), *self.sizes[1:])

    @property
    def encoded_width(self) -> int | None:
        """Numbers that the encoding makes of a point's coordinates; None where there is no encoding."""
        return None if self.encoding == Identity() else self.widths[0]

    @property
    def layer_shapes(self) -> tuple[tuple[int, int], ...]:
        """(neurons out, numbers in) of every layer, the shape of its weight matrix."""
        return tuple((n_out, n_in) for n_in, n_out in pairwise(self.widths))

    @property
    def num_weights(self) -> int:
        return sum(n_out * n_in for n_out, n_in in self.layer_shapes)

    @property
    def num_biases(self) -> int:
        return sum(self.sizes[1:])

    @property
    def is_siren(self) -> bool:
        """Whether sizes, one omega_0 and the output offset say everything."""
        plain = type(self.activation) is Sine and self.activation.omega_first is None
        return plain and self.encoded_width is None

    @property
    def omega_0(self) -> float:
        """Frequency of a field whose activation has one. Raises AttributeError for others."""
        omega_0: float = self.activation.omega_0  # type: ignore[attr-defined]
        return omega_0

    def initial_theta(self, seed: int) -> Float[Tensor, " params"]:
        """A random start within the activation's bounds. All weights come first, layer by layer, then all biases."""
        rng = np.random.default_rng([seed, 0x51])
        weights, biases = [], []
        for layer, (n_out, n_in) in enumerate(self.layer_shapes):
            of_weights, of_biases = self.activation.initial_bounds(layer, n_in)
            weights.append(rng.uniform(-of_weights, of_weights, n_out * n_in))
            biases.append(rng.uniform(-of_biases, of_biases, n_out))
        return torch.from_numpy(np.concatenate(weights + biases).astype(np.float32))

    @property
    def description(self) -> str:
        """For people: 'SIREN 2-256-256-3, omega_0 200, output offset 0'."""
        sizes, offset = "-".join(map(str, self.sizes)), f"output offset {self.output_offset:g}"
        if self.is_siren:
            return f"SIREN {sizes}, omega_0 {self.omega_0:g}, {offset}"
        encoding = "" if self.encoded_width is None else f"encoding {self.encoding.description}, "
        return f"MLP {sizes}, {self.activation.description}, {encoding}{offset}"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; those of a SIREN are as they have been since the first version."""
        rest = {"output_offset": self.output_offset}
        if self.is_siren:
            return {"kind": SIREN_KIND, "sizes": list(self.sizes), "omega_0": self.omega_0, **rest}
        return {"kind": MLP_KIND, "sizes": list(self.sizes), "activation": self.activation.to_dict(),
                "encoding": self.encoding.to_dict(), **rest}  # fmt: skip

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "MLP":
        """Raises BadInput for anything that `to_dict` did not make, and for activations that are not registered."""
        try:
            kind, sizes = data["kind"], tuple(int(n) for n in data["sizes"])
            if kind == SIREN_KIND:
                parts: dict[str, Any] = {"activation": Sine(omega_0=float(data["omega_0"]))}
            elif kind == MLP_KIND:
                parts = {"activation": from_description(data["activation"], ACTIVATIONS),
                         "encoding": from_description(data["encoding"], ENCODINGS)}  # fmt: skip
            else:
                raise BadInput(f"unknown kind of field {kind!r}; this version knows {SIREN_KIND!r} and {MLP_KIND!r}")
            return cls(sizes=sizes, output_offset=float(data["output_offset"]), **parts)
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, BadInput):
                raise
            raise BadInput(f"this is not the description of a field: {data!r}") from error
