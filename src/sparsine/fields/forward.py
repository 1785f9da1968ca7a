"""A field in plain torch operations: what autograd differentiates, and what referees every engine."""

from jaxtyping import Float
from torch import Tensor

from sparsine.fields.layers import layers
from sparsine.fields.pattern import Pattern


def forward(
    pattern: Pattern, theta: Float[Tensor, " params"], coords: Float[Tensor, "*points coords"]
) -> Float[Tensor, "*points channels"]:
    """Values of one signal, differentiable in theta and in coords to any order."""
    field, h = pattern.field, pattern.field.encoding(coords)
    *hidden, (last_weight, last_bias) = layers(field, pattern.scatter(theta[None]))
    for layer, (weight, bias) in enumerate(hidden):
        h = field.activation.value(field.activation.scale(layer) * (h @ weight[0].T + bias[0]))
    return h @ last_weight[0].T + last_bias[0] + field.output_offset
