"""Points scattered in a box: one axis, any number of coordinates, and every signal brings its own."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from sparsine.errors import BadInput
from sparsine.signals.domain import DOMAINS, Domain, Region, check_shape
from sparsine.signals.grid import Grid


@dataclass(frozen=True, kw_only=True)
class Points(Domain):
    """So many points in a box. Where they lie is said by each signal; a drawing samples the box by a lattice.

    Example:
        >>> Points(shape=(500,), extent=((-1, 1), (-1, 1), (0, 2))).drawn().shape
        (8, 8, 8)
    """

    kind: ClassVar[str] = "points"
    own_coords: ClassVar[bool] = True
    shape: tuple[int, ...]
    """(points,) of every signal."""
    extent: tuple[tuple[float, float], ...]
    """(low, high) of each coordinate."""

    def __post_init__(self) -> None:
        check_shape(self.shape)
        if len(self.shape) != 1:
            raise BadInput(f"scattered points lie along one axis, but the shape is {self.shape}")
        Grid(shape=(1,) * len(self.extent), extent=self.extent)  # refuses an extent that is none
        object.__setattr__(self, "extent", tuple((float(low), float(high)) for low, high in self.extent))

    @property
    def num_coords(self) -> int:
        return len(self.extent)

    @property
    def drawn_shape(self) -> tuple[int, ...]:
        """A lattice of about as many samples as the signal has points."""
        return (max(1, round(self.num_points ** (1 / self.num_coords))),) * self.num_coords

    def coords_at(
        self, places: Int[np.ndarray, " points"], dtype: torch.dtype = torch.float32, device: str | torch.device = "cpu"
    ) -> Float[Tensor, "points coords"]:
        raise BadInput("scattered points have no coordinates in common; each signal of such a set brings its own")

    def resized(self, shape: tuple[int, ...]) -> "Points":
        return replace(self, shape=tuple(shape))

    def part(self, region: Region, shape: tuple[int, ...]) -> Domain:
        return self._lattice(shape).part(region, shape)

    def drawn(self, size: tuple[int, ...] | None = None, region: Region | None = None) -> Domain:
        return self._lattice(self.drawn_shape).drawn(size, region)

    def _lattice(self, shape: tuple[int, ...]) -> Grid:
        return Grid(shape=tuple(shape), extent=self.extent, alignment="centers")

    @property
    def summary(self) -> str:
        return f"{self.num_points} points in {self.extent}"

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "shape": list(self.shape), "extent": [list(pair) for pair in self.extent]}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Points":
        try:
            extent = tuple((float(a), float(b)) for a, b in data["extent"])
            return cls(shape=tuple(int(n) for n in data["shape"]), extent=extent)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            if isinstance(error, BadInput):
                raise
            raise BadInput(f"this is not the description of scattered points: {data!r}") from error


DOMAINS[Points.kind] = Points
