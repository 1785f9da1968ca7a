"""Latitudes and longitudes on a sphere: two axes, three coordinates.

A field takes the point of the unit sphere, (cos lat cos lon, cos lat sin lon, sin lat), so that it is continuous over
the poles and across the date line, whatever the grid's cut.
"""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from sparsine.errors import BadInput
from sparsine.signals.domain import DOMAINS, Domain, Region, check_region, check_shape, shown_shape

FULL_CIRCLE = 360.0
_ROUNDING = 1e-6
"""Degrees by which longitudes that were rounded in a file may run over a full circle."""


@dataclass(frozen=True, kw_only=True)
class Sphere(Domain):
    """Evenly spaced latitudes by evenly spaced longitudes, in degrees.

    Example:
        >>> Sphere(shape=(3, 4), latitudes=(90, -90), longitudes=(0, 270)).coords()[5].round().abs().tolist()
        [0.0, 1.0, 0.0]
    """

    kind: ClassVar[str] = "sphere"
    shape: tuple[int, ...]
    """(latitudes, longitudes)."""
    latitudes: tuple[float, float] = (90.0, -90.0)
    """First and last, from -90 to 90, either way."""
    longitudes: tuple[float, float] = (0.0, FULL_CIRCLE)
    """First and last, at most a full circle apart. Of a global grid the last is one step before the first."""

    def __post_init__(self) -> None:
        check_shape(self.shape)
        if len(self.shape) != 2:
            raise BadInput(f"samples on a sphere have two axes, latitude and longitude, but the shape is {self.shape}")
        for name, bound in (("latitudes", 90.0), ("longitudes", 4 * FULL_CIRCLE)):
            first, last = (float(degrees) for degrees in getattr(self, name))
            if not (abs(first) <= bound + _ROUNDING and abs(last) <= bound + _ROUNDING):
                raise BadInput(f"{name} of a sphere must lie within {bound:g} degrees of 0, but got {first} to {last}")
            object.__setattr__(self, name, (first, last))
        if abs(self.longitudes[1] - self.longitudes[0]) > FULL_CIRCLE + _ROUNDING:
            raise BadInput(f"longitudes run over more than a full circle, from {self.longitudes}; cut the surplus")

    @property
    def num_coords(self) -> int:
        return 3

    def axis(self, index: int) -> Float[Tensor, " samples"]:
        """Degrees along one array axis, float64. One sample lies in the middle."""
        first, last = (self.latitudes, self.longitudes)[index]
        if self.shape[index] == 1:
            return torch.tensor([(first + last) / 2], dtype=torch.float64)
        return torch.linspace(first, last, self.shape[index], dtype=torch.float64)

    def coords_at(
        self, places: Int[np.ndarray, " points"], dtype: torch.dtype = torch.float32, device: str | torch.device = "cpu"
    ) -> Float[Tensor, "points coords"]:
        row, column = (torch.from_numpy(along) for along in np.unravel_index(places, self.shape))
        return unit_vectors(self.axis(0)[row], self.axis(1)[column]).to(dtype=dtype, device=device)

    def weights_at(
        self, places: Int[np.ndarray, " points"], dtype: torch.dtype = torch.float32, device: str | torch.device = "cpu"
    ) -> Float[Tensor, " points"] | None:
        """By the area of a sample's cell, which reaches half a step north and south but not beyond a pole: the cosine
        of its latitude, and of a sample on a pole that of the cap around it."""
        if self.shape[0] == 1:
            return None
        row, _ = np.unravel_index(places, self.shape)
        return self._areas()[torch.from_numpy(row)].to(dtype=dtype, device=device)

    def _areas(self) -> Float[Tensor, " latitudes"]:
        """Of the cells of one longitude, with the mean 1; float64."""
        middles = self.axis(0)
        half = 0.5 * (middles[1] - middles[0]).abs()
        north, south = (torch.deg2rad((middles + side).clamp(-90.0, 90.0)) for side in (half, -half))
        areas = torch.sin(north) - torch.sin(south)
        return areas / areas.mean()

    def resized(self, shape: tuple[int, ...]) -> "Sphere":
        """As many samples over the same cells: a cell reaches half a step around each sample."""
        if tuple(shape) == self.shape:
            return self
        return self.part((0.0, 0.0, 1.0, 1.0), shape)

    def part(self, region: Region, shape: tuple[int, ...]) -> "Sphere":
        pairs = check_region(region, shape, 2)
        ends = [self._middles(i, *pairs[i], n) for i, n in enumerate(shape)]
        north = tuple(min(90.0, max(-90.0, degrees)) for degrees in ends[0])
        return replace(self, shape=tuple(shape), latitudes=(north[0], north[1]), longitudes=ends[1])

    def _middles(self, index: int, first: float, last: float, samples: int) -> tuple[float, float]:
        """The first and the last of `samples` middles of cells between two fractions of an axis."""
        begin, end = (self.latitudes, self.longitudes)[index]
        half = 0.5 * (end - begin) / max(self.shape[index] - 1, 1)
        low, span = begin - half, end - begin + 2 * half
        cell = span * (last - first) / samples
        start = low + span * first + cell / 2
        return start, start + cell * (samples - 1)

    @property
    def summary(self) -> str:
        (north, south), (west, east) = self.latitudes, self.longitudes
        where = f"latitudes {north:g} to {south:g}, longitudes {west:g} to {east:g}"
        return f"{shown_shape(self.shape)} on a sphere, {where}"

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "shape": list(self.shape), "latitudes": list(self.latitudes),
                "longitudes": list(self.longitudes)}  # fmt: skip

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Sphere":
        try:
            north, east = ((float(a), float(b)) for a, b in (data["latitudes"], data["longitudes"]))
            return cls(shape=tuple(int(n) for n in data["shape"]), latitudes=north, longitudes=east)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            if isinstance(error, BadInput):
                raise
            raise BadInput(f"this is not the description of a sphere: {data!r}") from error


def unit_vectors(latitude: Tensor, longitude: Tensor) -> Float[Tensor, "*points coords"]:
    """Points of the unit sphere at degrees of latitude and longitude."""
    north, east = torch.deg2rad(latitude), torch.deg2rad(longitude)
    flat = torch.cos(north)
    return torch.stack([flat * torch.cos(east), flat * torch.sin(east), torch.sin(north)], dim=-1)


DOMAINS[Sphere.kind] = Sphere
