"""Arrays that are mapped from files, sent to other processes as names: a pickle would hold all of their values."""

from dataclasses import dataclass
from mmap import ALLOCATIONGRANULARITY
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Mapped:
    """Where the values of an array lie."""

    path: str
    dtype: np.dtype
    offset: int
    """Byte of the file."""
    shape: tuple[int, ...]

    def array(self) -> np.memmap:
        return np.memmap(self.path, self.dtype, "r", self.offset, self.shape)


def packed(items: Any) -> Any:
    """What is pickled in place of `items`: a mapped array, whole or a part that lies in one piece, by its place."""
    mapping = getattr(items, "_mmap", None)
    if not isinstance(items, np.memmap) or mapping is None or items.filename is None or items.mode == "c":
        return items  # in memory, or with values that no file has
    if not (items.flags["C_CONTIGUOUS"] and items.size):
        return items
    first = np.frombuffer(mapping, np.uint8).ctypes.data
    # a part of an array keeps the `offset` of the whole: what is mapped begins on a page
    offset = items.offset - items.offset % ALLOCATIONGRANULARITY + items.ctypes.data - first
    return Mapped(str(items.filename), items.dtype, offset, items.shape)


def unpacked(items: Any) -> Any:
    return items.array() if isinstance(items, Mapped) else items
