"""Solids: signed distance to their surface, kept in a band around it. Negative inside."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from sparsine.checks import check_range
from sparsine.errors import BadInput
from sparsine.signals.drawing import Drawing
from sparsine.signals.grid import Grid
from sparsine.signals.kind import KINDS, Kind, Media, Metric, Picture, Values, check_alike
from sparsine.signals.shading import CLAY, shaded
from sparsine.signals.solid import unbounded
from sparsine.signals.surfaces import Alike, Surface, alike, overlap, surface_of, zero_level

if TYPE_CHECKING:
    from sparsine.signals.dataset import SignalSet

MIME = "model/ply"
_RED = np.array([0.86, 0.16, 0.1])


@dataclass(frozen=True, kw_only=True)
class Shape(Kind):
    """tanh(distance / band): -1 deep inside, 0 on the surface, 1 far outside. Distances are in half extents of the box,
    which runs from -1 to 1 along each axis."""

    name: ClassVar[str] = "shape"
    axes: ClassVar[tuple[str, ...]] = ("x", "y", "z")
    num_channels: ClassVar[tuple[int, ...]] = (1,)
    sample: ClassVar[str] = "voxel"
    suffix: ClassVar[str] = ".ply"
    suffixes: ClassVar[tuple[str, ...]] = (".obj", ".ply", ".stl", ".off", ".glb")
    formats: ClassVar[tuple[str, ...]] = (".ply", ".obj", ".glb", ".stl", ".off")
    own_size: ClassVar[bool] = False
    in_slabs: ClassVar[bool] = True

    band: float = 0.04
    """How far from the surface distances are kept well, in half extents: the wider, the less is left for the rest."""

    def __post_init__(self) -> None:
        check_range("the band of shapes", self.band, 1e-6, 10.0)

    @property
    def value_range(self) -> tuple[float, float]:
        return -1.0, 1.0

    @property
    def metrics(self) -> tuple[Metric, ...]:
        def near(original: Values, fitted: Values) -> float | None:
            within = np.abs(original) < np.tanh(1.0)
            error = np.abs(unbounded(original[within], self.band) - unbounded(fitted[within], self.band))
            return float(error.mean()) if within.any() else None

        return (
            Metric("iou", "IoU of the insides", overlap),
            Metric("chamfer", "Chamfer distance (half extents)", _alike("chamfer"), better="lower"),
            Metric("normals", "normal consistency", _alike("normals")),
            Metric("sdf_error", "error of the distance within the band (half extents)", near, better="lower"),
        )

    def picture(self, values: Values, spacing: float | None = None) -> Picture:
        """The surface, from two sides."""
        self.check(values.shape)
        picture = shaded(surface_of(values))
        return picture if np.isfinite(values).all() else np.full_like(picture, (255, 0, 255))

    def error_picture(self, original: Values, fitted: Values) -> Picture:
        """The original's surface, red where the fit has another distance, all red from half a band on."""
        check_alike(original, fitted)
        surface = surface_of(original)
        error = np.clip(2 * _at(fitted - original, surface), 0.0, 1.0)[:, None]
        return shaded(surface, (1 - error) * CLAY + error * _RED)

    def media(self, values: Values) -> Media | None:
        """The mesh; None where there is no surface."""
        surface = surface_of(values)
        return Media(_file(surface, self.suffix), MIME) if len(surface.vertices) else None

    def write(self, values: Values, spacing: float | None = None, scale: float = 1.0) -> bytes:
        """A PLY of the surface, in the units of the box."""
        return _file(_there(surface_of(values)), self.suffix)

    def write_drawing(self, slabs: Iterable[np.ndarray], drawing: Drawing) -> bytes:
        """A mesh in the units of the file that it was encoded from, as far as its code has them."""
        surface = _there(zero_level(slab[..., 0] for slab in slabs))
        centre, unit = _frame(drawing)
        return _file(Surface(_in_the_box(surface.vertices, drawing) * unit + centre, surface.faces), drawing.suffix)

    def files(self, paths: Sequence[str | Path], shape: tuple[int, ...] | None, num_channels: int) -> "SignalSet":
        from sparsine.signals.sources.mesh import open_mesh_files

        return open_mesh_files(paths, self, shape)


def _alike(name: str) -> Callable[[Values, Values], float | None]:
    """One measure of how near the surfaces are."""

    def of(original: Values, fitted: Values) -> float | None:
        found: Alike | None = alike(surface_of(original), surface_of(fitted))
        return None if found is None else float(getattr(found, name))

    return of


def _at(values: Values, surface: Surface) -> np.ndarray:
    """Sizes of values on a lattice over the box at the nearest samples to vertices."""
    last = np.array(values.shape[:3]) - 1
    x, y, z = np.round((surface.vertices + 1) / 2 * last).astype(int).T
    sizes: np.ndarray = np.abs(np.nan_to_num(values[x, y, z, 0], nan=1.0))
    return sizes


def _there(surface: Surface) -> Surface:
    if not len(surface.faces):
        raise BadInput("the field has no surface: it is nowhere negative, or everywhere")
    return surface


def _in_the_box(samples: np.ndarray, drawing: Drawing) -> np.ndarray:
    """Places in samples of a drawing to places in the box, at whose ends the signal has its own first and last."""
    drawn, own = drawing.domain, drawing.own
    assert isinstance(drawn, Grid)
    assert isinstance(own, Grid)
    box = np.empty_like(samples)
    for number in range(samples.shape[1]):
        axis, whole = drawn.axis(number).numpy(), own.axis(number).numpy()
        step = (axis[-1] - axis[0]) / max(len(axis) - 1, 1)
        box[:, number] = 2 * (axis[0] + samples[:, number] * step - whole[0]) / (whole[-1] - whole[0]) - 1
    return box


def _frame(drawing: Drawing) -> tuple[np.ndarray, float]:
    """Where the box lies: its centre, half its edge. A code may hold anything."""
    centre, unit = drawing.about.get("centre"), drawing.about.get("unit")
    try:
        found = np.array([float(n) for n in centre]), float(unit)  # type: ignore[union-attr, arg-type]
    except (TypeError, ValueError, OverflowError):
        return np.zeros(3), 1.0
    fine = found[0].shape == (3,) and np.isfinite(found[0]).all() and isfinite(found[1]) and found[1] > 0
    return found if fine else (np.zeros(3), 1.0)


def _file(surface: Surface, suffix: str) -> bytes:
    from sparsine.signals.mesh_files import mesh_bytes

    return mesh_bytes(surface.vertices, surface.faces, suffix)


KINDS[Shape.name] = Shape
