"""Signed distance fields of the plane: negative inside, in half extents."""

from dataclasses import dataclass
from math import sqrt
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from sparsine.signals.kind import KINDS, Picture, Values
from sparsine.signals.kinds.image import Plane
from sparsine.signals.pictures import to_bytes, with_not_finite

ISO_LINE_SPACING = 0.1
"""Distance between the lines drawn in a signed distance field, in half extents."""
_INSIDE, _OUTSIDE = np.array([0.16, 0.42, 0.72]), np.array([0.86, 0.45, 0.14])


@dataclass(frozen=True, kw_only=True)
class Distance(Plane):
    """Blue inside, orange outside, a line every 0.1 and a dark one at zero."""

    name: ClassVar[str] = "distance"
    num_channels: ClassVar[tuple[int, ...]] = (1,)

    @property
    def value_range(self) -> tuple[float, float]:
        """Of shapes that fill their square; distances far outside one may be a little larger."""
        return -1.0, 1.0

    @property
    def slack(self) -> float:
        """Beside a small shape, distances reach up to the diagonal of the square."""
        return 2 * sqrt(2) - 1

    def picture(self, values: Values, spacing: float | None = None) -> Picture:
        self.check(values.shape)
        pixel = spacing or 2.0 / max(*values.shape[:2], 2)
        return with_not_finite(values, lambda finite: to_bytes(distance_colours(finite[:, :, 0], pixel)))


def distance_colours(distance: Float[np.ndarray, "rows columns"], pixel: float) -> Float[np.ndarray, "rows columns 3"]:
    """`pixel`: width of one sample in half extents, which decides how wide lines are."""
    side = np.where(distance[:, :, None] < 0, _INSIDE, _OUTSIDE)
    # Nearly white at the curve, saturated far from it.
    far = 1.0 - np.exp(-2.5 * np.abs(distance))[:, :, None]
    colours: Float[np.ndarray, "rows columns 3"] = (1.0 - 0.85 * far) * 0.97 + far * 0.85 * side
    to_line = np.abs(distance - ISO_LINE_SPACING * np.round(distance / ISO_LINE_SPACING))
    # On a coarse grid the lines would touch: leave them out.
    if pixel < ISO_LINE_SPACING / 3:
        colours *= 1.0 - 0.25 * np.clip(1.0 - to_line / pixel, 0.0, 1.0)[:, :, None]
    colours *= np.clip(np.abs(distance) / pixel - 0.5, 0.08, 1.0)[:, :, None]
    return colours


KINDS[Distance.name] = Distance
