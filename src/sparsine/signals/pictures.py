"""Pictures, uint8 (rows, columns, 3): made of values, set beside each other, written."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from sparsine.errors import BadInput
from sparsine.storage import write_atomically

ERROR_AT_FULL_BRIGHTNESS = 0.25
"""Mean absolute error over the channels, in peaks, that `error_picture` shows in its brightest colour."""
_NOT_FINITE = (255, 0, 255)
_BAND = 1 << 18
"""Pixels that are coloured at a time: what is made on the way stays small, however large the picture."""
# Six stops of a dark-to-bright ramp whose lightness rises evenly.
_RAMP = np.array([[0, 0, 4], [59, 15, 112], [140, 41, 129], [222, 73, 104], [254, 159, 109], [252, 253, 191]])


def with_not_finite(
    values: Float[np.ndarray, "rows columns channels"],
    colours: Callable[[Float[np.ndarray, "rows columns channels"]], UInt8[np.ndarray, "rows columns 3"]],
) -> UInt8[np.ndarray, "rows columns 3"]:
    """What `colours` makes of the values in float64, magenta where one is not finite. It is asked band after band: each
    pixel must follow from its own values."""
    rows, columns = values.shape[:2]
    picture = np.empty((rows, columns, 3), np.uint8)
    step = max(1, _BAND // max(columns, 1))
    for first in range(0, rows, step):
        band = values[first : first + step]
        finite = np.isfinite(band).all(axis=2)
        part = colours(np.where(finite[:, :, None], band, 0.0).astype(np.float64))
        part[~finite] = _NOT_FINITE
        picture[first : first + step] = part
    return picture


def error_picture(
    original: Float[np.ndarray, "rows columns channels"],
    fitted: Float[np.ndarray, "rows columns channels"],
    peak: float = 1.0,
) -> UInt8[np.ndarray, "rows columns 3"]:
    """|original - fitted|, averaged over channels, black at 0 and brightest from a quarter of the peak on (the scale is
    fixed, so that pictures can be compared). An error that is not finite shows as the brightest.

    Raises:
        BadInput: the shapes differ.
    """
    if original.shape != fitted.shape or original.ndim != 3:
        raise BadInput(
            f"two signals of one shape (rows, columns, channels) are needed, "
            f"but got {original.shape} and {fitted.shape}"
        )
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.abs(original.astype(np.float64) - fitted.astype(np.float64)).mean(axis=2)
    return heat(np.clip(np.nan_to_num(error / (ERROR_AT_FULL_BRIGHTNESS * peak), nan=1.0), 0.0, 1.0))


def heat(level: Float[np.ndarray, "rows columns"]) -> UInt8[np.ndarray, "rows columns 3"]:
    """Levels from 0 to 1 as colours from black to a bright yellow."""
    stops = np.linspace(0.0, 1.0, len(_RAMP))
    return to_bytes(np.stack([np.interp(level, stops, channel / 255.0) for channel in _RAMP.T], axis=-1))


def side_by_side(
    pictures: Sequence[UInt8[np.ndarray, "_rows _columns 3"]], gap: int = 4, scale: int = 1
) -> UInt8[np.ndarray, "rows columns 3"]:
    """Pictures in a row with white gaps of `gap` pixels, each pixel enlarged to `scale` x `scale` (gaps are not).
    Lower pictures are filled up with white below.

    Raises:
        BadInput: no picture, a negative gap or a scale below 1.
    """
    if not len(pictures) or gap < 0 or scale < 1:
        raise BadInput(
            f"at least one picture, a gap of 0 or more and a scale of 1 or more are needed, "
            f"but got {len(pictures)}, {gap} and {scale}"
        )
    for picture in pictures:
        _check_picture(picture)
    large = [picture.repeat(scale, axis=0).repeat(scale, axis=1) for picture in pictures]
    rows = max(picture.shape[0] for picture in large)
    columns = sum(picture.shape[1] for picture in large) + gap * (len(large) - 1)
    canvas = np.full((rows, columns, 3), 255, dtype=np.uint8)
    left = 0
    for picture in large:
        canvas[: picture.shape[0], left : left + picture.shape[1]] = picture
        left += picture.shape[1] + gap
    return canvas


def save_picture(path: Path, picture: UInt8[np.ndarray, "rows columns 3"]) -> None:
    """Write a PNG, whatever the suffix of `path`.

    Raises:
        BadInput: not a picture.
        WorkFailed: the file cannot be written.
    """
    _check_picture(picture)
    write_atomically(Path(path), png_bytes(picture))


def png_bytes(picture: UInt8[np.ndarray, "rows columns 3"]) -> bytes:
    """A PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(buffer, format="PNG")
    return buffer.getvalue()


def to_bytes(colours: Float[np.ndarray, "rows columns 3"]) -> UInt8[np.ndarray, "rows columns 3"]:
    """Brightness in [0, 1], clamped, to bytes."""
    picture: UInt8[np.ndarray, "rows columns 3"] = np.round(np.clip(colours, 0.0, 1.0) * 255.0).astype(np.uint8)
    return picture


def _check_picture(picture: np.ndarray) -> None:
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise BadInput(f"a picture is uint8 of shape (rows, columns, 3), but got {picture.dtype} of {picture.shape}")
