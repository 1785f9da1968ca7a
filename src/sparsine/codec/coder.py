"""Between fitted vectors and codes, without fitting or drawing anything: header, numbers, payload."""

import json
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from sparsine.codec.entropy import clamped, decode_numbers, encode_numbers
from sparsine.codec.groups import groups_of, num_groups
from sparsine.codec.header import CodeHeader, read_header, with_checksum
from sparsine.codec.identity import start_hash
from sparsine.codec.models import Models
from sparsine.codec.quantise import to_symbols, to_theta
from sparsine.codec.scales import fitting_scales
from sparsine.codec.uncalibrated import default_tables
from sparsine.counted import counted
from sparsine.errors import BadInput
from sparsine.fields.liveness import live_params
from sparsine.starts.start import Start


@dataclass(frozen=True)
class Code:
    """What a code file holds: its header and the integers, one for each parameter that can matter."""

    header: CodeHeader
    symbols: Int[np.ndarray, " numbers"]
    """int32: steps from the centre, in the order of theta."""


class Coder:
    """Codes vectors of one start. Keep one for many codes: it remembers the tables that it made.

    Example:
        >>> from sparsine import Grid, Pattern, Siren, Start
        >>> field = Siren(sizes=(2, 3, 1), omega_0=9.0)
        >>> start = Start(Pattern.full(field), field.initial_theta(seed=0), Grid(shape=(5, 7)))
        >>> coder = Coder(start)
        >>> moved = start.theta + 0.001
        >>> bool((coder.theta(coder.read(coder.write(moved, (5, 7)))) - moved).abs().max() < 1e-4)
        True
    """

    def __init__(self, start: Start) -> None:
        self.start = start
        self.hash = start_hash(start)
        self.live = live_params(start.pattern).numpy()
        self.groups = groups_of(start.pattern)[self.live]
        tables = start.coding or default_tables(start)
        self.centre = tables.centre.numpy()[self.live]
        self.base_steps = tables.step.numpy().astype(np.int32)[self.live]
        self.base_scales = tables.scale.numpy().astype(np.int32)[self.live]
        self.models = _models(tables.tails.numpy().tobytes())

    def write(
        self,
        theta: Float[Tensor, " params"],
        shape: tuple[int, ...],
        *,
        step_shift: int = 0,
        group_steps: tuple[int, ...] | None = None,
        notes: dict[str, Any] | None = None,
    ) -> bytes:
        """The code of a fitted vector, for a signal of `shape`. Scales are chosen for the shortest payload. What cannot
        matter to a drawing is left out.

        Args:
            notes: a few plain JSON values to keep in the code, such as what the fit used.

        Raises:
            BadInput: a vector of another length, or one that cannot be told in so many steps.
        """
        self._check(theta)
        told = json.dumps(notes, separators=(",", ":")).encode() if notes else b""
        header = CodeHeader(
            start_hash=self.hash, num_numbers=len(self.groups), shape=self.start.domain.resized(shape).shape,
            step_shift=step_shift, group_steps=group_steps, notes=told,
        )  # fmt: skip
        symbols = to_symbols(theta.detach().cpu().numpy()[self.live], self.centre, self.steps(header))
        shift, groups = fitting_scales(symbols, self._classes(header), self.groups, self.models)
        return self.pack(Code(replace(header, scale_shift=shift, group_scales=groups), symbols))

    def read(self, data: bytes) -> Code:
        """The numbers of a code of this start.

        Raises:
            BadInput: damaged, of another version, or of another start.
        """
        header = read_header(data)
        self._check_header(header)
        begin = header.header_bytes
        payload = data[begin : begin + header.payload_bytes]
        return Code(header, decode_numbers(payload, self.classes(header), self.models))

    def pack(self, code: Code) -> bytes:
        """The bytes of a code: the inverse of `read`, byte for byte."""
        payload = encode_numbers(code.symbols, self.classes(code.header), self.models)
        return with_checksum(code.header.pack() + payload)

    def theta(self, code: Code) -> Float[Tensor, " params"]:
        """The vector that a decoder draws, float32."""
        return self._whole(to_theta(code.symbols, self.centre, self.steps(code.header)))

    def rounded(
        self, theta: Float[Tensor, "signals params"], step_shift: int, group_steps: tuple[int, ...] | None = None
    ) -> Float[Tensor, "signals params"]:
        """What would be drawn after coding with these steps."""
        steps = self.base_steps + step_shift + self._by_group(group_steps)
        rows = [to_symbols(row[self.live], self.centre, steps) for row in theta.cpu().numpy()]
        return torch.stack([self._whole(to_theta(row, self.centre, steps)) for row in rows]).to(theta.device)

    def _whole(self, numbers: Float[np.ndarray, " numbers"]) -> Float[Tensor, " params"]:
        """A vector of the start with these for what can matter; the rest is the start's own."""
        theta = self.start.theta.detach().cpu().numpy().copy()
        theta[self.live] = numbers
        return torch.from_numpy(theta)

    def steps(self, header: CodeHeader) -> Int[np.ndarray, " numbers"]:
        """The step of each number, in sixteenths of an octave."""
        steps: np.ndarray = self.base_steps + header.step_shift + self._by_group(header.group_steps)
        return steps

    def classes(self, header: CodeHeader) -> Int[np.ndarray, " numbers"]:
        """The class of each number: which table its number is coded with."""
        return clamped(self._classes(header))

    def _classes(self, header: CodeHeader) -> Int[np.ndarray, " numbers"]:
        """Before they are clamped."""
        scales = self.base_scales + header.scale_shift + self._by_group(header.group_scales)
        classes: np.ndarray = scales - self.steps(header)
        return classes

    def _by_group(self, shifts: tuple[int, ...] | None) -> Int[np.ndarray, " numbers"] | int:
        return 0 if shifts is None else np.array(shifts, np.int32)[self.groups]

    def _check(self, theta: Tensor) -> None:
        if theta.shape != (self.start.pattern.num_params,):
            raise BadInput(
                f"a vector of this start has {self.start.pattern.counts} numbers, but got {tuple(theta.shape)}"
            )

    def _check_header(self, header: CodeHeader) -> None:
        start = self.start
        if header.start_hash != self.hash:
            raise BadInput(
                f"the code belongs to the start {header.start_hash.hex()}, but this start is {self.hash.hex()}; "
                "decode it with the very start that it was encoded with"
            )
        groups = num_groups(len(start.field.layer_shapes))
        told = [len(of) for of in (header.group_steps, header.group_scales) if of is not None]
        if header.num_numbers != len(self.groups) or any(count != groups for count in told):
            raise BadInput("the code tells other numbers or groups than its start has; no sound encoder made it")
        if len(header.shape) != start.domain.num_axes:
            axes = counted(len(header.shape), "axis", "axes")
            raise BadInput(
                f"the code tells {axes}, but its start draws {start.domain.num_axes}; no sound encoder made it"
            )


@lru_cache(maxsize=16)
def _models(tails: bytes) -> Models:
    return Models(np.frombuffer(tails, np.int32))
