"""The files of one kind below a folder, and what was passed over on the way: nothing is left out in silence."""

import os
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sparsine.errors import BadInput
from sparsine.folders import walk
from sparsine.signals.formats import readable_suffixes, what_reads
from sparsine.signals.own_folders import is_own, left_out

MOST_TOLD = 5
"""Of lines about folders that could not be listed."""


class OutOfReach(str):
    """A note on what could not be looked into. What was asked for may lie there, so not all of it is done."""


def all_in_reach(notes: Iterable[str]) -> bool:
    """Whether none of them is such a note."""
    return not any(isinstance(note, OutOfReach) for note in notes)


@dataclass(frozen=True)
class Listing:
    """What was found below `folder`."""

    folder: Path
    names: list[str]
    """Of these files, relative to the folder, sorted."""
    others: Counter[str] = field(default_factory=Counter)
    """Files of other kinds, by suffix; '' where there is none."""
    closed: list[str] = field(default_factory=list)
    """What could not be listed: 'path: reason'."""
    own: list[str] = field(default_factory=list)
    """Folders, relative to this one, that hold what this package wrote."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What was passed over, in lines to be shown."""
        unlisted = [OutOfReach(f"{line}; it was passed over") for line in self.closed[:MOST_TOLD]]
        more = len(self.closed) - len(unlisted)
        unlisted += [OutOfReach(f"... and {more} more could not be listed")] if more else []
        return (*unlisted, *left_out(self.own), *self._other_files())

    def _other_files(self) -> list[str]:
        if not self.others:
            return []
        count = self.others.total()
        suffixes = ", ".join(suffix or "none" for suffix, _ in self.others.most_common())
        files = "1 other file was" if count == 1 else f"{count} other files were"
        readers = "".join(f"; {suffix} needs: {needs}" for suffix in self.others if (needs := what_reads(suffix)))
        return [f"{self.folder}: {files} left out ({suffixes}){readers}"]


def list_images(folder: Path, skip: Sequence[str] = ()) -> Listing:
    """The image files below `folder`, as `list_files` finds them."""
    return list_files(folder, readable_suffixes(), "image", skip)


def list_files(
    folder: Path, suffixes: Collection[str], what: str, skip: Sequence[str] = (), *, own: bool = False,
    folders_too: Collection[str] = (),
) -> Listing:  # fmt: skip
    """The files below `folder` whose names end in one of `suffixes` (in lower case); `what` each of them is. Folders
    whose names end in one of `folders_too` count as files, and are not entered. Links are followed; hidden files,
    hidden folders, folders that hold what this package wrote (runs, codes, drawings; unless `own` says so) and the top
    folders named in `skip` are not. What cannot be listed is passed over, unless it is `folder` itself.

    Raises:
        BadInput: `folder` is missing, is a file or cannot be listed.
    """
    if not folder.is_dir():
        found = "is a file" if folder.exists() else "does not exist"
        raise BadInput(f"{folder} {found}; give the path of a folder of {what}s")
    listing, seen = Listing(folder, []), set()

    def pass_over(error: OSError) -> None:
        if Path(error.filename) == folder:
            raise BadInput(f"cannot list {folder}: {error.strerror or error}") from error
        listing.closed.append(f"cannot list {error.filename}: {error.strerror or error}")

    for where, folders, files in walk(folder, pass_over):
        real, top = os.path.realpath(where), Path(where) == folder
        folders[:] = [f for f in folders if not f.startswith(".") and not (top and f in skip)]
        if real in seen:  # a link that leads back
            folders[:] = []
            continue
        seen.add(real)
        whole = [f for f in folders if f.lower().endswith(tuple(folders_too))]
        listing.names.extend(Path(where, f).relative_to(folder).as_posix() for f in whole)
        folders[:] = [f for f in folders if f not in whole]
        if not (top or own) and is_own(Path(where), {*folders, *files}):
            listing.own.append(Path(where).relative_to(folder).as_posix())
            folders[:] = []
            continue
        for file in files:
            suffix = Path(file).suffix.lower()
            if file.startswith("."):
                continue
            if suffix in suffixes or (suffix and file.lower().endswith(tuple(suffixes))):
                listing.names.append(Path(where, file).relative_to(folder).as_posix())
            else:
                listing.others[suffix] += 1
    listing.names.sort()
    return listing
