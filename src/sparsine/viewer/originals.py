"""The signals that codes were made from, found by name."""

from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property
from pathlib import Path

import numpy as np

from sparsine.errors import BadInput
from sparsine.signals.cache import Cached
from sparsine.signals.dataset import SignalSet
from sparsine.signals.file_names import FileNames
from sparsine.signals.open import dataset_kinds, open_dataset, open_files
from sparsine.viewer.cached import Bounded

SPLITS = ("test", "val", "train")
"""In this order; a name of two splits is that of the first."""
SHAPES_KEPT = 4
MOST_NAMES = 300_000
"""Of a split that are looked through: some sets are made as they are asked for, and hold millions."""


class Originals:
    """A data set, as in celeba:DIR or curves, or a folder of images.

    Raises:
        BadInput: it cannot be opened.
    """

    def __init__(self, spec: str, num_channels: int, shape: tuple[int, ...], seed: int, room: int) -> None:
        """`shape`: that of the start's grid, to try it with. `seed`: splits a data set as when it was learned. `room`:
        bytes of signals that are kept."""
        self.spec, self.num_channels, self.seed = spec, num_channels, seed
        self._splits: Bounded[list[NamedSignals]] = Bounded(SHAPES_KEPT)
        self._signals: Bounded[np.ndarray] = Bounded(room, lambda values: values.nbytes)
        self._opened(shape)

    def missing(self, name: str, noted: str | None, shape: tuple[int, ...]) -> str | None:
        """Why the code `name` has no original; None where it has one. Reads no signal."""
        if any(split.index(name, noted) is not None for split in self._opened(shape)):
            return None
        return f"{self.spec} has no signal called {name}"

    def find(self, name: str, noted: str | None, shape: tuple[int, ...]) -> np.ndarray:
        """The original (rows, columns, channels) of the code `name`.

        Args:
            noted: what the encoder wrote down as its input, if it did.
            shape: (rows, columns) of the code; the signal is brought to it as it was for encoding.

        Raises:
            BadInput: there is none, or it cannot be read.
        """
        return self._signals.get((name, noted, shape), lambda: self._load(name, noted, shape))

    def _load(self, name: str, noted: str | None, shape: tuple[int, ...]) -> np.ndarray:
        for split in self._opened(shape):
            index = split.index(name, noted)
            if index is not None:
                values = split.signals.load(index)
                if values.shape != (*shape, self.num_channels):
                    raise BadInput(f"the original has shape {values.shape}, the code {(*shape, self.num_channels)}")
                return values
        raise BadInput(str(self.missing(name, noted, shape)))

    def _opened(self, shape: tuple[int, ...]) -> list["NamedSignals"]:
        return self._splits.get(shape, lambda: [NamedSignals(signals) for signals in self._open((shape[0], shape[1]))])

    def _open(self, shape: tuple[int, int]) -> Iterator[SignalSet]:
        kind = self.spec.partition(":")[0]
        is_there = False
        with suppress(OSError):  # a name too long for the system
            is_there = Path(self.spec).exists()
        if kind in dataset_kinds() and not is_there:
            dataset = open_dataset(self.spec, resolution=shape, seed=self.seed)
            yield from (getattr(dataset, split) for split in SPLITS)
        else:
            yield open_files([self.spec], shape=shape, num_channels=self.num_channels)


class NamedSignals:
    """One split, whose names are listed when one is first looked for."""

    def __init__(self, signals: SignalSet) -> None:
        self.signals = signals.uncached if isinstance(signals, Cached) else signals

    def index(self, name: str, noted: str | None) -> int | None:
        """Of the signal that is called `noted`, or whose code is called `name`."""
        given, of_files = self._names
        return given[noted] if noted in given else of_files.get(name.lower())

    @cached_property
    def _names(self) -> tuple[dict[str | None, int], dict[str, int]]:
        """By the name of the signal itself, and by the name that its code has."""
        given: dict[str | None, int] = {}
        names, of_files = FileNames(), dict[str, int]()
        for index in range(min(len(self.signals), MOST_NAMES)):
            name = self.signals.name(index)
            given[name] = index
            of_files[names.of(name).lower()] = index
        return given, of_files
