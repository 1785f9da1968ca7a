"""The signals that codes were made from, found by name."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from sparsine.errors import BadInput
from sparsine.lazy import cached_property
from sparsine.signals.cache import Cached
from sparsine.signals.dataset import SignalSet
from sparsine.signals.file_names import FileNames
from sparsine.signals.kind import VALUES
from sparsine.signals.open import dataset_kinds, open_dataset, open_files
from sparsine.starts.start import Start
from sparsine.viewer.cached import Bounded

SPLITS = ("test", "val", "train")
"""In this order; a name of two splits is that of the first."""
SHAPES_KEPT = 4
MOST_NAMES = 300_000
"""Of a split that are looked through: some sets are made as they are asked for, and hold millions."""


@dataclass(frozen=True)
class Original:
    """What a code was made from."""

    values: Float[np.ndarray, "*axes channels"]
    coords: Float[np.ndarray, "points coords"] | None
    """Of scattered samples."""


class Originals:
    """A data set, as in celeba:DIR or curves, or a folder of files.

    Raises:
        BadInput: it cannot be opened.
    """

    def __init__(self, spec: str, start: Start, room: int) -> None:
        """`start`: one that drew codes of them; data sets are opened, and split, as when it was learned. `room`: bytes
        of signals that are kept."""
        self.spec, self.start = spec, start
        self._splits: Bounded[list[NamedSignals]] = Bounded(SHAPES_KEPT)
        self._signals: Bounded[Original] = Bounded(room, lambda original: original.values.nbytes)
        self._opened(start.domain.shape)

    def missing(self, name: str, noted: str | None, shape: tuple[int, ...]) -> str | None:
        """Why the code `name` has no original; None where it has one. Reads no signal."""
        if any(split.index(name, noted) is not None for split in self._opened(shape)):
            return None
        return f"{self.spec} has no signal called {name}"

    def find(self, name: str, noted: str | None, shape: tuple[int, ...]) -> Original:
        """The original of the code `name`.

        Args:
            noted: what the encoder wrote down as its input, if it did.
            shape: samples of the code along each axis; the signal is brought to it as it was for encoding.

        Raises:
            BadInput: there is none, or it cannot be read.
        """
        return self._signals.get((name, noted, shape), lambda: self._load(name, noted, shape))

    def _load(self, name: str, noted: str | None, shape: tuple[int, ...]) -> Original:
        wanted = (*shape, self.start.field.out_features)
        for split in self._opened(shape):
            index = split.index(name, noted)
            if index is not None:
                values = split.signals.load(index)
                if values.shape != wanted:
                    raise BadInput(f"the original has shape {values.shape}, the code {wanted}")
                return Original(values, split.signals.coords_of(index))
        raise BadInput(str(self.missing(name, noted, shape)))

    def _opened(self, shape: tuple[int, ...]) -> list["NamedSignals"]:
        left_out = self.start.kind.all_suffixes
        return self._splits.get(shape, lambda: [NamedSignals(signals, left_out) for signals in self._open(shape)])

    def _open(self, shape: tuple[int, ...]) -> Iterator[SignalSet]:
        name, start, is_there = self.spec.partition(":")[0], self.start, False
        with suppress(OSError):  # a name too long for the system
            is_there = Path(self.spec).exists()
        if name in dataset_kinds() and not is_there:
            dataset = open_dataset(self.spec, resolution=shape, seed=start.split_seed)
            if dataset.kind.name != start.kind.name and VALUES not in (start.kind, dataset.kind):
                raise BadInput(
                    f"the codes are {start.kind.name}, but the signals of {self.spec} are {dataset.kind.name}"
                )
            yield from (getattr(dataset, split) for split in SPLITS)
        elif len(shape) == 2:  # of which files are pictures, whatever the kind
            yield open_files([self.spec], shape=shape, num_channels=start.field.out_features)
        else:
            yield start.kind.files([self.spec], shape, start.field.out_features)


class NamedSignals:
    """One split, whose names are listed when one is first looked for."""

    def __init__(self, signals: SignalSet, left_out: frozenset[str]) -> None:
        """`left_out`: suffixes that names of codes lack."""
        self._left_out = left_out
        self.signals = signals.uncached if isinstance(signals, Cached) else signals

    def index(self, name: str, noted: str | None) -> int | None:
        """Of the signal that is called `noted`, or whose code is called `name`."""
        given, of_files = self._names
        return given[noted] if noted in given else of_files.get(name.lower())

    @cached_property
    def _names(self) -> tuple[dict[str | None, int], dict[str, int]]:
        """By the name of the signal itself, and by the name that its code has."""
        given: dict[str | None, int] = {}
        names, of_files = FileNames(suffixes=self._left_out), dict[str, int]()
        for index in range(min(len(self.signals), MOST_NAMES)):
            name = self.signals.name(index)
            given[name] = index
            of_files[names.of(name).lower()] = index
        return given, of_files
