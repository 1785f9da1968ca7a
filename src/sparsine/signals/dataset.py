"""What every source of signals looks like to the rest of the package."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch.utils.data
from jaxtyping import Float, Int

from sparsine.counted import counted
from sparsine.errors import BadInput, UnreadableSignal
from sparsine.signals.domain import Domain, shown_shape
from sparsine.signals.fingerprint import UNREADABLE, fingerprint_bytes
from sparsine.signals.grid import Grid
from sparsine.signals.kind import VALUES, Kind

MAX_SAMPLES_PER_AXIS = 16384
SPLITS = ("train", "val", "test")


class SignalSet(torch.utils.data.Dataset[np.ndarray], ABC):
    """One split of a data set. Nothing is read before it is asked for.

    An index that is not in [0, len) raises IndexError.
    """

    recipe: str | None = None
    """All that decides the names and values of a set that is made on the spot; None for one that is kept somewhere,
    signal by signal."""
    fingerprint_loads: bool = True
    """Whether `fingerprint` costs as much as `load`: of a large set then only a part is looked at."""
    notes: tuple[str, ...] = ()
    """What was left out when the set was opened, a sentence each."""

    @abstractmethod
    def __len__(self) -> int:
        """Number of signals, unreadable ones included."""

    @abstractmethod
    def name(self, index: int) -> str:
        """A name that is unique within the set, such as "182805.jpg" or "curve-test-000012"."""

    @abstractmethod
    def load(self, index: int) -> Float[np.ndarray, "*axes channels"]:
        """The values as finite float32 (NaN where one is missing, if the kind allows that), C-contiguous; the array
        belongs to the caller.

        Raises:
            UnreadableSignal: this one cannot be used ("<path>: <reason>"); the others are not affected.
        """

    def shape_of(self, index: int) -> tuple[int, ...] | None:
        """Samples along each axis, where that is known without reading the signal; None where it is not."""
        return None

    def about(self, index: int) -> dict[str, Any]:
        """What the values do not say of a signal, but a file that is drawn from its code should know: a few plain JSON
        values, which the code keeps. `Kind.write_drawing` is given them."""
        return {}

    def fingerprint(self, index: int) -> str:
        """A short text that is another one whenever `load` or `coords_of` would give others; two signals share one by
        accident alone. It loads the signal: a set whose values come from files or from a seed should ask those."""
        try:
            values, coords = self.load(index), self.coords_of(index)
        except UnreadableSignal:
            return UNREADABLE
        places = b"" if coords is None else np.ascontiguousarray(coords).data
        return fingerprint_bytes(str(values.shape).encode(), np.ascontiguousarray(values).data, places)

    def __getitem__(self, index: int) -> Float[np.ndarray, "*axes channels"]:
        """The same as `load`, which makes a set a `torch.utils.data.Dataset`."""
        return self.load(index)

    def values_at(self, index: int, places: Int[np.ndarray, " points"]) -> Float[np.ndarray, "points channels"]:
        """The values of some samples, by their places in array order. A set whose signals are larger than memory
        answers without reading all of one.

        Raises:
            UnreadableSignal: as `load` does.
        """
        signal = self.load(index)
        chosen: np.ndarray = signal.reshape(-1, signal.shape[-1])[places]
        return chosen

    def coords_of(
        self, index: int, places: Int[np.ndarray, " points"] | None = None
    ) -> Float[np.ndarray, "points coords"] | None:
        """The coordinates of a signal's own samples (all, or those at `places`), float32; None where all signals share
        those of the domain.

        Raises:
            UnreadableSignal: as `load` does.
        """
        return None


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A data set with its three splits. All signals have one shape. A split may be empty; `split` demands one that is
    not."""

    spec: str
    """As given to `open_dataset`."""
    source: str
    """Where it comes from: images, celeba, curves, arrays, ..."""
    kind: Kind
    """What its values are."""
    shape: tuple[int, ...]
    """Samples along each axis, for an image (rows, columns)."""
    num_channels: int
    description: str
    """One or two sentences for reports: what it is and how it was cropped or resized."""
    train: SignalSet
    val: SignalSet
    test: SignalSet
    notes: tuple[str, ...] = ()
    """What was left out when it was opened, a sentence each."""
    domain: Domain = None  # type: ignore[assignment]
    """Where the samples lie: by default a lattice of `shape`, else a sphere or points in a box."""

    def __post_init__(self) -> None:
        if self.domain is None:
            object.__setattr__(self, "domain", Grid(shape=self.shape))
        if self.domain.shape != self.shape:
            raise BadInput(f"the signals have shape {self.shape}, but their samples lie on {self.domain.shape}")
        self.kind.check((*self.shape, self.num_channels))

    def __repr__(self) -> str:
        values = f"{self.kind.name}, {shown_shape(self.shape)}, {counted(self.num_channels, 'channel')}"
        return f"Dataset({self.spec}: {values}; {self.counts})"

    @property
    def counts(self) -> str:
        """'12 train, 1 val, 1 test'."""
        return ", ".join(f"{len(getattr(self, name))} {name}" for name in SPLITS)

    def split(self, name: str) -> SignalSet:
        """A split that is about to be used.

        Raises:
            BadInput: it has not one signal.
        """
        signals: SignalSet = getattr(self, name)
        if not len(signals):
            raise BadInput(f"{self.spec} has no signal in its {name} split ({self.counts}); add some, or use another")
        return signals

    @staticmethod
    def from_arrays(arrays: Any, kind: "Kind | str" = VALUES, **options: Any) -> "Dataset":
        """A data set of arrays (*axes, channels) that are handed over: a list, a stack, `np.memmap` and Zarr (read as
        far as they are looked at), a torch data set, or one of Hugging Face (`key` says which entry).

        Args:
            arrays: one signal for each item; an item is an array, a tensor, a PIL image, a tuple that begins with one,
                or a mapping that has one under `key`.
            kind: what the values are, or its name.
            options: `val` and `test` (other sequences; without, a tenth each is held out by `seed`), `names`, `key`,
                `coords` and `domain` of scattered points, `spec`, `description`.

        Raises:
            BadInput: no array, arrays that are not of the kind, names or coordinates that do not go with them.

        Example:
            >>> Dataset.from_arrays(np.zeros((10, 8, 6, 3), np.float32), "rgb").shape
            (8, 6)
        """
        from sparsine.signals.arrays import dataset_from_arrays

        return dataset_from_arrays(arrays, kind, **options)


def check_index(index: int, length: int) -> None:
    """Raises IndexError unless 0 <= index < length."""
    if not 0 <= index < length:
        raise IndexError(f"signal {index} was asked for, but the set has {length}, counted from 0")


def check_resolution(resolution: Sequence[int]) -> tuple[int, int]:
    """(rows, columns); one number stands for both. Raises BadInput unless they are sensible numbers of samples."""
    if len(resolution) == 1:
        resolution = (*resolution, *resolution)
    whole = all(isinstance(n, int | np.integer) and not isinstance(n, bool) for n in resolution)
    if len(resolution) != 2 or not whole or not all(2 <= n <= MAX_SAMPLES_PER_AXIS for n in resolution):
        asked = " x ".join(str(n) for n in resolution)
        raise BadInput(
            f"the resolution is {asked}; give rows x columns, "
            f"two whole numbers from 2 to {MAX_SAMPLES_PER_AXIS}, such as 178x178"
        )
    return int(resolution[0]), int(resolution[1])
