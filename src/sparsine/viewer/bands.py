"""A picture that is drawn part by part as it is taken: a slow browser costs the memory of one part, not of all."""

import struct
import time
from collections.abc import Callable, Iterator

import numpy as np
from jaxtyping import UInt8

BAND_POINTS = 1 << 15
"""Pixels drawn at a time: some ten milliseconds, and arrays that stay in the cache."""

Paint = Callable[[int, int], UInt8[np.ndarray, "rows columns 3"]]
"""The pixels of the rows from the first to the last (without it)."""


class Bands:
    """The parts of an answer: red, green, blue and 255 of each pixel, row by row; then one float64, little-endian."""

    def __init__(self, size: tuple[int, int], paint: Paint, told: Callable[[], float] | None = None) -> None:
        """`told`: the number at the end, asked when all is drawn; by default the milliseconds that drawing took."""
        self.size, self.paint, self.seconds = size, paint, 0.0
        self.told = told or (lambda: 1e3 * self.seconds)

    @property
    def num_bytes(self) -> int:
        return 4 * self.size[0] * self.size[1] + 8

    def __iter__(self) -> Iterator[Callable[[], bytes]]:
        """What is to be called, in this order, for one part each."""
        rows, columns = self.size
        step = max(1, BAND_POINTS // columns)
        for first in range(0, rows, step):
            yield lambda first=first: self._part(first, min(first + step, rows))  # type: ignore[misc]
        yield lambda: struct.pack("<d", self.told())

    def _part(self, first: int, last: int) -> bytes:
        began = time.perf_counter()
        pixels = np.full((last - first, self.size[1], 4), 255, dtype=np.uint8)
        pixels[:, :, :3] = self.paint(first, last)
        self.seconds += time.perf_counter() - began
        return pixels.tobytes()
