"""`imagenette:DIR`: ten classes of ImageNet photographs."""

from functools import partial
from pathlib import Path

from PIL import Image

from sparsine.errors import BadInput, UnreadableSignal
from sparsine.signals.cache import Cached
from sparsine.signals.dataset import MAX_SAMPLES_PER_AXIS, Dataset
from sparsine.signals.image_files import ImageFiles, require_readable
from sparsine.signals.kinds.image import Rgb
from sparsine.signals.listing import Listing, list_images
from sparsine.signals.resize import centre_crop, cover_crop, resize_shorter_side
from sparsine.signals.source import SOURCES, of_pictures
from sparsine.signals.splits import hold_out, validation_count

SHORTER_SIDE = 200
CROP = (178, 178)


def open_imagenette(spec: str, folder: Path, resolution: tuple[int, int] | None, seed: int) -> Dataset:
    """DIR/train/<wnid>/* and DIR/val/<wnid>/*, RGB in [0, 1].

    The shorter side becomes 200 pixels (bilinear), the centre 178 x 178 is cropped; `resolution` resizes that crop.
    Imagenette has two splits: its val is our test, and min(100, 10 %) of its train, by seed, are our val.

    Raises:
        BadInput: there is no image in either.
    """
    listings = [_listed(folder / split) for split in ("train", "val")]
    names, tests = (listing.names for listing in listings)
    if not names and not tests:
        raise BadInput(f"{folder} holds no image in train/<class>/ or val/<class>/, as an Imagenette folder does")
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


def _listed(folder: Path) -> Listing:
    return list_images(folder) if folder.is_dir() else Listing(folder, [])


SOURCES["imagenette"] = of_pictures(
    "imagenette:DIR, train/<class>/* and val/<class>/*; shorter side 200, centre crop 178 x 178",
    open_imagenette,
)
