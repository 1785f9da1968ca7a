"""Values to pixels: a window in bands that can be stopped between, and whole pictures as PNG."""

import io
from threading import Event

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from sparsine.codec import FittedField
from sparsine.engines.contract import Engine
from sparsine.viewer.refusals import Stopped
from sparsine.viewer.sampling import Window, rows_of, sample_width

BAND_POINTS = 1 << 15
"""Pixels between two looks at whether somebody still waits: some ten milliseconds, and arrays that stay in the
cache."""


def paint(field: FittedField, engine: Engine, window: Window, stop: Event) -> UInt8[np.ndarray, "rows columns 4"]:
    """The pixels of a window: red, green, blue, and 255.

    Raises:
        Stopped: `stop` was set meanwhile.
    """
    rows, columns = window.size
    values, width = rows_of(field, engine, window), sample_width(window)
    pixels = np.full((rows, columns, 4), 255, dtype=np.uint8)
    band = max(1, BAND_POINTS // columns)
    for first in range(0, rows, band):
        if stop.is_set():
            raise Stopped("nobody waits for this drawing any more")
        last = min(first + band, rows)
        pixels[first:last, :, :3] = field.start.kind.picture(values(first, last), width)
    return pixels


def thumbnail_size(shape: tuple[int, ...], edge: int) -> tuple[int, int]:
    """The largest size of that shape within `edge` x `edge`.

    Example:
        >>> thumbnail_size((100, 50), 32)
        (32, 16)
    """
    longer = max(shape)
    return max(1, round(edge * shape[0] / longer)), max(1, round(edge * shape[1] / longer))


def to_png(pixels: UInt8[np.ndarray, "rows columns channels"]) -> bytes:
    """Without loss, and quickly rather than small: it goes from one process to another on the same machine."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels[:, :, :3])).save(buffer, format="PNG", compress_level=1)
    return buffer.getvalue()
