"""Fused C++ engine for the CPU whose work shrinks with the surviving weights.

Coordinates go through the whole network in tiles of a few dozen that stay in the cache; inside a tile, one surviving
connection is one multiply-add over a contiguous run of points. Neurons that no coordinate reaches are computed once for
a signal, and those that reach no output not at all. The derivatives are those of the dense engine (backpropagation;
Pearlmutter's R-operator for the Hessian). docs/engines.md says how it works and how exact it is.

Same bits for any number of threads, any split of the batch, any run: sums are taken over fixed runs of 512 points and
added in order. Different instruction sets round differently.
"""

from functools import partial
from typing import Any

import torch
from torch import Tensor

from sparsine.engines.contract import Engine
from sparsine.engines.native import (
    check_instructions,
    chosen_instructions,
    compiled,
    is_compiled,
    native,
    why_missing,
)
from sparsine.fields.mlp import MLP
from sparsine.fields.pattern import Pattern


class SparseEngine(Engine):
    """float32 on the CPU, any sizes. Threads: `torch.get_num_threads()`. Extra memory: a few tiles for each thread.

    Raises:
        BadInput: what it does not support; an instruction set that this processor lacks; no compiled extension.
    """

    name = "sparse"
    skips_pruned = True
    weighs = True

    def __init__(
        self,
        pattern: Pattern,
        *,
        device: str | torch.device = "cpu",
        dtype: torch.dtype = torch.float32,
        instructions: str | None = None,
    ):
        super().__init__(pattern, device=device, dtype=dtype)
        self.instructions = check_instructions(instructions) if instructions else chosen_instructions()
        self._native = native().Engine(
            list(self.field.sizes),
            pattern.keep.contiguous().numpy().view("uint8"),
            self.field.activation.scale(1),
            self.field.output_offset,
            self.instructions,
            *self._further_constants(),
        )
        self.has_vjp = hasattr(self._native, "vjp")
        """An extension that is older than the question has none."""

    @classmethod
    def supports(cls, field: MLP, device: torch.device, dtype: torch.dtype) -> str | None:
        """Activations that were compiled in, coordinates as they are, in float32 on the CPU."""
        if device.type != "cpu" or dtype != torch.float32:
            return (
                f"engine 'sparse' computes torch.float32 on cpu, but was asked for {dtype} on {device}; "
                "engine 'dense' can do that"
            )
        if (missing := why_missing()) or field.is_siren:
            return missing
        if field.encoded_width is None and is_compiled(field.activation):
            return None
        known = f"{' and '.join(compiled())} without an encoding" if compiled() else "SIRENs"
        return f"engine 'sparse' computes {known}, but this field is {field.description}; engine 'dense' can do that"

    def _further_constants(self) -> tuple[str, float] | tuple[()]:
        """What the compiled part is told of a field that is no SIREN."""
        activation = self.field.activation
        return () if self.field.is_siren else (activation.name, activation.scale(0))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickles and copies are made anew: the compiled part knows nothing that the pattern does not say."""
        return partial(type(self), instructions=self.instructions), (self.pattern,)

    @property
    def alive(self) -> list[int]:
        """Neurons that are computed for every point, level by level, coordinates and outputs included."""
        return list(self._native.alive)

    def why_not_half(self) -> str | None:
        if getattr(self._native, "draws_half", False):  # an extension may be older than the question
            return None
        return (
            f"drawing in half precision takes a processor with AVX512-FP16 (Intel's Xeon since 2023) and an extension "
            f"that was built for it; here engine 'sparse' runs on {self.instructions}; draw without it"
        )

    def _predict(self, theta: Tensor, coords: Tensor) -> Tensor:
        return self._values(theta, coords)

    def _predict_half(self, theta: Tensor, coords: Tensor) -> Tensor:
        return self._values(theta, coords, True)

    def _values(self, theta: Tensor, coords: Tensor, *half: bool) -> Tensor:
        out = self._empty(theta.shape[0], coords.shape[-2], self.field.out_features)
        if theta.shape[0]:
            self._native.predict(_rows(theta), _stack(coords), out, torch.get_num_threads(), *half)
        return out

    def _loss_and_grad(
        self, theta: Tensor, coords: Tensor, values: Tensor, weights: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        loss, grad = torch.empty(theta.shape[0], dtype=torch.float64, device="cpu"), self._empty(*theta.shape)
        if theta.shape[0]:
            self._native.loss_and_grad(
                _rows(theta), _stack(coords), _plain(values), loss, grad, torch.get_num_threads(), *_weights(weights)
            )
        return loss.to(self.dtype), grad

    def _vjp(
        self, theta: Tensor, coords: Tensor, cotangents: Tensor, with_coords: bool
    ) -> tuple[Tensor, Tensor | None]:
        if not self.has_vjp:
            return super()._vjp(theta, coords, cotangents, with_coords)
        signals, points, dims = theta.shape[0], coords.shape[-2], coords.shape[-1]
        grad = self._empty(*theta.shape)
        of_coords = self._empty(signals, points, dims) if with_coords else None
        if signals:
            self._native.vjp(_rows(theta), _stack(coords), _plain(cotangents), grad, of_coords, torch.get_num_threads())
        return grad, of_coords.sum(dim=0) if of_coords is not None and coords.ndim == 2 else of_coords

    def _hvp(self, theta: Tensor, v: Tensor, coords: Tensor, values: Tensor, weights: Tensor | None = None) -> Tensor:
        product = self._empty(*theta.shape)
        if theta.shape[0]:
            self._native.hvp(
                _rows(theta), _rows(v), _stack(coords), _plain(values), product, torch.get_num_threads(),
                *_weights(weights),
            )  # fmt: skip
        return product

    def _empty(self, *shape: int) -> Tensor:
        """Whatever torch's defaults are."""
        return torch.empty(shape, dtype=self.dtype, device="cpu")


def _plain(tensor: Tensor) -> Tensor:
    """Contiguous, without a graph, and with its signs written out, as the compiled part takes it."""
    return tensor.detach().resolve_neg().contiguous()


def _rows(theta: Tensor) -> Tensor:
    """A vector that was expanded to all signals is passed once."""
    return _plain(theta[:1] if theta.stride(0) == 0 else theta)


def _stack(coords: Tensor) -> Tensor:
    """(1 or signals, points, dims)."""
    return _plain(coords[None] if coords.ndim == 2 else coords)


def _weights(weights: Tensor | None) -> tuple[Tensor] | tuple[()]:
    """(1 or signals, points), where there are any."""
    return () if weights is None else (_plain(weights[None] if weights.ndim == 1 else weights),)
