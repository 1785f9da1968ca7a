"""`images:DIR`: any folder of images."""

from functools import partial
from pathlib import Path

from sparsine.counted import counted
from sparsine.errors import BadInput
from sparsine.signals.cache import Cached
from sparsine.signals.dataset import Dataset
from sparsine.signals.image_files import ImageFiles, common_size, list_images, require_readable
from sparsine.signals.kinds.image import Rgb
from sparsine.signals.own_folders import is_own
from sparsine.signals.resize import as_it_is, cover_crop
from sparsine.signals.splits import hold_out, tenth

SPLITS = ("train", "val", "test")


def open_image_folder(spec: str, folder: Path, resolution: tuple[int, int] | None, seed: int) -> Dataset:
    """PNG, JPEG, WebP, TIFF and BMP files below `folder`, RGB in [0, 1].

    Splits: the subfolders `train`, `val` and `test` where they exist. Where `val` or `test` is missing, a seeded
    tenth of the training images takes its place. With a `train` folder only these three are read; without one,
    everything outside `val` and `test` trains. With none of them: a seeded 80/10/10 split.

    Raises:
        BadInput: too few images for three splits, an empty split folder, images of several sizes without
            `resolution`, or no readable image.
    """
    names, how, notes = _split(folder, seed)
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


def _split(folder: Path, seed: int) -> tuple[dict[str, list[str]], str, tuple[str, ...]]:
    """Names per split, a few words on how they were made, and what was left out."""
    present = [split for split in SPLITS if (folder / split).is_dir() and not is_own(folder / split)]
    listings = [(split, list_images(folder / split)) for split in present]
    names = {split: [f"{split}/{name}" for name in listing.names] for split, listing in listings}
    for split in present:
        if not names[split]:
            raise BadInput(f"{folder / split} holds no image; put images there or remove the folder")
    if "train" not in present:
        listings.append(("train", list_images(folder, skip=present)))
        names["train"] = listings[-1][1].names
    notes = tuple(note for _, listing in listings for note in listing.notes)
    missing = [split for split in SPLITS if split not in names]
    total = len(names["train"])
    if not total and not present:
        raise BadInput(f"{folder} holds no image (PNG, JPEG, WebP, TIFF or BMP); give a folder that does")
    if total < 1 + len(missing):
        raise BadInput(
            f"{folder} holds {counted(total, 'image')} for {', '.join(['train', *missing])}; "
            f"at least {1 + len(missing)} are needed, one for each"
        )
    for split in missing:
        names["train"], names[split] = hold_out(names["train"], tenth(total), seed)
    if not missing:
        return names, "its own train, val and test folders", notes
    how = f"{' and '.join(missing)} taken from the training images by seed {seed}, a tenth each"
    return names, how, notes
