"""A dense vector seen as the weight matrices and biases of its layers."""

from collections.abc import Iterator

from jaxtyping import Float
from torch import Tensor

from sparsine.fields.mlp import MLP


def layers(
    field: MLP, dense: Float[Tensor, "signals dense_params"]
) -> Iterator[tuple[Float[Tensor, "signals n_out n_in"], Float[Tensor, "signals n_out"]]]:
    """Views of (weight, bias) for every layer; writing to them writes to `dense`."""
    weight_start, bias_start = 0, field.num_weights
    for n_out, n_in in field.layer_shapes:
        weight = dense[:, weight_start : weight_start + n_out * n_in].view(-1, n_out, n_in)
        yield weight, dense[:, bias_start : bias_start + n_out]
        weight_start += n_out * n_in
        bias_start += n_out
