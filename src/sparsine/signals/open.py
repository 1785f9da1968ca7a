"""The door: a data set from its spec, or a few files of one's own."""

from collections.abc import Sequence
from pathlib import Path

import sparsine.signals.sources  # noqa: F401 (enters the package's own)
from sparsine.errors import BadInput, UnknownName
from sparsine.signals.dataset import Dataset, SignalSet
from sparsine.signals.image_files import open_image_files
from sparsine.signals.paths import expanded
from sparsine.signals.places import path_of
from sparsine.signals.source import SOURCES


def dataset_kinds() -> dict[str, str]:
    """Each source of data sets with one line of help."""
    return {name: source.help for name, source in SOURCES.items()}


def specs() -> list[str]:
    """How the specs of each source are written, without what lies there: "images:DIR"."""
    return [source.help.partition(",")[0] for source in SOURCES.values()]


def open_dataset(spec: str, *, resolution: Sequence[int] | None = None, seed: int = 0) -> Dataset:
    """Open the data set that `spec` names, such as "images:photos" or "curves".

    Args:
        spec: SOURCE:PATH; see `dataset_kinds`, and the `open_...` function of each source for its layout and splits.
        resolution: samples along each axis to bring every signal to; pictures (rows, columns) are resized to cover,
            then centre-cropped.
        seed: chooses held-out signals where the data set has no such split of its own, and the curves.

    Raises:
        BadInput: the spec, the resolution, the seed or what lies at the path; always one line on what to do.

    Example:
        >>> open_dataset("curves", resolution=(5, 3)).test.load(2).shape
        (5, 3, 1)
    """
    name, colon, path = spec.strip().partition(":")
    source, path = SOURCES.get(name), path.strip()
    if source is None or (not path and (source.has_files or colon)):
        raise UnknownName(f"the data set {spec!r} is not known; use one of: {'; '.join(dataset_kinds().values())}")
    if seed < 0:
        raise BadInput(f"the seed of the data set is {seed}; use 0 or more")
    try:
        return source.open(spec, path, None if resolution is None else tuple(resolution), seed)
    except OSError as error:  # a name too long, a folder that may not be entered
        raise BadInput(f"cannot open the data set {spec[:200]!r}: {error.strerror or error}") from error


def size_for(spec: str, wanted: Sequence[int] | None) -> tuple[int, ...] | None:
    """`wanted`, where it has as many numbers as the signals of `spec` have axes, or one for all; else None, their own
    size: what a recipe says for pictures says nothing for sound, nor for what is taken as it is."""
    source = SOURCES.get(spec.strip().partition(":")[0])
    if source is not None and not source.resizes:
        return None
    if wanted is None or source is None or len(wanted) in (1, source.num_axes):
        return None if wanted is None else tuple(wanted)
    return None


def absolute_spec(spec: str) -> str:
    """The same data set from whichever folder it is asked for: its path in full."""
    kind, place = _path_of(spec)
    if place is None:
        return spec
    given = spec.strip().partition(":")[2].strip()
    options = given[len(path_of(given)) :] if SOURCES[kind].has_options else ""
    return f"{kind}:{place.absolute()}{options}"


def is_there(spec: str) -> bool:
    """Whether something lies where `spec` says; True for what needs no files."""
    place = _path_of(spec)[1]
    return place is None or place.exists()


def _path_of(spec: str) -> tuple[str, Path | None]:
    """(source, where its files lie); None for a source without files, or one that only its maker knows."""
    name, _, path = spec.strip().partition(":")
    path, source = path.strip(), SOURCES.get(name)
    if source is None or not source.has_files or not path:
        return name, None
    return name, expanded(path_of(path) if source.has_options else path)


def open_files(paths: Sequence[str | Path], *, shape: tuple[int, ...] | None, num_channels: int) -> SignalSet:
    """Image files, and folders of them: `image_files.open_image_files`. Files of other kinds are opened by their kind:
    `Kind.files`."""
    return open_image_files(paths, shape, num_channels)
