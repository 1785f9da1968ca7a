"""The field that a run learns: sizes, activation, encoding and their constants."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from sparsine.checks import OneOf, check_range
from sparsine.choices import Choice
from sparsine.errors import BadInput
from sparsine.fields.activations import ACTIVATIONS
from sparsine.fields.described import Described
from sparsine.fields.encodings import ENCODINGS
from sparsine.fields.mlp import MLP

OF_SOME = ("omega_first", "sigma", "first_bias", "num_frequencies", "frequency_scale")
"""Options that only some activations or encodings have; None leaves them their default."""
ACTIVATION = Choice(ACTIVATIONS, shared=("omega_0", "omega_first", "sigma", "first_bias"))
ENCODING = Choice(ENCODINGS, shared=("num_frequencies", "frequency_scale"))


@dataclass(frozen=True, kw_only=True)
class FieldConfig:
    """The field that is learned."""

    width: int = 256
    """Neurons in every hidden layer."""
    hidden_layers: int = 4
    """Hidden layers, each followed by the activation."""
    activation: Annotated[str, OneOf(ACTIVATIONS)] = "sine"
    """What follows every hidden layer. sine makes a SIREN, the paper's field; relu wants --encoding fourier."""
    activation_options: Annotated[Mapping[str, Any], ACTIVATION] = dataclasses.field(default_factory=dict, hash=False)
    """Further constants of the activation, by name; what is left out has its default."""
    omega_0: float = 200.0
    """Frequency of sine and finer. The paper has 200 at 178 x 178; smaller grids want less."""
    omega_first: float | None = None
    """Frequency of sine in the first layer; None is omega_0."""
    sigma: float | None = None
    """Width of gauss: narrower ones have more detail; None is 0.2."""
    first_bias: float | None = None
    """Biases of finer's first layer begin within +-first_bias; None is as for sine."""
    encoding: Annotated[str, OneOf(ENCODINGS)] = "none"
    """What the coordinates become before the first layer. fourier: waves of random frequencies, never learned."""
    encoding_options: Annotated[Mapping[str, Any], ENCODING] = dataclasses.field(default_factory=dict, hash=False)
    """Further constants of the encoding, as activation_options."""
    num_frequencies: int | None = None
    """Frequencies of fourier, each a cosine and a sine; None is 64."""
    frequency_scale: float | None = None
    """Spread of fourier's frequencies, in cycles for each unit of a coordinate; None is 1."""

    output_offset: float = 0.0
    """Added to what the last layer says: 0 is the paper's; 0.5 begins in the middle of values from 0 to 1."""

    def __post_init__(self) -> None:
        check_range("output_offset", self.output_offset, -1e6, 1e6)
        check_range("width", self.width, 1, 65_536)
        check_range("hidden_layers", self.hidden_layers, 1, 64)
        check_range("omega_0", self.omega_0, 1e-6, 1e6)
        for choice in (ACTIVATION, ENCODING):
            choice.complete(self)
        for name in OF_SOME:
            self._check_goes_with(name)
        self.field(1, 1)

    def field(self, in_features: int, out_features: int) -> MLP:
        """The field for so many coordinates and values."""
        return MLP(
            sizes=(in_features, *[self.width] * self.hidden_layers, out_features),
            activation=ACTIVATION.made_for(self), encoding=ENCODING.made_for(self), output_offset=self.output_offset,
        )  # fmt: skip

    def _check_goes_with(self, name: str) -> None:
        chosen = (ACTIVATIONS[self.activation], ENCODINGS[self.encoding])
        if getattr(self, name) is None or any(name in _constants(kind) for kind in chosen):
            return
        known: dict[str, Any] = {**ACTIVATIONS, **ENCODINGS}
        owners = [kind for kind in known if name in _constants(known[kind])]
        raise BadInput(
            f"{name} is {getattr(self, name)}, but it belongs to {', '.join(owners)}, and the field has activation "
            f"{self.activation} and encoding {self.encoding}; leave it out, or choose that"
        )


def _constants(kind: type[Described]) -> set[str]:
    return {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]  # every one is a dataclass
