"""The codecs that people use for pictures, as Pillow writes them, metadata-free, at their best size."""

import importlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from PIL import Image, features

from sparsine.measure.rate_distortion.pictures import Measured, Picture, measured


@dataclass(frozen=True)
class PillowCodec:
    """A format and the options beside its quality."""

    name: str
    format: str
    lowest: int
    """Its qualities go from here to `highest`."""
    options: dict[str, Any]
    highest: int = 100

    def encode(self, picture: Picture, quality: int) -> bytes:
        """The whole file, header included."""
        buffer = io.BytesIO()
        Image.fromarray(picture).save(buffer, self.format, quality=quality, **self.options)
        return buffer.getvalue()

    def decode(self, data: bytes) -> Picture:
        with Image.open(io.BytesIO(data), formats=[self.format]) as image:
            return np.asarray(image.convert("RGB"))

    def best_within(self, picture: Picture, num_bytes: int, sizes: dict[int, int] | None = None) -> int | None:
        """The highest quality whose file has at most `num_bytes`, taking sizes to rise with quality; None where even
        the lowest has more. `sizes`: of this picture's files by quality, as far as they are known; added to."""
        known = {} if sizes is None else sizes

        def fits(quality: int) -> bool:
            if quality not in known:
                known[quality] = len(self.encode(picture, quality))
            return known[quality] <= num_bytes

        return highest(fits, self.lowest, self.highest)

    def measure(self, picture: Picture, quality: int) -> Measured:
        began = perf_counter()
        data = self.encode(picture, quality)
        encoded = perf_counter()
        decoded = self.decode(data)
        return measured(picture, decoded, len(data), encoded - began, perf_counter() - encoded)


def highest(good: Callable[[int], bool], low: int, high: int) -> int | None:
    """The largest number in [low, high] that is good, if all below it are; None where `low` is not."""
    if not good(low):
        return None
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if good(middle) else (low, middle - 1)
    return low


JPEG = PillowCodec("jpeg", "JPEG", 1, {"optimize": True, "progressive": True})
"""Colour at half the resolution (4:2:0), as Pillow has it; Huffman tables made for each picture."""
WEBP = PillowCodec("webp", "WEBP", 0, {"method": 6})
"""Lossy, the slowest and best of its methods."""
AVIF = PillowCodec("avif", "AVIF", 0, {"speed": 4})
"""AV1's pictures, colour at half the resolution; slower speeds save a few hundredths of the bytes."""
JPEG_XL = PillowCodec("jpeg_xl", "JXL", 1, {"effort": 7}, highest=99)
"""VarDCT at libjxl's usual effort; 100 would be lossless."""
NAMES = {"jpeg": "JPEG", "webp": "WebP", "avif": "AVIF", "jpeg_xl": "JPEG XL"}
"""What people call them."""


def _has_jpeg_xl() -> bool:
    """Pillow reads and writes it once the plugin of the extra `codecs` is imported."""
    try:
        importlib.import_module("pillow_jxl")
    except ImportError:
        return False
    return True


def codecs() -> dict[str, PillowCodec]:
    """Those that this installation has, by name."""
    found = {"jpeg": JPEG, "webp": WEBP}
    if features.check("avif"):
        found["avif"] = AVIF
    return found | ({"jpeg_xl": JPEG_XL} if _has_jpeg_xl() else {})
