"""Where values on a lattice cross zero: a surface of triangles, found slab by slab, and how alike two surfaces are."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from sparsine.signals.solid import nearest

SAME = 2e-4
"""In samples: two vertices on the plane between two slabs that lie so near to each other are one."""
LEAST = 1e-3
"""Values nearer to zero are taken as this: else several vertices of a corner would be one place."""


FINER = 3
_PARTS = (np.arange(FINER) + 0.5) / FINER


class Surface(NamedTuple):
    """Triangles, counter-clockwise seen from where values are above zero."""

    vertices: Float[np.ndarray, "vertices xyz"]
    faces: Int[np.ndarray, "faces corners"]

    def normals(self) -> Float[np.ndarray, "vertices xyz"]:
        """Unit vectors outwards: of each vertex the mean of its triangles, by area."""
        corners = self.faces.reshape(-1)
        sums = [np.bincount(corners, np.repeat(part, 3), len(self.vertices)) for part in self._across().T]
        return _unit(np.stack(sums, axis=-1))

    def flat_normals(self) -> Float[np.ndarray, "faces xyz"]:
        """Of the triangles."""
        return _unit(self._across())

    def _across(self) -> np.ndarray:
        corners = self.vertices[self.faces]
        return np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])


def _unit(vectors: np.ndarray) -> np.ndarray:
    unit: np.ndarray = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-300)
    return unit


EMPTY = Surface(np.empty((0, 3)), np.empty((0, 3), dtype=np.int64))


def zero_level(slabs: Iterable[Float[np.ndarray, "x y z"]]) -> Surface:
    """Marching cubes (Lewiner et al., 2003) over slabs of a lattice, one after the other along the first axis; vertices
    in samples from its corner. Of values one slab and a row are held at a time."""
    parts: list[Surface] = []
    row = np.empty((0, 0, 0), dtype=np.float32)
    seam = Seam(np.empty((0, 3)), np.empty(0, dtype=np.int64))
    first = count = 0
    for slab in slabs:
        joined = np.concatenate([row, slab]) if row.size else slab
        found = _of_one(joined, first)
        numbers, fresh = seam.numbers(found.vertices, count)
        parts.append(Surface(found.vertices[fresh], numbers[found.faces]))
        count, first, row = count + int(fresh.sum()), first + len(joined) - 1, joined[-1:]
        ends = np.abs(found.vertices[:, 0] - first) < SAME
        seam = Seam(found.vertices[ends], numbers[ends])
    if not count:
        return EMPTY
    faces = np.concatenate([part.faces for part in parts])
    a, b, c = faces.T
    return Surface(np.concatenate([part.vertices for part in parts]), faces[(a != b) & (b != c) & (c != a)])


class Seam(NamedTuple):
    """Vertices on the plane where one slab ends and the next begins."""

    vertices: Float[np.ndarray, "vertices xyz"]
    known: Int[np.ndarray, " vertices"]
    """Their numbers in the whole surface."""

    def numbers(self, vertices: Float[np.ndarray, "found xyz"], count: int) -> tuple[np.ndarray, np.ndarray]:
        """(numbers in the whole, which of them are new) of the next slab's vertices; new ones are counted from
        `count`."""
        fresh = np.ones(len(vertices), dtype=bool)
        numbers = np.empty(len(vertices), dtype=np.int64)
        if len(self.vertices) and len(vertices):
            from scipy.spatial import cKDTree  # slow to import

            _, nearest = cKDTree(self.vertices).query(vertices, distance_upper_bound=SAME)
            fresh = nearest == len(self.vertices)
            numbers[~fresh] = self.known[nearest[~fresh]]
        numbers[fresh] = count + np.arange(fresh.sum())
        return numbers, fresh


def _of_one(values: Float[np.ndarray, "x y z"], first: int) -> Surface:
    """Of one slab that begins at the row `first`."""
    import skimage.measure  # slow to import

    values = np.where(np.abs(values) < LEAST, np.where(values < 0, -LEAST, LEAST), values)
    if min(values.shape) < 2 or not values.min() < 0 <= values.max():
        return EMPTY
    marching_cubes: Any = skimage.measure.marching_cubes
    vertices, faces, _, _ = marching_cubes(values, 0.0)
    return Surface(vertices.astype(np.float64) + np.array([first, 0, 0]), faces.astype(np.int64))


def surface_of(values: Float[np.ndarray, "x y z one"]) -> Surface:
    """Of a whole lattice over the box from -1 to 1, in the units of the box. Values that are not finite count as
    outside."""
    finite = np.nan_to_num(values[..., 0], nan=1.0, posinf=1.0, neginf=-1.0)
    found = zero_level([finite])
    steps = 2.0 / np.maximum(np.array(finite.shape) - 1, 1)
    return Surface(found.vertices * steps - 1.0, found.faces)


def overlap(one: Float[np.ndarray, "x y z one"], other: Float[np.ndarray, "x y z one"]) -> float | None:
    """Intersection over union of what is below zero, decided at FINER^3 points of each cell of the lattice, with values
    linear between its samples; None where both are empty."""
    both = either = 0
    for a, b in zip(_layers(one[..., 0]), _layers(other[..., 0]), strict=True):
        both += int(np.count_nonzero((a < 0) & (b < 0)))
        either += int(np.count_nonzero((a < 0) | (b < 0)))
    return both / either if either else None


def _layers(values: Float[np.ndarray, "x y z"]) -> Iterator[np.ndarray]:
    """Layer after layer, so that few of so many points are held."""
    for low, high in pairwise(values):
        for part in _PARTS:
            yield _between(_between(low + part * (high - low)).T)


def _between(rows: Float[np.ndarray, "rows columns"]) -> Float[np.ndarray, "finer columns"]:
    """FINER rows between each two."""
    if len(rows) < 2:
        return rows
    finer = [rows[:-1] + part * (rows[1:] - rows[:-1]) for part in _PARTS]
    return np.stack(finer, axis=1).reshape(-1, rows.shape[1])


class Alike(NamedTuple):
    """How near two surfaces are to each other, from each vertex to the nearest place of the other one, both ways."""

    chamfer: float
    """Mean distance, in the units of the vertices."""
    normals: float
    """Mean of the cosine between the normals there."""


def alike(one: Surface, other: Surface) -> Alike | None:
    """None where one of them is empty."""
    if not len(one.vertices) or not len(other.vertices):
        return None
    distances, cosines = [], []
    for a, b in ((one, other), (other, one)):
        distance, triangle = nearest(a.vertices, b.vertices, b.faces)
        distances.append(distance.mean())
        cosines.append((a.normals() * b.flat_normals()[triangle]).sum(axis=1).mean())
    return Alike(float(np.mean(distances)), float(np.mean(cosines)))
