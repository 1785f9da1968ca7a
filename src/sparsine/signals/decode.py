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

Memory: at most BYTES_PER_PIXEL for each pixel of the file, looked for before it is decoded. A file of more than
MAX_PIXELS is a bomb. Of large images one at a time is decoded, however many threads read.
"""

import os
import re
import struct
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from threading import Lock
from typing import BinaryIO

import numpy as np
from jaxtyping import Float
from PIL import ExifTags, Image, ImageOps, PngImagePlugin

from sparsine.checks import check_memory
from sparsine.errors import BadInput, UnreadableSignal
from sparsine.memory import is_out_of_memory
from sparsine.signals.formats import names_of_formats, plugins

MAX_PIXELS = 1 << 28
"""As many as a code can hold; no camera has more."""
BYTES_PER_PIXEL = 16
"""The decoder's image (4, in colour), turned or converted (4), and the plane that a file's own format takes on its
way; or that image and the values made of it (12)."""
LARGE = 1 << 24
"""Pixels from which on one image at a time is decoded."""
_BAND = 1 << 20
"""Pixels that are converted at a time, so that what is made on the way stays small."""
_PILLOWS_LIMIT = 89_478_485
"""What Image.MAX_IMAGE_PIXELS is unless somebody chose another; a choice counts."""
_SIXTEEN_BITS = 65535.0
_TURNED_SIDEWAYS = (5, 6, 7, 8)
_TIFF_COLUMNS, _TIFF_ROWS = 256, 257
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_TEXTS = (b"eXIf", b"tEXt", b"zTXt", b"iTXt")
_PILLOW = re.compile(r"PIL\.")
_one_at_a_time = Lock()


def read_image(path: Path) -> Image.Image:
    """The image, upright, in mode "RGB" (8 bits) or "F" (grey, float32 in [0, 1]).

    Raises:
        UnreadableSignal: the file is missing, broken, not an image, smaller than 2 x 2 or too large to be honest, or
            larger than memory.
    """
    with _reasons(path), _opened(path) as image, _alone(image):
        check_memory(f"reading its {image.height} x {image.width} pixels", BYTES_PER_PIXEL * image.height * image.width,
                     "give it smaller")  # fmt: skip
        image.load()
        ImageOps.exif_transpose(image, in_place=True)
        return _as_rgb_or_float(image)


def read_size(path: Path) -> tuple[int, int]:
    """(rows, columns) of the upright image, from the header alone. Raises UnreadableSignal."""
    with _reasons(path), _opened(path) as image:
        columns, rows = image.size
        if tags := getattr(image, "tag_v2", None):  # some versions of Pillow turn a TIFF's size already
            columns, rows = int(tags.get(_TIFF_COLUMNS, columns)), int(tags.get(_TIFF_ROWS, rows))
        sideways = _exif(image).get(ExifTags.Base.Orientation) in _TURNED_SIDEWAYS
        return (columns, rows) if sideways else (rows, columns)


def image_values(image: Image.Image) -> Float[np.ndarray, "rows columns 3"]:
    """The values of an image that somebody has opened or made, as those of its file would be. It is left as it is.

    Raises:
        UnreadableSignal: it cannot be decoded, is smaller than 2 x 2, or has values that are no brightness.
    """
    with _reasons(None):
        _check_size(image)
        upright = ImageOps.exif_transpose(image)
        assert upright is not None  # only `in_place` gives None
        return to_values(_as_rgb_or_float(upright))


def to_values(image: Image.Image) -> Float[np.ndarray, "rows columns 3"]:
    """The values of an image from `read_image`, float32 RGB in [0, 1]."""
    values = np.empty((image.height, image.width, 3), np.float32)
    for rows, band in _bands(image):
        if image.mode == "F":
            # resizing may round past the ends
            values[rows] = np.clip(np.asarray(band, dtype=np.float32), 0.0, 1.0)[:, :, None]
        else:
            np.divide(np.asarray(band), np.float32(255.0), out=values[rows], dtype=np.float32)
    return values


def _as_rgb_or_float(image: Image.Image) -> Image.Image:
    if image.mode == "F" or image.mode.startswith("I"):
        return _as_float(image)
    if image.has_transparency_data:
        return _converted(image, _over_white)
    return image if image.mode == "RGB" else image.convert("RGB")


def _over_white(band: Image.Image) -> Image.Image:
    white = Image.new("RGBA", band.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, band.convert("RGBA")).convert("RGB")


def _converted(image: Image.Image, convert: Callable[[Image.Image], Image.Image]) -> Image.Image:
    whole = Image.new("RGB", image.size)
    for rows, band in _bands(image):
        whole.paste(convert(band), (0, rows.start))
    return whole


def _as_float(image: Image.Image) -> Image.Image:
    top = 1.0 if image.mode == "F" else _SIXTEEN_BITS
    scaled = np.empty((image.height, image.width), np.float32)
    extents = []
    for rows, band in _bands(image):
        values = np.asarray(band)
        if not np.isfinite(values).all():
            raise UnreadableSignal("it holds values that are not finite (NaN or infinity)")
        extents += [values.min(), values.max()]
        scaled[rows] = values / top
    if min(extents) < 0 or max(extents) > top:
        raise UnreadableSignal(f"its values run from {min(extents)} to {max(extents)}, but 0 to {top:g} was expected")
    return Image.fromarray(scaled)


def _bands(image: Image.Image) -> Iterator[tuple[slice, Image.Image]]:
    """(rows, that part of the image) from the top; a small image is one band, itself."""
    step = max(1, _BAND // image.width)
    if step >= image.height:
        yield slice(0, image.height), image
        return
    for first in range(0, image.height, step):
        last = min(first + step, image.height)
        yield slice(first, last), image.crop((0, first, image.width, last))


def _check_size(image: Image.Image) -> None:
    columns, rows = image.size
    if min(columns, rows) < 2:
        raise UnreadableSignal(f"it is {rows} x {columns} pixels, and at least 2 x 2 are needed")
    limit = _limit()
    if columns * rows > limit:
        raise UnreadableSignal(f"it claims {rows} x {columns} pixels, more than the {limit} allowed")


def _limit() -> int:
    chosen = Image.MAX_IMAGE_PIXELS
    return MAX_PIXELS if chosen in (None, _PILLOWS_LIMIT) else int(chosen)


def _exif(image: Image.Image) -> Image.Exif:
    """Of an image that is not decoded. To be sure of a PNG's, Pillow would decode all of it; that is only needed where
    something follows the pixels that may be one."""
    if isinstance(image, PngImagePlugin.PngImageFile) and not _says_more(image):
        return Image.Image.getexif(image)
    return image.getexif()


def _says_more(image: PngImagePlugin.PngImageFile) -> bool:
    """Whether EXIF, or text that may hold it, comes after the pixels. Their chunks are passed over unread."""
    file = image.fp
    assert file is not None
    back = file.tell()
    file.seek(len(_PNG_SIGNATURE))
    seen_pixels, found = False, False
    while not found and len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        found = seen_pixels and kind in _PNG_TEXTS
        seen_pixels = seen_pixels or kind == b"IDAT"
        file.seek(length + 4, os.SEEK_CUR)
    file.seek(back)
    return found


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """The image, of which only the header was read."""
    if path.exists() and not path.is_file():
        raise UnreadableSignal("it is not a file")
    with open(path, "rb") as file:
        if not os.fstat(file.fileno()).st_size:
            raise UnreadableSignal("the file is empty")
        _quieten_pillow()
        image = _recognised(file, os.fspath(path))
        _check_size(image)
        yield image


def _recognised(file: BinaryIO, name: str) -> Image.Image:
    """What `Image.open` does, but for its limit, which is lower than ours and can be moved for all threads alone."""
    start = file.read(16)
    for plugin in plugins():
        make, accept = Image.OPEN[plugin]
        if accept is None or accept(start) is True:
            file.seek(0)
            try:
                return make(file, name)
            except (SyntaxError, IndexError, TypeError, struct.error):
                continue  # it only looked like one
    raise UnreadableSignal(f"it is not a {names_of_formats()} image")


def _alone(image: Image.Image) -> AbstractContextManager[bool | None]:
    return _one_at_a_time if image.width * image.height >= LARGE else nullcontext()


def _new_lock() -> None:
    """In a forked child: nobody would ever let go of a lock that another thread of the parent held."""
    global _one_at_a_time
    _one_at_a_time = Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_new_lock)


@contextmanager
def _reasons(path: Path | None) -> Iterator[None]:
    """Turns whatever goes wrong inside into an UnreadableSignal."""
    where = "the image" if path is None else path
    try:
        yield
    except BadInput as error:
        raise UnreadableSignal(f"{where}: {error}") from error
    # Broken files make decoders raise nearly anything, SyntaxError and struct.error included.
    except Exception as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        reason = "there is not enough memory to read it" if is_out_of_memory(error) else reason.splitlines()[0]
        raise UnreadableSignal(f"{where}: {reason}") from error


def _quieten_pillow() -> None:
    """Pillow's warnings are noise.

    Set for the process, and only while it is not: `catch_warnings` is not safe beside a prefetch thread.
    """
    if ("ignore", None, UserWarning, _PILLOW, 0) not in warnings.filters:
        warnings.filterwarnings("ignore", category=UserWarning, module=_PILLOW.pattern)
