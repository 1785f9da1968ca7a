"""Where results are kept: a folder, or an address elsewhere. A journal asks no more of either than this."""

import contextlib
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex

from sparsine import addresses
from sparsine.addresses import Address, Place
from sparsine.folders import locked, names_in
from sparsine.storage import append, read_file, remove_leftovers, write_atomically

JOURNAL = "journal.jsonl"


class Store(ABC):
    """Files by names, and a journal that grows."""

    @abstractmethod
    def names(self) -> set[str]:
        """Of what is there, hidden files apart. Raises BadInput."""

    @abstractmethod
    def held(self) -> contextlib.AbstractContextManager[object]:
        """For this process alone, where that can be had."""

    @abstractmethod
    def read(self, name: str) -> bytes:
        """Raises BadInput."""

    @abstractmethod
    def write(self, name: str, data: bytes) -> None:
        """The whole file or nothing. Raises WorkFailed."""

    @abstractmethod
    def journal(self) -> bytes:
        """All that was noted. Raises BadInput."""

    @abstractmethod
    def begin_journal(self, text: bytes) -> None:
        """In the place of all that was noted. Raises WorkFailed."""

    @abstractmethod
    def note(self, text: bytes) -> None:
        """At the end of the journal. Raises WorkFailed."""


def store_at(place: Place | str) -> Store:
    found = addresses.as_place(place)
    return _Elsewhere(found) if isinstance(found, Address) else _Folder(found)


class _Folder(Store):
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __str__(self) -> str:
        return str(self.folder)

    def names(self) -> set[str]:
        return names_in(self.folder)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        with locked(self.folder):
            remove_leftovers(self.folder)
            yield

    def read(self, name: str) -> bytes:
        return read_file(self.folder / name)

    def write(self, name: str, data: bytes) -> None:
        write_atomically(self.folder / name, data)

    def journal(self) -> bytes:
        return self.read(JOURNAL) if os.path.lexists(self.folder / JOURNAL) else b""

    def begin_journal(self, text: bytes) -> None:
        self.write(JOURNAL, text)

    def note(self, text: bytes) -> None:
        append(self.folder / JOURNAL, text)


class _Elsewhere(Store):
    """Nothing can be appended to an object, or locked: each note is an object of its own, until the journal is begun
    anew. Two processes with one request write the same bytes under the same names."""

    PIECES = "journal"

    def __init__(self, address: Address) -> None:
        self.address = address
        self._own, self._count = token_hex(4), 0

    def __str__(self) -> str:
        return str(self.address)

    def names(self) -> set[str]:
        tops = {name.partition("/")[0] for name in addresses.names_below(self.address)}
        return {name for name in tops if not name.startswith(".") and name != self.PIECES}

    def held(self) -> contextlib.AbstractContextManager[object]:
        return contextlib.nullcontext()

    def read(self, name: str) -> bytes:
        return addresses.read(self.address / name)

    def write(self, name: str, data: bytes) -> None:
        addresses.write(self.address / name, data)

    def journal(self) -> bytes:
        whole = [JOURNAL] if JOURNAL in self.names() else []
        return b"\n".join(self.read(name) for name in [*whole, *self._pieces()])

    def begin_journal(self, text: bytes) -> None:
        pieces = self._pieces()
        self.write(JOURNAL, text)
        for piece in pieces:
            addresses.remove(self.address / piece)

    def note(self, text: bytes) -> None:
        if not text:
            return
        self._count += 1
        self.write(f"{self.PIECES}/{self._own}-{self._count:06d}.jsonl", text)

    def _pieces(self) -> list[str]:
        return [f"{self.PIECES}/{name}" for name in addresses.names_below(self.address / self.PIECES)]
