"""Which weights of a field survive, and how its flat vector `theta` is laid out.

theta = [surviving weights, layer by layer, row by row | biases, layer by layer]. Biases always survive.
A weight that is not in the pattern has no place in theta: nothing can bring it back.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from sparsine.counted import counted
from sparsine.errors import BadInput
from sparsine.fields.mlp import MLP
from sparsine.lazy import cached_property


@dataclass(frozen=True, eq=False)
class Pattern:
    """The surviving weights of `field`, shared by all signals.

    Example:
        >>> field = MLP(sizes=(2, 3, 1))
        >>> Pattern.full(field).num_params
        13
    """

    field: MLP
    keep: Bool[Tensor, " weights"]
    """One entry for each weight of the dense field, layer by layer, row by row: does it survive?"""

    def __post_init__(self) -> None:
        if self.keep.shape != (self.field.num_weights,):
            raise BadInput(
                f"a pattern for sizes {self.field.sizes} needs {self.field.num_weights} entries, "
                f"but got {tuple(self.keep.shape)}"
            )

    def __repr__(self) -> str:
        return f"Pattern({self.described})"

    @classmethod
    def full(cls, field: MLP) -> "Pattern":
        """Nothing pruned."""
        return cls(field, torch.ones(field.num_weights, dtype=torch.bool))

    @cached_property
    def num_weights(self) -> int:
        """Surviving weights: the paper's '#parameters'."""
        return int(self.keep.sum())

    @property
    def num_biases(self) -> int:
        return self.field.num_biases

    @property
    def num_params(self) -> int:
        """Surviving weights and biases: the length of theta."""
        return self.num_weights + self.num_biases

    @property
    def density(self) -> float:
        """Fraction of the weights that survives."""
        return self.num_weights / self.field.num_weights

    @property
    def sparsity(self) -> float:
        """Fraction of the weights that was removed."""
        return 1 - self.density

    @property
    def counts(self) -> str:
        """'8,704 weights + 1,027 biases = 9,731', the form in which a count is always shown."""
        weights, biases = counted(self.num_weights, "weight"), counted(self.num_biases, "bias", "biases")
        return f"{weights} + {biases} = {self.num_params:,}"

    @property
    def described(self) -> str:
        """For people: 'SIREN 2-64-64-3, omega_0 30, output offset 0, 870 weights + 131 biases = 1,001, 20 % of ...'."""
        return f"{self.field.description}, {self.counts}, {100 * self.density:.3g} % of the weights"

    @cached_property
    def survivors(self) -> torch.Tensor:
        """Positions of the surviving weights among all weights, ascending (int64)."""
        return self.keep.nonzero().squeeze(1)

    @cached_property
    def positions(self) -> torch.Tensor:
        """Position of every entry of theta in the dense vector (int64): survivors, then all biases."""
        biases = torch.arange(self.num_biases) + self.field.num_weights
        return torch.cat([self.survivors, biases])

    def layer_keeps(self) -> Iterator[Bool[Tensor, "n_out n_in"]]:
        """The pattern of each layer as a matrix."""
        start = 0
        for n_out, n_in in self.field.layer_shapes:
            yield self.keep[start : start + n_out * n_in].view(n_out, n_in)
            start += n_out * n_in

    def scatter(self, theta: Float[Tensor, "signals params"]) -> Float[Tensor, "signals dense_params"]:
        """theta in its places in the dense vector, exact zeros elsewhere."""
        if self.num_weights == self.field.num_weights:
            return theta
        dense = theta.new_zeros(theta.shape[0], self.field.num_weights + self.num_biases)
        dense[:, self.positions.to(theta.device)] = theta
        return dense

    def gather(self, dense: Float[Tensor, "signals dense_params"]) -> Float[Tensor, "signals params"]:
        """The entries of a dense vector that survive: the adjoint of `scatter`."""
        if self.num_weights == self.field.num_weights:
            return dense
        return dense[:, self.positions.to(dense.device)]

    def without(self, removed: Bool[Tensor, " surviving_weights"]) -> "Pattern":
        """A smaller pattern: `removed` marks, among the surviving weights, those that go."""
        keep = self.keep.clone()
        keep[self.survivors[removed]] = False
        return Pattern(self.field, keep)

    def gather_from(self, larger: "Pattern", theta: Float[Tensor, "... larger_params"]) -> Float[Tensor, "... params"]:
        """Carry a vector over from the `larger` pattern that this one was pruned from."""
        stays = torch.cat([self.keep[larger.survivors], torch.ones(self.num_biases, dtype=torch.bool)])
        return theta[..., stays.to(theta.device)]

    def to_bits(self) -> torch.Tensor:
        """The pattern packed eight weights to a byte (uint8), first weight in the highest bit."""
        return torch.from_numpy(np.packbits(self.keep.numpy()))

    @classmethod
    def from_bits(cls, field: MLP, bits: torch.Tensor) -> "Pattern":
        """Raises BadInput when the number of bytes is not that of the field."""
        if bits.dtype != torch.uint8 or bits.shape != ((field.num_weights + 7) // 8,):
            raise BadInput(
                f"a packed pattern for sizes {field.sizes} has {(field.num_weights + 7) // 8} bytes, "
                f"but got {tuple(bits.shape)} of {bits.dtype}"
            )
        keep = np.unpackbits(bits.numpy(), count=field.num_weights).astype(bool)
        return cls(field, torch.from_numpy(keep))
