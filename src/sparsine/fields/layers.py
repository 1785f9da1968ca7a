"""A dense vector seen as the weight matrices and biases of its layers."""

from collections.abc import Iterator, Sequence

from jaxtyping import Float
from torch import Tensor

from sparsine.fields.mlp import MLP


def layers(
    field: MLP, dense: Float[Tensor, "signals dense_params"]
) -> Iterator[tuple[Float[Tensor, "signals n_out n_in"], Float[Tensor, "signals n_out"]]]:
    """Views of (weight, bias) for every layer; writing to them writes to `dense`."""
    return views(field.layer_shapes, dense)


def views(shapes: Sequence[tuple[int, int]], numbers: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """The same, for matrices of any shapes (neurons out, numbers in)."""
    weight_start, bias_start = 0, sum(n_out * n_in for n_out, n_in in shapes)
    for n_out, n_in in shapes:
        weight = numbers[:, weight_start : weight_start + n_out * n_in].view(len(numbers), n_out, n_in)
        yield weight, numbers[:, bias_start : bias_start + n_out]
        weight_start += n_out * n_in
        bias_start += n_out
