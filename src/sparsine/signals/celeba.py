"""`celeba:DIR`: the aligned CelebA crops with their official split."""

import re
from functools import partial
from pathlib import Path

from PIL import Image

from sparsine.errors import BadInput, UnreadableSignal
from sparsine.signals.cache import Cached
from sparsine.signals.dataset import Dataset
from sparsine.signals.image_files import ImageFiles, list_images, require_readable
from sparsine.signals.kinds.image import Rgb
from sparsine.signals.resize import centre_crop, cover_crop

CROP = (178, 178)
IMAGE_FOLDER, PARTITION_FILE = "img_align_celeba", "list_eval_partition.txt"
_SPLIT_NAMES = {"0": "train", "1": "val", "2": "test"}
_LINE = re.compile(r"([^\s/\\]+\.(?:jpg|jpeg|png))\s+([012])", re.IGNORECASE)


def open_celeba(spec: str, folder: Path, resolution: tuple[int, int] | None) -> Dataset:
    """DIR/img_align_celeba/*.jpg (178 x 218) and DIR/list_eval_partition.txt, RGB in [0, 1].

    The centre 178 x 178 is cropped; `resolution` resizes that crop. Files that the partition names and the folder
    lacks are left out, as long as every split keeps one.

    Raises:
        BadInput: a file or folder is missing, a line of the partition is malformed, a split is empty.
    """
    images, partition = folder / IMAGE_FOLDER, folder / PARTITION_FILE
    splits = _read_partition(partition)
    here = set(list_images(images).names) if images.is_dir() else set()
    splits = {split: sorted(name for name in names if name in here) for split, names in splits.items()}
    for split, names in splits.items():
        if not names:
            raise BadInput(
                f"{images} holds none of the images that {partition} lists for {split}; every split needs at least one"
            )
    require_readable([images / name for names in splits.values() for name in names], images)
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
    )


def _cropped(image: Image.Image, shape: tuple[int, int]) -> Image.Image:
    if image.width < CROP[1] or image.height < CROP[0]:
        raise UnreadableSignal(f"it is {image.height} x {image.width} pixels, smaller than the 178 x 178 crop")
    return cover_crop(centre_crop(image, CROP), shape)


def _read_partition(path: Path) -> dict[str, list[str]]:
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise BadInput(
            f"cannot read {path}: {reason}; a CelebA folder holds {IMAGE_FOLDER}/ and {PARTITION_FILE}"
        ) from error
    split_of: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise BadInput(f"{path}, line {number}: {line[:80]!r} was found where 'NNNNNN.jpg 0' (or 1, 2) is expected")
        if match[1] in split_of:
            raise BadInput(f"{path}, line {number}: {match[1]} is listed twice; each image belongs to one split")
        split_of[match[1]] = _SPLIT_NAMES[match[2]]
    return {split: [name for name, its in split_of.items() if its == split] for split in _SPLIT_NAMES.values()}
