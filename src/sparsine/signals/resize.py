"""Resizing and cropping. One filter everywhere: bilinear, widened when shrinking so that nothing aliases."""

import numpy as np
from jaxtyping import Float
from PIL import Image

BILINEAR = Image.Resampling.BILINEAR


def cover_crop(image: Image.Image, shape: tuple[int, int]) -> Image.Image:
    """Resize so that `shape` (rows, columns) is covered, and crop its centre.

    Crops first, to fractions of a pixel, which is the same and never makes a huge image of an elongated one.
    """
    rows, columns = shape
    if image.size == (columns, rows):
        return image
    scale = min(image.width / columns, image.height / rows)  # source pixels per sample
    width, height = scale * columns, scale * rows
    left, top = (image.width - width) / 2, (image.height - height) / 2
    box = (max(left, 0.0), max(top, 0.0), min(left + width, image.width), min(top + height, image.height))
    return image.resize((columns, rows), BILINEAR, box=box)


def as_it_is(image: Image.Image) -> Image.Image:
    """Neither resized nor cropped."""
    return image


def centre_crop(image: Image.Image, shape: tuple[int, int]) -> Image.Image:
    """The middle of the image, with the rounding of torchvision's CenterCrop. It must be large enough."""
    rows, columns = shape
    left, top = round((image.width - columns) / 2), round((image.height - rows) / 2)
    return image.crop((left, top, left + columns, top + rows))


def resize_shorter_side(image: Image.Image, num_pixels: int) -> Image.Image:
    """Keep the aspect ratio, with the rounding of torchvision's Resize."""
    short, long = sorted(image.size)
    other = int(num_pixels * long / short)
    size = (num_pixels, other) if image.width <= image.height else (other, num_pixels)
    return image if image.size == size else image.resize(size, BILINEAR)


def cover_crop_values(
    values: Float[np.ndarray, "rows columns channels"], shape: tuple[int, int]
) -> Float[np.ndarray, "new_rows new_columns channels"]:
    """`cover_crop` for an array of any number of channels, in float32."""
    planes = [
        np.asarray(cover_crop(Image.fromarray(np.ascontiguousarray(plane, dtype=np.float32)), shape))
        for plane in np.moveaxis(values, -1, 0)
    ]
    return np.stack(planes, axis=-1)
