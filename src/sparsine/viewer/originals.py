"""The signals that codes were made from, found by name."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

from sparsine.errors import BadInput
from sparsine.signals.dataset import SignalSet
from sparsine.signals.file_names import FileNames
from sparsine.signals.open import dataset_kinds, open_dataset, open_files
from sparsine.viewer.cached import Bounded

SPLITS = ("test", "val", "train")
"""In this order; a name of two splits is that of the first."""
SHAPES_KEPT = 4


class Originals:
    """A data set, as in celeba:DIR or curves, or a folder of images.

    Raises:
        BadInput: it cannot be opened.
    """

    def __init__(self, spec: str, num_channels: int, shape: tuple[int, ...], seed: int, kept: int) -> None:
        """`shape`: that of the start's grid, to try it with. `seed`: splits a data set as when it was learned."""
        self.spec, self.num_channels, self.seed = spec, num_channels, seed
        self._sets: Bounded[dict[str, tuple[SignalSet, int]]] = Bounded(SHAPES_KEPT)
        self._signals: Bounded[np.ndarray] = Bounded(kept)
        self._named(shape)

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
        named = self._named(shape)
        found = named.get(_exactly(noted)) if noted else None
        found = found or named.get(_file_name(name))
        if found is None:
            raise BadInput(f"{self.spec} has no signal called {name}")
        signals, index = found
        values = signals.load(index)
        if values.shape != (*shape, self.num_channels):
            raise BadInput(f"the original has shape {values.shape}, but the code {(*shape, self.num_channels)}")
        return values

    def _named(self, shape: tuple[int, ...]) -> dict[str, tuple[SignalSet, int]]:
        return self._sets.get(shape, lambda: self._index(shape))

    def _index(self, shape: tuple[int, ...]) -> dict[str, tuple[SignalSet, int]]:
        """By the name of the signal itself, and by the name that its code has."""
        named: dict[str, tuple[SignalSet, int]] = {}
        for signals in self._open((shape[0], shape[1])):
            names = FileNames()
            for index in range(len(signals)):
                name = signals.name(index)
                named.setdefault(_exactly(name), (signals, index))
                named.setdefault(_file_name(names.of(name)), (signals, index))
        return named

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


def _exactly(name: str) -> str:
    return f"signal {name}"


def _file_name(name: str) -> str:
    return f"file {name.lower()}"
