"""The one home of the coordinate convention: extent, alignment and axis order.

The paper (Lee et al., NeurIPS 2021) uses ``linspace(-1, 1, n)`` per axis, end points included: alignment
``corners``. Learnit (Tancik et al., 2021) uses ``arange(n) / n``: extent (0, 1), alignment ``lower``.
"""

from dataclasses import dataclass
from math import prod
from typing import Any, Literal, get_args

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from sparsine.errors import BadInput

Alignment = Literal["corners", "centers", "lower"]
AxisOrder = Literal["array", "reversed"]
Region = tuple[float, ...]
"""(y0, x0, y1, x1) as fractions of the whole, and alike for other numbers of axes."""


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Where the samples of a signal lie. Samples are listed in array order: the last axis runs fastest.

    Example:
        >>> Grid(shape=(2, 3)).coords()[4].tolist()
        [1.0, 0.0]
    """

    shape: tuple[int, ...]
    """Samples along each array axis; for an image (rows, columns)."""
    extent: tuple[tuple[float, float], ...] | tuple[float, float] = (-1.0, 1.0)
    """(low, high) for every axis, or one pair for all."""
    alignment: Alignment = "corners"
    """corners: first and last samples lie on low and high. centers: samples in the middles of n equal cells.
    lower: samples at the lower edges of the cells, so that high itself is never sampled."""
    axis_order: AxisOrder = "array"
    """array: coordinate i runs along array axis i (row first). reversed: the last array axis comes first (x, y)."""

    def __post_init__(self) -> None:
        if not self.shape or any(n < 1 for n in self.shape):
            raise BadInput(f"a grid needs at least one sample along every axis, but its shape is {self.shape}")
        if not self.extent:
            raise BadInput("a grid's extent must be (low, high), finite with low < high, but got nothing")
        for name, allowed in (("alignment", Alignment), ("axis_order", AxisOrder)):
            if getattr(self, name) not in get_args(allowed):
                raise BadInput(f"grid {name} is {getattr(self, name)!r}; use one of {', '.join(get_args(allowed))}")
        if len(self.axis_extents) != self.num_dims:
            raise BadInput(f"a grid of shape {self.shape} needs one extent or {self.num_dims}, but got {self.extent}")
        for pair in self.axis_extents:
            if len(pair) != 2 or not (-float("inf") < pair[0] < pair[1] < float("inf")):
                raise BadInput(f"a grid's extent must be (low, high), finite with low < high, but got {pair}")
        # Written out per axis, so that grids which describe the same points are equal, also after a file.
        object.__setattr__(self, "extent", tuple((float(low), float(high)) for low, high in self.axis_extents))

    @property
    def num_dims(self) -> int:
        return len(self.shape)

    @property
    def num_points(self) -> int:
        return prod(self.shape)

    @property
    def axis_extents(self) -> tuple[tuple[float, float], ...]:
        if isinstance(self.extent[0], tuple):
            return self.extent
        return (self.extent,) * self.num_dims

    def axis(self, index: int) -> Float[Tensor, " samples"]:
        """Coordinates along one array axis, float64. One sample on a corner-aligned axis lies in its middle."""
        (low, high), n = self.axis_extents[index], self.shape[index]
        if self.alignment == "corners" and n > 1:
            return torch.linspace(low, high, n, dtype=torch.float64)
        offset = 0.0 if self.alignment == "lower" else 0.5
        return low + (high - low) * (torch.arange(n, dtype=torch.float64) + offset) / n

    def coords(
        self, dtype: torch.dtype = torch.float32, device: str | torch.device = "cpu"
    ) -> Float[Tensor, "points dims"]:
        """Coordinates of every sample, in array order."""
        axes = torch.meshgrid(*(self.axis(i) for i in range(self.num_dims)), indexing="ij")
        if self.axis_order == "reversed":
            axes = axes[::-1]
        return torch.stack([a.reshape(-1) for a in axes], dim=-1).to(dtype=dtype, device=device)

    def resized(self, shape: tuple[int, ...]) -> "Grid":
        """The same extent and convention with another number of samples."""
        return Grid(shape=tuple(shape), extent=self.extent, alignment=self.alignment, axis_order=self.axis_order)

    def coords_between(
        self, first: int, last: int, dtype: torch.dtype = torch.float32, device: str | torch.device = "cpu"
    ) -> Float[Tensor, "points dims"]:
        """Rows `first` to `last` (without it) of `coords`, the same bits, in memory for those alone."""
        if (first, last) == (0, self.num_points):
            return self.coords(dtype, device)
        places = np.unravel_index(np.arange(first, last), self.shape)
        axes = [self.axis(i)[torch.from_numpy(place)] for i, place in enumerate(places)]
        if self.axis_order == "reversed":
            axes = axes[::-1]
        return torch.stack(axes, dim=-1).to(dtype=dtype, device=device)

    def part(self, region: Region, shape: tuple[int, ...]) -> "Grid":
        """`shape` samples of a part of what this grid covers, where a whole drawing of that magnification has them.

        Args:
            region: (first, ..., last, ...) corners as fractions of the whole, for an image (y0, x0, y1, x1). A sample
                covers one cell of the drawing; a region from 0 to 1 is all cells, whatever the alignment.

        Raises:
            BadInput: a region that is empty or not within 0 and 1, or another number of axes.

        Example:
            >>> whole, part = Grid(shape=(5, 3)).resized((20, 30)), Grid(shape=(5, 3)).part((0.5, 0, 1, 0.1), (10, 3))
            >>> bool((part.axis(0) - whole.axis(0)[10:]).abs().max() < 1e-12)
            True
        """
        if len(region) != 2 * self.num_dims or len(shape) != self.num_dims:
            raise BadInput(
                f"a part of a grid with {self.num_dims} axes needs {2 * self.num_dims} corners and "
                f"{self.num_dims} sizes, but got {region} and {shape}"
            )
        lows, highs = region[: self.num_dims], region[self.num_dims :]
        for low, high in zip(lows, highs, strict=True):
            if not 0 <= low < high <= 1:
                raise BadInput(f"the region {region} is no part of the whole; give fractions, 0 <= first < last <= 1")
        if any(n < 1 for n in shape):
            raise BadInput(f"a drawing needs at least one sample along every axis, but its shape is {shape}")
        extent = tuple(self._part(i, lows[i], highs[i], n) for i, n in enumerate(shape))
        return Grid(shape=tuple(shape), extent=extent, alignment=self.alignment, axis_order=self.axis_order)

    def _part(self, index: int, first: float, last: float, samples: int) -> tuple[float, float]:
        """The extent of a part of one axis."""
        low, high = self.axis_extents[index]
        span, share = high - low, last - first
        if share == 1:
            return low, high
        if self.alignment != "corners":
            return low + span * first, low + span * last
        # The whole would have samples / share cells, the first and the last of them at low and high.
        spacing = span / (samples / share - 1)
        begin = low + spacing * first * samples / share
        if samples > 1:
            return begin, begin + spacing * (samples - 1)
        return begin - spacing / 2, begin + spacing / 2

    def to_dict(self) -> dict[str, Any]:
        return {
            "shape": list(self.shape),
            "extent": [list(e) for e in self.axis_extents],
            "alignment": self.alignment,
            "axis_order": self.axis_order,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Grid":
        try:
            return cls(
                shape=tuple(int(n) for n in data["shape"]),
                extent=tuple((float(a), float(b)) for a, b in data["extent"]),
                alignment=data["alignment"],
                axis_order=data["axis_order"],
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            if isinstance(error, BadInput):
                raise
            raise BadInput(f"this is not the description of a grid: {data!r}") from error
