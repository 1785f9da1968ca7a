"""`leaves`: pictures of overlapping leaves of every size, made on the spot from (seed, split, index).

The dead leaves model (Matheron 1968; Lee, Mumford and Huang, IJCV 2001): flat shapes fall at random places until they
cover the picture. With as many of each size as r^-3 says, such pictures have the statistics of photographs that matter
to a field: edges, occlusion, detail at all scales, a spectrum that falls as that of photographs does. They stand in
where no photographs may be used. Leaves are a little textured and shaded, and the picture is a little out of focus.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter

from sparsine.signals.made_pictures import made_pictures, noise_of_slope
from sparsine.signals.source import SOURCES

_FINER = 2
"""Leaves are drawn at so many times the size, and averaged: edges are no staircases."""
_RADII = (0.02, 0.6)
"""Of leaves, in parts of the longer side."""
_MOST_LEAVES = 4_000
_COVERED = 0.999


def leaf_picture(rng: np.random.Generator, shape: tuple[int, int]) -> Float[np.ndarray, "rows columns 3"]:
    """One picture in 0..1: leaf behind leaf, from the front, until hardly anything is free."""
    rows, columns = (_FINER * n for n in shape)
    picture = np.empty((rows, columns, 3))
    picture[:] = rng.uniform(0.2, 0.8, 3)
    free = np.ones((rows, columns), dtype=bool)
    textures = [noise_of_slope(rng, (rows, columns), slope) for slope in (1.0, 1.5, 2.0)]
    left = free.size
    for box, inside, shade in _leaves(rng, (rows, columns)):
        seen = inside & free[box]
        count = int(seen.sum())
        if not count:
            continue
        colour = _colour(rng)
        texture = rng.exponential(0.04) * textures[rng.integers(len(textures))][box]
        picture[box][seen] = colour + (shade + texture)[seen][:, None]
        free[box][seen] = False
        left -= count
        if left < (1 - _COVERED) * free.size:
            break
    focus = _FINER * rng.uniform(0.35, 1.4)
    soft = gaussian_filter(picture.clip(0, 1), (focus, focus, 0))
    small = soft.reshape(shape[0], _FINER, shape[1], _FINER, 3).mean(axis=(1, 3))
    return np.asarray(small.clip(0, 1), dtype=np.float32)


Leaf = tuple[tuple[slice, slice], np.ndarray, np.ndarray]
"""The box that it lies in; where inside the box; and how much brighter it is there."""


def _leaves(rng: np.random.Generator, shape: tuple[int, int]) -> Iterator[Leaf]:
    """Ellipses and rectangles, turned and stretched."""
    rows, columns = shape
    longer = max(shape)
    small, large = (radius**-2.0 for radius in _RADII)
    for _ in range(_MOST_LEAVES):
        radius = longer * (small - (small - large) * rng.random()) ** -0.5
        centre = rng.uniform(-0.1, 1.1, 2) * shape
        angle, stretch = rng.uniform(0, np.pi), np.exp(rng.uniform(-0.5, 0.5))
        slope = rng.normal(0, 0.25, 2) / longer
        rounded = rng.random() < 0.5
        reach = 1.5 * radius * max(stretch, 1 / stretch)
        first = np.maximum(np.floor(centre - reach), 0).astype(int)
        last = np.minimum(np.ceil(centre + reach), (rows, columns)).astype(int)
        if (last <= first).any():
            continue
        y, x = np.ogrid[first[0] : last[0], first[1] : last[1]]
        dy, dx = y - centre[0], x - centre[1]
        along = (np.cos(angle) * dy + np.sin(angle) * dx) / (radius * stretch)
        across = (np.cos(angle) * dx - np.sin(angle) * dy) / (radius / stretch)
        inside = along**2 + across**2 < 1 if rounded else (abs(along) < 1) & (abs(across) < 1)
        yield (slice(first[0], last[0]), slice(first[1], last[1])), inside, slope[0] * dy + slope[1] * dx


def _colour(rng: np.random.Generator) -> np.ndarray:
    """Any brightness; colourful in the middle of the range, as photographs are."""
    brightness = rng.beta(1.2, 1.2)
    return np.asarray((brightness + 0.15 * (1 - abs(2 * brightness - 1)) * rng.normal(0, 1, 3)).clip(0, 1))


SOURCES["leaves"] = made_pictures(
    "leaves", leaf_picture, "overlapping leaves of every size", "the dead leaves model of photographs"
)
