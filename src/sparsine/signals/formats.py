"""Kinds of image files: which suffixes they have, and what reads them here: Pillow, or what plugs into it."""

from functools import cache
from importlib.util import find_spec
from typing import NamedTuple

from PIL import BmpImagePlugin, Image, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin, features

from sparsine.counted import in_words

_PLUGINS = (BmpImagePlugin, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin)
"""They enter themselves in `Image.OPEN` as they are imported."""


class Format(NamedTuple):
    """A kind of image file."""

    name: str
    """As Pillow calls it."""
    shown: str
    suffixes: tuple[str, ...]
    needs: str = ""
    """What reads it, where that is not always there."""


FORMATS = (
    Format("PNG", "PNG", (".png",)),
    Format("JPEG", "JPEG", (".jpg", ".jpeg")),
    Format("WEBP", "WebP", (".webp",)),
    Format("TIFF", "TIFF", (".tif", ".tiff")),
    Format("BMP", "BMP", (".bmp",)),
    Format("AVIF", "AVIF", (".avif",), "Pillow 11.3 or later, built with AVIF"),
    Format("HEIF", "HEIC", (".heic", ".heif", ".hif"), "pip install 'sparsine[heic]'"),
)
IMAGE_SUFFIXES = frozenset(suffix for each in FORMATS for suffix in each.suffixes)
"""Of all of them, whether they can be read here or not."""


def readable_suffixes() -> frozenset[str]:
    """Of the files that are taken from a folder."""
    return frozenset(suffix for each in FORMATS if _is_here(each.name) for suffix in each.suffixes)


def names_of_formats() -> str:
    """'PNG, JPEG, WebP, TIFF or BMP', and what else can be read here."""
    return in_words((each.shown for each in FORMATS if _is_here(each.name)), "or")


def what_reads(suffix: str) -> str:
    """What would have to be there for files of this suffix; '' where nothing is missing, or nothing would help."""
    return next((each.needs for each in FORMATS if suffix in each.suffixes and not _is_here(each.name)), "")


@cache
def plugins() -> tuple[str, ...]:
    """Names of the readers that are here, each entered in `Image.OPEN`."""
    if _is_here("AVIF"):
        from PIL import AvifImagePlugin  # noqa: F401 (enters itself)
    if _is_here("HEIF"):
        import pillow_heif

        pillow_heif.register_heif_opener()
    return tuple(each.name for each in FORMATS if each.name in Image.OPEN)


@cache
def _is_here(name: str) -> bool:
    if name == "AVIF":
        return "avif" in features.modules and bool(features.check("avif"))
    if name == "HEIF":
        return find_spec("pillow_heif") is not None
    return True
