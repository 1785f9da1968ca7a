"""Which part of a signal is drawn, and how large."""

from dataclasses import dataclass
from math import inf

from sparsine.checks import check_range
from sparsine.counted import counted
from sparsine.errors import BadInput
from sparsine.fitting.fitted_field import FittedField
from sparsine.signals.dataset import MAX_SAMPLES_PER_AXIS
from sparsine.signals.domain import MAX_POINTS, Region
from sparsine.signals.drawing import Drawing


@dataclass(frozen=True, kw_only=True)
class View:
    """Defaults: all of it, at its own size.

    Example:
        >>> View(scale=2.5).shape((40, 60)), View(scale=2, region=(0.5, 0, 1, 0.1)).shape((40, 60))
        ((100, 150), (40, 12))
    """

    size: tuple[int, ...] | None = None
    """Samples of the drawing along each axis, for a picture (rows, columns); one number stands for all axes."""
    scale: float | None = None
    """Samples of the drawing for one of the signal's own along each axis; takes the place of `size`."""
    region: Region | None = None
    """(y0, x0, y1, x1) as fractions of the whole; None is all of it."""

    def __post_init__(self) -> None:
        if self.size is not None and self.scale is not None:
            raise BadInput("both a size and a scale were given; one follows from the other, so give one")
        for n in self.size or ():
            check_range("size", n, 1, most_along_an_axis(len(self.size or ())))
        if self.scale is not None and not 0 < self.scale < inf:
            raise BadInput(f"scale is {self.scale}, but it must be a finite number above 0")
        if self.region is not None and not self._is_part(self.region):
            raise BadInput(
                f"the region {self.region} is no part of a signal; give y0,x0,y1,x1 as fractions, with "
                "0 <= y0 < y1 <= 1 and 0 <= x0 < x1 <= 1"
            )

    def shape(self, own: tuple[int, ...]) -> tuple[int, ...]:
        """Samples of the drawing of a signal that has `own`, at least 1 along each axis.

        Raises:
            BadInput: more than can be drawn along one axis, or another number of axes.
        """
        size = self.size * len(own) if self.size is not None and len(self.size) == 1 else self.size
        for name, given, wanted in (("size", size, len(own)), ("region", self.region, 2 * len(own))):
            if given is not None and len(given) != wanted:
                raise BadInput(f"the {name} {given} is not for a signal of {counted(len(own), 'axis', 'axes')}")
        shares, most = self._shares(len(own)), most_along_an_axis(len(own))
        wanted_sizes = size or [n * share * (self.scale or 1.0) for n, share in zip(own, shares, strict=True)]
        if max(wanted_sizes) > most:
            asked = " x ".join(f"{n:.0f}" for n in wanted_sizes)
            raise BadInput(
                f"the drawing would be {asked}, but at most {most} along an axis are drawn; use a "
                "smaller scale or size, or a region"
            )
        return tuple(max(1, round(n)) for n in wanted_sizes)

    def sample_width(self, shape: tuple[int, ...]) -> float:
        """From one sample of a drawing of `shape` to the next, in half extents of the whole signal, at the least."""
        return min(2.0 * share / max(n, 2) for n, share in zip(shape, self._shares(len(shape)), strict=True))

    def first_scale(self, shape: tuple[int, ...], own: tuple[int, ...]) -> float:
        """Samples of a drawing of `shape` for one of the signal's `own`, along the first axis."""
        return shape[0] / (own[0] * self._shares(len(shape))[0])

    def _shares(self, num_axes: int) -> list[float]:
        """Of each axis that is drawn."""
        region = self.region or (0.0,) * num_axes + (1.0,) * num_axes
        return [high - low for low, high in zip(region[:num_axes], region[num_axes:], strict=True)]

    @staticmethod
    def _is_part(region: Region) -> bool:
        dims = len(region) // 2
        return len(region) == 2 * dims and all(
            0 <= low < high <= 1 for low, high in zip(region[:dims], region[dims:], strict=True)
        )


def most_along_an_axis(num_axes: int) -> int:
    """Samples that a drawing may have along an axis: of sound far more than a picture has rows."""
    return MAX_POINTS if num_axes == 1 else MAX_SAMPLES_PER_AXIS


def drawing_of(field: FittedField, view: View, suffix: str) -> Drawing:
    """What a file of this drawing of the field holds beside its values."""
    shape = view.shape(field.domain.drawn_shape)
    return Drawing(domain=field.domain.drawn(shape, view.region), own=field.domain,
                   spacing=view.sample_width(shape), scale=view.first_scale(shape, field.domain.drawn_shape),
                   suffix=suffix, about=field.about)  # fmt: skip
