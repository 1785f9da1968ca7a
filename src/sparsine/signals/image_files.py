"""Image files on disk as a set of signals, and the listing of a folder."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
from jaxtyping import Float
from PIL import Image

from sparsine.errors import BadInput, UnreadableSignal
from sparsine.signals.dataset import SignalSet, check_index
from sparsine.signals.decode import IMAGE_SUFFIXES, read_image, read_size, to_values
from sparsine.signals.fingerprint import fingerprint_file
from sparsine.signals.own_folders import is_own, left_out

Prepare = Callable[[Image.Image], Image.Image]
"""Crops and resizes one upright image. Raises UnreadableSignal with the reason alone. No lambda and no inner function:
processes that read for us get it as a pickle."""


@final
class ImageFiles(SignalSet):
    """One signal per file, float32 RGB in [0, 1], all of one shape (rows, columns), or each of its own."""

    fingerprint_loads = False

    def __init__(
        self, paths: dict[str, Path], shape: tuple[int, int] | None, prepare: Prepare, notes: Sequence[str] = ()
    ) -> None:
        """`paths` gives each signal its name; the order is kept. `shape` is what all must have, if anything."""
        self.notes = tuple(notes)
        self._names = list(paths)
        self._paths = list(paths.values())
        self._shape = shape
        self._prepare = prepare

    def __len__(self) -> int:
        return len(self._names)

    def name(self, index: int) -> str:
        check_index(index, len(self))
        return self._names[index]

    def load(self, index: int) -> Float[np.ndarray, "rows columns 3"]:
        check_index(index, len(self))
        path = self._paths[index]
        image = read_image(path)
        try:
            values = to_values(self._prepare(image))
        except UnreadableSignal as error:
            raise UnreadableSignal(f"{path}: {error}") from error
        if self._shape is not None and values.shape[:2] != self._shape:
            raise UnreadableSignal(f"{path}: it is {_size(values.shape)} pixels, the data set is {_size(self._shape)}")
        return values

    def fingerprint(self, index: int) -> str:
        check_index(index, len(self))
        return fingerprint_file(self._paths[index])


@dataclass(frozen=True)
class Listing:
    """What was found in a folder."""

    names: list[str]
    """Relative to it, sorted."""
    notes: tuple[str, ...] = ()
    """What was left out, a sentence each."""


def list_images(folder: Path, skip: Sequence[str] = ()) -> Listing:
    """The image files below `folder`. Links are followed; hidden files, hidden folders, folders that hold what this
    package wrote (runs, codes, drawings) and the top folders named in `skip` are not.

    Raises:
        BadInput: `folder` is missing, is a file or cannot be listed.
    """
    if not folder.is_dir():
        found = "is a file" if folder.exists() else "does not exist"
        raise BadInput(f"{folder} {found}; give the path of a folder of images")
    names, seen, own = [], set(), []
    for where, folders, files in os.walk(folder, onerror=_refuse, followlinks=True):
        real = os.path.realpath(where)
        top = Path(where) == folder
        folders[:] = [f for f in folders if not f.startswith(".") and not (top and f in skip)]
        if real in seen:  # a link that leads back
            folders[:] = []
            continue
        seen.add(real)
        if not top and is_own(Path(where), {*folders, *files}):
            own.append(Path(where).relative_to(folder).as_posix())
            folders[:] = []
            continue
        names += [
            Path(where, file).relative_to(folder).as_posix()
            for file in files
            if not file.startswith(".") and Path(file).suffix.lower() in IMAGE_SUFFIXES
        ]
    return Listing(sorted(names), left_out(own))


def require_readable(paths: Sequence[Path], folder: Path) -> None:
    """Raises BadInput unless at least one of `paths` has the header of a usable image."""
    reason = ""
    for path in paths:
        try:
            read_size(path)
            return
        except UnreadableSignal as error:
            reason = reason or str(error)
    raise BadInput(f"none of the {len(paths)} image files of {folder} can be read; the first says: {reason}")


def common_size(paths: Sequence[Path], folder: Path) -> tuple[int, int]:
    """The (rows, columns) that all readable images share, from their headers.

    Raises:
        BadInput: two differ (both are named), or none is readable.
    """
    require_readable(paths, folder)
    first: tuple[Path, tuple[int, int]] | None = None
    for path in paths:
        try:
            size = read_size(path)
        except UnreadableSignal:
            continue  # is reported when it is loaded
        if first is None:
            first = (path, size)
        elif size != first[1]:
            raise BadInput(
                f"the images differ in size: {first[0]} is {_size(first[1])} and {path} is {_size(size)} "
                f"(rows x columns); pass --resolution HxW to bring them to one"
            )
    assert first is not None
    return first[1]


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[0]} x {shape[1]}"


def _refuse(error: OSError) -> None:
    raise BadInput(f"cannot list {error.filename}: {error.strerror or error}") from error
