"""Solids, described by their surface: which side of it a point lies on, and how far from it."""

from dataclasses import dataclass, field, replace
from types import ModuleType

import numpy as np
from jaxtyping import Float, Int

from sparsine.extras import optional

MARGIN = 0.1
"""Room around a solid in its box, in half extents: also the surface of a fit that is a little off closes within."""
BLOCK = 8
"""Samples along each axis that are asked together whether the surface comes near."""
FAR = 4.0
"""Bands from the surface on which distances are stored."""
NEAR_WHOLE = 0.2
"""How far from a whole number a winding number may lie and still be sure of its side."""
MOST_UNSURE = 0.1
"""Of the inside: beyond, holes are so large that nobody can say what is inside."""
PROBES = 24
"""Points along each axis at which a surface with holes is tried."""
Points = Float[np.ndarray, "points xyz"]


@dataclass(frozen=True)
class Solid:
    """A surface of triangles in the box from -1 to 1."""

    vertices: Float[np.ndarray, "vertices xyz"]
    """float64."""
    faces: Int[np.ndarray, "faces corners"]
    """int64, counter-clockwise seen from outside."""
    centre: tuple[float, ...] = (0.0, 0.0, 0.0)
    unit: float = 1.0
    """Where the box lies in the units of the file: centre + unit * vertices."""
    notes: tuple[str, ...] = field(default=())
    """What was not as it should be and was mended, a few words each."""

    def distance(self, points: Points) -> Float[np.ndarray, " points"]:
        """Signed, to the nearest point of the surface, negative inside: where the surface winds around more than half
        (the generalised winding number of Jacobson et al., 2013, by the fast way of Barill et al., 2018)."""
        asked = np.ascontiguousarray(points, dtype=np.float64)
        away, _ = nearest(asked, self.vertices, self.faces)
        # igl's own sign is 1 - 2 * winding, and the distance three times too large where two parts overlap
        return np.where(library().fast_winding_number(self.vertices, self.faces, asked) > 0.5, -away, away)

    def values(self, shape: tuple[int, ...], band: float) -> Float[np.ndarray, "x y z"]:
        """`bounded` distances on a lattice of `shape` over the box, end points included, float32. Of blocks of samples
        that lie far from the surface only the middles are asked."""
        axes = [np.linspace(-1.0, 1.0, n) for n in shape]
        blocks = [np.array_split(axis, -(-len(axis) // BLOCK)) for axis in axes]
        middles = _lattice([np.array([(part[0] + part[-1]) / 2 for part in parts]) for parts in blocks])
        reach = float(np.linalg.norm([max(np.ptp(part) for part in parts) / 2 for parts in blocks]))
        around = self.distance(middles).reshape([len(parts) for parts in blocks])
        for number, parts in enumerate(blocks):
            around = np.repeat(around, [len(part) for part in parts], axis=number)
        values = np.sign(around).astype(np.float32).reshape(-1)
        near = np.flatnonzero(np.abs(around) < FAR * band + reach)
        values[near] = self.values_at(near, shape, band)
        lattice: np.ndarray = values.reshape(shape)
        return lattice

    def values_at(
        self, places: Int[np.ndarray, " points"], shape: tuple[int, ...], band: float
    ) -> Float[np.ndarray, " points"]:
        """Some of `values`, by their places in array order."""
        along = np.unravel_index(places, shape)
        points = np.stack([np.linspace(-1.0, 1.0, n)[at] for n, at in zip(shape, along, strict=True)], axis=-1)
        return bounded(self.distance(points), band) if len(points) else np.empty(0, dtype=np.float32)

    def turned(self, rotation: Float[np.ndarray, "xyz xyz"], scale: float = 1.0) -> "Solid":
        """The same, rotated, brought into its box anew and made smaller by `scale`. Where it lay is forgotten."""
        vertices, _, _ = in_the_box(self.vertices @ rotation.T)
        return replace(self, vertices=vertices * scale, centre=(0.0, 0.0, 0.0), unit=1.0)


def bounded(distance: Float[np.ndarray, "*points"], band: float) -> Float[np.ndarray, "*points"]:
    """tanh(distance / band), float32; from FAR bands on -1 and 1. A field need not say how far away far is, and no
    kink says where it ends."""
    far = np.abs(distance) >= FAR * band
    return np.where(far, np.sign(distance), np.tanh(distance / band)).astype(np.float32)


def unbounded(values: Float[np.ndarray, "*points"], band: float) -> Float[np.ndarray, "*points"]:
    """The distances of `bounded` values, up to FAR bands."""
    most = np.tanh(FAR)
    distance: np.ndarray = np.arctanh(np.clip(values, -most, most)) * band
    return distance


def in_the_box(vertices: Points) -> tuple[Points, tuple[float, ...], float]:
    """(vertices in the box, but for its margin, centre, unit)."""
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    centre = (low + high) / 2
    unit = float((high - low).max()) / 2 / (1 - MARGIN)
    return (vertices - centre) / unit, tuple(centre.tolist()), unit


def nearest(
    points: Points, vertices: Float[np.ndarray, "vertices xyz"], faces: Int[np.ndarray, "faces corners"]
) -> tuple[Float[np.ndarray, " points"], Int[np.ndarray, " points"]]:
    """(distance to a surface, which of its triangles is the nearest)."""
    igl = library()
    distance, triangle, _, _ = igl.signed_distance(points, vertices, faces, igl.SIGNED_DISTANCE_TYPE_UNSIGNED)
    return distance, triangle.astype(np.int64)


def unsure_share(vertices: Points, faces: Int[np.ndarray, "faces corners"]) -> float:
    """How much of space has no clear side, as a part of the inside: 0 of closed surfaces, infinite where nothing is
    inside."""
    points = _lattice([np.linspace(-1.0, 1.0, PROBES)] * 3)
    winding = np.abs(library().fast_winding_number(vertices, faces, points))
    inside = float((winding > 0.5).mean())
    unsure = float((np.abs(winding - np.round(winding)) > NEAR_WHOLE).mean())
    return unsure / inside if inside else np.inf


def library() -> ModuleType:
    """libigl. Raises BadInput where it is missing."""
    return optional("igl", "mesh", "distances to meshes are found by libigl")


def _lattice(axes: list[np.ndarray]) -> Points:
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))
