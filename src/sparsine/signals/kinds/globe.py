"""Scalar fields on the globe: temperature, pressure, height, in a unit and over a range that the collection states."""

from dataclasses import dataclass
from math import isfinite, sqrt
from typing import ClassVar

import numpy as np
from jaxtyping import Bool

from sparsine.errors import BadInput
from sparsine.signals.domain import Domain
from sparsine.signals.kind import KINDS, Kind, Metric, Picture, Values
from sparsine.signals.pictures import heat, to_bytes
from sparsine.signals.sphere import Sphere
from sparsine.signals.weights import mean_square

COLOURS = "viridis"
MISSING = (176, 176, 176)
ERROR_AT_FULL_BRIGHTNESS = 0.05
"""Of the range: fits of smooth fields are good, and a coarser scale would show nothing."""
_AXES = (
    ("latitude", {"units": "degrees_north", "standard_name": "latitude"}),
    ("longitude", {"units": "degrees_east", "standard_name": "longitude"}),
)


@dataclass(frozen=True, kw_only=True)
class Globe(Kind):
    """Values from 0, `lowest`, to 1, `highest`; rows run from north to south. What is missing (over land, over sea) is
    left out of the loss and of every measure. PSNR is beside the range; the error in the unit stands beside it."""

    name: ClassVar[str] = "globe"
    axes: ClassVar[tuple[str, ...]] = ("latitudes", "longitudes")
    num_channels: ClassVar[tuple[int, ...]] = (1,)
    suffix: ClassVar[str] = ".nc"

    lowest: float = 0.0
    """In the unit."""
    highest: float = 1.0
    """In the unit."""
    unit: str = ""
    """As the CF conventions spell it, such as K."""
    quantity: str = "value"
    """The variable's name."""

    def __post_init__(self) -> None:
        if not (isfinite(self.lowest) and isfinite(self.highest) and self.lowest < self.highest):
            raise BadInput(f"the range of {self.quantity} is {self.lowest}:{self.highest}; give lowest:highest")

    @property
    def span(self) -> float:
        return self.highest - self.lowest

    @property
    def value_range(self) -> tuple[float, float]:
        return 0.0, 1.0

    @property
    def slack(self) -> float:
        """Fields that are new may be more extreme than those that the range was taken from."""
        return 1.0

    @property
    def missing(self) -> bool:
        return True

    @property
    def metrics(self) -> tuple[Metric, ...]:
        unit = f" ({self.unit})" * bool(self.unit)
        return (Metric("rmse", f"RMSE{unit}", self._rmse, better="lower", weighted=True),
                Metric("max_error", f"largest error{unit}", self._max_error, better="lower"))  # fmt: skip

    def from_unit(self, values: np.ndarray) -> np.ndarray:
        """Of numbers in the unit, float32."""
        return ((values - self.lowest) / self.span).astype(np.float32)

    def in_unit(self, values: np.ndarray) -> np.ndarray:
        return (self.lowest + self.span * values.astype(np.float64)).astype(np.float32)

    def picture(self, values: Values, spacing: float | None = None) -> Picture:
        """A map, north on top, one pixel a sample; grey where a value is missing."""
        self.check(values.shape)
        from matplotlib import colormaps  # slow to import

        level = values[..., 0]
        there = np.isfinite(level)
        colours = to_bytes(colormaps[COLOURS](np.clip(np.where(there, level, 0.0), 0.0, 1.0))[..., :3])
        return _grey(colours, there)

    def error_picture(self, original: Values, fitted: Values) -> Picture:
        if original.shape != fitted.shape:
            raise BadInput(f"two signals of one shape are needed, but got {original.shape} and {fitted.shape}")
        error = np.abs(original.astype(np.float64) - fitted)[..., 0]
        there = np.isfinite(error)
        return _grey(heat(np.clip(np.where(there, error, 0.0) / ERROR_AT_FULL_BRIGHTNESS, 0.0, 1.0)), there)

    def write(self, values: Values, spacing: float | None = None, scale: float = 1.0) -> bytes:
        """NetCDF in the unit, of samples that lie wherever they lie."""
        return self._written(values, {})

    def write_on(self, domain: Domain, values: Values, spacing: float | None = None, scale: float = 1.0) -> bytes:
        """NetCDF in the unit, with latitudes and longitudes."""
        if not isinstance(domain, Sphere):
            return self.write(values, spacing, scale)
        axes = {name: (domain.axis(i).numpy(), attributes) for i, (name, attributes) in enumerate(_AXES)}
        return self._written(values, axes)

    def _written(self, values: Values, axes: dict[str, tuple[np.ndarray, dict[str, str]]]) -> bytes:
        from sparsine.signals.netcdf_files import write

        return write(self.in_unit(values[..., 0]), [name for name, _ in _AXES], self.quantity, self.unit, axes)

    def _rmse(self, original: Values, fitted: Values, weights: np.ndarray | None) -> float:
        return self.span * sqrt(mean_square(original, fitted, weights))

    def _max_error(self, original: Values, fitted: Values) -> float:
        return self.span * float(np.nanmax(np.abs(original - fitted)))


def _grey(picture: Picture, there: Bool[np.ndarray, "rows columns"]) -> Picture:
    picture[~there] = MISSING
    return picture


KINDS[Globe.name] = Globe
