"""Image files on disk as a set of signals."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import final

import numpy as np
from jaxtyping import Float
from PIL import Image

from sparsine.counted import counted
from sparsine.errors import BadInput, SeveralSizes, UnreadableSignal
from sparsine.signals.cache import Cached
from sparsine.signals.dataset import SignalSet, check_index, check_resolution
from sparsine.signals.decode import read_image, read_size, to_values
from sparsine.signals.fingerprint import fingerprint_file
from sparsine.signals.formats import names_of_formats
from sparsine.signals.listing import list_images
from sparsine.signals.named_files import named_files
from sparsine.signals.resize import as_it_is, cover_crop

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
        """`paths` gives each signal its name; the order is kept. `shape` is what all must have, if anything; without
        one, `prepare` must leave sizes alone."""
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

    def shape_of(self, index: int) -> tuple[int, ...] | None:
        check_index(index, len(self))
        if self._shape is not None:
            return self._shape
        with suppress(UnreadableSignal):  # is reported when it is loaded
            return read_size(self._paths[index])
        return None

    def fingerprint(self, index: int) -> str:
        check_index(index, len(self))
        return fingerprint_file(self._paths[index])


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
        SeveralSizes: two differ (both are named).
        BadInput: none is readable.
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
            raise SeveralSizes(
                f"the images differ in size: {first[0]} is {_size(first[1])} and {path} is {_size(size)} "
                f"(rows x columns); pass --resolution HxW to bring them to one"
            )
    assert first is not None
    return first[1]


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[0]} x {shape[1]}"


def open_image_files(paths: Sequence[str | Path], shape: tuple[int, ...] | None, num_channels: int) -> SignalSet:
    """Image files, and folders of them, each resized to cover `shape` (rows, columns) and centre-cropped; without a
    shape each at its own size (then nothing is held in memory once it was handed out).

    A file that is missing or broken raises UnreadableSignal when it is loaded, not here. Folders that cannot be listed
    and files of other kinds are passed over; `notes` of what is returned says which.

    Raises:
        BadInput: nothing was given, a folder holds no image, a file is given twice, or `num_channels` is not 3.
    """
    if num_channels != 3:
        raise BadInput(
            f"image files give 3 channels (RGB), but signals of {counted(num_channels, 'channel')} are wanted; use a "
            "start that was learned on images"
        )
    named, notes = named_files(paths, list_images, "image", names_of_formats())
    if shape is None:
        return ImageFiles(named, None, as_it_is, notes)
    rows_columns = check_resolution(shape)
    return Cached(ImageFiles(named, rows_columns, partial(cover_crop, shape=rows_columns), notes))
