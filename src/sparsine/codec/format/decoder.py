"""What a code of one start means: which numbers it holds, with which steps and tables, and the vector they make."""

from dataclasses import dataclass
from functools import lru_cache
from weakref import WeakKeyDictionary

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from sparsine.codec.format.default_tables import default_tables
from sparsine.codec.format.entropy import decode_numbers
from sparsine.codec.format.header import CodeHeader, read_header
from sparsine.codec.format.identity import start_hash
from sparsine.codec.format.models import Models, clamped
from sparsine.codec.format.quantise import to_theta
from sparsine.counted import counted
from sparsine.errors import BadInput
from sparsine.fields.liveness import live_params
from sparsine.fields.pattern import Pattern
from sparsine.starts.start import Start

_GROUPS: "WeakKeyDictionary[Pattern, np.ndarray]" = WeakKeyDictionary()


@dataclass(frozen=True)
class Code:
    """What a code file holds: its header and the integers, one for each parameter that can matter."""

    header: CodeHeader
    symbols: Int[np.ndarray, " numbers"]
    """int32: steps from the centre, in the order of theta."""


class Decoder:
    """Reads codes of one start."""

    def __init__(self, start: Start) -> None:
        self.start = start
        self.hash = start_hash(start)
        self.live = live_params(start.pattern).numpy()
        """The parameters that can matter to what is drawn: a code has a number for each of them."""
        self.groups = groups_of(start.pattern)[self.live]
        tables = start.coding or default_tables(start)
        self.centre = tables.centre.numpy()[self.live]
        self.base_steps = tables.step.numpy().astype(np.int32)[self.live]
        self.base_scales = tables.scale.numpy().astype(np.int32)[self.live]
        self.models = _models(tables.survival.numpy().tobytes())

    def read(self, data: bytes) -> Code:
        """The numbers of a code of this start.

        Raises:
            BadInput: damaged, of another version, or of another start.
        """
        header = read_header(data)
        self._check_header(header)
        begin = header.header_bytes
        payload = data[begin : begin + header.payload_bytes]
        return Code(header, decode_numbers(payload, self.scale_indexes(header), self.models))

    def theta(self, code: Code) -> Float[Tensor, " params"]:
        """The vector that a decoder draws, float32."""
        return self.whole(to_theta(code.symbols, self.centre, self.steps(code.header)))

    def whole(self, numbers: Float[np.ndarray, " numbers"]) -> Float[Tensor, " params"]:
        """A vector of the start with these for what can matter; the rest is the start's own."""
        theta = self.start.theta.detach().cpu().numpy().copy()
        theta[self.live] = numbers
        return torch.from_numpy(theta)

    def steps(self, header: CodeHeader) -> Int[np.ndarray, " numbers"]:
        """The step of each number, in sixteenths of an octave."""
        return self.shifted_steps(header.step_shift, header.group_steps)

    def shifted_steps(self, shift: int, group_shifts: tuple[int, ...] | None) -> Int[np.ndarray, " numbers"]:
        """Those of the start, moved for all and for groups."""
        steps: np.ndarray = self.base_steps + shift + self._by_group(group_shifts)
        return steps

    def scale_indexes(self, header: CodeHeader) -> Int[np.ndarray, " numbers"]:
        """The scale index of each number: which table it is coded with."""
        return clamped(self.unclamped_scale_indexes(header))

    def unclamped_scale_indexes(self, header: CodeHeader) -> Int[np.ndarray, " numbers"]:
        """Also beyond the last table."""
        scales = self.base_scales + header.scale_shift + self._by_group(header.group_scales)
        indexes: np.ndarray = scales - self.steps(header)
        return indexes

    def _by_group(self, shifts: tuple[int, ...] | None) -> Int[np.ndarray, " numbers"] | int:
        return 0 if shifts is None else np.array(shifts, np.int32)[self.groups]

    def _check_header(self, header: CodeHeader) -> None:
        start = self.start
        if header.start_hash != self.hash:
            raise BadInput(
                f"the code belongs to the start {header.start_hash.hex()}, but this start is {self.hash.hex()}; "
                "decode it with the very start that it was encoded with"
            )
        groups = num_groups(len(start.field.layer_shapes))
        stated = [len(of) for of in (header.group_steps, header.group_scales) if of is not None]
        if header.num_numbers != len(self.groups) or any(count != groups for count in stated):
            raise BadInput("the code states other numbers or groups than its start has; no sound encoder made it")
        if len(header.shape) != start.domain.num_axes:
            axes = counted(len(header.shape), "axis", "axes")
            raise BadInput(
                f"the code states {axes}, but its start draws {start.domain.num_axes}; no sound encoder made it"
            )


def num_groups(num_layers: int) -> int:
    """Groups of parameters that may have a step and a scale of their own."""
    return 2 * num_layers


def groups_of(pattern: Pattern) -> Int[np.ndarray, " params"]:
    """The group of every entry of theta: l for weights of layer l, layers + l for its biases."""
    if pattern not in _GROUPS:
        weights = [int(keep.sum()) for keep in pattern.layer_keeps()]
        biases = [n_out for n_out, _ in pattern.field.layer_shapes]
        _GROUPS[pattern] = np.repeat(np.arange(2 * len(weights)), weights + biases)
    return _GROUPS[pattern]


@lru_cache(maxsize=16)
def _models(survival: bytes) -> Models:
    return Models(np.frombuffer(survival, np.int32))
