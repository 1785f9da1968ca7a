"""Fused GPU engine whose work shrinks with the surviving weights (Triton). docs/engines.md says how it works.

Same bits for any split of a batch and any run on the same kind of card: what a program adds up depends on a signal's
points alone, and the sums of programs are added in order.
"""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from math import ceil
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from sparsine.engines.contract import Engine
from sparsine.engines.dense import DenseEngine
from sparsine.engines.sliced import ROWS, Sliced, with_zero
from sparsine.errors import BadInput
from sparsine.extras import optional
from sparsine.fields.activations import Activation, Finer, Gauss, Relu, Sine
from sparsine.fields.mlp import MLP
from sparsine.fields.pattern import Pattern

CAPABILITY = (8, 0)
"""Of the oldest cards that Triton compiles for."""
POINTS = 32
"""Of a tile."""
MOST_ITEMS = 256
"""Of a signal: each has a row of sums of its own, so that one with many points gives several tiles to each."""
PROGRAMS_PER_PROCESSOR = 4
PARTIAL_BYTES = 1 << 29
"""Of rows of sums; signals are taken together as far as it holds theirs."""
SLOTS, BLOCK = 8, 1024
COMPILED: tuple[type[Activation], ...] = (Sine, Gauss, Relu, Finer)


def is_interpreted() -> bool:
    """Whether Triton was asked to interpret kernels in Python, on the CPU: for tests."""
    return os.environ.get("TRITON_INTERPRET") == "1"


class TritonEngine(Engine):
    """float32 on CUDA: sine, Gaussian, FINER and ReLU; any encoding, any sizes. Hessian products by the dense engine.

    Raises:
        BadInput: what it does not support; a card that is too old; triton is not installed.
    """

    name = "triton"
    skips_pruned = True
    weighs = True

    def __init__(self, pattern: Pattern, *, device: str | torch.device = "cuda", dtype: torch.dtype = torch.float32):
        super().__init__(pattern, device=device, dtype=dtype)
        self._kernels = optional("sparsine.engines.triton_kernels", "gpu", "engine 'triton' is compiled by triton")
        self._dense = DenseEngine(pattern, device=device, dtype=dtype)
        self._narrow = self._dense._narrow
        self._sliced = Sliced(pattern, self._narrow, self.device)
        self._scale = self._scales()
        self._sources = self._columns().to(self.device)
        self.workspace_bytes = self._scratch_numbers(2) * 4 + PARTIAL_BYTES

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickles and copies are made anew: kernels are none of theirs."""
        return partial(type(self), device=self.device, dtype=self.dtype), (self.pattern,)

    @classmethod
    def supports(cls, field: MLP, device: torch.device, dtype: torch.dtype) -> str | None:
        """Activations that kernels know, in float32, on a card that Triton compiles for."""
        if dtype != torch.float32 or not (device.type == "cuda" or (device.type == "cpu" and is_interpreted())):
            return (
                f"engine 'triton' computes torch.float32 on cuda, but was asked for {dtype} on {device}; "
                "engine 'dense' can do that"
            )
        if type(field.activation) not in COMPILED:
            names = ", ".join(kind.name for kind in COMPILED)
            return (
                f"engine 'triton' computes {names}, but this field is {field.description}; engine 'dense' can do that"
            )
        try:
            optional("triton", "gpu", "engine 'triton' is compiled by triton")
        except BadInput as error:
            return f"{error}, or use engine 'dense'"
        return None if device.type == "cpu" else _too_old(device)

    def plain_values(
        self, theta: Float[Tensor, "signals params"], coords: Float[Tensor, "*own points dims"]
    ) -> Float[Tensor, "signals points channels"]:
        """As that of the dense engine."""
        return self._dense.plain_values(theta, coords)

    @torch.no_grad()
    def _predict(self, theta: Tensor, coords: Tensor) -> Tensor:
        out = theta.new_empty(theta.shape[0], coords.shape[-2], self.field.out_features)
        for part in self._parts(theta, coords):
            forward, inputs = self._forward(self._scaled(theta[part])), self._inputs(coords, part)
            count, per_signal, tiles = _items(len(theta[part]), coords.shape[-2])
            scratch = theta.new_empty(self._scratch_numbers(1))
            with self._here():
                self._kernels.predict[(self._num_programs(count),)](
                    inputs, *forward, scratch, out[part], coords.shape[-2], count, per_signal, _stride(inputs),
                    self._sliced.forward.num_slots, self.field.output_offset, **self._constants(tiles),
                )  # fmt: skip
        return out

    @torch.no_grad()
    def _loss_and_grad(
        self, theta: Tensor, coords: Tensor, values: Tensor, weights: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        loss, grad = theta.new_empty(theta.shape[0]), torch.empty_like(theta, memory_format=torch.contiguous_format)
        for part in self._parts(theta, coords):
            own = weights if weights is None or weights.ndim == 1 else weights[part]
            loss[part], sums = self._sums(theta[part], self._inputs(coords, part), values[part].contiguous(), own)
            grad[part] = torch.where(self._sources >= 0, sums[:, self._sources] * self._scale[:-1], 0.0)
        return loss, grad

    def _hvp(self, theta: Tensor, v: Tensor, coords: Tensor, values: Tensor, weights: Tensor | None = None) -> Tensor:
        return self._dense._hvp(theta, v, coords, values, weights)

    def _sums(
        self, theta: Tensor, inputs: Tensor, values: Tensor, weights: Tensor | None
    ) -> tuple[Tensor, Float[Tensor, "signals columns"]]:
        """Losses, and the gradients of slots of the way back and of biases, those of scaled weights."""
        signals, num_points, back = len(theta), values.shape[1], self._sliced.backward
        count, per_signal, tiles = _items(signals, num_points)
        width = back.num_slots + self._sliced.num_neurons
        partial, losses = theta.new_zeros(count, width), theta.new_empty(count)  # nobody writes those of inputs
        sums, loss = theta.new_empty(signals, width), theta.new_empty(signals)
        counts = values if weights is None else weights.reshape(-1, num_points).contiguous()
        scratch, scaled = theta.new_empty(self._scratch_numbers(2)), self._scaled(theta)
        with self._here():
            self._kernels.loss_and_grad[(self._num_programs(count),)](
                inputs, *self._forward(scaled), scaled[:, back.entries], back.groups, back.neurons, back.starts,
                back.others, values, counts, scratch, partial, losses, num_points, count, per_signal, _stride(inputs),
                0 if weights is None else _stride(counts), self._sliced.forward.num_slots, back.num_slots,
                self.field.output_offset, 1 / (num_points * self.field.out_features), WEIGHED=weights is not None,
                SLOTS=SLOTS, **self._constants(tiles),
            )  # fmt: skip
            self._kernels.add_up[(ceil(width / BLOCK), signals)](partial, sums, per_signal, width, BLOCK=BLOCK)
            self._kernels.add_up[(1, signals)](losses, loss, per_signal, 1, BLOCK=16)
        return loss, sums

    def _forward(self, scaled: Tensor) -> tuple[Tensor, ...]:
        """Weights and biases as kernels read them, and where they stand."""
        slices, biases = self._sliced.forward, scaled[:, self._sliced.bias_entries]
        return scaled[:, slices.entries], biases, slices.groups, slices.neurons, slices.starts, slices.others

    def _scaled(self, theta: Tensor) -> Tensor:
        return with_zero(theta) * self._scale

    def _inputs(self, coords: Tensor, part: slice) -> Float[Tensor, "signals_or_1 numbers points"]:
        taken = coords[None] if coords.ndim == 2 else coords[part]
        return self._narrow.inputs(self.field.encoding(taken)).mT.contiguous()

    def _parts(self, theta: Tensor, coords: Tensor) -> Iterator[slice]:
        """Signals that are taken together."""
        _, per_signal, _ = _items(1, coords.shape[-2])
        width = self._sliced.backward.num_slots + self._sliced.num_neurons
        together = max(1, PARTIAL_BYTES // (4 * per_signal * width))
        for first in range(0, len(theta), together):
            yield slice(first, first + together)

    def _constants(self, tiles: int) -> dict[str, Any]:
        activation, widths = self.field.activation, self._narrow.widths
        return {
            "NUM_HIDDEN": len(widths) - 2, "NUM_INPUTS": widths[0], "NUM_NEURONS": self._sliced.num_neurons,
            "NUM_OUTPUTS": widths[-1], "TILES": tiles, "ACTIVATION": activation.name,
            "CONSTANT": activation.omega_0 if isinstance(activation, Finer) else 0.0, "ROWS": ROWS, "POINTS": POINTS,
            "num_warps": 4, "num_stages": 1,
        }  # fmt: skip

    def _scales(self) -> Float[Tensor, " params_and_one"]:
        """What each entry of theta is multiplied by; 0 for what counts for nothing."""
        scale = self._narrow.gather(self._dense._scale)[0]
        return torch.cat([scale, scale.new_zeros(1)])

    def _columns(self) -> Tensor:
        """Of each entry of theta, its column among the sums; -1 of what counts for nothing."""
        entries = torch.cat([self._sliced.backward.entries, self._sliced.bias_entries]).cpu()
        columns = torch.full((self.pattern.num_params + 1,), -1)
        columns[entries] = torch.arange(len(entries))
        return columns[:-1]

    def _scratch_numbers(self, copies: int) -> int:
        """float32 numbers that all programs hold on the way."""
        return self._num_programs(1 << 31) * copies * self._sliced.num_neurons * POINTS

    def _num_programs(self, count: int) -> int:
        if self.device.type == "cpu":
            return min(count, 3)
        processors = torch.cuda.get_device_properties(self.device).multi_processor_count
        return min(count, PROGRAMS_PER_PROCESSOR * processors)

    def _here(self) -> AbstractContextManager[Any]:
        return nullcontext() if self.device.type == "cpu" else torch.cuda.device(self.device)


def _items(signals: int, num_points: int) -> tuple[int, int, int]:
    """Items of all signals, of one signal, and the tiles of an item: they depend on the points alone."""
    tiles = ceil(num_points / POINTS)
    per_item = ceil(tiles / MOST_ITEMS)
    per_signal = ceil(tiles / per_item)
    return signals * per_signal, per_signal, per_item


def _stride(tensor: Tensor) -> int:
    """From a signal to the next; 0 where they share."""
    return 0 if tensor.shape[0] == 1 else tensor[0].numel()


def _too_old(device: torch.device) -> str | None:
    found = torch.cuda.get_device_capability(device)
    if found >= CAPABILITY:
        return None
    needed, has = (".".join(map(str, capability)) for capability in (CAPABILITY, found))
    return (
        f"engine 'triton' needs a GPU of compute capability {needed} or later, but "
        f"{torch.cuda.get_device_name(device)} has {has}; engine 'dense' can do that"
    )
