"""What the values of a signal are: their range and unit, how good a fit of them is, how they are shown and written.

A kind of signal is a small frozen dataclass: its class says what all such signals have in common, its fields what a
collection chooses (a sampling rate, a range). A start knows its kind; everything that shows, measures, reads or writes
signals asks it. A new kind is a subclass that is entered in KINDS; whatever it does not say is answered here, for
values of any meaning along any number of axes.
"""

import dataclasses
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from jaxtyping import Float, UInt8

from sparsine.errors import BadInput
from sparsine.registry import Registry
from sparsine.signals.pictures import error_picture
from sparsine.signals.previews import preview

if TYPE_CHECKING:
    from sparsine.signals.dataset import SignalSet
    from sparsine.signals.drawing import Drawing

Values = Float[np.ndarray, "*axes channels"]
Picture = UInt8[np.ndarray, "rows columns 3"]


@dataclass(frozen=True)
class Metric:
    """A measure of a fit beside PSNR."""

    name: str
    """Of its column in records and tables: letters, digits, underscores."""
    label: str
    """As a figure's axis says it, with the unit."""
    of: Callable[..., float | None]
    """(original, fitted), both (*axes, channels) float32, to the number; None where it cannot be said."""
    better: Literal["higher", "lower"] = "higher"
    weighted: bool = False
    """Whether `of` takes a third: how much each sample counts, (*axes) with the mean 1, or None (all count alike)."""

    def measure(self, original: np.ndarray, fitted: np.ndarray, weights: np.ndarray | None) -> float | None:
        """What `of` says, told the weights if it wants them."""
        return self.of(original, fitted, weights) if self.weighted else self.of(original, fitted)


PLAYED = {".wav": "audio/wav", ".webm": "video/webm", ".mp4": "video/mp4"}
"""What every browser plays, by the suffix of its files."""


@dataclass(frozen=True)
class Media:
    """A signal as a browser plays or shows it."""

    data: bytes
    mime: str

    @property
    def suffix(self) -> str:
        """Of a file of it; '' where that is not known."""
        return next((suffix for suffix, mime in PLAYED.items() if mime == self.mime), "")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """Plain numbers: nothing is known of their range, one or three channels are shown as brightness in [0, 1]."""

    name: ClassVar[str] = "values"
    axes: ClassVar[tuple[str, ...]] = ()
    """Names of the array axes, such as ("rows", "columns"); none: any number of them."""
    num_channels: ClassVar[tuple[int, ...]] = ()
    """Numbers of channels that there can be; none: any."""
    sample: ClassVar[str] = "sample"
    """What one sample is called: pixel, sample, voxel."""
    own_size: ClassVar[bool] = True
    """Whether files have a size of their own, which they are encoded at unless somebody says otherwise."""
    suffix: ClassVar[str] = ".npy"
    """Of the files that `write` makes."""
    suffixes: ClassVar[tuple[str, ...]] = ()
    """Of the files that `files` reads; like `suffix`, left out of the names of what is made of them."""
    formats: ClassVar[tuple[str, ...]] = ()
    """Suffixes of all files that `write_drawing` can make; none: of `suffix` alone."""
    in_slabs: ClassVar[bool] = False
    """Whether `write_slabs` needs few of the slabs at a time: large signals are then drawn in parts."""
    whole_numbers: ClassVar[bool] = False
    """Whether unsigned integers of 8 and of 16 bits fill the range, as those of images do."""

    @property
    def all_suffixes(self) -> frozenset[str]:
        """Of files of this kind, read or written."""
        return frozenset({self.suffix, *self.suffixes, *self.formats})

    @property
    def value_range(self) -> tuple[float, float]:
        """Lowest and highest value that a sound signal has, up to rounding; infinite where nothing is known."""
        return -inf, inf

    @property
    def missing(self) -> bool:
        """Whether values may be missing, as NaN: such samples are left out of the loss and of every measure."""
        return False

    @property
    def middle(self) -> float | None:
        """Of the range: where values are before anything is known of them; None where nothing is known of the range."""
        middle = sum(self.value_range) / 2
        return middle if isfinite(middle) else None

    @property
    def slack(self) -> float:
        """How far outside their range values may lie and still be of it: what sharp filters overshoot."""
        low, high = self.value_range
        return (high - low) / 4

    @property
    def peak(self) -> float:
        """What PSNR is measured against: PSNR = 10 log10(peak^2 / MSE)."""
        return 1.0

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What is measured of a fit beside PSNR."""
        return ()

    @property
    def described(self) -> str:
        """Its name, and what it has chosen: 'audio (rate 8000)'."""
        chosen = [
            f"{name} {value:g}" for name, value in dataclasses.asdict(self).items() if isinstance(value, int | float)
        ]
        return f"{self.name} ({', '.join(chosen)})" if chosen else self.name

    def check(self, shape: tuple[int, ...]) -> None:
        """Raises BadInput unless arrays of `shape` (*axes, channels) can be of this kind."""
        fine = len(shape) >= 2 and (not self.axes or len(shape) == len(self.axes) + 1)
        if not fine or (self.num_channels and shape[-1] not in self.num_channels):
            raise BadInput(f"{self.name} values have shape {self._wanted()}, but got {tuple(shape)}")

    def picture(self, values: Values, spacing: float | None = None) -> Picture:
        """Show a signal. Samples that are not finite become magenta.

        Args:
            spacing: from one sample to the next in half extents of the whole signal; None is that of a whole one.

        Raises:
            BadInput: values that cannot be of this kind.
        """
        self.check(values.shape)
        return preview(values, self.value_range)

    def error_picture(self, original: Values, fitted: Values) -> Picture:
        """Where a fit differs: bright where much. The scale is fixed by the peak, so that pictures can be compared."""
        check_alike(original, fitted)
        if original.ndim == 3:
            return error_picture(original, fitted, self.peak)
        return preview(np.abs(original - fitted), (0.0, self.peak))

    def preview_shape(self, shape: tuple[int, ...], edge: int) -> tuple[int, ...]:
        """How many samples to draw of a signal of `shape` for a picture of at most `edge` along each axis."""
        longest = max(shape)
        return tuple(max(1, round(edge * n / longest)) for n in shape) if longest > edge else shape

    def media(self, values: Values) -> Media | None:
        """What a page offers beside the picture, such as sound to play; None for nothing."""
        return None

    def write(self, values: Values, spacing: float | None = None, scale: float = 1.0) -> bytes:
        """The bytes of a file of this kind (here: NumPy's own, float32).

        Args:
            spacing: as for `picture`.
            scale: samples drawn for one of the signal's own along the first axis.
        """
        file = io.BytesIO()
        np.save(file, np.ascontiguousarray(values, dtype=np.float32), allow_pickle=False)
        return file.getvalue()

    def write_slabs(self, slabs: Iterable[np.ndarray], spacing: float | None = None, scale: float = 1.0) -> bytes:
        """What `write` makes of a signal that comes in parts, cut along its first axis."""
        return self.write(np.concatenate(list(slabs)), spacing, scale)

    def write_drawing(self, slabs: Iterable[np.ndarray], drawing: "Drawing") -> bytes:
        """As `write_slabs`, for kinds whose files say more, such as where samples lie, or are of several `formats`."""
        return self.write_slabs(slabs, drawing.spacing, drawing.scale)

    def in_unit(self, values: np.ndarray) -> np.ndarray:
        """Values as numbers of the quantity that they stand for."""
        return values

    def in_frames(self) -> "Kind":
        """How the same signals are written as single pictures. Raises BadInput: they are none."""
        raise BadInput(f"signals of kind {self.name} have no frames; --frames is for video")

    def files(self, paths: Sequence[str | Path], shape: tuple[int, ...] | None, num_channels: int) -> "SignalSet":
        """Files and folders of files of this kind as signals, each brought to `shape`, or at its own size.

        Raises:
            BadInput: this kind is not read from files, or none of them was given.
        """
        raise BadInput(f"signals of kind {self.name} are not read from files; name a data set of that kind")

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, **dataclasses.asdict(self)}

    def _wanted(self) -> str:
        axes = ", ".join(self.axes) if self.axes else "*axes"
        return f"({axes}, {' or '.join(map(str, self.num_channels)) if self.num_channels else 'channels'})"


def check_alike(original: Values, fitted: Values) -> None:
    """Raises BadInput unless both have one shape."""
    if original.shape != fitted.shape:
        raise BadInput(f"two signals of one shape are needed, but got {original.shape} and {fitted.shape}")


VALUES = Kind()
"""Of a signal of which nothing is known."""
KINDS: Registry[type[Kind]] = Registry(
    "kind of signal", "sparsine.kinds", {Kind.name: Kind},
    wanted="a subclass of Kind, a frozen dataclass whose `name` is that",
    suits=lambda name, value: isinstance(value, type) and issubclass(value, Kind) and value.name == name,
)  # fmt: skip
"""By name. The package's own are entered by `sparsine.signals.kinds`, others by a file that `--load` names."""


def to_picture(
    values: Float[np.ndarray, "*axes channels"], kind: str | Kind, *, sample_width: float | None = None
) -> UInt8[np.ndarray, "rows columns 3"]:
    """Show a signal as its kind, or the kind of that name, does. Samples that are not finite become magenta.

    Args:
        sample_width: from one sample to the next in half extents, which decides how wide the lines of a distance field
            are; None is that of a whole picture.

    Raises:
        BadInput: the kind is unknown, or does not go with the shape of the values.
    """
    return (kind_named(kind) if isinstance(kind, str) else kind).picture(values, sample_width)


def kind_named(name: str) -> Kind:
    """The kind of that name with its usual constants. Raises BadInput where there is none."""
    return kind_from_dict({"name": name})


def kind_from_dict(data: Any) -> Kind:
    """The kind that `to_dict` described. Raises BadInput for anything else."""
    name = data.get("name") if isinstance(data, dict) else None
    if not isinstance(name, str):
        raise BadInput(f"this is not the description of a kind of signal: {data!r}")
    kind = KINDS.named(name)
    try:
        return kind(**{key: value for key, value in data.items() if key != "name"})
    except TypeError as error:
        raise BadInput(f"this is not the description of a kind of signal: {data!r} ({error})") from error
