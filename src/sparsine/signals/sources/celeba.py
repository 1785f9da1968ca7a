"""`celeba:DIR`: the aligned CelebA crops with their official split."""

import re
from functools import partial
from pathlib import Path

from PIL import Image

from sparsine.counted import counted
from sparsine.errors import BadInput, UnreadableSignal
from sparsine.signals.cache import Cached
from sparsine.signals.dataset import Dataset
from sparsine.signals.image_files import ImageFiles, require_readable
from sparsine.signals.kinds.image import Rgb
from sparsine.signals.listing import Listing, list_images
from sparsine.signals.resize import centre_crop, cover_crop
from sparsine.signals.source import SOURCES, of_pictures
from sparsine.storage import open_to_read

CROP = (178, 178)
IMAGE_FOLDER = "img_align_celeba"
PARTITION_FILES = ("list_eval_partition.txt", "list_eval_partition.csv")
"""The official one, and Kaggle's."""
_SPLIT_NAMES = {"0": "train", "1": "val", "2": "test"}
_LINE = re.compile(r"([^\s/\\,]+\.(?:jpg|jpeg|png))(?:\s+|\s*,\s*)([012])", re.IGNORECASE)
_KAGGLES_HEAD = "image_id,partition"


def open_celeba(spec: str, folder: Path, resolution: tuple[int, int] | None, seed: int = 0) -> Dataset:
    """DIR/img_align_celeba/*.jpg (178 x 218) and DIR/list_eval_partition.txt, or both as Kaggle packs them: the images
    one folder deeper, the list as .csv. RGB in [0, 1].

    The centre 178 x 178 is cropped; `resolution` resizes that crop. Files that the partition names and the folder
    lacks are left out, as long as one is there; so are those that no split has, and `notes` says how many.

    Raises:
        BadInput: a file or folder is missing, a line of the partition is malformed, no image is there.
    """
    images, partition = _image_folder(folder), _partition_file(folder)
    splits = _read_partition(partition)
    listing = list_images(images) if images.is_dir() else Listing(images, [])
    here = set(listing.names)
    splits = {split: sorted(name for name in names if name in here) for split, names in splits.items()}
    if not any(splits.values()):
        raise BadInput(f"{images} holds none of the images that {partition} lists{_elsewhere(folder, listing)}")
    require_readable([images / name for names in splits.values() for name in names], images)
    unlisted = len(here) - sum(map(len, splits.values()))
    notes = listing.notes
    if unlisted:
        notes += (f"{images}: {counted(unlisted, 'image')} in no split of {partition.name} left out",)
    shape = resolution or CROP

    prepare = partial(_cropped, shape=shape)
    train, val, test = (
        Cached(ImageFiles({name: images / name for name in splits[split]}, shape, prepare))
        for split in ("train", "val", "test")
    )
    resized = "" if shape == CROP else f", resized to {shape[0]} x {shape[1]}"
    return Dataset(
        spec=spec,
        source="celeba",
        shape=shape,
        num_channels=3,
        kind=Rgb(),
        description=f"CelebA aligned crops, centre 178 x 178{resized}; the official split.",
        train=train,
        val=val,
        test=test,
        notes=notes,
    )


def _cropped(image: Image.Image, shape: tuple[int, int]) -> Image.Image:
    if image.width < CROP[1] or image.height < CROP[0]:
        raise UnreadableSignal(f"it is {image.height} x {image.width} pixels, smaller than the 178 x 178 crop")
    return cover_crop(centre_crop(image, CROP), shape)


def _image_folder(folder: Path) -> Path:
    """Where the images lie: Kaggle's archive has a folder of the same name within the folder."""
    images = folder / IMAGE_FOLDER
    deeper = images / IMAGE_FOLDER
    return deeper if deeper.is_dir() and not any(images.glob("*.jpg")) else images


def _partition_file(folder: Path) -> Path:
    paths = [folder / name for name in PARTITION_FILES]
    return next((path for path in paths if path.exists()), paths[0])


def _elsewhere(folder: Path, listing: Listing) -> str:
    """Where they may be instead: archives are unpacked into folders of folders."""
    if listing.names:
        return f", but others such as {listing.names[0]}; the images lie in {IMAGE_FOLDER} itself"
    deeper = sorted(path.parent for path in folder.glob(f"*/{IMAGE_FOLDER}"))
    return f"; there is {deeper[0] / IMAGE_FOLDER}, so give celeba:{deeper[0]}" if deeper else ""


def _read_partition(path: Path) -> dict[str, list[str]]:
    try:
        with open_to_read(path) as file:
            lines = file.read().decode("utf-8-sig").splitlines()  # Windows writes a byte-order mark before the first
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text in UTF-8"
        deeper = _elsewhere(path.parent, Listing(path.parent, []))
        raise BadInput(
            f"cannot read {path}: {reason}; a CelebA folder holds {IMAGE_FOLDER}/ and {' or '.join(PARTITION_FILES)}"
            f"{deeper}"
        ) from error
    split_of: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or (number == 1 and line.strip() == _KAGGLES_HEAD):
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise BadInput(f"{path}, line {number}: {line[:80]!r} was found where 'NNNNNN.jpg 0' (or 1, 2) is expected")
        if match[1] in split_of:
            raise BadInput(f"{path}, line {number}: {match[1]} is listed twice; each image belongs to one split")
        split_of[match[1]] = _SPLIT_NAMES[match[2]]
    return {split: [name for name, its in split_of.items() if its == split] for split in _SPLIT_NAMES.values()}


SOURCES["celeba"] = of_pictures(
    "celeba:DIR, img_align_celeba/*.jpg and list_eval_partition.txt; centre crop 178 x 178",
    open_celeba,
)
