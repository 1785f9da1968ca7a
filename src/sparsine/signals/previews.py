"""Pictures of signals of any rank, for kinds that have no better way: a curve, a plane, slices of a volume."""

from collections.abc import Callable
from math import ceil, isfinite, sqrt

import numpy as np
from jaxtyping import Float, UInt8

from sparsine.signals.pictures import side_by_side, to_bytes, with_not_finite

CURVE_ROWS, CURVE_COLUMNS = 96, 384
MOST_SLICES = 6
_COLOURS = np.array([[31, 119, 180], [217, 95, 2], [44, 140, 70], [148, 103, 189]], dtype=np.uint8)


def preview(
    values: Float[np.ndarray, "*axes channels"], value_range: tuple[float, float]
) -> UInt8[np.ndarray, "rows columns 3"]:
    """One axis as curves, one a channel; two as a plane; of more some slices beside each other. A range that is not
    finite is that of the values."""
    low, high = value_range if all(map(isfinite, value_range)) else _range(values)
    if values.ndim == 2:
        return curves(values, low, high)
    if values.ndim == 3:
        return _plane((values - low) / (high - low))
    return _slices((values - low) / (high - low))


def curves(
    values: Float[np.ndarray, "samples channels"], low: float, high: float, rows: int = CURVE_ROWS,
    columns: int = CURVE_COLUMNS,
) -> UInt8[np.ndarray, "rows columns 3"]:  # fmt: skip
    """Each channel from its lowest to its highest value within every column: what a waveform display shows."""
    picture = np.full((rows, columns, 3), 255, dtype=np.uint8)
    if low <= 0 <= high:
        picture[_row(0.0, low, high, rows)] = 225
    edges = np.linspace(0, len(values), columns + 1)
    for channel, colour in zip(range(values.shape[1]), _COLOURS, strict=False):
        for column in range(columns):
            first = min(int(edges[column]), len(values) - 1)
            part = values[first : max(ceil(edges[column + 1]), first + 1), channel]
            if not np.isfinite(part).all():
                picture[:, column] = (255, 0, 255)
                continue
            top, bottom = _row(float(part.max()), low, high, rows), _row(float(part.min()), low, high, rows)
            picture[top : bottom + 1, column] = colour
    return picture


def _row(value: float, low: float, high: float, rows: int) -> int:
    return round((rows - 1) * float(np.clip((high - value) / (high - low), 0.0, 1.0)))


def _range(values: np.ndarray) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _plane(values: Float[np.ndarray, "rows columns channels"]) -> UInt8[np.ndarray, "rows columns 3"]:
    """Three channels as colours; of any other number the mean as brightness."""

    def colours(finite: np.ndarray) -> np.ndarray:
        grey = finite if finite.shape[2] == 3 else np.repeat(finite.mean(axis=2, keepdims=True), 3, axis=2)
        return to_bytes(grey)

    return with_not_finite(values, colours)


def _slices(values: Float[np.ndarray, "*axes channels"]) -> UInt8[np.ndarray, "rows columns 3"]:
    flat = values.reshape(-1, *values.shape[-3:])
    chosen = np.linspace(0, len(flat) - 1, min(len(flat), MOST_SLICES) + 2)[1:-1] if len(flat) > 2 else range(len(flat))
    pictures = [_plane(flat[round(float(index))]) for index in chosen]
    across = max(1, ceil(sqrt(len(pictures))))
    rows = [side_by_side(pictures[i : i + across], gap=2) for i in range(0, len(pictures), across)]
    columns = max(row.shape[1] for row in rows)
    gap = np.full((2, columns, 3), 255, dtype=np.uint8)
    padded = [np.pad(row, ((0, 0), (0, columns - row.shape[1]), (0, 0)), constant_values=255) for row in rows]
    return np.concatenate([piece for row in padded for piece in (gap, row)][1:])


def orthogonal(
    values: Float[np.ndarray, "*axes channels"],
    colours: Callable[[np.ndarray], UInt8[np.ndarray, "rows columns 3"]] | None = None,
) -> UInt8[np.ndarray, "rows columns 3"]:
    """Of three axes or more, values from 0 to 1: the slices through the middle across each of the last three axes,
    beside each other. `colours` makes of a slice, where it is finite, a picture; None is brightness."""
    volume = values[tuple(n // 2 for n in values.shape[:-4])]
    middle = [n // 2 for n in volume.shape[:3]]
    slices = [volume[middle[0]], volume[:, middle[1]], volume[:, :, middle[2]]]
    return side_by_side([_plane(s) if colours is None else with_not_finite(s, colours) for s in slices], gap=2)
