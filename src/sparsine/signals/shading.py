"""A surface as a picture: seen from afar, lit from beside the eye. It takes no window and no graphics card: points of
triangles, and of each pixel the nearest."""

from math import cos, radians, sin

import numpy as np
from jaxtyping import Float, UInt8

from sparsine.signals.surfaces import Surface

EDGE = 256
"""Rows and columns of a view."""
REACH = 1.3
"""Half of what a view shows, in half extents: a cube is seen whole from its corner."""
FINER = 2
"""Pixels that are drawn for one of the picture, along both axes."""
VIEWS = ((35.0, 20.0), (215.0, 20.0))
"""Degrees to the right and above of the front, which looks along the third axis; the second axis points up."""
CLAY = np.array([0.70, 0.79, 0.90])
_LIGHT = np.array([-0.35, 0.5, 0.79])


def shaded(
    surface: Surface, colours: Float[np.ndarray, "vertices rgb"] | None = None
) -> UInt8[np.ndarray, "rows columns rgb"]:
    """Both views beside each other, over white.

    Args:
        colours: of each vertex, 0 to 1; None is that of clay.
    """
    own = np.broadcast_to(CLAY, surface.vertices.shape) if colours is None else colours
    return np.concatenate([_view(surface, own, *view) for view in VIEWS], axis=1)


def _view(surface: Surface, colours: np.ndarray, yaw: float, pitch: float) -> UInt8[np.ndarray, "rows columns rgb"]:
    edge = EDGE * FINER
    canvas = np.ones((edge * edge, 3))
    if len(surface.faces):
        turn = _turn(radians(yaw), radians(pitch))
        seen, normals = surface.vertices @ turn.T, surface.normals() @ turn.T
        light = 0.25 + 0.75 * np.clip(normals @ (_LIGHT / np.linalg.norm(_LIGHT)), 0.0, 1.0)
        places = np.stack([(1 - seen[:, 1] / REACH) / 2 * edge, (1 + seen[:, 0] / REACH) / 2 * edge, seen[:, 2]], -1)
        _paint(canvas, edge, places[surface.faces], (colours * light[:, None])[surface.faces])
    small = canvas.reshape(EDGE, FINER, EDGE, FINER, 3).mean(axis=(1, 3))
    pixels: np.ndarray = np.round(small * 255).astype(np.uint8)
    return pixels


def _turn(yaw: float, pitch: float) -> np.ndarray:
    """Rows: to the right, up, towards the eye."""
    around = np.array([[cos(yaw), 0, -sin(yaw)], [0, 1, 0], [sin(yaw), 0, cos(yaw)]])
    above = np.array([[1, 0, 0], [0, cos(pitch), -sin(pitch)], [0, sin(pitch), cos(pitch)]])
    turned: np.ndarray = above @ around
    return turned


def _paint(canvas: np.ndarray, edge: int, corners: np.ndarray, colours: np.ndarray) -> None:
    """`corners` (triangles, 3, row column depth), `colours` (triangles, 3, rgb): points so close that no pixel between
    them is missed, the nearest last."""
    longest = np.abs(corners - np.roll(corners, 1, axis=1))[..., :2].max(axis=(1, 2))
    steps = 2 ** np.ceil(np.log2(np.maximum(longest, 1.0))).astype(int)
    points, paints = [], []
    for number in np.unique(steps):
        weights, chosen = _evenly(int(number)), steps == number
        points.append((weights @ corners[chosen]).reshape(-1, 3))
        paints.append((weights @ colours[chosen]).reshape(-1, 3))
    row, column, depth = np.concatenate(points).T
    row, column = row.astype(int), column.astype(int)
    seen = np.flatnonzero((row >= 0) & (row < edge) & (column >= 0) & (column < edge))
    order = seen[np.argsort(depth[seen], kind="stable")]
    canvas[row[order] * edge + column[order]] = np.concatenate(paints)[order]


def _evenly(steps: int) -> np.ndarray:
    """(points, 3): weights of the corners at points all over a triangle, `steps` of them between two corners."""
    a, b = np.meshgrid(np.arange(steps + 1), np.arange(steps + 1), indexing="ij")
    within = a + b <= steps
    one, two = a[within] / steps, b[within] / steps
    return np.stack([1 - one - two, one, two], axis=-1)
