"""`images:DIR`: any folder of images."""

from functools import partial
from pathlib import Path

from sparsine.signals.cache import Cached
from sparsine.signals.dataset import SPLITS, Dataset
from sparsine.signals.formats import names_of_formats
from sparsine.signals.image_files import ImageFiles, common_size, require_readable
from sparsine.signals.kinds.image import Rgb
from sparsine.signals.listing import list_images
from sparsine.signals.resize import as_it_is, cover_crop
from sparsine.signals.source import SOURCES, of_pictures
from sparsine.signals.split_folder import split_files


def open_image_folder(spec: str, folder: Path, resolution: tuple[int, int] | None, seed: int) -> Dataset:
    """Image files below `folder`, RGB in [0, 1].

    Splits: see `split_files`.

    Raises:
        BadInput: too few images for three splits, no image at all, two folders for one split, images of several sizes
            without `resolution`, or no readable image.
    """
    names, how, notes = split_files(folder, list_images, "image", names_of_formats(), seed)
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


SOURCES["images"] = of_pictures(
    "images:DIR, any folder of images (PNG, JPEG, WebP, TIFF, BMP, AVIF, HEIC); its train/, val/ and test/ if present",
    open_image_folder,
)
