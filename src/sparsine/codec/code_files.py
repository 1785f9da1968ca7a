"""Code files on disk: which there are, and their bytes, as far as they can be those of a code."""

import os
from collections.abc import Sequence
from pathlib import Path

from sparsine.codec.header import SUFFIX
from sparsine.errors import BadInput, UnreadableSignal
from sparsine.folders import walk
from sparsine.signals.file_names import with_unique_names
from sparsine.storage import open_to_read


def list_codes(paths: Sequence[Path]) -> dict[str, Path]:
    """Codes by name: files as they are given, and all `.spn` files of folders, subfolders too, hidden ones not. Names
    are short where they are unique, whole paths where not.

    Raises:
        BadInput: nothing was given, a folder without codes, or a file that is given twice.
    """
    if not paths:
        raise BadInput("there is nothing to decode: name code files, or folders of them")
    found = [pair for path in paths for pair in (_codes_of_folder(path) if path.is_dir() else [(path.name, path)])]
    return with_unique_names(found, "code")


def _codes_of_folder(folder: Path) -> list[tuple[str, Path]]:
    found = []
    for where, folders, files in walk(folder):
        folders[:] = [f for f in folders if not f.startswith(".") and not os.path.islink(os.path.join(where, f))]
        paths = [Path(where, file) for file in files if file.endswith(SUFFIX) and not file.startswith(".")]
        found += [(path.relative_to(folder).as_posix(), path) for path in paths]
    if not found:
        raise BadInput(f"the folder {folder} holds no code (*{SUFFIX}); name one that does")
    return sorted(found)


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
