"""Code files on disk: which there are, and their bytes, as far as they can be those of a code."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sparsine.codec.format.header import SUFFIX
from sparsine.errors import UnreadableSignal
from sparsine.fitting.fitted_files import SUFFIX as FITTED
from sparsine.signals.listing import Listing, list_files
from sparsine.signals.named_files import named_files
from sparsine.signals.own_folders import FIELDS, holds_fits
from sparsine.signals.paths import expanded
from sparsine.storage import open_to_read


def list_codes(paths: Sequence[Path]) -> tuple[dict[str, Path], tuple[str, ...]]:
    """(codes by name, what was passed over): files as they are given, and all `.spn` files of folders, subfolders too,
    hidden ones not; of a folder that `sparsine fit` wrote its fitted vectors. Names are short where they are unique,
    whole paths where not.

    Raises:
        BadInput: nothing was given, a folder without codes, or a file that is given twice.
    """
    places = [path / FIELDS if holds_fits(path) else path for path in map(expanded, paths)]
    return named_files(places, _codes_of_folder, "code", f"*{SUFFIX}")


def _codes_of_folder(folder: Path) -> Listing:
    of_fits = folder.name == FIELDS and holds_fits(folder.parent)
    found = list_files(folder, (FITTED,) if of_fits else (SUFFIX,), "code", own=True)
    return replace(found, others=Counter())  # what is noted beside codes is nobody's concern


def read_bounded(path: Path, most_bytes: int) -> bytes:
    """The whole file.

    Raises:
        UnreadableSignal: it is missing, no file, not to be read, or larger than that.
    """
    try:
        with open_to_read(path) as file:
            data = file.read(most_bytes + 1)
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        raise UnreadableSignal(f"it cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if len(data) > most_bytes:
        raise UnreadableSignal(f"it has more than {most_bytes} bytes, which no code of this start has")
    return data
