"""`imagenette:DIR`: ten classes of ImageNet photographs."""

from functools import partial
from pathlib import Path

from PIL import Image

from sparsine.counted import counted
from sparsine.errors import BadInput, UnreadableSignal
from sparsine.signals.cache import Cached
from sparsine.signals.dataset import MAX_SAMPLES_PER_AXIS, Dataset
from sparsine.signals.image_files import ImageFiles, Listing, list_images, require_readable
from sparsine.signals.kinds.image import Rgb
from sparsine.signals.resize import centre_crop, cover_crop, resize_shorter_side
from sparsine.signals.splits import hold_out, validation_count

SHORTER_SIDE = 200
CROP = (178, 178)


def open_imagenette(spec: str, folder: Path, resolution: tuple[int, int] | None, seed: int) -> Dataset:
    """DIR/train/<wnid>/* and DIR/val/<wnid>/*, RGB in [0, 1].

    The shorter side becomes 200 pixels (bilinear), the centre 178 x 178 is cropped; `resolution` resizes that crop.
    Imagenette has two splits: its val is our test, and min(100, 10 %) of its train, by seed, are our val.

    Raises:
        BadInput: a folder is missing or holds too few images.
    """
    listings = [_list(folder / split, least) for split, least in (("train", 2), ("val", 1))]
    names, tests = (listing.names for listing in listings)
    require_readable([*(folder / "train" / n for n in names), *(folder / "val" / n for n in tests)], folder)
    trains, vals = hold_out(names, validation_count(len(names)), seed)
    shape = resolution or CROP
    prepare = partial(_cropped, shape=shape)
    train, val, test = (
        Cached(ImageFiles({name: folder / split / name for name in chosen}, shape, prepare))
        for split, chosen in (("train", trains), ("train", vals), ("val", tests))
    )
    resized = "" if shape == CROP else f", resized to {shape[0]} x {shape[1]}"
    return Dataset(
        spec=spec,
        source="imagenette",
        shape=shape,
        num_channels=3,
        kind=Rgb(),
        description=f"Imagenette, shorter side to 200 pixels, centre 178 x 178{resized}; its val is the "
        f"test split, {len(vals)} of its training images (seed {seed}) are val.",
        train=train,
        val=val,
        test=test,
        notes=tuple(note for listing in listings for note in listing.notes),
    )


def _cropped(image: Image.Image, shape: tuple[int, int]) -> Image.Image:
    if SHORTER_SIDE * max(image.size) > MAX_SAMPLES_PER_AXIS * min(image.size):
        raise UnreadableSignal(f"it is {image.height} x {image.width} pixels, too elongated for a square crop")
    return cover_crop(centre_crop(resize_shorter_side(image, SHORTER_SIDE), CROP), shape)


def _list(folder: Path, least: int) -> Listing:
    listing = list_images(folder) if folder.is_dir() else Listing([])
    if len(listing.names) < least:
        raise BadInput(
            f"{folder} holds {counted(len(listing.names), 'image')}, and at least {least} are needed; "
            f"an Imagenette folder holds train/<class>/ and val/<class>/"
        )
    return listing
