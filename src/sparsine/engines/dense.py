"""Batched PyTorch engine with hand-written derivatives, in bounded memory, on CPU or CUDA.

Points and signals are taken in blocks small enough for the cache, so that memory grows with neither. Gradients
are ordinary backpropagation; the Hessian-vector product is Pearlmutter's R-operator (Neural Computation, 1994):
the forward and the backward pass, each beside its own derivative along `v`.

What an activation multiplies pre-activations by (the frequency omega_0 of a sine) is folded into the weights and
biases of the hidden layers on the way in, and into their derivatives on the way out, which spares a pass over every
activation.

Neurons that lead to no output are cut away first, so that layers are as narrow as what they compute; between the others
the cost is that of dense layers whatever the pattern, and pruned weights enter as exact zeros.
On CUDA, matrix products follow `torch.set_float32_matmul_precision`: TF32 only if you ask for it there, or by
TORCH_ALLOW_TF32_CUBLAS_OVERRIDE=1 on the command line.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from sparsine.engines.contract import Engine
from sparsine.fields.mlp import MLP
from sparsine.fields.narrow import Narrow
from sparsine.fields.pattern import Pattern

# Activations of the widest layer in one block. CPU: a few such arrays stay in the caches (measured flat between
# 2**17 and 2**20). CUDA: fills the card, and takes signals of the paper's size one by one: an H100 is 1.7 times as fast
# at ordinary products with a bias as at batched ones, which PyTorch gives theirs in a pass of its own.
BLOCK_ELEMENTS = {"cpu": 2**18, "cuda": 2**23}
ALONE_FROM = {"cuda": 2**14}
"""Points from which signals are taken one by one, however narrow their layers are."""


@dataclass(frozen=True)
class _Block:
    signals: slice
    points: slice


class DenseEngine(Engine):
    """Any field, float32 or float64, CPU or CUDA. Partial sums are added in block order, so a run repeats its bits."""

    name = "dense"
    weighs = True

    def __init__(
        self,
        pattern: Pattern,
        *,
        device: str | torch.device = "cpu",
        dtype: torch.dtype = torch.float32,
        block_elements: int | None = None,
    ):
        super().__init__(pattern, device=device, dtype=dtype)
        self.block_elements = block_elements or BLOCK_ELEMENTS.get(self.device.type, 2**18)
        self.alone_from = ALONE_FROM.get(self.device.type, math.inf)
        self.workspace_bytes = self.block_elements * (2 * len(self.field.sizes) - 1) * torch.finfo(dtype).bits // 8
        self._activation = self.field.activation
        self._narrow = Narrow(pattern, self.device)
        self._scale = self._scales()

    @classmethod
    def supports(cls, field: MLP, device: torch.device, dtype: torch.dtype) -> str | None:
        """Everything that a field describes."""
        return None

    def plain_values(
        self, theta: Float[Tensor, "signals params"], coords: Float[Tensor, "*own points dims"]
    ) -> Float[Tensor, "signals points channels"]:
        """As that of every engine, of the narrow layers."""
        h = self._narrow.inputs(self.field.encoding(coords))
        *hidden, (last_weight, last_bias) = self._layers(theta)
        for weight, bias in hidden:
            h = self._activation.value(h @ weight.mT + bias[:, None])
        return h @ last_weight.mT + last_bias[:, None] + self.field.output_offset

    @torch.no_grad()
    def _predict(self, theta: Tensor, coords: Tensor) -> Tensor:
        out = theta.new_empty(theta.shape[0], coords.shape[-2], self.field.out_features)
        net = self._layers(theta)
        for block in self._blocks(theta, coords):
            h = self._inputs(coords, block)
            *hidden, last = _of(net, block.signals)
            for weight, bias in hidden:
                h = self._activation.value(_linear(h, weight, bias))
            out[block.signals, block.points] = _linear(h, *last).add_(self.field.output_offset)
        return out

    @torch.no_grad()
    def _loss_and_grad(
        self, theta: Tensor, coords: Tensor, values: Tensor, weights: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        net, grad = self._layers(theta), self._zeros(theta)
        grad_net = list(self._narrow.layers(grad))
        loss = theta.new_zeros(theta.shape[0])
        for block in self._blocks(theta, coords):
            own = _of(net, block.signals)
            grads = _of(grad_net, block.signals)
            hs, zs = self._forward(own, self._inputs(coords, block))
            counts = _counts(weights, block)
            delta, squares = self._residual(own, hs[-1], values[block.signals, block.points], coords.shape[-2], counts)
            loss[block.signals] += squares
            for layer in reversed(range(len(own))):
                _add_gradient(grads[layer], delta, hs[layer])
                if layer > 0:
                    slope = self._activation.slope(zs.pop(), hs[layer])
                    delta = _matmul(delta, own[layer][0]).mul_(slope)
        return loss, self._narrow.gather(grad.mul_(self._scale))

    @torch.no_grad()
    def _hvp(self, theta: Tensor, v: Tensor, coords: Tensor, values: Tensor, weights: Tensor | None = None) -> Tensor:
        net, directions, product = self._layers(theta), self._layers(v), self._zeros(theta)
        product_net = list(self._narrow.layers(product))
        for block in self._blocks(theta, coords):
            own, vs = _of(net, block.signals), _of(directions, block.signals)
            products = _of(product_net, block.signals)
            hs, zs = self._forward(own, self._inputs(coords, block))
            slopes = [self._activation.slope(z, h) for z, h in zip(zs, hs[1:], strict=True)]
            # dot_* is the derivative along v; the input does not depend on theta, so its own is zero
            dot_hs: list[Tensor | None] = [None]
            dot_zs: list[Tensor] = []
            for layer, (weight, _) in enumerate(own):
                dot_z = _linear(hs[layer], *vs[layer])
                if layer > 0:
                    _add_matmul_t(dot_z, dot_hs[layer], weight)
                dot_zs.append(dot_z)
                if layer < len(slopes):
                    dot_hs.append(dot_z * slopes[layer])
            counts = _counts(weights, block)
            delta, _ = self._residual(own, hs[-1], values[block.signals, block.points], coords.shape[-2], counts)
            dot_delta = dot_zs[-1].mul_(2 / (coords.shape[-2] * self.field.out_features))
            if counts is not None:
                dot_delta.mul_(counts)
            for layer in reversed(range(len(own))):
                _add_gradient(products[layer], dot_delta, hs[layer])
                dot_h = dot_hs[layer]
                if dot_h is not None:
                    products[layer][0].add_(_matmul_tn(delta, dot_h))
                    weight, direction, slope = own[layer][0], vs[layer][0], slopes[layer - 1]
                    dot_delta = _matmul(dot_delta, weight)
                    _add_matmul(dot_delta, delta, direction)
                    upstream = _matmul(delta, weight)
                    # the derivative of the slope along v
                    dot_slope = dot_zs[layer - 1].mul_(self._activation.curvature(zs.pop(), hs[layer], slope))
                    dot_delta = dot_delta.mul_(slope).addcmul_(upstream, dot_slope)
                    delta = upstream.mul_(slope)
        return self._narrow.gather(product.mul_(self._scale))

    def _forward(self, weights: list[tuple[Tensor, Tensor]], h: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Inputs of every layer, and the pre-activation of every hidden one."""
        hs, zs = [h], []
        for weight, bias in weights[:-1]:
            zs.append(_linear(hs[-1], weight, bias))
            hs.append(self._activation.value(zs[-1]))
        return hs, zs

    def _residual(
        self, own: list[tuple[Tensor, Tensor]], h: Tensor, values: Tensor, num_points: int, counts: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """The loss's gradient at the output, and this block's share of the loss."""
        scale = 1 / (num_points * self.field.out_features)
        error = _linear(h, *own[-1]).add_(self.field.output_offset).sub_(values)
        squares = error.square()
        if counts is not None:
            squares.mul_(counts)
            error.mul_(counts)
        return error.mul_(2 * scale), squares.sum(dim=(1, 2)).mul_(scale)

    def _layers(self, theta: Tensor) -> list[tuple[Tensor, Tensor]]:
        return list(self._narrow.layers(self._narrow.scatter(theta) * self._scale))

    def _scales(self) -> Tensor:
        """What each number is multiplied by: the activation's scale in the hidden layers, 1 in the last."""
        scale = torch.ones(1, self._narrow.num_numbers, dtype=self.dtype, device=self.device)
        for layer, (weight, bias) in enumerate(list(self._narrow.layers(scale))[:-1]):
            weight.fill_(self._activation.scale(layer))
            bias.fill_(self._activation.scale(layer))
        return scale

    def _inputs(self, coords: Tensor, block: _Block) -> Tensor:
        """What the first layer is given for a block, (signals or 1, points, numbers)."""
        return self._narrow.inputs(self.field.encoding(_take(coords, block)))

    def _zeros(self, theta: Tensor) -> Tensor:
        return theta.new_zeros(theta.shape[0], self._narrow.num_numbers)

    def _blocks(self, theta: Tensor, coords: Tensor) -> Iterator[_Block]:
        """Blocks of points of one signal, or of several signals where one signal does not fill a block."""
        width, num_points = max(self.field.widths[0], *self._narrow.widths), coords.shape[-2]
        points = min(num_points, max(1, self.block_elements // width))
        signals = 1 if num_points >= self.alone_from else max(1, self.block_elements // (width * points))
        for first in range(0, theta.shape[0], signals):
            for start in range(0, num_points, points):
                yield _Block(slice(first, first + signals), slice(start, min(start + points, num_points)))


def _take(coords: Tensor, block: _Block) -> Tensor:
    """Coordinates of a block as (signals or 1, points, dims)."""
    return coords[None, block.points] if coords.ndim == 2 else coords[block.signals, block.points]


def _counts(weights: Tensor | None, block: _Block) -> Tensor | None:
    """How much each sample of a block counts, (signals or 1, points, 1)."""
    if weights is None:
        return None
    return (weights[None, block.points] if weights.ndim == 1 else weights[block.signals, block.points])[..., None]


def _of(net: list[tuple[Tensor, Tensor]], signals: slice) -> list[tuple[Tensor, Tensor]]:
    return [(weight[signals], bias[signals]) for weight, bias in net]


# A single signal goes through two-dimensional products, which run about 1.4 times as fast as a batch of one.


def _linear(h: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    if weight.shape[0] == 1:
        return torch.addmm(bias[0], h[0], weight[0].T)[None]
    return torch.baddbmm(bias[:, None], h.expand(weight.shape[0], -1, -1), weight.mT)


def _matmul(a: Tensor, b: Tensor) -> Tensor:
    return (a[0] @ b[0])[None] if a.shape[0] == 1 else a @ b


def _matmul_tn(a: Tensor, b: Tensor) -> Tensor:
    return (a[0].T @ b[0])[None] if a.shape[0] == b.shape[0] == 1 else a.mT @ b


def _add_matmul(out: Tensor, a: Tensor, b: Tensor) -> None:
    if out.shape[0] == 1:
        out[0].addmm_(a[0], b[0])
    else:
        out.baddbmm_(a, b)


def _add_matmul_t(out: Tensor, a: Tensor | None, b: Tensor) -> None:
    assert a is not None
    _add_matmul(out, a, b.mT)


def _add_gradient(grads: tuple[Tensor, Tensor], delta: Tensor, h: Tensor) -> None:
    weight_grad, bias_grad = grads
    weight_grad.add_(_matmul_tn(delta, h))
    bias_grad.add_(delta.sum(dim=1))
