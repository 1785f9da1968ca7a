"""Fitted vectors to codes, without fitting or drawing anything: header, numbers, payload."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from sparsine.codec.format.decoder import Code, Decoder
from sparsine.codec.format.entropy import encode_numbers
from sparsine.codec.format.header import CodeHeader, with_checksum
from sparsine.codec.format.quantise import to_symbols, to_theta
from sparsine.codec.scales import fitting_scales
from sparsine.errors import BadInput


class Coder(Decoder):
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
            BadInput: a vector of another length, or one that cannot be coded in such steps.
        """
        self._check(theta)
        header = CodeHeader(
            start_hash=self.hash, num_numbers=len(self.groups), shape=self.start.domain.resized(shape).shape,
            step_shift=step_shift, group_steps=group_steps,
            notes=json.dumps(notes, separators=(",", ":")).encode() if notes else b"",
        )  # fmt: skip
        symbols = to_symbols(theta.detach().cpu().numpy()[self.live], self.centre, self.steps(header))
        shift, groups = fitting_scales(symbols, self.unclamped_scale_indexes(header), self.groups, self.models)
        return self.pack(Code(replace(header, scale_shift=shift, group_scales=groups), symbols))

    def pack(self, code: Code) -> bytes:
        """The bytes of a code: the inverse of `read`, byte for byte."""
        payload = encode_numbers(code.symbols, self.scale_indexes(code.header), self.models)
        return with_checksum(code.header.pack() + payload)

    def rounded(
        self, theta: Float[Tensor, "signals params"], step_shift: int, group_steps: tuple[int, ...] | None = None
    ) -> Float[Tensor, "signals params"]:
        """What would be drawn after coding with these steps."""
        steps = self.shifted_steps(step_shift, group_steps)
        rows = [to_symbols(row[self.live], self.centre, steps) for row in theta.cpu().numpy()]
        return torch.stack([self.whole(to_theta(row, self.centre, steps)) for row in rows]).to(theta.device)

    def rounded_each(
        self, theta: Float[Tensor, "signals params"], step_shifts: Int[np.ndarray, " signals"]
    ) -> list[Float[Tensor, " params"] | None]:
        """The same with steps of its own for each vector; None for one that cannot be coded in them."""
        return [self._rounded(row, int(shift)) for row, shift in zip(theta, step_shifts, strict=True)]

    def _rounded(self, theta: Float[Tensor, " params"], step_shift: int) -> Float[Tensor, " params"] | None:
        try:
            return self.rounded(theta[None], step_shift)[0]
        except BadInput:
            return None

    def _check(self, theta: Tensor) -> None:
        if theta.shape != (self.start.pattern.num_params,):
            raise BadInput(
                f"a vector of this start has {self.start.pattern.counts} numbers, but got {tuple(theta.shape)}"
            )
