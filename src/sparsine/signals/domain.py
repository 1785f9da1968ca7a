"""Where the samples of a signal lie: how many along which axes, and the coordinates that a field is asked at.

Axes and coordinates are two things: a picture has two axes and two coordinates, a globe two axes and three
coordinates, a cloud of points one axis and three.
"""

from abc import ABC, abstractmethod
from math import prod
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from sparsine.errors import BadInput

MAX_POINTS = 1 << 28
"""Samples of a signal, in all."""
Region = tuple[float, ...]
"""(y0, x0, y1, x1) as fractions of the whole, and alike for other numbers of axes."""


class Domain(ABC):
    """Samples are listed in array order: the last axis runs fastest. A subclass has the field `shape`, and is known
    to files by its `kind` once it stands in DOMAINS."""

    kind: ClassVar[str]
    shape: tuple[int, ...]
    """Samples along each array axis."""
    own_coords: ClassVar[bool] = False
    """Whether every signal brings coordinates of its own; then `coords` and its kin cannot be asked here."""

    @property
    def num_axes(self) -> int:
        return len(self.shape)

    @property
    @abstractmethod
    def num_coords(self) -> int:
        """Coordinates of a sample: what a field takes."""

    @property
    def num_points(self) -> int:
        return prod(self.shape)

    @property
    def drawn_shape(self) -> tuple[int, ...]:
        """Samples of a drawing at the signal's own size."""
        return self.shape

    @abstractmethod
    def coords_at(
        self, places: Int[np.ndarray, " points"], dtype: torch.dtype = torch.float32, device: str | torch.device = "cpu"
    ) -> Float[Tensor, "points coords"]:
        """Rows `places` of `coords`, the same bits, in memory for those alone."""

    def coords(
        self, dtype: torch.dtype = torch.float32, device: str | torch.device = "cpu"
    ) -> Float[Tensor, "points coords"]:
        """Coordinates of every sample, in array order."""
        return self.coords_at(np.arange(self.num_points), dtype, device)

    def coords_between(
        self, first: int, last: int, dtype: torch.dtype = torch.float32, device: str | torch.device = "cpu"
    ) -> Float[Tensor, "points coords"]:
        """Rows `first` to `last` (without it) of `coords`, the same bits, in memory for those alone."""
        return self.coords_at(np.arange(first, last), dtype, device)

    def weights_at(
        self, places: Int[np.ndarray, " points"], dtype: torch.dtype = torch.float32, device: str | torch.device = "cpu"
    ) -> Float[Tensor, " points"] | None:
        """How much the samples at `places` count in a mean for where they lie: with the mean 1 over all samples. None
        where all count alike."""
        return None

    def weights(
        self, dtype: torch.dtype = torch.float32, device: str | torch.device = "cpu"
    ) -> Float[Tensor, " points"] | None:
        """`weights_at` of every sample, in array order."""
        return self.weights_at(np.arange(self.num_points), dtype, device)

    @abstractmethod
    def resized(self, shape: tuple[int, ...]) -> "Domain":
        """The same extent and convention with another number of samples."""

    @abstractmethod
    def part(self, region: Region, shape: tuple[int, ...]) -> "Domain":
        """`shape` samples of a part of a drawing, where a whole drawing of that magnification has them.

        Args:
            region: (first, ..., last, ...) corners as fractions of the whole, for an image (y0, x0, y1, x1). A sample
                covers one cell of the drawing; a region from 0 to 1 is all cells, whatever the alignment.

        Raises:
            BadInput: a region that is empty or not within 0 and 1, or another number of axes.
        """

    def drawn(self, size: tuple[int, ...] | None = None, region: Region | None = None) -> "Domain":
        """Where a drawing of `size` samples, whole or of a region, has them; without a size as many as the signal has
        there, at least one along each axis."""
        if region is None:
            return self.resized(size or self.drawn_shape)
        if size is None:
            axes = len(self.drawn_shape)
            self.part(region, self.drawn_shape)  # refuses what is no region
            shares = [high - low for low, high in zip(region[:axes], region[axes:], strict=True)]
            size = tuple(max(1, round(n * share)) for n, share in zip(self.drawn_shape, shares, strict=True))
        return self.part(region, size)

    @property
    @abstractmethod
    def summary(self) -> str:
        """Where the samples lie, in a line."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]: ...

    @classmethod
    @abstractmethod
    def from_dict(cls, data: dict[str, Any]) -> "Domain": ...


DOMAINS: dict[str, type[Domain]] = {}
"""By the `kind` of their descriptions; a description without one is a grid's."""


def domain_from_dict(data: Any) -> Domain:
    """The domain that `to_dict` described. Raises BadInput for anything else."""
    kind = data.get("kind", "grid") if isinstance(data, dict) else None
    if kind not in DOMAINS:
        raise BadInput(f"this is not the description of where samples lie: {data!r}; kinds: {', '.join(DOMAINS)}")
    return DOMAINS[kind].from_dict(data)


def check_region(region: Region, shape: tuple[int, ...], num_axes: int) -> list[tuple[float, float]]:
    """(first, last) of each axis. Raises BadInput unless `region` is a part of a drawing with `num_axes` axes."""
    if len(region) != 2 * num_axes or len(shape) != num_axes:
        raise BadInput(
            f"a part of a grid with {num_axes} axes needs {2 * num_axes} corners and {num_axes} sizes, but got "
            f"{region} and {shape}"
        )
    pairs = list(zip(region[:num_axes], region[num_axes:], strict=True))
    if any(not 0 <= low < high <= 1 for low, high in pairs):
        raise BadInput(f"the region {region} is no part of the whole; give fractions, 0 <= first < last <= 1")
    if any(n < 1 for n in shape):
        raise BadInput(f"a drawing needs at least one sample along every axis, but its shape is {shape}")
    return pairs


def check_shape(shape: tuple[int, ...]) -> None:
    """Raises BadInput unless there is at least one axis, with at least one sample along each."""
    if not shape or any(n < 1 for n in shape):
        raise BadInput(f"a grid needs at least one sample along every axis, but its shape is {shape}")


def shown_shape(shape: tuple[int, ...]) -> str:
    """'96 x 128'."""
    return " x ".join(map(str, shape))
