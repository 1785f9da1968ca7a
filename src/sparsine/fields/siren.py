"""SIREN (Sitzmann et al., NeurIPS 2020): a field whose hidden activations are sin(omega_0 (W x + b)), output linear."""

from sparsine.fields.activations import Sine
from sparsine.fields.mlp import MLP


def Siren(*, sizes: tuple[int, ...], omega_0: float = 200.0, output_offset: float = 0.0) -> MLP:
    """The paper's field: one frequency in every hidden layer (the paper: 200), coordinates as they are.

    Example:
        >>> Siren(sizes=(2, 256, 256, 256, 256, 3)).num_weights
        197888
    """
    return MLP(sizes=sizes, activation=Sine(omega_0=omega_0), output_offset=output_offset)
