"""Files of one kind, as a user names them: each for itself, or by the folder that holds them."""

from collections.abc import Callable, Sequence
from pathlib import Path

from sparsine.errors import BadInput
from sparsine.signals.file_names import with_unique_names
from sparsine.signals.listing import Listing, OutOfReach
from sparsine.signals.paths import expanded, is_folder


def named_files(
    paths: Sequence[str | Path], list_files: Callable[[Path], Listing], what: str, known: str
) -> tuple[dict[str, Path], tuple[str, ...]]:
    """(files by unique names, what was passed over on the way).

    Args:
        what: each file is, such as "image"; `known`: names of the formats.

    Raises:
        BadInput: nothing was given, a folder holds no such file, or a file is given twice.
    """
    if not paths:
        raise BadInput(f"no {what} file was given; name {what} files, or folders of {what}s")
    found: list[tuple[str, Path]] = []
    notes: tuple[str, ...] = ()
    for path in map(expanded, paths):
        if not is_folder(path):
            found.append((path.name, path))
            continue
        try:
            listing = list_files(path)
        except BadInput as error:  # the others may do
            notes += (OutOfReach(f"{error}; it was passed over"),)
            continue
        if not listing.names and not listing.closed:
            others = "".join(f"; {note}" for note in listing.notes)
            raise BadInput(f"the folder {path} holds no {what} ({known}); name one that does{others}")
        found += [(name, path / name) for name in listing.names]
        notes += listing.notes
    if not found:
        raise BadInput(f"no {what} could be found: {'; '.join(notes)}")
    return with_unique_names(found, "file"), notes
