"""What every source of signals looks like to the rest of the package."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from sparsine.errors import BadInput, UnreadableSignal
from sparsine.signals.fingerprint import UNREADABLE, fingerprint_bytes

DatasetKind = Literal["images", "celeba", "imagenette", "sdf2d", "curves"]
ValueKind = Literal["rgb", "grey", "distance"]
MAX_SAMPLES_PER_AXIS = 16384


class SignalSet(ABC):
    """One split of a data set. Nothing is read before it is asked for.

    An index that is not in [0, len) raises IndexError.
    """

    recipe: str | None = None
    """All that decides the names and values of a set that is made on the spot; None for one that is kept somewhere,
    signal by signal."""
    notes: tuple[str, ...] = ()
    """What was left out when the set was opened, a sentence each."""

    @abstractmethod
    def __len__(self) -> int:
        """Number of signals, unreadable ones included."""

    @abstractmethod
    def name(self, index: int) -> str:
        """A name that is unique within the set, such as "182805.jpg" or "curve-test-000012"."""

    @abstractmethod
    def load(self, index: int) -> Float[np.ndarray, "rows columns channels"]:
        """The values as finite float32, C-contiguous; the array belongs to the caller.

        Raises:
            UnreadableSignal: this one cannot be used ("<path>: <reason>"); the others are not affected.
        """

    def fingerprint(self, index: int) -> str:
        """A short text that is another one whenever `load` would give other values; told apart from other signals only
        by accident. This one loads the signal: a set whose values come from files or from a seed should ask those."""
        try:
            values = self.load(index)
        except UnreadableSignal:
            return UNREADABLE
        return fingerprint_bytes(str(values.shape).encode(), np.ascontiguousarray(values).data)

    def __getitem__(self, index: int) -> Float[np.ndarray, "rows columns channels"]:
        """`load`, so that loops and torch's DataLoader take a set as it is."""
        return self.load(index)


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A data set with its three splits. All signals have one shape."""

    spec: str
    """As given to `open_dataset`."""
    kind: DatasetKind
    shape: tuple[int, int]
    """Samples per axis: (rows, columns)."""
    num_channels: int
    value_kind: ValueKind
    """rgb, grey: brightness in [0, 1]. distance: signed, negative inside, in units of the half extent."""
    description: str
    """One or two sentences for reports: what it is and how it was cropped or resized."""
    train: SignalSet
    val: SignalSet
    test: SignalSet
    notes: tuple[str, ...] = ()
    """What was left out when it was opened, a sentence each."""


def check_index(index: int, length: int) -> None:
    """Raises IndexError unless 0 <= index < length."""
    if not 0 <= index < length:
        raise IndexError(f"signal {index} was asked for, but the set has {length}, counted from 0")


def check_resolution(resolution: tuple[int, ...]) -> tuple[int, int]:
    """Raises BadInput unless `resolution` is two sensible numbers of samples, (rows, columns)."""
    whole = all(isinstance(n, int | np.integer) and not isinstance(n, bool) for n in resolution)
    if len(resolution) != 2 or not whole or not all(2 <= n <= MAX_SAMPLES_PER_AXIS for n in resolution):
        asked = " x ".join(str(n) for n in resolution)
        raise BadInput(
            f"the resolution is {asked}; give rows x columns, "
            f"two whole numbers from 2 to {MAX_SAMPLES_PER_AXIS}, such as 178x178"
        )
    return int(resolution[0]), int(resolution[1])
