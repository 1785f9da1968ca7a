"""One image file to values, whatever it holds. Every failure is an `UnreadableSignal` with a reason of one line.

| file                        | becomes                                                                      |
|-----------------------------|------------------------------------------------------------------------------|
| grey, palette, CMYK, 1 bit  | RGB                                                                          |
| alpha, transparent colour   | composited over white (not in 16-bit grey files, whose transparency is dropped) |
| EXIF orientation            | applied                                                                      |
| 16-bit grey PNG or TIFF     | value / 65535, replicated to RGB                                             |
| 16-bit RGB                  | what Pillow gives: 8 bits                                                    |
| float grey TIFF             | must be finite and in [0, 1]; replicated to RGB                              |
| several frames              | the first                                                                    |
"""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from jaxtyping import Float
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from sparsine.errors import UnreadableSignal

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp"})
# Named, so that a renamed PostScript file is not handed to an interpreter.
_FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP")
_SIXTEEN_BITS = 65535.0
_TURNED_SIDEWAYS = (5, 6, 7, 8)
_PILLOW = re.compile(r"PIL\.")


def read_image(path: Path) -> Image.Image:
    """The image, upright, in mode "RGB" (8 bits) or "F" (grey, float32 in [0, 1]).

    Raises:
        UnreadableSignal: the file is missing, broken, not an image, smaller than 2 x 2 or too large to be honest.
    """
    with _reasons(path), _opened(path) as image:
        _check_size(path, image)
        upright = ImageOps.exif_transpose(image)
        assert upright is not None  # only `in_place` gives None
        return _as_rgb_or_float(path, upright)


def read_size(path: Path) -> tuple[int, int]:
    """(rows, columns) of the upright image, from the header alone. Raises UnreadableSignal."""
    with _reasons(path), _opened(path) as image:
        _check_size(path, image)
        columns, rows = image.size
        sideways = image.getexif().get(ExifTags.Base.Orientation) in _TURNED_SIDEWAYS
        return (columns, rows) if sideways else (rows, columns)


def to_values(image: Image.Image) -> Float[np.ndarray, "rows columns 3"]:
    """The values of an image from `read_image`, float32 RGB in [0, 1]."""
    if image.mode == "F":
        grey = np.clip(np.asarray(image, dtype=np.float32), 0.0, 1.0)  # resizing may round past the ends
        return np.ascontiguousarray(np.repeat(grey[:, :, None], 3, axis=2))
    return np.asarray(image, dtype=np.float32) / np.float32(255.0)


def _as_rgb_or_float(path: Path, image: Image.Image) -> Image.Image:
    if image.mode == "F" or image.mode.startswith("I"):
        return _as_float(path, image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")


def _as_float(path: Path, image: Image.Image) -> Image.Image:
    values = np.asarray(image)
    if not np.isfinite(values).all():
        raise UnreadableSignal(f"{path}: it holds values that are not finite (NaN or infinity)")
    low, high = values.min(), values.max()
    top = 1.0 if image.mode == "F" else _SIXTEEN_BITS
    if low < 0 or high > top:
        raise UnreadableSignal(f"{path}: its values run from {low} to {high}, but 0 to {top:g} was expected")
    return Image.fromarray((values / top).astype(np.float32))


def _check_size(path: Path, image: Image.Image) -> None:
    columns, rows = image.size
    if min(columns, rows) < 2:
        raise UnreadableSignal(f"{path}: it is {rows} x {columns} pixels, and at least 2 x 2 are needed")
    limit = Image.MAX_IMAGE_PIXELS
    if limit is not None and columns * rows > limit:
        raise UnreadableSignal(f"{path}: it claims {rows} x {columns} pixels, more than the {limit} allowed")


def _opened(path: Path) -> Image.Image:
    if path.exists() and not path.is_file():
        raise UnreadableSignal(f"{path}: it is not a file")
    if path.stat().st_size == 0:
        raise UnreadableSignal(f"{path}: the file is empty")
    _quieten_pillow()
    return Image.open(path, formats=_FORMATS)


@contextmanager
def _reasons(path: Path) -> Iterator[None]:
    """Turns whatever goes wrong inside into an UnreadableSignal."""
    try:
        yield
    except UnreadableSignal:
        raise
    except UnidentifiedImageError as error:
        raise UnreadableSignal(f"{path}: it is not a PNG, JPEG, WebP, TIFF or BMP image") from error
    # Broken files make decoders raise nearly anything, SyntaxError and struct.error included.
    except Exception as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise UnreadableSignal(f"{path}: {reason.splitlines()[0]}") from error


def _quieten_pillow() -> None:
    """A decompression bomb is an error; Pillow's other warnings are noise.

    Set for the process, and only while it is not: `catch_warnings` is not safe beside a prefetch thread.
    """
    # The last one added goes first.
    wanted = ("ignore", None, UserWarning, _PILLOW, 0), ("error", None, Image.DecompressionBombWarning, _PILLOW, 0)
    for entry in wanted:
        if entry not in warnings.filters:
            warnings.filterwarnings(entry[0], category=entry[2], module=_PILLOW.pattern)  # type: ignore[arg-type]
