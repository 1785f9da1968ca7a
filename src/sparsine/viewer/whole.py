"""A signal that is not zoomed into: shown whole as its kind shows it, played, and measured beside its original."""

from collections.abc import Callable
from math import prod
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from sparsine.codec import FittedField
from sparsine.errors import BadInput
from sparsine.psnr import psnr_db
from sparsine.signals.grid import Grid
from sparsine.signals.kind import Kind, Media, Picture
from sparsine.signals.pictured import drawn_to_look_at, on_a_lattice
from sparsine.signals.weights import mean_square, weights_of
from sparsine.starts.start import Start
from sparsine.viewer.errors import NoPicture
from sparsine.viewer.originals import Original

SIDES = ("fitted", "original", "error")
PLAYED = ("audio/", "video/")
T = TypeVar("T")


def is_zoomed(start: Start) -> bool:
    """Whether codes of a start are pictures that one zooms into: samples along two axes, and coordinates alike."""
    return isinstance(start.domain, Grid) and start.domain.num_axes == 2


def drawn(field: FittedField, most: int) -> Float[np.ndarray, "*axes channels"]:
    """The field as it is looked at. Raises BadInput: of more than `most` samples."""
    shape = drawn_to_look_at(field.start.kind, field.domain)
    if prod(shape) > most:
        raise BadInput(
            f"the signal has {prod(shape):,} samples; up to {most:,} are shown here. sparsine decode draws it"
        )
    return field.render(shape)


def fitted_picture(field: FittedField, most: int) -> Picture:
    values, kind = drawn(field, most), field.start.kind
    return shown_by(kind, lambda: kind.picture(values))


def original_picture(field: FittedField, original: Original) -> Picture:
    kind = field.start.kind
    values = on_a_lattice(kind, field.domain, original.values, original.coords)
    return shown_by(kind, lambda: kind.picture(values))


def error_picture(field: FittedField, original: Original) -> Picture:
    kind = field.start.kind
    both = [
        on_a_lattice(kind, field.domain, values, original.coords) for values in (original.values, at(field, original))
    ]
    return shown_by(kind, lambda: kind.error_picture(*both))


def measured(field: FittedField, original: Original) -> list[dict[str, Any]]:
    """PSNR and what else the kind measures: label and value of each; None where there is none."""
    kind, fitted = field.start.kind, at(field, original)
    weights = weights_of(field.domain, original.values)
    psnr = {"label": "PSNR (dB)", "value": psnr_db(mean_square(original.values, fitted, weights), kind.peak)}
    others = ({"label": m.label, "value": m.measure(original.values, fitted, weights)} for m in kind.metrics)
    return [psnr, *others]


def at(field: FittedField, original: Original) -> Float[np.ndarray, "*axes channels"]:
    """The field at the samples of the original."""
    return field.render() if original.coords is None else field(original.coords)


def played(kind: Kind, values: Float[np.ndarray, "*axes channels"]) -> Media | None:
    """What a browser can play of a signal; None where that is nothing."""
    media = shown_by(kind, lambda: kind.media(values))
    return media if media is not None and media.mime.startswith(PLAYED) else None


def shown_by(kind: Kind, show: Callable[[], T]) -> T:
    """What a kind answers; it may be a user's own. Raises NoPicture: it does not show such signals."""
    try:
        return show()
    except MemoryError:
        raise
    except Exception as error:
        raise NoPicture(
            f"signals of kind {kind.name} are not shown here ({str(error) or type(error).__name__})"
        ) from error


def within(picture: Picture, edge: int) -> UInt8[np.ndarray, "fewer_rows fewer_columns 3"]:
    """A picture in at most `edge` x `edge` pixels; a small one in whole multiples, so that its samples are squares."""
    rows, columns = picture.shape[:2]
    times = edge // max(rows, columns)
    if times:
        return picture.repeat(times, axis=0).repeat(times, axis=1)
    image = Image.fromarray(np.ascontiguousarray(picture))
    image.thumbnail((edge, edge), Image.Resampling.LANCZOS)
    return np.asarray(image)
