"""Scalar fields on the globe: temperature, pressure, height, in a unit and over a range that the collection states."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Bool

from sparsine.signals.domain import Domain
from sparsine.signals.drawing import Drawing
from sparsine.signals.kind import KINDS, Picture, Values, check_alike
from sparsine.signals.kinds.ranged import Ranged
from sparsine.signals.pictures import heat, to_bytes
from sparsine.signals.sphere import Sphere

COLOURS = "viridis"
MISSING = (176, 176, 176)
ERROR_AT_FULL_BRIGHTNESS = 0.05
"""Of the range: fits of smooth fields are good, and a coarser scale would show nothing."""
_AXES = (
    ("latitude", {"units": "degrees_north", "standard_name": "latitude"}),
    ("longitude", {"units": "degrees_east", "standard_name": "longitude"}),
)


@dataclass(frozen=True, kw_only=True)
class Globe(Ranged):
    """Rows run from north to south; values may be missing over land or over sea."""

    name: ClassVar[str] = "globe"
    axes: ClassVar[tuple[str, ...]] = ("latitudes", "longitudes")
    num_channels: ClassVar[tuple[int, ...]] = (1,)
    suffix: ClassVar[str] = ".nc"

    def picture(self, values: Values, spacing: float | None = None) -> Picture:
        """A map, north on top, one pixel a sample; grey where a value is missing."""
        self.check(values.shape)
        from matplotlib import colormaps  # slow to import

        level = values[..., 0]
        there = np.isfinite(level)
        colours = to_bytes(colormaps[COLOURS](np.clip(np.where(there, level, 0.0), 0.0, 1.0))[..., :3])
        return _grey(colours, there)

    def error_picture(self, original: Values, fitted: Values) -> Picture:
        check_alike(original, fitted)
        error = np.abs(original.astype(np.float64) - fitted)[..., 0]
        there = np.isfinite(error)
        return _grey(heat(np.clip(np.where(there, error, 0.0) / ERROR_AT_FULL_BRIGHTNESS, 0.0, 1.0)), there)

    def write(self, values: Values, spacing: float | None = None, scale: float = 1.0) -> bytes:
        """NetCDF in the unit, of samples that lie wherever they lie."""
        return self._written(values, {})

    def write_drawing(self, slabs: Iterable[np.ndarray], drawing: Drawing) -> bytes:
        return self.write_on(drawing.domain, np.concatenate(list(slabs)))

    def write_on(self, domain: Domain, values: Values) -> bytes:
        """NetCDF in the unit, with latitudes and longitudes."""
        if not isinstance(domain, Sphere):
            return self.write(values)
        axes = {name: (domain.axis(i).numpy(), attributes) for i, (name, attributes) in enumerate(_AXES)}
        return self._written(values, axes)

    def _written(self, values: Values, axes: dict[str, tuple[np.ndarray, dict[str, str]]]) -> bytes:
        from sparsine.signals.netcdf_files import write

        return write(self.in_unit(values[..., 0]), [name for name, _ in _AXES], self.quantity, self.unit, axes)


def _grey(picture: Picture, there: Bool[np.ndarray, "rows columns"]) -> Picture:
    picture[~there] = MISSING
    return picture


KINDS[Globe.name] = Globe
