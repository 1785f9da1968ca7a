"""Values to pixels: a window by its rows, and whole pictures as PNG."""

import io

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from sparsine.codec import FittedField
from sparsine.engines.contract import Engine
from sparsine.viewer.bands import Paint
from sparsine.viewer.sampling import Window, rows_of, sample_width


def pixels_of(field: FittedField, engine: Engine, window: Window) -> Paint:
    """How the rows of a window get their pixels."""
    values, width, kind = rows_of(field, engine, window), sample_width(window), field.start.kind
    return lambda first, last: kind.picture(values(first, last), width)


def thumbnail_size(shape: tuple[int, ...], edge: int) -> tuple[int, int]:
    """The largest size of that shape within `edge` x `edge`.

    Example:
        >>> thumbnail_size((100, 50), 32)
        (32, 16)
    """
    longer = max(shape)
    return max(1, round(edge * shape[0] / longer)), max(1, round(edge * shape[1] / longer))


def to_png(pixels: UInt8[np.ndarray, "rows columns 3"]) -> bytes:
    """Without loss, and quickly rather than small: it goes from one process to another on the same machine."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, format="PNG", compress_level=1)
    return buffer.getvalue()
