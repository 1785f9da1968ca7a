"""The door: a data set from its spec, or a few files of one's own."""

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from sparsine.counted import counted
from sparsine.errors import BadInput
from sparsine.signals.cache import Cached
from sparsine.signals.celeba import open_celeba
from sparsine.signals.curves import open_curves
from sparsine.signals.dataset import Dataset, SignalSet, check_resolution
from sparsine.signals.file_names import with_unique_names
from sparsine.signals.formats import names_of_formats
from sparsine.signals.image_files import ImageFiles
from sparsine.signals.image_folder import open_image_folder
from sparsine.signals.imagenette import open_imagenette
from sparsine.signals.listing import list_images
from sparsine.signals.resize import as_it_is, cover_crop
from sparsine.signals.sdf2d import open_sdf2d

_KINDS = {
    "images": "images:DIR, any folder of images (PNG, JPEG, WebP, TIFF, BMP, AVIF, HEIC); its train/, val/ and test/ "
    "if present",
    "celeba": "celeba:DIR, img_align_celeba/*.jpg and list_eval_partition.txt; centre crop 178 x 178",
    "imagenette": "imagenette:DIR, train/<class>/* and val/<class>/*; shorter side 200, centre crop 178 x 178",
    "sdf2d": "sdf2d:FILE.npz, Learnit's 2-D signed distance fields (train_data, test_data)",
    "curves": "curves, curves:SEED or curves:SEED/COUNT, built-in signed distance fields of random closed curves, "
    "COUNT of them to train with; needs no files",
}


def dataset_kinds() -> dict[str, str]:
    """Each kind of data set with one line of help."""
    return dict(_KINDS)


def open_dataset(spec: str, *, resolution: Sequence[int] | None = None, seed: int = 0) -> Dataset:
    """Open the data set that `spec` names, such as "images:photos" or "curves".

    Args:
        spec: KIND:PATH; see `dataset_kinds`, and the `open_...` function of each kind for its layout and splits.
        resolution: (rows, columns) to bring every signal to: resized to cover, then centre-cropped.
        seed: chooses held-out signals where the data set has no such split of its own, and the curves.

    Raises:
        BadInput: the spec, the resolution, the seed or what lies at the path; always one line on what to do.

    Example:
        >>> open_dataset("curves", resolution=(5, 3)).test.load(2).shape
        (5, 3, 1)
    """
    kind, colon, path = spec.strip().partition(":")
    if kind not in _KINDS or (kind != "curves" and not path.strip()) or (colon and not path.strip()):
        raise BadInput(f"the data set {spec!r} is not known; use one of: " + "; ".join(_KINDS.values()))
    if resolution is not None:
        resolution = check_resolution(resolution)
    if seed < 0:
        raise BadInput(f"the seed of the data set is {seed}; use 0 or more")
    try:
        return _open(kind, spec, path.strip(), resolution, seed)
    except OSError as error:  # a name too long, a folder that may not be entered
        raise BadInput(f"cannot open the data set {spec[:200]!r}: {error.strerror or error}") from error


def absolute_spec(spec: str) -> str:
    """The same data set from whichever folder it is asked for: its path in full."""
    kind, place = _path_of(spec)
    return spec if place is None else f"{kind}:{place.absolute()}"


def is_there(spec: str) -> bool:
    """Whether something lies where `spec` says; True for what needs no files."""
    place = _path_of(spec)[1]
    return place is None or place.exists()


def _path_of(spec: str) -> tuple[str, Path | None]:
    """(kind, where its files lie); None for a kind without files, or one that only its maker knows."""
    kind, _, path = spec.strip().partition(":")
    has_files = kind in _KINDS and kind != "curves" and path.strip()
    return kind, expanded(path.strip()) if has_files else None


def open_files(paths: Sequence[str | Path], *, shape: tuple[int, ...] | None, num_channels: int) -> SignalSet:
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
    if not paths:
        raise BadInput("no image file was given; name image files, or folders of images")
    found, notes = _found([expanded(str(path)) for path in paths])
    named = with_unique_names(found, "file")
    if shape is None:
        return ImageFiles(named, None, as_it_is, notes)
    rows_columns = check_resolution(shape)
    return Cached(ImageFiles(named, rows_columns, partial(cover_crop, shape=rows_columns), notes))


def _found(paths: Sequence[Path]) -> tuple[list[tuple[str, Path]], tuple[str, ...]]:
    """(name, file) of the files, and of the images of folders; and what was passed over."""
    found: list[tuple[str, Path]] = []
    notes: tuple[str, ...] = ()
    for path in paths:
        if not _is_folder(path):
            found.append((path.name, path))
            continue
        try:
            listing = list_images(path)
        except BadInput as error:  # the others may do
            notes += (f"{error}; it was passed over",)
            continue
        if not listing.names and not listing.closed:
            told = "".join(f"; {note}" for note in listing.notes)
            raise BadInput(f"the folder {path} holds no image ({names_of_formats()}); name one that does{told}")
        found += [(name, path / name) for name in listing.names]
        notes += listing.notes
    if not found:
        raise BadInput(f"no image could be found: {'; '.join(notes)}")
    return found, notes


def _open(kind: str, spec: str, path: str, resolution: tuple[int, int] | None, seed: int) -> Dataset:
    if kind == "images":
        return open_image_folder(spec, expanded(path), resolution, seed)
    if kind == "celeba":
        return open_celeba(spec, expanded(path), resolution)
    if kind == "imagenette":
        return open_imagenette(spec, expanded(path), resolution, seed)
    if kind == "sdf2d":
        return open_sdf2d(spec, expanded(path), resolution, seed)
    return open_curves(spec, resolution, *_seed_and_count(spec, path, seed))


def _seed_and_count(spec: str, path: str, seed: int) -> tuple[int, int | None]:
    """'3/500' as (3, 500), '3' as (3, None), '' as (seed, None)."""
    given, slash, count = path.partition("/")
    parts = [given] * bool(path) + [count] * bool(slash)
    if any(not (part.isascii() and part.isdigit() and len(part) <= 18) for part in parts):
        raise BadInput(
            f"the data set {spec[:200]!r} has no valid seed; use curves, curves:SEED or curves:SEED/COUNT, whole "
            f"numbers from 0, of at most 18 digits"
        )
    return int(given) if path else seed, int(count) if slash else None


def _is_folder(path: Path) -> bool:
    """False where the system will not say: loading the file then tells why."""
    with suppress(OSError):
        return path.is_dir()
    return False


def expanded(path: str) -> Path:
    """`~/x` leads home."""
    try:
        return Path(path).expanduser()
    except RuntimeError:  # "~nobody": no such home, so the name is taken as it is
        return Path(path)
