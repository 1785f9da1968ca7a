"""Values of a part of a field, at any magnification.

A picture of n samples is n cells side by side; the middle of a cell is where its sample lies, and the field between
them is drawn in between. So the pixels of an enlarged window lie where the enlarged samples of the original are,
whatever the magnification. (`FittedField.render` puts the samples of a whole drawing on the ends of a corner-aligned
grid, so its pictures shift by up to half a sample from size to size: right for a file, wrong while one zooms.)

float32 tells some ten million coordinates apart. Beyond that a window is so small a part of the field that a polynomial
through a few float64 values is exact to more digits than float32 has; it is drawn by that.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from numpy.polynomial.chebyshev import chebpts1, chebvander

from sparsine.codec import FittedField
from sparsine.engines.contract import Engine
from sparsine.signals.domain import Region
from sparsine.signals.grid import Grid

FINEST_PITCH = 2.0**-18
"""Distance between pixels, in the largest coordinate, below which float64 takes over: 32 to 64 steps of float32."""
NODES = 33
"""Values along each axis that a polynomial goes through."""

Rows = Callable[[int, int], Float[np.ndarray, "rows columns channels"]]
"""Values of the rows from the first to the last of a window (without it)."""


@dataclass(frozen=True)
class Window:
    """A part of a picture, and the pixels that show it."""

    region: Region
    """y0, x0, y1, x1 as fractions of the picture."""
    size: tuple[int, int]
    """rows, columns."""


def cells(grid: Grid) -> Grid:
    """The same samples, told as the middles of equal cells.

    Example:
        >>> cells(Grid(shape=(3, 5), extent=(0.0, 2.0))).axis_extents
        ((-0.5, 2.5), (-0.25, 2.25))
    """
    extents = []
    for (low, high), n in zip(grid.axis_extents, grid.shape, strict=True):
        if grid.alignment == "corners" and n > 1:
            half = (high - low) / (n - 1) / 2
            low, high = low - half, high + half
        elif grid.alignment == "lower":
            half = (high - low) / n / 2
            low, high = low - half, high - half
        extents.append((low, high))
    return replace(grid, extent=tuple(extents), alignment="centers")


def sample_width(window: Window) -> float:
    """From pixel to pixel, in half extents: the smaller of both axes, as for whole pictures."""
    y0, x0, y1, x1 = window.region
    return 2.0 * min((y1 - y0) / window.size[0], (x1 - x0) / window.size[1])


def rows_of(field: FittedField, engine: Engine, window: Window) -> Rows:
    """How the rows of a window get their values."""
    grid = _lattice(field)
    part = cells(grid).part(window.region, window.size)
    pitch = min((high - low) / n for (low, high), n in zip(part.axis_extents, part.shape, strict=True))
    largest = max(abs(end) for extent in cells(grid).axis_extents for end in extent)
    if pitch < FINEST_PITCH * largest:
        return _polynomial(field, part)
    columns, theta = window.size[1], field.theta[None]

    def rows(first: int, last: int) -> np.ndarray:
        values = engine.predict(theta, part.coords_between(first * columns, last * columns))[0]
        return values.reshape(last - first, columns, -1).numpy()

    return rows


def value_at(field: FittedField, engine: Engine, y: float, x: float) -> tuple[list[float], list[float]]:
    """(coordinates, values) at fractions of the picture; coordinates in the order of the field."""
    grid = _lattice(field)
    pairs = [low + (high - low) * at for (low, high), at in zip(cells(grid).axis_extents, (y, x), strict=True)]
    if grid.axis_order == "reversed":
        pairs = pairs[::-1]
    values = engine.predict(field.theta[None], torch.tensor([pairs], dtype=torch.float32))[0, 0]
    return pairs, values.tolist()


def _lattice(field: FittedField) -> Grid:
    assert isinstance(field.domain, Grid)  # others are shown whole
    return field.domain


def _polynomial(field: FittedField, part: Grid) -> Rows:
    """Chebyshev interpolation in both axes, float64."""
    nodes = chebpts1(NODES)
    at = [(low + high) / 2 + (high - low) / 2 * nodes for low, high in part.axis_extents]
    y, x = np.meshgrid(*at, indexing="ij")
    pairs = (x, y) if part.axis_order == "reversed" else (y, x)
    with torch.no_grad():
        values = field.as_module(torch.float64)(torch.from_numpy(np.stack(pairs, axis=-1))).numpy()
    inverse = np.linalg.inv(chebvander(nodes, NODES - 1))
    down, across = (chebvander(_middles(n), NODES - 1) @ inverse for n in part.shape)

    def rows(first: int, last: int) -> np.ndarray:
        drawn: np.ndarray = np.einsum("ri,ijc,pj->rpc", down[first:last], values, across, optimize=True)
        return drawn.astype(np.float32)

    return rows


def _middles(n: int) -> Float[np.ndarray, " n"]:
    """The middles of n equal cells of [-1, 1]."""
    middles: np.ndarray = (2 * np.arange(n) + 1) / n - 1
    return middles
