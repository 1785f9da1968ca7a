"""Numbers on a lattice of one to four axes: volumes, maps, series, in a unit and over a range that the collection
states."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from sparsine.errors import BadInput
from sparsine.signals.drawing import Drawing
from sparsine.signals.grid import Grid
from sparsine.signals.kind import KINDS, Picture, Values, check_alike
from sparsine.signals.kinds.ranged import Ranged
from sparsine.signals.pictures import heat, with_not_finite
from sparsine.signals.previews import curves, orthogonal, preview

if TYPE_CHECKING:
    from sparsine.signals.dataset import SignalSet

MOST_AXES = 4
ERROR_AT_FULL_BRIGHTNESS = 0.25
"""Of the range."""
NPY, NII, NII_GZ = ".npy", ".nii", ".nii.gz"


@dataclass(frozen=True, kw_only=True)
class Array(Ranged):
    """One to four axes, and any number of channels; NaN where a value is missing."""

    name: ClassVar[str] = "array"
    sample: ClassVar[str] = "voxel"
    suffix: ClassVar[str] = NPY
    suffixes: ClassVar[tuple[str, ...]] = (NPY, ".npz", NII, NII_GZ, ".nc", ".nc4", ".cdf", ".zarr")
    formats: ClassVar[tuple[str, ...]] = (NPY, NII_GZ, NII)
    in_slabs: ClassVar[bool] = True

    def check(self, shape: tuple[int, ...]) -> None:
        super().check(shape)
        if len(shape) > MOST_AXES + 1:
            raise BadInput(f"arrays have 1 to {MOST_AXES} axes beside their channels, but got {tuple(shape)}")

    def picture(self, values: Values, spacing: float | None = None) -> Picture:
        """A curve, a plane, or three slices through the middle, one across each of the last three axes; magenta where
        a value is missing."""
        self.check(values.shape)
        return preview(values, self.value_range) if values.ndim < 4 else orthogonal(values)

    def error_picture(self, original: Values, fitted: Values) -> Picture:
        check_alike(original, fitted)
        error = np.abs(original.astype(np.float64) - fitted).mean(axis=-1, keepdims=True)
        if error.ndim == 2:
            return curves(error, 0.0, ERROR_AT_FULL_BRIGHTNESS)
        return orthogonal(error, _heat) if error.ndim > 3 else with_not_finite(error, _heat)

    def write(self, values: Values, spacing: float | None = None, scale: float = 1.0) -> bytes:
        return self._npy([values], len(values))

    def write_drawing(self, slabs: Iterable[np.ndarray], drawing: Drawing) -> bytes:
        """NumPy's own in float32 and in the unit, without an axis for a single channel; or NIfTI, with the affine that
        the code keeps, brought to the size that is drawn."""
        if drawing.suffix == NPY:
            return self._npy(slabs, drawing.domain.shape[0])
        return self._nifti(slabs, drawing)

    def files(self, paths: Sequence[str | Path], shape: tuple[int, ...] | None, num_channels: int) -> "SignalSet":
        from sparsine.signals.sources.array import open_array_files

        return open_array_files(paths, self, shape, num_channels)

    def _npy(self, slabs: Iterable[np.ndarray], length: int) -> bytes:
        """One slab after the other is brought to the unit; `length` of all of them along the first axis."""
        file = io.BytesIO()
        for number, slab in enumerate(slabs):
            values = self.in_unit(slab[..., 0] if slab.shape[-1] == 1 else slab)
            if number == 0:
                header = {"descr": "<f4", "fortran_order": False, "shape": (length, *values.shape[1:])}
                np.lib.format.write_array_header_1_0(file, header)
            file.write(np.ascontiguousarray(values, dtype="<f4").data)
        return file.getvalue()

    def _nifti(self, slabs: Iterable[np.ndarray], drawing: Drawing) -> bytes:
        """The first axis runs fastest there, so that all slabs are needed."""
        from sparsine.signals.stored_arrays import nifti_bytes

        values = np.concatenate([self.in_unit(slab) for slab in slabs])
        return nifti_bytes(values, _affine(drawing), packed=drawing.suffix == NII_GZ)


def _affine(drawing: Drawing) -> np.ndarray:
    """From places in the drawing to millimetres; of a code that says nothing, places of the signal's own samples."""
    drawn, own = drawing.domain, drawing.own
    assert isinstance(drawn, Grid)
    assert isinstance(own, Grid)
    affine = _kept(drawing.about.get("affine"))
    found = affine.copy()
    for axis in range(min(drawn.num_axes, 3)):
        (first, step), (own_first, own_step) = _steps(drawn, axis), _steps(own, axis)
        found[:, axis] = affine[:, axis] * step / own_step
        found[:, 3] += affine[:, axis] * (first - own_first) / own_step
    return found


def _steps(grid: Grid, axis: int) -> tuple[float, float]:
    """The first coordinate along an axis, and the way to the next."""
    along = grid.axis(axis).numpy()
    return float(along[0]), float(along[1] - along[0]) if len(along) > 1 else 1.0


def _kept(given: Any) -> np.ndarray:
    """Four by four. A code may hold anything."""
    whole = np.eye(4)
    try:
        rows = np.array(given, dtype=np.float64).reshape(3, 4)
    except (TypeError, ValueError):
        return whole
    if np.isfinite(rows).all():
        whole[:3] = rows
    return whole


def _heat(error: np.ndarray) -> Picture:
    return heat(np.clip(error[..., 0] / ERROR_AT_FULL_BRIGHTNESS, 0.0, 1.0))


KINDS[Array.name] = Array
