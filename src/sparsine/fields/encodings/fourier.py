"""Gaussian Fourier features (Tancik et al., 'Fourier Features Let Networks Learn High Frequency Functions in Low
Dimensional Domains', NeurIPS 2020, section 5)."""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from sparsine.checks import check_range
from sparsine.fields.described import check_positive
from sparsine.fields.encodings.contract import Encoding

UNIFORMS = 12
"""Uniform numbers whose sum, less its mean, stands for a normal one: its variance is exactly 1."""


@dataclass(frozen=True, kw_only=True)
class FourierFeatures(Encoding):
    """cos(2 pi B x), then sin(2 pi B x), with rows of B drawn once: its constants decide them to the bit everywhere."""

    name: ClassVar[str] = "fourier"

    num_frequencies: int = 64
    """Rows of B; the first layer is given twice as many numbers."""
    frequency_scale: float = 1.0
    """Standard deviation of the frequencies, in cycles for each unit of a coordinate: sigma in the paper, where the
    whole picture is one unit long. From -1 to 1 it is two."""
    frequency_seed: int = 0
    """Decides the frequencies."""

    def __post_init__(self) -> None:
        check_range("num_frequencies", self.num_frequencies, 1, 32_768)
        check_positive("frequency_scale", self.frequency_scale)
        check_range("frequency_seed", self.frequency_seed, 0, 2**32 - 1)

    def width(self, num_coords: int) -> int:
        return 2 * self.num_frequencies

    def frequencies(self, num_coords: int) -> Float[Tensor, "frequencies coords"]:
        """B, in float64."""
        return self.frequency_scale * _normal(self.num_frequencies, num_coords, self.frequency_seed)

    def __call__(self, coords: Tensor) -> Tensor:
        # one axis after the other, and no matrix product: on CUDA one might be taken in TF32
        angular = (2 * math.pi * self.frequencies(coords.shape[-1])).to(coords)
        phase = coords[..., :1] * angular[:, 0]
        for axis in range(1, coords.shape[-1]):
            phase = phase + coords[..., axis : axis + 1] * angular[:, axis]
        return torch.cat([phase.cos(), phase.sin()], dim=-1)


@lru_cache(maxsize=64)
def _normal(rows: int, columns: int, seed: int) -> Tensor:
    """Sums of uniform numbers of 32 bits, in whole numbers: NumPy promises the bits of a bit generator for ever, those
    of its normal numbers it does not, and logarithms differ from machine to machine."""
    bits = np.random.PCG64([seed, 0x46]).random_raw(rows * columns * UNIFORMS) >> np.uint64(32)
    sums = bits.reshape(rows, columns, UNIFORMS).sum(axis=2, dtype=np.int64)
    return torch.from_numpy((sums - UNIFORMS * 2**31) / 2.0**32)
