"""One signal on its way to the fit: read, recognised, or turned away."""

from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from sparsine.codec.files.coded import CodedSignal, from_entry
from sparsine.codec.files.journal import Journal, sha256
from sparsine.codec.format.header import check_fits_a_code
from sparsine.errors import BadInput
from sparsine.fitting.room import NOT_ENOUGH, check_room
from sparsine.signals.dataset import SignalSet
from sparsine.signals.values import load_values
from sparsine.starts.start import Start


@dataclass(frozen=True)
class Loaded:
    """A signal that is to be encoded."""

    name: str
    file: str
    """File name of its code."""
    values: np.ndarray
    """(*shape, channels) float32."""
    digest: str
    """SHA-256 of shape and values, and of coordinates."""
    coords: np.ndarray | None = None
    """Of scattered samples."""
    about: dict[str, Any] = field(default_factory=dict)
    """What its code keeps beside the numbers."""


class SignalReader:
    """Reads signals of a set, from any thread. Names of files are given out at once, in order, so that they do not
    depend on what is read when."""

    def __init__(self, start: Start, signals: SignalSet, journal: Journal, indices: list[int], overwrite: bool) -> None:
        self._start, self._signals, self._journal, self._overwrite = start, signals, journal, overwrite
        self._files = {index: journal.file_of(signals.name(index)) for index in indices}

    def points(self, index: int) -> int:
        """How many a signal has, as far as that is known before it is read."""
        return prod(self._signals.shape_of(index) or self._start.domain.shape)

    def read(self, index: int) -> Loaded | CodedSignal:
        """The signal; or what became of it, where there is nothing to encode."""
        name, file = self._signals.name(index), self._files[index]
        try:
            shape = self._signals.shape_of(index)
            if shape is not None:  # before it is read: reading a large one takes memory, too
                self._check_size(shape)
            values = load_values(self._signals, index, self._start.kind)
            self._check_size(values.shape[:-1])
            coords, about = self._signals.coords_of(index), self._signals.about(index)
        except BadInput as error:
            return CodedSignal(input=name, status="unreadable", reason=str(error))
        except MemoryError:
            return CodedSignal(input=name, status="unreadable", reason=NOT_ENOUGH)
        parts = [values] if coords is None else [values, coords]
        digest = sha256(str(values.shape).encode(), *(np.ascontiguousarray(part).data for part in parts))
        loaded = Loaded(name, file, values, digest, coords, about)
        return self._known(loaded) or loaded

    def _known(self, loaded: Loaded) -> CodedSignal | None:
        """What the folder holds for it."""
        entry = self._journal.done(loaded.name)
        if entry is None:
            return None
        if entry["input_sha256"] == loaded.digest:
            return from_entry(entry)
        if self._overwrite:
            return None
        why = f"{loaded.file} is the code of other values under this name; choose another folder, or say --overwrite"
        return CodedSignal(input=loaded.name, status="changed", reason=why)

    def _check_size(self, shape: tuple[int, ...]) -> None:
        check_fits_a_code(shape)
        check_room(self._start, shape, "fitting it")
