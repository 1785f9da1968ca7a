"""Lattices, and the one home of their coordinate convention: extent, alignment and axis order.

The paper (Lee et al., NeurIPS 2021) uses ``linspace(-1, 1, n)`` per axis, end points included: alignment
``corners``. Learnit (Tancik et al., 2021) uses ``arange(n) / n``: extent (0, 1), alignment ``lower``.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from sparsine.errors import BadInput
from sparsine.signals.domain import DOMAINS, Domain, Region, check_region, check_shape, shown_shape

Alignment = Literal["corners", "centers", "lower"]
AxisOrder = Literal["array", "reversed"]


@dataclass(frozen=True, kw_only=True)
class Grid(Domain):
    """A lattice: evenly spaced samples along each of any number of axes, one coordinate an axis.

    Example:
        >>> Grid(shape=(2, 3)).coords()[4].tolist()
        [1.0, 0.0]
    """

    kind: ClassVar[str] = "grid"
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
        check_shape(self.shape)
        if not self.extent:
            raise BadInput("a grid's extent must be (low, high), finite with low < high, but got nothing")
        for name, allowed in (("alignment", Alignment), ("axis_order", AxisOrder)):
            if getattr(self, name) not in get_args(allowed):
                raise BadInput(f"grid {name} is {getattr(self, name)!r}; use one of {', '.join(get_args(allowed))}")
        if len(self.axis_extents) != self.num_axes:
            raise BadInput(f"a grid of shape {self.shape} needs one extent or {self.num_axes}, but got {self.extent}")
        for pair in self.axis_extents:
            if len(pair) != 2 or not (-float("inf") < pair[0] < pair[1] < float("inf")):
                raise BadInput(f"a grid's extent must be (low, high), finite with low < high, but got {pair}")
        # Written out per axis, so that grids which describe the same points are equal, also after a file.
        object.__setattr__(self, "extent", tuple((float(low), float(high)) for low, high in self.axis_extents))

    @property
    def num_coords(self) -> int:
        return len(self.shape)

    @property
    def axis_extents(self) -> tuple[tuple[float, float], ...]:
        if isinstance(self.extent[0], tuple):
            return self.extent
        return (self.extent,) * self.num_axes

    def axis(self, index: int) -> Float[Tensor, " samples"]:
        """Coordinates along one array axis, float64. One sample on a corner-aligned axis lies in its middle."""
        (low, high), n = self.axis_extents[index], self.shape[index]
        if self.alignment == "corners" and n > 1:
            return torch.linspace(low, high, n, dtype=torch.float64)
        offset = 0.0 if self.alignment == "lower" else 0.5
        return low + (high - low) * (torch.arange(n, dtype=torch.float64) + offset) / n

    def coords(
        self, dtype: torch.dtype = torch.float32, device: str | torch.device = "cpu"
    ) -> Float[Tensor, "points coords"]:
        """Coordinates of every sample, in array order."""
        axes = torch.meshgrid(*(self.axis(i) for i in range(self.num_axes)), indexing="ij")
        if self.axis_order == "reversed":
            axes = axes[::-1]
        return torch.stack([a.reshape(-1) for a in axes], dim=-1).to(dtype=dtype, device=device)

    def resized(self, shape: tuple[int, ...]) -> "Grid":
        """The same extent and convention with another number of samples."""
        return Grid(shape=tuple(shape), extent=self.extent, alignment=self.alignment, axis_order=self.axis_order)

    def coords_at(
        self, places: Int[np.ndarray, " points"], dtype: torch.dtype = torch.float32, device: str | torch.device = "cpu"
    ) -> Float[Tensor, "points coords"]:
        """Rows `places` of `coords`, the same bits, in memory for those alone."""
        along = np.unravel_index(places, self.shape)
        axes = [self.axis(i)[torch.from_numpy(place)] for i, place in enumerate(along)]
        if self.axis_order == "reversed":
            axes = axes[::-1]
        return torch.stack(axes, dim=-1).to(dtype=dtype, device=device)

    def coords_between(
        self, first: int, last: int, dtype: torch.dtype = torch.float32, device: str | torch.device = "cpu"
    ) -> Float[Tensor, "points coords"]:
        """Rows `first` to `last` (without it) of `coords`, the same bits, in memory for those alone."""
        if (first, last) == (0, self.num_points):
            return self.coords(dtype, device)
        return self.coords_at(np.arange(first, last), dtype, device)

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
        pairs = check_region(region, shape, self.num_axes)
        extent = tuple(self._part(i, *pairs[i], n) for i, n in enumerate(shape))
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

    @property
    def summary(self) -> str:
        return f"{shown_shape(self.shape)} over {self.axis_extents}, {self.alignment}, axis order {self.axis_order}"

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


DOMAINS[Grid.kind] = Grid
