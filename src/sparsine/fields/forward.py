"""A field in plain torch operations: what autograd differentiates, and what referees every engine."""

import torch
from jaxtyping import Float
from torch import Tensor

from sparsine.fields.layers import layers
from sparsine.fields.mlp import MLP
from sparsine.fields.pattern import Pattern


def forward(
    pattern: Pattern, theta: Float[Tensor, " params"], coords: Float[Tensor, "*points coords"]
) -> Float[Tensor, "*points channels"]:
    """Values of one signal, differentiable in theta and in coords to any order."""
    return forward_dense(pattern.field, pattern.scatter(theta[None]), coords)


def forward_dense(
    field: MLP, dense: Float[Tensor, "1 dense_params"], coords: Float[Tensor, "*points coords"]
) -> Float[Tensor, "*points channels"]:
    """The same of a dense vector."""
    h = field.encoding(coords)
    *hidden, (last_weight, last_bias) = layers(field, dense)
    for layer, (weight, bias) in enumerate(hidden):
        h = field.activation.value(field.activation.scale(layer) * (h @ weight[0].T + bias[0]))
    return h @ last_weight[0].T + last_bias[0] + field.output_offset


def forward_batch(
    field: MLP, dense: Float[Tensor, "signals dense_params"], coords: Float[Tensor, "*own points coords"]
) -> Float[Tensor, "signals points channels"]:
    """Values of all signals, at coordinates that they share or of their own, as differentiable as `forward`."""
    own = coords if coords.ndim == 3 else coords.expand(dense.shape[0], *coords.shape)
    rows = [forward_dense(field, row[None], points) for row, points in zip(dense, own, strict=True)]
    return torch.stack(rows) if rows else dense.new_empty(0, own.shape[-2], field.out_features)
