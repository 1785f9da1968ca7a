"""Code files on disk: which there are, and their bytes, as far as they can be those of a code."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sparsine import addresses
from sparsine.addresses import Address, Place
from sparsine.codec.format.header import SUFFIX
from sparsine.errors import UnreadableSignal
from sparsine.fitting.fitted_files import SUFFIX as FITTED
from sparsine.signals.listing import Listing, list_files
from sparsine.signals.named_files import named_files
from sparsine.signals.own_folders import FIELDS, holds_fits
from sparsine.signals.paths import expanded
from sparsine.storage import open_to_read


def list_codes(places: Sequence[Place]) -> tuple[dict[str, Place], tuple[str, ...]]:
    """(codes by name, what was passed over): files as they are given, by paths or addresses, and all `.spn` files of
    folders, subfolders too, hidden ones not; of a folder that `sparsine fit` wrote its fitted vectors. Names are short
    where they are unique, whole paths where not.

    Raises:
        BadInput: nothing was given, a folder without codes, or a file that is given twice.
    """
    elsewhere = [place for place in places if isinstance(place, Address)]
    found: dict[str, Place] = {}
    for address in elsewhere:
        for name, code in addresses.matching(address, (SUFFIX, FITTED)).items():
            found[name if name not in found else str(code)] = code
    if elsewhere and len(elsewhere) == len(places):
        return found, ()
    paths = [expanded(place) for place in places if isinstance(place, Path)]
    named, notes = named_files([path / FIELDS if holds_fits(path) else path for path in paths], _codes_of_folder,
                               "code", f"*{SUFFIX}")  # fmt: skip
    return {**named, **{name if name not in named else str(code): code for name, code in found.items()}}, notes


def _codes_of_folder(folder: Path) -> Listing:
    of_fits = folder.name == FIELDS and holds_fits(folder.parent)
    found = list_files(folder, (FITTED,) if of_fits else (SUFFIX,), "code", own=True)
    return replace(found, others=Counter())  # what is noted beside codes is nobody's concern


def read_bounded(path: Place, most_bytes: int) -> bytes:
    """The whole file.

    Raises:
        UnreadableSignal: it is missing, no file, not to be read, or larger than that.
    """
    if isinstance(path, Address):
        return addresses.read(path, most_bytes)
    try:
        with open_to_read(path) as file:
            data = file.read(most_bytes + 1)
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        raise UnreadableSignal(f"it cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if len(data) > most_bytes:
        raise UnreadableSignal(f"it has more than {most_bytes} bytes, which no code of this start has")
    return data
