"""JPEG and WebP as Pillow writes them, metadata-free, at their best size."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from PIL import Image

from sparsine.rate_distortion.pictures import Measured, Picture, measured


@dataclass(frozen=True)
class PillowCodec:
    """A format and the options beside its quality."""

    name: str
    format: str
    lowest: int
    """Its qualities go from here to 100."""
    options: dict[str, Any]

    def encode(self, picture: Picture, quality: int) -> bytes:
        """The whole file, header included."""
        buffer = io.BytesIO()
        Image.fromarray(picture).save(buffer, self.format, quality=quality, **self.options)
        return buffer.getvalue()

    def decode(self, data: bytes) -> Picture:
        with Image.open(io.BytesIO(data), formats=[self.format]) as image:
            return np.asarray(image.convert("RGB"))

    def best_within(self, picture: Picture, num_bytes: int) -> int | None:
        """The highest quality whose file has at most `num_bytes`, taking sizes to rise with quality; None where even
        the lowest has more."""
        return highest(lambda quality: len(self.encode(picture, quality)) <= num_bytes, self.lowest, 100)

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
CODECS = {"jpeg": JPEG, "webp": WEBP}
