"""Pictures: brightness in [0, 1], in three colours or in one."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from PIL import Image

from sparsine.signals.kind import KINDS, Kind, Metric, Picture, Values
from sparsine.signals.pictures import to_bytes, with_not_finite
from sparsine.ssim import ssim

if TYPE_CHECKING:
    from sparsine.signals.dataset import SignalSet


@dataclass(frozen=True, kw_only=True)
class Plane(Kind):
    """What all kinds with rows and columns share."""

    axes: ClassVar[tuple[str, ...]] = ("rows", "columns")
    sample: ClassVar[str] = "pixel"
    suffix: ClassVar[str] = ".png"

    @property
    def metrics(self) -> tuple[Metric, ...]:
        low, high = self.value_range
        return (Metric("ssim", "SSIM", lambda original, fitted: ssim(original, fitted, high - low)),)

    def write(self, values: Values, spacing: float | None = None, scale: float = 1.0) -> bytes:
        """A PNG of what `picture` shows."""
        file = io.BytesIO()
        Image.fromarray(self.picture(values, spacing)).save(file, format="PNG")
        return file.getvalue()


@dataclass(frozen=True, kw_only=True)
class Rgb(Plane):
    """Red, green and blue."""

    name: ClassVar[str] = "rgb"
    num_channels: ClassVar[tuple[int, ...]] = (3,)
    whole_numbers: ClassVar[bool] = True

    @property
    def value_range(self) -> tuple[float, float]:
        return 0.0, 1.0

    def picture(self, values: Values, spacing: float | None = None) -> Picture:
        """Clamped to [0, 1]."""
        self.check(values.shape)
        return with_not_finite(values, lambda finite: to_bytes(np.repeat(finite, 3 // values.shape[-1], axis=2)))

    def files(self, paths: Sequence[str | Path], shape: tuple[int, ...] | None, num_channels: int) -> "SignalSet":
        from sparsine.signals.image_files import open_image_files

        return open_image_files(paths, shape, num_channels)


@dataclass(frozen=True, kw_only=True)
class Grey(Rgb):
    """Brightness alone."""

    name: ClassVar[str] = "grey"
    num_channels: ClassVar[tuple[int, ...]] = (1,)


KINDS[Rgb.name] = Rgb
KINDS[Grey.name] = Grey
