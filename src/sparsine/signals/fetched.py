"""Signals whose files lie elsewhere, by their addresses: each is fetched when it is asked for, and not kept."""

import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, final

import numpy as np
from jaxtyping import Float, Int

from sparsine import addresses
from sparsine.addresses import Address
from sparsine.errors import BadInput, UnreadableSignal
from sparsine.signals.dataset import SignalSet, check_index
from sparsine.signals.formats import readable_suffixes
from sparsine.signals.kind import Kind

Open = Callable[[Path], SignalSet]
"""A file of this machine as a set of one signal."""


@final
class FetchedFiles(SignalSet):
    """One signal for each address; what every thread has fetched last stays until it fetches another."""

    def __init__(self, found: Mapping[str, Address], open_file: Open) -> None:
        self._names, self._addresses, self._open = list(found), list(found.values()), open_file
        self._of_thread = threading.local()

    def __len__(self) -> int:
        return len(self._names)

    def name(self, index: int) -> str:
        check_index(index, len(self))
        return self._names[index]

    def load(self, index: int) -> Float[np.ndarray, "*axes channels"]:
        values: np.ndarray = self._asked(index, lambda signals: signals.load(0))
        return values

    def coords_of(
        self, index: int, places: Int[np.ndarray, " points"] | None = None
    ) -> Float[np.ndarray, "points coords"] | None:
        coords: np.ndarray | None = self._asked(index, lambda signals: signals.coords_of(0, places))
        return coords

    def about(self, index: int) -> dict[str, Any]:
        about: dict[str, Any] = self._asked(index, lambda signals: signals.about(0))
        return about

    def _asked(self, index: int, question: Callable[[SignalSet], Any]) -> Any:
        check_index(index, len(self))
        address = self._addresses[index]
        kept = getattr(self._of_thread, "kept", None)
        if kept is None or kept.address != address:
            self._of_thread.kept = None  # the earlier one need not wait beside the next
            self._of_thread.kept = kept = _Fetched(address)
        return kept.asked(self._open, question)


class _Fetched:
    """A file for as long as somebody asks about it."""

    def __init__(self, address: Address) -> None:
        self.address = address
        folder = tempfile.mkdtemp(prefix="sparsine-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self._path = Path(folder, address.name or "signal")
        try:
            self._path.write_bytes(addresses.read(address))
        except OSError as error:
            raise UnreadableSignal(f"{address}: it cannot be kept here: {error.strerror or error}") from error

    def asked(self, open_file: Open, question: Callable[[SignalSet], Any]) -> Any:
        try:
            signals = open_file(self._path)
            if len(signals) != 1:
                raise BadInput(f"it holds {len(signals)} signals; copy it to this machine and name it there")
            return question(signals)
        except BadInput as error:
            told = str(error).replace(str(self._path), str(self.address))
            named = told if str(self.address) in told else f"{self.address}: {told}"
            raise UnreadableSignal(named) from error


def fetched_files(
    given: Sequence[Address], kind: Kind, shape: tuple[int, ...] | None, num_channels: int
) -> FetchedFiles:
    """Files, folders and patterns by their addresses as signals of `kind`, each brought to `shape`, or at its own size.

    Raises:
        BadInput: an address that cannot be listed, or under which nothing of the kind is.
    """
    suffixes = frozenset(kind.suffixes) or readable_suffixes()
    found: dict[str, Address] = {}
    for address in given:
        for name, place in addresses.matching(address, suffixes).items():
            found[name if name not in found else str(place)] = place
    return FetchedFiles(found, lambda path: kind.files([path], shape, num_channels))
