"""`images:DIR`: any folder of images."""

from functools import partial
from pathlib import Path

from sparsine.counted import counted
from sparsine.errors import BadInput
from sparsine.signals.cache import Cached
from sparsine.signals.dataset import SPLITS, Dataset
from sparsine.signals.formats import names_of_formats
from sparsine.signals.image_files import ImageFiles, common_size, require_readable
from sparsine.signals.kinds.image import Rgb
from sparsine.signals.listing import list_images
from sparsine.signals.own_folders import is_own
from sparsine.signals.resize import as_it_is, cover_crop
from sparsine.signals.splits import hold_out, split_folders, tenth


def open_image_folder(spec: str, folder: Path, resolution: tuple[int, int] | None, seed: int) -> Dataset:
    """Image files below `folder`, RGB in [0, 1].

    Splits: the subfolders of their names (`split_folders`) where there are such. Where one for val or test is missing,
    a seeded tenth of the training images takes its place, as long as there are enough. With a training folder only
    these three are read; without one, everything outside val and test trains. With none of them: a seeded 80/10/10
    split.

    Raises:
        BadInput: too few images for three splits, no image at all, two folders for one split, images of several sizes
            without `resolution`, or no readable image.
    """
    own = split_folders(folder) if folder.is_dir() else {}
    own = {split: name for split, name in own.items() if not is_own(folder / name)}
    names, notes = _listed(folder, own)
    if not any(names.values()):
        passed_over = "".join(f"; {note}" for note in notes)
        raise BadInput(f"{folder} holds no image ({names_of_formats()}); give a folder that does{passed_over}")
    names, how = _split(folder, names, own, seed)
    paths = [folder / name for split in SPLITS for name in names[split]]
    if resolution is None:
        shape, resized = common_size(paths, folder), "at the size of the files"
    else:
        require_readable(paths, folder)
        shape, resized = resolution, f"resized to cover {resolution[0]} x {resolution[1]} and centre-cropped"

    prepare = as_it_is if resolution is None else partial(cover_crop, shape=resolution)
    train, val, test = (Cached(ImageFiles({n: folder / n for n in names[split]}, shape, prepare)) for split in SPLITS)
    return Dataset(
        spec=spec,
        source="images",
        shape=shape,
        num_channels=3,
        kind=Rgb(),
        description=f"Images from the folder {folder.name}, {resized}; {how}.",
        train=train,
        val=val,
        test=test,
        notes=notes,
    )


def _listed(folder: Path, own: dict[str, str]) -> tuple[dict[str, list[str]], tuple[str, ...]]:
    """Names per split that lies in the folder, and what was passed over."""
    listings = {split: list_images(folder / name) for split, name in own.items()}
    names = {split: [f"{own[split]}/{name}" for name in listing.names] for split, listing in listings.items()}
    outside = list_images(folder, skip=list(own.values()))
    notes = tuple(note for listing in (*listings.values(), outside) for note in listing.notes)
    notes += tuple(f"{listing.folder} holds no image" for listing in listings.values() if not listing.names)
    if "train" not in own:
        return {"train": outside.names, **names}, notes
    if outside.names:
        notes += (f"{folder}: {counted(len(outside.names), 'image')} outside {', '.join(own.values())} left out",)
    return names, notes


def _split(
    folder: Path, names: dict[str, list[str]], own: dict[str, str], seed: int
) -> tuple[dict[str, list[str]], str]:
    """Names per split, and a few words on how they were made."""
    total, missing = len(names["train"]), [split for split in SPLITS if split not in names]
    if not own and total < len(SPLITS):
        raise BadInput(
            f"{folder} holds {counted(total, 'image')}, but train, val and test need at least 3, one for each"
        )
    for split in missing:
        count = tenth(total) if total > len(missing) else 0
        names["train"], names[split] = hold_out(names["train"], count, seed)
    if not missing or total <= len(missing):
        return names, f"its own {_joined([split for split in SPLITS if split in own])} folder{'s' * (len(own) > 1)}"
    return names, f"{_joined(missing)} taken from the training images by seed {seed}, a tenth each"


def _joined(words: list[str]) -> str:
    """'train, val and test'."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
