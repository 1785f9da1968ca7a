"""Ranges of quantities: as a spec states them, or as signals have them."""

from collections.abc import Iterable
from math import floor, log10

import numpy as np

from sparsine.errors import BadInput


def range_said(asked: str) -> tuple[float, float]:
    """'200:320' as two numbers. Raises BadInput for anything else."""
    low, _, high = asked.partition(":")
    try:
        return float(low), float(high)
    except ValueError as error:
        raise BadInput(f"the range is {asked!r}; give lowest:highest in the variable's unit, as in 200:320") from error


def range_seen(signals: Iterable[np.ndarray]) -> tuple[float, float] | None:
    """Of all finite values, outwards to a round tenth of the span; None where there is none."""
    found: list[float] = []
    for values in signals:
        finite = values[np.isfinite(values)]
        found += [float(finite.min()), float(finite.max())] if finite.size else []
    if not found:
        return None
    low, high = min(found), max(found)
    unit = 10.0 ** (floor(log10(high - low)) - 1) if high > low else max(abs(low), 1.0)
    return float(unit * np.floor(low / unit)), float(unit * (np.floor(high / unit) + 1))


def some_of(count: int, most: int) -> list[int]:
    """At most so many of `count` places, evenly spread."""
    return [int(n) for n in np.unique(np.linspace(0, count - 1, min(count, most)).round())] if count else []
